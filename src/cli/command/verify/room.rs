//! File systems: of which kind one is, how much room it has, and which of several a rebuild takes.

use crate::cli::amount::size;
use rustix::fs::{FsWord, statfs, statvfs};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the kernel calls a file system in memory (statfs(2), `TMPFS_MAGIC`).
const TMPFS: FsWord = 0x0102_1994;

/// A rebuild takes at most one part in so many of the room: others want some as well.
const SHARE: u64 = 3;

/// A file system, as a directory on it shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disk {
    device: u64,
    kind: FsWord,
    /// How many bytes may be put there.
    free: u64,
}

impl Disk {
    /// Looks at the file system of a directory.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        let device = std::fs::metadata(dir)?.dev();
        let (kind, room) = (statfs(dir)?.f_type, statvfs(dir)?);
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let free = if kind == TMPFS { free.min(memory().unwrap_or(0)) } else { free };
        Ok(Self { device, kind, free })
    }

    /// Whether it is memory.
    pub(super) fn in_memory(&self) -> bool {
        self.kind == TMPFS
    }
}

/// How many bytes of memory the kernel calls available.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(available.saturating_mul(1024))
}

/// The directories of those given that are on another file system than the store and have room for so many bytes, those in memory
/// first, since a rebuild is thrown away, and then those of another kind; and of the others, why not, as fragments of a sentence.
pub(super) fn others(
    store: Disk,
    places: impl IntoIterator<Item = (PathBuf, io::Result<Disk>)>,
    needed: u64,
) -> (Vec<(PathBuf, Disk)>, Vec<String>) {
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for (dir, disk) in places {
        let shown = dir.display();
        match disk {
            Err(error) => unfit.push(format!("`{shown}` cannot be looked at ({error})")),
            Ok(disk) if disk.device == store.device => unfit.push(format!("`{shown}` is on it as well")),
            Ok(disk) if disk.free / SHARE < needed => {
                unfit.push(format!("`{shown}` has too little room for about {}", size(needed)));
            }
            Ok(disk) => fit.push((dir, disk)),
        }
    }
    fit.sort_by_key(|(_, disk)| (!disk.in_memory(), disk.kind == store.kind));
    (fit, unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXT4: FsWord = 0xef53;

    fn disk(device: u64, kind: FsWord, free: u64) -> Disk {
        Disk { device, kind, free }
    }

    fn found(store: Disk, places: &[(&str, Disk)]) -> (Vec<String>, Vec<String>) {
        let places = places.iter().map(|(dir, disk)| (PathBuf::from(dir), Ok(*disk)));
        let (fit, unfit) = others(store, places, 100);
        (fit.into_iter().map(|(dir, _)| dir.display().to_string()).collect(), unfit)
    }

    #[test]
    fn memory_with_room_is_preferred_and_then_another_kind_of_file_system() {
        let (memory, other_memory) = (disk(1, TMPFS, 300), disk(2, TMPFS, 9000));
        let (root, data) = (disk(3, EXT4, 9000), disk(4, EXT4, 9000));
        let small = disk(1, TMPFS, 299);
        let on_it = |dir: &str| format!("`{dir}` is on it as well");
        assert_eq!(
            found(root, &[("/dev/shm", memory), ("/tmp", root)]),
            (vec!["/dev/shm".into()], vec![on_it("/tmp")])
        );
        assert_eq!(found(root, &[("/data", data), ("/dev/shm", memory)]).0, ["/dev/shm", "/data"]);
        assert_eq!(
            found(memory, &[("/dev/shm", memory), ("/data", data), ("/tmp", other_memory)]).0,
            ["/tmp", "/data"]
        );
        let files = disk(5, 0x5846_5342, 9000);
        assert_eq!(found(root, &[("/data", data), ("/files", files)]).0, ["/files", "/data"]);
        let lacks = "`/dev/shm` has too little room for about 100 B".to_owned();
        assert_eq!(found(root, &[("/dev/shm", small), ("/tmp", data)]), (vec!["/tmp".into()], vec![lacks.clone()]));
        assert_eq!(found(root, &[("/dev/shm", small), ("/tmp", root)]), (vec![], vec![lacks, on_it("/tmp")]));
        let (fit, unfit) = others(root, [(PathBuf::from("/none"), Disk::of(Path::new("/nonexistent/none")))], 1);
        assert!(fit.is_empty() && unfit[0].starts_with("`/none` cannot be looked at (No such file"), "{unfit:?}");
    }
}

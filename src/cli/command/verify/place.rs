//! Where a rebuild happens: on another file system than the first build if there is one with room, and nothing is left of it.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::plan::{Action, Plan, Work};
use crate::source::path::{ItemKind, Tree};
use crate::store::Store;
use rustix::process::geteuid;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

/// Files in memory.
const MEMORY: &str = "/dev/shm";

/// What a store takes of room, as a multiple of the packages that it unpacks: xz and zstd shrink them to about a fourth, and the
/// layers stand beside the fragments.
const GROWTH: u64 = 10;

/// What our directories in memory begin with.
const PREFIX: &str = "remint-verify-";

/// The file in such a directory that is held by flock while its run lives.
const LOCK: &str = "lock";

/// A directory of our own, removed with everything in it at the end.
pub(super) struct Place {
    dir: TempDir,
    /// Tells other runs that this one lives.
    _lock: Option<File>,
    /// What it is, for people.
    pub(super) title: String,
}

impl Place {
    /// A place for a few documents.
    pub(super) fn for_documents(store: &Store) -> Result<Self, Failure> {
        let dir = TempDir::new_in(store.scratch()).or_else(|_| TempDir::new()).map_err(|error| cannot(&error))?;
        Ok(Self { dir, _lock: None, title: String::new() })
    }

    /// A place for a few documents where there is no store.
    pub(super) fn alone() -> Result<Self, Failure> {
        let dir = TempDir::new().map_err(|error| cannot(&error))?;
        Ok(Self { dir, _lock: None, title: String::new() })
    }

    /// A place for everything that a plan makes: in memory, unless that is where the store is, or there is too little of it.
    pub(super) fn for_rebuild(store: &Store, plan: &Plan) -> Result<Self, Failure> {
        let device = |path: &Path| std::fs::metadata(path).map(|meta| meta.dev()).ok();
        let memory = Path::new(MEMORY);
        let elsewhere = device(memory).is_some_and(|there| Some(there) != device(store.dir()));
        sweep(memory);
        if elsewhere
            && needed(plan) <= free(memory).unwrap_or(0) / 3
            && let Ok((dir, lock)) = locked(memory)
        {
            return Ok(Self { dir, _lock: Some(lock), title: "in memory".to_owned() });
        }
        // Swept by the next run, should this one be killed.
        let dir = TempDir::new_in(store.scratch()).or_else(|_| TempDir::new()).map_err(|error| cannot(&error))?;
        Ok(Self { dir, _lock: None, title: "on the store's own file system".to_owned() })
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A new store in it.
    pub(super) fn store(&self, name: &str) -> Result<Store, Failure> {
        Store::open(&self.path().join(name)).map_err(|error| Failure::from_error(Exit::Action, &error))
    }
}

/// Makes a directory that other runs leave alone while this one lives.
fn locked(memory: &Path) -> io::Result<(TempDir, File)> {
    let dir = TempDir::with_prefix_in(PREFIX, memory)?;
    let unlocked = dir.path().join("unlocked");
    let file = File::create(&unlocked)?;
    file.lock()?;
    // It has its name only once it is held.
    std::fs::rename(unlocked, dir.path().join(LOCK))?;
    Ok((dir, file))
}

/// Removes what runs of this user left that were killed: memory is scarce.
fn sweep(memory: &Path) {
    for entry in std::fs::read_dir(memory).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && path.symlink_metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == geteuid().as_raw());
        if ours && File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // What cannot be removed stays for the next run.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// About how many bytes a plan's results take.
fn needed(plan: &Plan) -> u64 {
    let size = |action: &Action| match action {
        Action::Unpack(unpack) => unpack.pin.deb.size,
        Action::Layer(layer) => match &layer.work {
            Work::Copy(copy) => match &*copy.tree {
                Tree::File(file) => file.content.size,
                Tree::Directory(items) => items
                    .iter()
                    .map(|item| if let ItemKind::File(file) = &item.kind { file.content.size } else { 0 })
                    .fold(0, u64::saturating_add),
            },
            Work::Foreign(foreign) => foreign.blob.size,
            _ => 0,
        },
    };
    plan.actions.values().map(size).fold(0, u64::saturating_add).saturating_mul(GROWTH)
}

/// How many bytes may be put into memory: what the file system there takes, and what the kernel calls available.
fn free(memory: &Path) -> Option<u64> {
    let room = rustix::fs::statvfs(memory).ok()?;
    let room = room.f_bavail.saturating_mul(room.f_frsize);
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(room.min(available.saturating_mul(1024)))
}

fn cannot(error: &io::Error) -> Failure {
    Failure::wrap(Exit::Action, "cannot make a temporary directory", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_a_living_one_holds_is_not() {
        let memory = tempfile::tempdir().unwrap();
        let make = |name: &str, file: &str| {
            let dir = memory.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join(file), "").unwrap();
            dir
        };
        let (living, _lock) = locked(memory.path()).unwrap();
        let left = make("remint-verify-1", LOCK);
        let others = [make("remint-verify-2", "unlocked"), make("other", LOCK)];
        sweep(memory.path());
        assert!(living.path().is_dir() && others.iter().all(|dir| dir.is_dir()));
        assert!(!left.exists());
    }
}

//! Where a rebuild happens: on another file system than the first build if there is one with room, and nothing is left of it.

use super::room::{Disk, others};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::plan::{Action, Plan, Work};
use crate::source::path::{ItemKind, Tree};
use crate::store::Store;
use rustix::process::geteuid;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files in memory.
const MEMORY: &str = "/dev/shm";

/// Temporary files that outlast a start of the machine (file-hierarchy(7)): on a disk also where `/tmp` is in memory.
const LASTING: &str = "/var/tmp";

/// What a store takes of room, as a multiple of the packages that it unpacks: xz and zstd shrink them to about a fourth, and the
/// layers stand beside the fragments.
const GROWTH: u64 = 10;

/// What our directories outside the store begin with.
const PREFIX: &str = "remint-verify-";

/// The file in such a directory that is held by flock while its run lives.
const LOCK: &str = "lock";

/// A directory of our own, removed with everything in it at the end.
pub(super) struct Place {
    dir: TempDir,
    /// Tells other runs that this one lives.
    _lock: Option<File>,
    /// Whether it is on another file system than the store, and which; or why not.
    pub(super) elsewhere: Result<String, String>,
}

impl Place {
    /// A place for a few documents.
    pub(super) fn for_documents(store: &Store) -> Result<Self, Failure> {
        Self::in_store(store, &[])
    }

    /// A place for a few documents where there is no store.
    pub(super) fn alone() -> Result<Self, Failure> {
        let (dir, lock) = among_others().map_err(|error| cannot(&error))?;
        Ok(Self { dir, _lock: Some(lock), elsewhere: Err(String::new()) })
    }

    /// A place for everything that a plan makes: on another file system than the store, in memory if one has room; the store's own is
    /// the last.
    pub(super) fn for_rebuild(store: &Store, plan: &Plan) -> Result<Self, Failure> {
        let mut places: Vec<PathBuf> = vec![MEMORY.into(), std::env::temp_dir(), LASTING.into()];
        places.dedup();
        // Before their room is looked at.
        for dir in &places {
            sweep(dir);
        }
        let its = Disk::of(store.dir()).map_err(|error| cannot(&error))?;
        let places = places.into_iter().map(|dir| {
            let disk = Disk::of(&dir);
            (dir, disk)
        });
        let (fit, mut unfit) = others(its, places, needed(plan));
        for (dir, disk) in fit {
            let shown = dir.display();
            match locked(&dir) {
                Ok((dir, lock)) => {
                    let memory = if disk.in_memory() { ", in memory" } else { "" };
                    let elsewhere = Ok(format!("that of `{shown}`{memory}, and not the store's"));
                    return Ok(Self { dir, _lock: Some(lock), elsewhere });
                }
                Err(error) => unfit.push(format!("`{shown}` cannot be written ({error})")),
            }
        }
        Self::in_store(store, &unfit)
    }

    /// A place among the store's temporary files, swept by whoever opens it alone; beside others' where the store takes none.
    fn in_store(store: &Store, unfit: &[String]) -> Result<Self, Failure> {
        let within = own(&store.scratch()).map(|dir| (dir, None));
        let made = within.or_else(|_| among_others().map(|(dir, lock)| (dir, Some(lock))));
        let (dir, lock) = made.map_err(|error| cannot(&error))?;
        let elsewhere = Err(format!("it is the store's: {}", unfit.join(", ")));
        Ok(Self { dir, _lock: lock, elsewhere })
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

/// Makes a directory in another that is this user's alone, however the umask is: what a rebuild with another umask puts there, nobody
/// else may change.
fn own(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

/// Makes a directory among others' temporary files, where runs before may have left theirs.
fn among_others() -> io::Result<(TempDir, File)> {
    let parent = std::env::temp_dir();
    sweep(&parent);
    locked(&parent)
}

/// Makes a directory that other runs leave alone while this one lives.
fn locked(parent: &Path) -> io::Result<(TempDir, File)> {
    let dir = own(parent)?;
    let unlocked = dir.path().join("unlocked");
    let file = File::create(&unlocked)?;
    file.lock()?;
    // It has its name only once it is held.
    std::fs::rename(unlocked, dir.path().join(LOCK))?;
    Ok((dir, file))
}

/// Removes what runs of this user left that were killed: memory is scarce.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
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
        assert_eq!(living.path().metadata().unwrap().mode() & 0o7777, 0o700);
        assert!(living.path().is_dir() && others.iter().all(|dir| dir.is_dir()));
        assert!(!left.exists());
    }
}

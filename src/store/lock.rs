//! Locks between threads and processes, so that the same work is not done twice at once.

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use std::fs::{File, OpenOptions};

/// A lock that is held until it is dropped, or until its process ends, however it ends.
#[derive(Debug)]
pub struct StoreLock(#[expect(dead_code, reason = "held for its drop, which releases the lock")] File);

impl Store {
    /// Waits until no one else runs an action whose key begins with the same byte.
    ///
    /// Whoever holds such a lock takes no other, so no circle of waiting can arise.
    pub fn lock_action(&self, key: &ActionKey) -> Result<StoreLock, Error> {
        self.lock(&key.0.hex()[..2])
    }

    /// Waits until no one else fetches a blob whose digest begins with the same byte: two would write one partial file.
    pub fn lock_fetch(&self, digest: &Digest) -> Result<StoreLock, Error> {
        self.lock(&format!("fetch-{}", &digest.hex()[..2]))
    }

    /// Empties `tmp/` if no other process has the store open, and keeps others from doing so; best effort, since a store that
    /// cannot be written has nothing to sweep.
    pub(super) fn sweep(&self) -> Option<StoreLock> {
        let path = self.dir.join("locks/tmp");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).ok()?;
        if file.try_lock().is_ok() {
            for left in std::fs::read_dir(self.scratch()).into_iter().flatten().flatten() {
                let path = left.path();
                let _ = if path.is_dir() && !path.is_symlink() {
                    std::fs::remove_dir_all(path)
                } else {
                    std::fs::remove_file(path)
                };
            }
            file.unlock().ok()?;
        }
        file.lock_shared().ok()?;
        Some(StoreLock(file))
    }

    pub(super) fn lock(&self, name: &str) -> Result<StoreLock, Error> {
        let path = self.dir.join("locks").join(name);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(doing("open the lock", &path))?;
        file.lock().map_err(doing("lock", &path))?;
        Ok(StoreLock(file))
    }
}

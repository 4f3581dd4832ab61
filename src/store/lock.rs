//! Locks between threads and processes, so that the same work is not done twice at once.
//!
//! All are held by flock, which the kernel releases whichever way a process ends. A wait of more than a second for another process
//! is said; threads of one process wait in silence, since their own work is shown.

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use crate::disk;
use crate::event::Event;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How long a wait is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// A lock that is held until it is dropped, or until its process ends, however it ends.
#[derive(Debug)]
pub struct StoreLock<'a> {
    store: &'a Store,
    name: String,
    waited: bool,
    _file: File,
}

impl StoreLock<'_> {
    /// Whether somebody else had it first, who may have done the work meanwhile.
    #[must_use]
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Drop for StoreLock<'_> {
    fn drop(&mut self) {
        self.store.held().remove(&self.name);
    }
}

impl Store {
    /// Waits until no one else runs an action whose key begins with the same byte.
    ///
    /// Whoever holds such a lock takes no other, so no circle of waiting can arise.
    pub fn lock_action(&self, key: &ActionKey) -> Result<StoreLock<'_>, Error> {
        self.lock(&key.0.hex()[..2])
    }

    /// Waits until no one else fetches a blob whose digest begins with the same byte: two would write one partial file.
    pub fn lock_fetch(&self, digest: &Digest) -> Result<StoreLock<'_>, Error> {
        self.lock(&format!("fetch-{}", &digest.hex()[..2]))
    }

    /// Sweeps if no other process has the store open, and from then on keeps others from doing so; best effort, since a store
    /// that cannot be written has nothing to sweep.
    pub(super) fn enter(&self) -> Option<File> {
        let file = disk::open_or_create(&self.in_use_path()).or_else(|_| File::open(self.in_use_path())).ok()?;
        if file.try_lock().is_ok() {
            self.sweep();
            file.unlock().ok()?;
        }
        self.wait(&file, &self.in_use_path(), File::try_lock_shared, File::lock_shared).ok()?;
        Some(file)
    }

    /// Keeps others from sweeping and from collecting garbage, where there is a lock for that.
    pub(super) fn stay(&self) -> Option<File> {
        let file = File::open(self.in_use_path()).ok()?;
        self.wait(&file, &self.in_use_path(), File::try_lock_shared, File::lock_shared).ok()?;
        Some(file)
    }

    /// Waits until no one else has the store open, and keeps everyone out.
    pub(super) fn take_over(&self) -> Result<File, Error> {
        let path = self.in_use_path();
        let file = disk::open_or_create(&path).map_err(doing("open the lock", &path))?;
        self.wait(&file, &path, File::try_lock, File::lock).map_err(doing("lock", &path))?;
        self.sweep();
        Ok(file)
    }

    pub(super) fn lock(&self, name: &str) -> Result<StoreLock<'_>, Error> {
        let path = self.dir.join("locks").join(name);
        let file = disk::open_or_create(&path).map_err(doing("open the lock", &path))?;
        let waited = self.wait(&file, &path, File::try_lock, File::lock).map_err(doing("lock", &path))?;
        self.held().insert(name.to_owned());
        Ok(StoreLock { store: self, name: name.to_owned(), waited, _file: file })
    }

    /// Locks a file, and says so if that takes long; whether it had to wait.
    fn wait(
        &self,
        file: &File,
        path: &Path,
        attempt: fn(&File) -> Result<(), TryLockError>,
        block: fn(&File) -> io::Result<()>,
    ) -> io::Result<bool> {
        match attempt(file) {
            Ok(()) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (locked, waiting) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            // Without the thread, the wait is only silent.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || {
                let late = waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
                if late && !self.held().contains(&*name) {
                    self.events.send(Event::Waiting { lock: path.display().to_string() });
                }
            });
            let result = block(file);
            drop(locked);
            result.map(|()| true)
        })
    }

    /// Removes what killed processes left: unfinished files, and downloads that came in otherwise.
    fn sweep(&self) {
        for left in std::fs::read_dir(self.scratch()).into_iter().flatten().flatten() {
            let directory = left.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if directory { disk::remove_dir_all(&left.path()) } else { disk::remove_file(&left.path()) };
        }
        for left in std::fs::read_dir(self.partial()).into_iter().flatten().flatten() {
            let digest = left.file_name().to_str().and_then(Digest::from_hex);
            if digest.is_none_or(|digest| self.blob_path(&digest).is_file()) {
                let _ = disk::remove_file(&left.path());
            }
        }
    }

    fn in_use_path(&self) -> PathBuf {
        self.dir.join("locks/tmp")
    }

    fn held(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<String>> {
        self.held.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Events;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_long_wait_for_another_process_is_said_once() {
        let dir = tempfile::tempdir().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&said);
        let store = Store::open_with(dir.path(), &Events::new(move |event| sink.lock().unwrap().push(event))).unwrap();
        // Another store of the same directory stands for another process: flock tells open files apart, not processes.
        let other = Store::open(dir.path()).unwrap();
        let digest = Digest::of(b"x");
        let held = other.lock_fetch(&digest).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(store.lock_fetch(&digest).unwrap()));
            std::thread::sleep(PATIENCE + Duration::from_millis(300));
            drop(held);
        });
        let own = store.lock_fetch(&digest).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(store.lock_fetch(&digest).unwrap()));
            std::thread::sleep(PATIENCE + Duration::from_millis(300));
            drop(own);
        });
        let said = said.lock().unwrap();
        assert!(matches!(&said[..], [Event::Waiting { lock }] if lock.contains("locks/fetch-")), "{said:?}");
    }
}

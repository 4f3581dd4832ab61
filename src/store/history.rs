//! Small records of what was built when: only for telling people why, never an input of anything.

use super::error::{Error, doing};
use super::{Store, StoreLock};
use crate::disk;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

/// The largest record that is read, in bytes: the names and digests of some hundred thousand files.
const LIMIT: u64 = 64 << 20;

impl Store {
    /// Reads a record; `None` if there is none, or none that can be read.
    #[must_use]
    pub fn history(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = fs::File::open(self.history_path(name)).ok()?;
        let read = file.take(LIMIT + 1).read_to_end(&mut bytes).ok()?;
        (read as u64 <= LIMIT).then_some(bytes)
    }

    /// Writes a record in place of one of the same name, whole or not at all.
    pub fn put_history(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let dir = self.dir.join("history");
        disk::create_dir_all(&dir).map_err(doing("make the directory", &dir))?;
        self.replace(&self.history_path(name), bytes)
    }

    /// The names of all records, sorted; none in a store that never had one.
    #[must_use]
    pub fn histories(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.join("history")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Removes a record that nothing names any more.
    pub fn forget_history(&self, name: &str) {
        // One that stays takes a little room, and is forgotten the next time.
        let _ = disk::remove_file(&self.history_path(name));
    }

    /// Waits until no one else writes records.
    pub fn lock_history(&self) -> Result<StoreLock<'_>, Error> {
        self.lock("history")
    }

    fn history_path(&self, name: &str) -> PathBuf {
        debug_assert!(!name.contains('/') && !name.starts_with('.'), "a file name");
        self.dir.join("history").join(name)
    }
}

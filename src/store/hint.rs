//! What makes the next run faster, and may be gone at any time.

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use crate::disk;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

impl Store {
    /// Reads a hint; `None` if there is none, or it is not as it was written.
    #[must_use]
    pub fn hint(&self, key: &ActionKey) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.hint_path(key)).ok()?;
        let digest = bytes.split_off(bytes.len().checked_sub(Digest::of(b"").as_bytes().len())?);
        (digest == Digest::of(&bytes).as_bytes()).then_some(bytes)
    }

    /// Writes a hint in place of the one before it, whole or not at all.
    pub fn put_hint(&self, key: &ActionKey, bytes: &[u8]) -> Result<(), Error> {
        let dir = self.dir.join("hints");
        disk::create_dir_all(&dir).map_err(doing("make the directory", &dir))?;
        self.replace(&self.hint_path(key), &[bytes, Digest::of(bytes).as_bytes()].concat())
    }

    /// Removes the hints that were written before a moment.
    pub fn forget_hints(&self, before: SystemTime) {
        for entry in fs::read_dir(self.dir.join("hints")).into_iter().flatten().flatten() {
            let modified = entry.metadata().and_then(|meta| meta.modified());
            if modified.is_ok_and(|modified| modified < before) {
                // One that stays takes a little room.
                let _ = disk::remove_file(&entry.path());
            }
        }
    }

    fn hint_path(&self, key: &ActionKey) -> PathBuf {
        self.dir.join("hints").join(key.0.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_hint_is_what_was_written_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let key = ActionKey(Digest::of(b"key"));
        assert_eq!(store.hint(&key), None);
        for text in [&b"one"[..], b""] {
            store.put_hint(&key, text).unwrap();
            assert_eq!(store.hint(&key).as_deref(), Some(text));
        }
        let path = store.hint_path(&key);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert_eq!(store.hint(&key), None);
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(store.hint(&key), None);
        }
        store.put_hint(&key, b"two").unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        store.forget_hints(written);
        assert!(store.hint(&key).is_some(), "it is young");
        store.forget_hints(written + Duration::from_secs(1));
        assert_eq!(store.hint(&key), None);
    }
}

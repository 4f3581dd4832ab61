//! Files of blobs that may be sent: each is read through once a process, and again if its file is another one or has changed.

use super::stamp::Stamp;
use crate::digest::Digest;
use crate::oci::Blob;
use crate::store::{self, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard};

/// What was read through.
#[derive(Debug, Default)]
pub(super) struct Verified {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<Digest, Stamp>,
    /// Being read through now, each by one thread; others wait for it.
    busy: BTreeSet<Digest>,
}

/// Why a blob cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// The store says so.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file has another size than the image says; which of them is wrong, `cache check` finds out.
    #[error("blob {digest} in the store has another size than the image says: expected {expected}, found {found}")]
    Size {
        /// The blob.
        digest: Digest,
        /// What the image says, in bytes.
        expected: u64,
        /// What the file has, in bytes.
        found: u64,
    },
    /// The file is replaced faster than it can be read.
    #[error("blob {digest} in the store changes while it is read")]
    Restless {
        /// The blob.
        digest: Digest,
    },
}

/// How often a file is looked at that is another one after it was read through.
const ATTEMPTS: usize = 3;

impl Verified {
    /// Opens a blob whose bytes are what its name says. What is damaged is set aside by the store, so that it can be made again.
    pub(super) fn open(&self, store: &Store, blob: &Blob) -> Result<File, Unfit> {
        let digest = blob.digest;
        for _ in 0..ATTEMPTS {
            let (file, stamp) = look(store, blob)?;
            if self.lock().known.get(&digest) == Some(&stamp) {
                return Ok(file);
            }
            let turn = self.turn(digest);
            if turn.of.lock().known.get(&digest) == Some(&stamp) {
                return Ok(file);
            }
            store.check(blob)?;
            // What was read stands where the opened file stood, unless it was replaced in between.
            if look(store, blob)?.1 == stamp {
                self.lock().known.insert(digest, stamp);
                return Ok(file);
            }
        }
        Err(Unfit::Restless { digest })
    }

    /// Waits until no other thread reads a blob through.
    fn turn(&self, digest: Digest) -> Turn<'_> {
        let busy = |state: &mut State| state.busy.contains(&digest);
        let mut state = self.done.wait_while(self.lock(), busy).expect("no holder of this lock panics");
        state.busy.insert(digest);
        Turn { of: self, digest }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

/// The right to read a blob through, given back when dropped.
struct Turn<'a> {
    of: &'a Verified,
    digest: Digest,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.lock().busy.remove(&self.digest);
        self.of.done.notify_all();
    }
}

/// Opens a blob's file as it stands, if it has its size.
fn look(store: &Store, blob: &Blob) -> Result<(File, Stamp), Unfit> {
    let digest = blob.digest;
    let file = store.open_file(&digest)?;
    let wrong = |source| store::Error::Io { doing: "look at", path: store.blob_path(&digest), source };
    let meta = file.metadata().map_err(wrong)?;
    if !meta.is_file() {
        return Err(wrong(io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    if meta.len() != blob.size {
        return Err(Unfit::Size { digest, expected: blob.size, found: meta.len() });
    }
    Ok((file, Stamp::of(&meta)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_file_is_read_through_once_and_again_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(b"bytes").unwrap();
        let verified = Verified::default();
        let mut text = String::new();
        verified.open(&store, &blob).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "bytes");
        let known = verified.lock().known[&blob.digest];
        verified.open(&store, &blob).unwrap();
        assert_eq!(verified.lock().known[&blob.digest], known);
        // The store itself believes what it wrote; a file that changed is read all the same.
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(store.blob_path(&blob.digest), b"bytEs").unwrap();
        assert!(matches!(verified.open(&store, &blob), Err(Unfit::Store(store::Error::Damaged { .. }))));
        assert!(matches!(verified.open(&store, &blob), Err(Unfit::Store(store::Error::Missing { .. }))));
        assert!(verified.lock().busy.is_empty());
    }

    #[test]
    fn another_size_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(b"bytes").unwrap();
        let lie = Blob { size: 4, ..blob };
        let verified = Verified::default();
        assert!(matches!(verified.open(&store, &lie), Err(Unfit::Size { expected: 4, found: 5, .. })));
        assert!(store.has(&blob));
    }

    #[test]
    fn many_ask_and_one_reads() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(&vec![7; 1 << 20]).unwrap();
        let verified = Verified::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| verified.open(&store, &blob).unwrap());
            }
        });
        let state = verified.lock();
        assert_eq!((state.known.len(), state.busy.len()), (1, 0));
    }
}

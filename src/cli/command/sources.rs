//! Packages and images for a rebuild: from the store of the first build, so that nothing is fetched twice.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::digest::Digest;
use crate::oci::Blob;
use crate::source::base::{BaseBlob, BaseError, FetchBase};
use crate::source::debian::pool::{Fetch, PoolError, PoolFile};
use crate::store::{Error, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

/// Takes sources from another store, and brings into it what it lacks.
pub(super) struct Sources<F> {
    store: Store,
    fetch: F,
    /// What was handed out: a source that is asked for again was damaged.
    given: Mutex<BTreeSet<Digest>>,
}

impl<F> Sources<F> {
    /// Opens the other store.
    pub(super) fn open(dir: &Path, fetch: F) -> Result<Self, Failure> {
        let store = Store::open(dir).map_err(|error| Failure::from_error(Exit::Action, &error))?;
        Ok(Self { store, fetch, given: Mutex::default() })
    }

    /// Shares a blob of the other store with this one, once `fetch` has brought it there.
    fn give<E: From<Error>>(&self, blob: &Blob, store: &Store, fetch: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let again = !self.given.lock().expect("no holder of this lock panics").insert(blob.digest);
        // Whoever unpacks it verifies it; what failed there is looked at here, set aside, and fetched again.
        if again && let Err(error @ Error::Io { .. }) = self.store.check(blob) {
            return Err(error.into());
        }
        if !self.store.has(blob) {
            let _turn = self.store.lock_fetch(&blob.digest)?;
            if !self.store.has(blob) {
                fetch()?;
            }
        }
        Ok(share(&self.store.blob_path(&blob.digest), &store.blob_path(&blob.digest))?)
    }
}

impl Fetch for Sources<Box<dyn Fetch + '_>> {
    fn fetch(&self, file: &PoolFile, store: &Store) -> Result<(), PoolError> {
        self.give(&file.deb, store, || self.fetch.fetch(file, &self.store))
    }
}

impl FetchBase for Sources<Box<dyn FetchBase + '_>> {
    fn fetch_base(&self, blob: &BaseBlob, store: &Store) -> Result<(), BaseError> {
        self.give(&blob.blob, store, || self.fetch.fetch_base(blob, &self.store))
    }
}

/// Gives a file another name; where file systems differ or the owner forbids it, by a symbolic link.
fn share(from: &Path, to: &Path) -> Result<(), Error> {
    let linked = std::fs::hard_link(from, to)
        .or_else(|_| std::fs::canonicalize(from).and_then(|from| std::os::unix::fs::symlink(from, to)));
    linked.map_err(|source| Error::Io { doing: "link a source to", path: to.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::debian::pool::Offline;

    #[test]
    fn a_package_is_shared_and_a_damaged_one_is_not_given_twice() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (before, after) = (Store::open(first.path()).unwrap(), Store::open(second.path()).unwrap());
        let deb = before.put(b"package").unwrap();
        let file = |deb: Blob| PoolFile {
            title: "a 1 (all)".into(),
            archive: "debian".into(),
            suite: "trixie".into(),
            dates: Vec::new(),
            path: "pool/a.deb".into(),
            deb,
        };
        let offline = Box::new(Offline) as Box<dyn Fetch>;
        let sources = Sources::open(first.path(), offline).unwrap();
        sources.fetch(&file(deb), &after).unwrap();
        assert_eq!(after.read(&deb).unwrap(), b"package");
        assert!(matches!(sources.fetch(&file(Blob::of(b"none")), &after), Err(PoolError::Offline { .. })));
        std::fs::write(before.blob_path(&deb.digest), b"pAckage").unwrap();
        after.read(&deb).unwrap_err();
        assert!(matches!(sources.fetch(&file(deb), &after), Err(PoolError::Offline { .. })));
        assert!(!before.has(&deb) && !after.has(&deb));
    }
}

//! Packages for a rebuild: from the store of the first build, so that nothing is fetched twice.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::digest::Digest;
use crate::source::debian::pool::{Fetch, PoolError, PoolFile};
use crate::store::{Error, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

/// Takes packages from another store, and fetches into it what it lacks.
pub(super) struct Sources<'a> {
    store: Store,
    fetch: Box<dyn Fetch + 'a>,
    /// What was handed out: a package that is asked for again was damaged.
    given: Mutex<BTreeSet<Digest>>,
}

impl<'a> Sources<'a> {
    /// Opens the other store.
    pub(super) fn open(dir: &Path, fetch: Box<dyn Fetch + 'a>) -> Result<Self, Failure> {
        let store = Store::open(dir).map_err(|error| Failure::from_error(Exit::Action, &error))?;
        Ok(Self { store, fetch, given: Mutex::default() })
    }
}

impl Fetch for Sources<'_> {
    fn fetch(&self, file: &PoolFile, store: &Store) -> Result<(), PoolError> {
        let again = !self.given.lock().expect("no holder of this lock panics").insert(file.deb.digest);
        // Whoever unpacks it verifies it; what failed there is looked at here, set aside, and fetched again.
        if again && let Err(error @ Error::Io { .. }) = self.store.check(&file.deb) {
            return Err(error.into());
        }
        if !self.store.has(&file.deb) {
            let _turn = self.store.lock_fetch(&file.deb.digest)?;
            if !self.store.has(&file.deb) {
                self.fetch.fetch(file, &self.store)?;
            }
        }
        share(&self.store.blob_path(&file.deb.digest), &store.blob_path(&file.deb.digest))
    }
}

/// Gives a file another name; where file systems differ or the owner forbids it, by a symbolic link.
fn share(from: &Path, to: &Path) -> Result<(), PoolError> {
    let linked = std::fs::hard_link(from, to)
        .or_else(|_| std::fs::canonicalize(from).and_then(|from| std::os::unix::fs::symlink(from, to)));
    linked.map_err(|source| Error::Io { doing: "link a package to", path: to.to_owned(), source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Blob;
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
        let sources = Sources::open(first.path(), Box::new(Offline)).unwrap();
        sources.fetch(&file(deb), &after).unwrap();
        assert_eq!(after.read(&deb).unwrap(), b"package");
        assert!(matches!(sources.fetch(&file(Blob::of(b"none")), &after), Err(PoolError::Offline { .. })));
        std::fs::write(before.blob_path(&deb.digest), b"pAckage").unwrap();
        after.read(&deb).unwrap_err();
        assert!(matches!(sources.fetch(&file(deb), &after), Err(PoolError::Offline { .. })));
        assert!(!before.has(&deb) && !after.has(&deb));
    }
}

//! Blobs by digest and action results by key, in a directory that is itself a valid OCI image layout.
//!
//! ```text
//! cache/
//!   CACHEDIR.TAG               backup programs pass it by
//!   oci-layout  index.json     what images there are (image-spec, image-layout.md)
//!   blobs/sha256/<hex>         sources, fragments, layers, configs, manifests
//!   actions/<hex>              an ActionKey's result: one line of JSON and a line with its digest
//!   history/<name>             what was built last, for people
//!   partial/<hex>              downloads that are not whole yet
//!   locks/<two digits>, …      held by flock while an action runs, a blob is fetched or index.json changes
//!   locks/fetch-<two digits>   held by flock while a blob is fetched
//!   tmp/                       what is being written; what a killed process left is swept once no one works
//! ```
//!
//! Invariants: a blob appears under its digest only once it is whole, by rename; an action's result appears only after its
//! blobs; whatever is read is checked against its digest, so rot is noticed before it is used. Nothing is synced: all of it
//! can be made again, and what a power cut leaves damaged is noticed like rot.

mod action;
mod blob;
mod error;
mod history;
mod index;
mod lock;

pub use action::{ActionResult, Damage};
pub use blob::{BlobReader, BlobWriter};
pub use error::Error;
pub use index::IndexEntry;
pub use lock::StoreLock;

use crate::digest::Digest;
use error::doing;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The store: a directory of blobs, action results and an index of images.
///
/// Any number of threads and processes may use one directory at once.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    damage: Mutex<Vec<Damage>>,
    /// Blobs that this process wrote or read whole: known to be what their names say.
    known: Mutex<BTreeSet<Digest>>,
    /// Held shared while the store is open, so that no one sweeps `tmp/` under it.
    sweeping: Option<StoreLock>,
}

/// Marks a directory as a cache (Cache Directory Tagging Specification 0.6).
const CACHEDIR_TAG: &str =
    "Signature: 8a477f597d28d172789f06886806bc55\n# Made by remint; everything here can be made again.\n";

/// The file that makes a directory an image layout (image-spec, image-layout.md, "oci-layout file").
const OCI_LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

impl Store {
    /// Opens the store in a directory, making what is missing of it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let mut store = Self { dir: dir.to_owned(), damage: Mutex::default(), known: Mutex::default(), sweeping: None };
        for below in ["blobs/sha256", "actions", "partial", "locks", "tmp"] {
            let path = store.dir.join(below);
            fs::create_dir_all(&path).map_err(doing("make the directory", &path))?;
        }
        store.sweeping = store.sweep();
        store.write_once("CACHEDIR.TAG", CACHEDIR_TAG)?;
        if !store.dir.join("index.json").exists() {
            store.update_index(|_| ())?;
        }
        // Last, since its presence says that the rest is there.
        store.write_once("oci-layout", OCI_LAYOUT)?;
        Ok(store)
    }

    /// The store's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where downloads that are not whole yet are kept, to be resumed.
    #[must_use]
    pub fn partial(&self) -> PathBuf {
        self.dir.join("partial")
    }

    /// A directory for files that no one else sees and that end with the process.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// How much damage is remembered for [`Store::take_damage`].
    pub fn damage_found(&self) -> usize {
        self.damage.lock().expect("no holder of this lock panics").len()
    }

    /// Takes out what was found damaged, and set aside to be made again, since the last call.
    pub fn take_damage(&self) -> Vec<Damage> {
        std::mem::take(&mut *self.damage.lock().expect("no holder of this lock panics"))
    }

    fn report_damage(&self, damage: Damage) {
        self.damage.lock().expect("no holder of this lock panics").push(damage);
    }

    fn write_once(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.dir.join(name);
        let whole = fs::read(&path).is_ok_and(|there| there == text.as_bytes());
        if whole { Ok(()) } else { self.replace(&path, text.as_bytes()) }
    }

    /// Puts a file in place whole or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let scratch = self.scratch();
        let temporary = tempfile::Builder::new()
            .permissions(blob::permissions())
            .tempfile_in(&scratch)
            .map_err(doing("make a temporary file in", &scratch))?;
        fs::write(temporary.path(), bytes).map_err(doing("write", temporary.path()))?;
        temporary.persist(path).map_err(|e| e.error).map_err(doing("put in place", path))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_when_no_one_works() {
        let dir = tempfile::tempdir().unwrap();
        let first = Store::open(dir.path()).unwrap();
        let rubbish = first.scratch().join("left");
        fs::write(&rubbish, "x").unwrap();
        fs::create_dir_all(first.scratch().join("dir/below")).unwrap();
        let second = Store::open(dir.path()).unwrap();
        assert!(rubbish.exists(), "it could be the first one's");
        drop((first, second));
        Store::open(dir.path()).unwrap();
        assert_eq!(fs::read_dir(rubbish.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn opening_makes_an_image_layout_and_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("cache");
        let blob = Store::open(&dir).unwrap().put(b"kept").unwrap();
        let store = Store::open(&dir).unwrap();
        assert_eq!(store.read(&blob).unwrap(), b"kept");
        assert_eq!(fs::read_to_string(dir.join("oci-layout")).unwrap(), OCI_LAYOUT);
        assert!(fs::read_to_string(dir.join("index.json")).unwrap().starts_with("{\"manifests\":[],"));
    }
}

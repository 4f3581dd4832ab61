//! Blobs by digest and action results by key, in a directory that is itself a valid OCI image layout.
//!
//! ```text
//! cache/
//!   CACHEDIR.TAG               backup programs pass it by
//!   oci-layout  index.json     what images there are (image-spec, image-layout.md)
//!   blobs/sha256/<hex>         sources, fragments, layers, configs, manifests
//!   actions/<hex>              an ActionKey's result: one line of JSON and a line with its digest
//!   hints/<hex>                what makes the next run faster, and its digest; never needed (`build::marks`)
//!   history/<name>             what was built last, for people
//!   partial/<hex>              downloads that are not whole yet
//!   builds/<hex>               what a build needed, for whoever collects garbage; its time is when it was last built
//!   locks/<two digits>, …      held by flock while an action runs, a blob is fetched or index.json changes
//!   locks/fetch-<two digits>   held by flock while a blob is fetched
//!   locks/tmp                  held shared by whoever has the store open, and alone by whoever sweeps or collects garbage
//!   tmp/                       what is being written; what a killed process left is swept once no one works
//!   trees                      digests of local files by what a stat says of them (`source::path`)
//! ```
//!
//! Invariants: a blob appears under its digest only once it is whole, by rename; an action's result appears only after its
//! blobs; whatever is read is checked against its digest, or a check sum kept of it, so rot is noticed before it is used. Nothing is
//! synced: all of it can be made again, and what a power cut leaves damaged is noticed like rot.

mod action;
mod blob;
mod builds;
mod check;
mod clear;
mod collect;
mod error;
mod hint;
mod history;
mod index;
mod inventory;
mod list;
mod lock;
mod reach;

pub use action::{ActionResult, Damage};
pub use blob::{BlobReader, BlobWriter};
pub use builds::{BuildRecord, StoredBuild};
pub use check::{Checked, Fault, Wrong};
pub use collect::{Policy, garbage};
pub use error::Error;
pub use index::IndexEntry;
pub use inventory::{Held, Item, Kind, Reason, Roots};
pub use list::{ActionNote, StoredAction, StoredBlob};
pub use lock::StoreLock;

use crate::digest::Digest;
use crate::disk;
use crate::event::Events;
use error::doing;
use std::collections::BTreeSet;
use std::fs::{self, File};
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
    /// The names of the locks that this process holds.
    held: Mutex<BTreeSet<String>>,
    /// Who hears that this process waits for another.
    events: Events,
    /// Holds `locks/tmp` while the store is open, so that no one sweeps `tmp/` or collects garbage under it.
    in_use: Option<File>,
}

/// Marks a directory as a cache (Cache Directory Tagging Specification 0.6).
const CACHEDIR_TAG: &str =
    "Signature: 8a477f597d28d172789f06886806bc55\n# Made by remint; everything here can be made again.\n";

/// The file that makes a directory an image layout (image-spec, image-layout.md, "oci-layout file").
const OCI_LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// The directories of a store.
const FOLDERS: [&str; 6] = ["blobs/sha256", "actions", "builds", "partial", "locks", "tmp"];

impl Store {
    /// Opens the store in a directory, making what is missing of it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, &Events::none())
    }

    /// Opens the store in a directory, making what is missing of it, and says when it has to wait for another process.
    pub fn open_with(dir: &Path, events: &Events) -> Result<Self, Error> {
        let mut store = Self::closed(dir, events);
        for below in FOLDERS {
            let path = store.dir.join(below);
            if !path.is_dir() {
                disk::create_dir_all(&path).map_err(doing("make the directory", &path))?;
            }
        }
        store.in_use = store.enter();
        store.write_once("CACHEDIR.TAG", CACHEDIR_TAG)?;
        if !store.dir.join("index.json").exists() {
            store.update_index(|_| ())?;
        }
        // Last, since its presence says that the rest is there.
        store.write_once("oci-layout", OCI_LAYOUT)?;
        Ok(store)
    }

    /// Opens the store in a directory for reading, and makes nothing there; `None` if the directory holds none.
    #[must_use]
    pub fn look(dir: &Path, events: &Events) -> Option<Self> {
        let mut store = Self::closed(dir, events);
        if !dir.join("oci-layout").is_file() {
            return None;
        }
        store.in_use = store.stay();
        Some(store)
    }

    /// Opens the store in a directory once no one else has it open, and keeps everyone out; `None` if the directory holds none.
    pub fn open_alone(dir: &Path, events: &Events) -> Result<Option<Self>, Error> {
        let mut store = Self::closed(dir, events);
        if !dir.join("oci-layout").is_file() {
            return Ok(None);
        }
        store.in_use = Some(store.take_over()?);
        Ok(Some(store))
    }

    fn closed(dir: &Path, events: &Events) -> Self {
        Self {
            dir: dir.to_owned(),
            damage: Mutex::default(),
            known: Mutex::default(),
            held: Mutex::default(),
            events: events.clone(),
            in_use: None,
        }
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

    /// The damage that was found after the first so many.
    pub fn damage_since(&self, first: usize) -> Vec<Damage> {
        let found = self.damage.lock().expect("no holder of this lock panics");
        found.iter().skip(first).copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Takes out what was found damaged, and set aside to be made again, since the last call.
    pub fn take_damage(&self) -> Vec<Damage> {
        let found = std::mem::take(&mut *self.damage.lock().expect("no holder of this lock panics"));
        // In no order that threads decide, and each once.
        BTreeSet::from_iter(found).into_iter().collect()
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
        let temporary = self.temporary()?;
        disk::write_file(temporary.path(), bytes).map_err(doing("write", temporary.path()))?;
        self.put_in_place(temporary, path)
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
    fn looking_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Store::look(dir.path(), &Events::none()).is_none());
        assert!(Store::open_alone(dir.path(), &Events::none()).unwrap().is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let blob = Store::open(dir.path()).unwrap().put(b"there").unwrap();
        assert_eq!(Store::look(dir.path(), &Events::none()).unwrap().read(&blob).unwrap(), b"there");
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

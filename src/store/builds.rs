//! What each build of an image needed, written down when it was done, so that garbage can be told from what the last builds
//! live on.
//!
//! ```text
//! builds/<SHA-256 of the content, in hex>   canonical JSON of a BuildRecord; a build that needs the same only sets its time
//! ```

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use crate::disk;
use crate::oci::{Blob, canonical_json};
use std::fs::{self, File, FileTimes};
use std::time::SystemTime;

/// What a build of an image needed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BuildRecord {
    /// Whose build it was: the project's folder. Only for telling builds apart and for people.
    pub project: String,
    /// The image's name.
    pub image: String,
    /// What the name pointed to after it.
    pub root: Blob,
    /// The actions whose results it used, sorted.
    pub actions: Vec<ActionKey>,
    /// The sources that its actions are made from, sorted.
    pub sources: Vec<Blob>,
}

/// A build that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBuild {
    /// The digest of its record.
    pub name: Digest,
    /// The size of its record in bytes.
    pub size: u64,
    /// When it was last built.
    pub modified: SystemTime,
    /// What it needed.
    pub record: BuildRecord,
}

impl Store {
    /// Writes down what a build needed, at the time of its end.
    pub fn record_build(&self, record: &BuildRecord, now: SystemTime) -> Result<(), Error> {
        let bytes = canonical_json(record);
        let path = self.dir.join("builds").join(Digest::of(&bytes).hex());
        if !fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            self.replace(&path, &bytes)?;
        }
        let set = |file: File| file.set_times(FileTimes::new().set_modified(now));
        disk::open_or_create(&path).and_then(set).map_err(doing("set the time of", &path))
    }

    /// Every build that is written down, the newest first, with their times; records that are not whole are passed over.
    pub fn builds(&self) -> Result<Vec<StoredBuild>, Error> {
        let dir = self.dir.join("builds");
        let mut all = Vec::new();
        for entry in super::list::entries(&dir)? {
            let Ok(bytes) = fs::read(&entry.path) else { continue };
            let name = Digest::of(&bytes);
            if entry.name == name.hex()
                && let Ok(record) = serde_json::from_slice(&bytes)
            {
                all.push(StoredBuild { name, size: entry.size, modified: entry.modified, record });
            }
        }
        all.sort_by(|a, b| b.modified.cmp(&a.modified).then(a.name.cmp(&b.name)));
        Ok(all)
    }
}

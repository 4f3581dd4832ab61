//! What lies in the store, as its directories tell it.

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use crate::oci::Blob;
use serde::de::IgnoredAny;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Something in a directory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) is_file: bool,
}

/// A blob as it lies in the store; nobody has looked at its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name, and the size of its file.
    pub blob: Blob,
    /// When its file was written.
    pub modified: SystemTime,
}

/// An action's result as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAction {
    /// Whose result it is.
    pub key: ActionKey,
    /// The size of its file in bytes.
    pub size: u64,
    /// When its file was written.
    pub modified: SystemTime,
    /// What it says; `None` if it is not as it was written.
    pub note: Option<ActionNote>,
}

/// What can be known of any action's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionNote {
    /// The kind of the action.
    pub kind: String,
    /// The blobs that it names.
    pub blobs: Vec<Blob>,
}

impl Store {
    /// Every blob, sorted; what has no digest for a name is left out.
    pub fn blobs(&self) -> Result<Vec<StoredBlob>, Error> {
        let all = entries(&self.dir.join("blobs/sha256"))?.into_iter();
        let blob = |entry: Entry| {
            let digest = Digest::from_hex(&entry.name).filter(|_| entry.is_file)?;
            Some(StoredBlob { blob: Blob { digest, size: entry.size }, modified: entry.modified })
        };
        Ok(all.filter_map(blob).collect())
    }

    /// Every action's result, sorted; what has no key for a name is left out.
    pub fn actions(&self) -> Result<Vec<StoredAction>, Error> {
        let all = entries(&self.dir.join("actions"))?.into_iter();
        let action = |entry: Entry| {
            let key = ActionKey(Digest::from_hex(&entry.name)?);
            let note = fs::read(&entry.path).ok().and_then(|bytes| super::action::parse::<IgnoredAny>(&bytes));
            let note = note.map(|record| ActionNote { kind: record.kind.into_owned(), blobs: record.blobs });
            Some(StoredAction { key, size: entry.size, modified: entry.modified, note })
        };
        Ok(all.filter_map(action).collect())
    }
}

/// What a directory of the store holds, sorted by name; nothing, if it is not there.
pub(super) fn entries(dir: &Path) -> Result<Vec<Entry>, Error> {
    let read = match fs::read_dir(dir) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(doing("read the directory", dir)(error)),
    };
    let mut all = Vec::new();
    for entry in read {
        let entry = entry.map_err(doing("read the directory", dir))?;
        // What another process removed in the meantime is not there.
        let Ok(meta) = entry.metadata() else { continue };
        all.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            path: entry.path(),
            size: meta.len(),
            modified: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            is_file: meta.is_file(),
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

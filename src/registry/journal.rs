//! Where an upload that was interrupted goes on: one small file an upload.
//!
//! ```text
//! {"upload":1,"repository":"host/name","digest":"sha256:…","location":"https://…","offset":33554432,"least":0}
//! ```
//!
//! The location is the registry's own and may be signed, so only its owner may read the file. It is not synced: when it is lost,
//! the blob is sent from its beginning.

use super::address::Address;
use super::any_digest::AnyDigest;
use super::reference::Repository;
use super::session::Session;
use crate::disk;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The number of the form.
const FORM: u32 = 1;

/// A larger file is something else.
const LARGEST: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
struct Line {
    upload: u32,
    repository: String,
    digest: String,
    location: String,
    offset: u64,
    least: u64,
}

/// Reads where an upload was; `None`: there is no file, or it is of another upload, or broken, and will be written anew.
pub(super) fn read(path: &Path, repository: &Repository, digest: &AnyDigest) -> Option<Session> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let line: Line = serde_json::from_slice(&bytes).ok()?;
    let same = line.upload == FORM && line.repository == repository.to_string() && line.digest == digest.to_string();
    let at = Address::parse(&line.location).filter(|_| same)?;
    Some(Session { at, offset: line.offset, least: line.least, certain: false })
}

/// Writes where an upload is.
pub(super) fn write(path: &Path, repository: &Repository, digest: &AnyDigest, session: &Session) -> io::Result<()> {
    let line = Line {
        upload: FORM,
        repository: repository.to_string(),
        digest: digest.to_string(),
        location: session.at.url(),
        offset: session.offset,
        least: session.least,
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = disk::temporary(".upload-", 0o600, dir)?;
    let bytes = serde_json::to_vec(&line).expect("texts and numbers are JSON");
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        let written = disk::write(&mut file, left)?;
        left = &left[written..];
    }
    disk::persist(file, path).map_err(|error| error.error)
}

/// Forgets an upload.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match disk::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

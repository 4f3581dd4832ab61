//! Image layouts, as a directory and as a tar (OCI image-spec, image-layout.md).
//!
//! ```text
//! oci-layout             {"imageLayoutVersion":"1.0.0"}
//! index.json             a line an image, by name
//! blobs/sha256/<hex>
//! ```

use super::super::error::{Error, doing};
use super::super::read::Image;
use super::place::{NewDirectory, NewFile, OnDisk};
use super::tarball::{Tarball, directory};
use crate::disk;
use crate::oci::{Blob, canonical_json, media};
use crate::store::Store;
use serde_json::json;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// The file that makes a directory an image layout.
const OCI_LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";

/// Writes a directory; blobs are hard links into the store where the file system allows.
pub(super) fn write_directory(store: &Store, images: &[&Image], target: &Path) -> Result<(), Error> {
    let directory = NewDirectory::begin(target, "oci-layout", &["oci-layout", "index.json", "blobs"])?;
    let blobs = directory.path().join("blobs/sha256");
    disk::create_dir_all(&blobs).map_err(doing("make the directory", &blobs))?;
    for blob in all_blobs(images) {
        bring(store, &blob, &blobs.join(blob.digest.hex()))?;
    }
    for (name, bytes) in [("index.json", &*index_json(images)), ("oci-layout", OCI_LAYOUT)] {
        let path = directory.path().join(name);
        disk::write_file(&path, bytes).map_err(doing("write", &path))?;
    }
    directory.commit()
}

/// Writes a tar.
pub(super) fn write_archive(store: &Store, images: &[&Image], target: &Path) -> Result<(), Error> {
    let folders = [directory("blobs"), directory("blobs/sha256")];
    let mut tarball = Tarball::begin(NewFile::begin(target)?, &folders)?;
    for blob in all_blobs(images) {
        tarball.add_blob(&format!("blobs/sha256/{}", blob.digest.hex()), store, &blob)?;
    }
    tarball.add_bytes("index.json", &index_json(images))?;
    tarball.add_bytes("oci-layout", OCI_LAYOUT)?;
    tarball.finish()
}

fn all_blobs(images: &[&Image]) -> BTreeSet<Blob> {
    images.iter().flat_map(|image| image.blobs()).collect()
}

fn index_json(images: &[&Image]) -> Vec<u8> {
    let entries: Vec<_> = images.iter().map(|image| image.entry().0).collect();
    canonical_json(&json!({ "manifests": entries, "mediaType": media::INDEX, "schemaVersion": 2 }))
}

/// Verifies a blob and links it, or copies it where links do not reach: another file system, or one without links.
fn bring(store: &Store, blob: &Blob, target: &Path) -> Result<(), Error> {
    let mut reader = store.open_blob(blob)?;
    if disk::hard_link(&store.blob_path(&blob.digest), target).is_ok() {
        io::copy(&mut reader, &mut io::sink()).map_err(|error| store.damaged(&blob.digest, error))?;
        return Ok(());
    }
    let mut file = OnDisk(disk::create_new(target).map_err(doing("make", target))?);
    match io::copy(&mut reader, &mut file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(store.damaged(&blob.digest, error).into()),
        Err(error) => Err(doing("write", target)(error)),
    }
}

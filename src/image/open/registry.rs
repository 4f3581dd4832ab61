//! Images in registries: documents at once, layers when they are read.

use super::Opened;
use super::blobs::{Blobs, Files};
use super::error::OpenError;
use super::layout::{finish, follow};
use crate::digest::Digest;
use crate::oci::Blob;
use crate::registry::{AnyDigest, Client, Reference, RegistryError, Repository, Selector};
use crate::store::Store;
use serde_json::json;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// An image's files in a registry.
#[derive(Debug)]
pub(super) struct Remote {
    client: Client,
    repository: Repository,
    /// What the name led to, which is not asked for twice.
    root: (Digest, Vec<u8>),
}

/// The largest layer, in bytes.
const LARGEST: u64 = 64 << 30;

/// Where manifests are, beside the blobs: registries tell the two apart.
const MANIFESTS: &str = "manifests/";

/// Opens an image of a registry; with `only`, of these platforms where it says which it has.
pub(in crate::image) fn open(
    client: &Client,
    reference: &Reference,
    only: Option<&[String]>,
) -> Result<Opened, OpenError> {
    let shown = reference.to_string();
    let which = reference.selector().ok_or_else(|| OpenError::NoTag { image: shown.clone() })?;
    let manifest = client.manifest(&reference.repository, &which)?;
    let missing = || OpenError::Missing { image: reference.repository.to_string(), part: which.to_string() };
    let manifest = manifest.ok_or_else(missing)?;
    let root = Blob::of(&manifest.bytes);
    let entry = json!({ "mediaType": manifest.media_type, "digest": root.digest, "size": root.size });
    let remote = Remote {
        client: client.clone(),
        repository: reference.repository.clone(),
        root: (root.digest, manifest.bytes),
    };
    let blobs = Arc::new(Blobs { image: shown.clone(), files: Files::Registry(remote) });
    let mut opened =
        Opened { shown, root: Some(root.digest), indices: vec![], platforms: vec![], attestations: vec![] };
    follow(&blobs, &entry, &[], only, &mut opened)?;
    finish(&blobs, root.digest, opened)
}

impl Remote {
    pub(super) fn manifest_name(digest: &Digest) -> String {
        format!("{MANIFESTS}{digest}")
    }

    /// Opens a manifest, or a blob by the name that it has in a layout.
    pub(super) fn open(&self, name: &str, missing: impl Fn() -> OpenError) -> Result<Box<dyn Read + Send>, OpenError> {
        let digest = digest(name).ok_or_else(&missing)?;
        if !name.starts_with(MANIFESTS) {
            let blob = self.client.blob_reader(&self.repository, &digest.into(), LARGEST)?;
            return Ok(Box::new(blob.ok_or_else(missing)?));
        }
        if self.root.0 == digest {
            return Ok(Box::new(Cursor::new(self.root.1.clone())));
        }
        let manifest = self.client.manifest(&self.repository, &Selector::Digest(digest.into()))?;
        Ok(Box::new(Cursor::new(manifest.ok_or_else(missing)?.bytes)))
    }

    /// Brings a blob into a store: resumed where it was interrupted; whether there is one.
    pub(super) fn keep(&self, blob: &Blob, store: &Store) -> Result<bool, OpenError> {
        fetch(&self.client, &self.repository, blob, store)
    }
}

/// Brings a blob of a repository into a store: resumed where it was interrupted; whether there is one.
pub(in crate::image) fn fetch(
    client: &Client,
    repository: &Repository,
    blob: &Blob,
    store: &Store,
) -> Result<bool, OpenError> {
    let partial = store.partial().join(blob.digest.hex());
    let there = client.blob_to_file(repository, &AnyDigest::from(blob.digest), blob.size, &partial)?;
    if there {
        store.adopt(&partial, *blob)?;
    }
    Ok(there)
}

/// The digest in a name.
fn digest(name: &str) -> Option<Digest> {
    match name.strip_prefix(MANIFESTS) {
        Some(digest) => digest.parse().ok(),
        None => Digest::from_hex(name.strip_prefix("blobs/sha256/")?),
    }
}

impl From<RegistryError> for OpenError {
    fn from(source: RegistryError) -> Self {
        Self::Registry(Box::new(source))
    }
}

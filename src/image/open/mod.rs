//! Images wherever they stand, read and never changed: the store, layouts, archives of several tools, a flat root file system.
//!
//! ```text
//! NAME  cache:NAME        an image of the store
//! oci:DIR[:REF]           an image layout (image-spec, image-layout.md)
//! oci-archive:FILE[:REF]  the same in one tar
//! docker-archive:FILE[:REF]   what `docker save`, podman, skopeo and remint write (manifest.json)
//! tar:FILE                a root file system, compressed or not
//! REGISTRY/NAME:TAG       an image in a registry, also `docker://…`
//! ```
//!
//! Unlike [`super::Image`], which is strict because others build on it, this takes what other tools wrote: unknown platforms,
//! layers without media types, attestations. What has a digest is verified against it; sizes and counts are bounded.

mod archive;
mod attestation;
mod blobs;
mod docker;
mod error;
mod layer;
mod layout;
mod place;
pub(super) mod registry;

pub use crate::layer::Wrapping;
pub use archive::{file as archive_file, refused as refused_archive};
pub use attestation::{OpenedAttestation, Statement};
pub use docker::DockerArchive;
pub use error::OpenError;
pub use layer::{OpenedLayer, TarFacts, TarReader};
pub use place::{ImagePlace, PlaceError};

use crate::digest::Digest;
use crate::oci::Blob;
use serde_json::Value;
use std::sync::Arc;

/// An image, with all its documents read.
#[derive(Debug, Clone)]
pub struct Opened {
    /// How the user named it.
    pub shown: String,
    /// The digest that its name leads to: of an index or of a manifest. An archive of Docker's has none.
    pub root: Option<Digest>,
    /// The indices, the outermost first where the name leads to one, each in front of those that it names.
    pub indices: Vec<OpenedIndex>,
    /// The image of each platform, sorted by the platforms' names.
    pub platforms: Vec<OpenedPlatform>,
    /// What else the indices name, sorted by kind, those of one kind as they stand there.
    pub attestations: Vec<OpenedAttestation>,
}

/// An index of an image.
#[derive(Debug, Clone)]
pub struct OpenedIndex {
    /// Which entry of each index above leads to it, from 0; empty for the outermost.
    pub place: Vec<usize>,
    /// Its digest.
    pub digest: Digest,
    /// What it says beside what it names.
    pub document: Value,
    /// What the index above says of it; a layout's own list of images is none.
    pub entry: Option<Value>,
    /// What the whole takes in memory, in bytes.
    pub(super) weight: u64,
}

/// An image for one platform.
#[derive(Debug, Clone)]
pub struct OpenedPlatform {
    /// What it runs on, as far as it says: `linux/amd64`.
    pub platform: String,
    /// The manifest and its digest, where there is one.
    pub manifest: Option<(Digest, Value)>,
    /// The configuration and its digest; a flat root file system has none.
    pub config: Option<(Digest, Value)>,
    /// The layers, the lowest first.
    pub layers: Vec<OpenedLayer>,
    /// What the index that names it says of it; a layout's own list of images is no index of theirs.
    pub entry: Option<Value>,
    /// The bytes of the manifest and of the configuration, as far as there are any.
    pub(super) raw: Raw,
}

/// Documents as they stand in an image.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    /// What both take in memory, in bytes.
    pub(super) weight: u64,
}

impl Opened {
    /// Leaves only one platform; `wanted` is `linux/arm64`, as [`OpenedPlatform::platform`] has it.
    pub fn narrow(mut self, wanted: &str) -> Result<Self, OpenError> {
        let there: Vec<String> = self.platforms.iter().map(|one| one.platform.clone()).collect();
        self.platforms.retain(|one| one.platform == wanted);
        match self.platforms.first().map(|one| one.manifest.as_ref().map(|(digest, _)| *digest)) {
            Some(manifest) => {
                self.root = manifest;
                self.indices.clear();
                self.attestations.clear();
                Ok(self)
            }
            None => Err(OpenError::NoPlatform { image: self.shown, wanted: wanted.to_owned(), there }),
        }
    }
}

impl OpenedPlatform {
    /// Reads the layers that another image has as well from there, and names those that only this one has.
    pub fn share_layers(&mut self, other: &Self) -> Vec<Blob> {
        let mut own = Vec::new();
        for layer in &mut self.layers {
            match other.layers.iter().find(|there| there.blob.is_some() && there.blob == layer.blob) {
                Some(there) => (layer.blobs, layer.name) = (Arc::clone(&there.blobs), there.name.clone()),
                None => own.extend(layer.blob),
            }
        }
        own
    }

    /// What made each layer, as the config's history says, the lowest first; as long as [`Self::layers`].
    #[must_use]
    pub fn created_by(&self) -> Vec<Option<String>> {
        let history = self.config.as_ref().and_then(|(_, config)| config["history"].as_array());
        let made = history.into_iter().flatten().filter(|entry| entry["empty_layer"] != true);
        let mut made: Vec<Option<String>> =
            made.map(|entry| entry["created_by"].as_str().filter(|text| !text.is_empty()).map(str::to_owned)).collect();
        made.resize(self.layers.len(), None);
        made
    }
}

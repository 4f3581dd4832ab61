//! Images as they stand in a store: resolved by name, verified, and checked for what the documents owe each other.

use super::encoding::Encoding;
use super::error::Error;
use super::reference::ImageRef;
use crate::digest::{DiffId, Digest};
use crate::oci::{Blob, Platform, media};
use crate::recipe::ImageName;
use crate::store::{IndexEntry, Store};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An image by name, for one platform or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Its name in the layout.
    pub name: ImageName,
    /// What the name points to: an index, or the manifest of the only platform. Its digest is the image's.
    pub root: Blob,
    /// Whether [`Image::root`] is an index.
    pub indexed: bool,
    /// The image of each platform, sorted by the platforms' names; never empty.
    pub platforms: Vec<PlatformImage>,
}

/// An image for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformImage {
    /// What it runs on.
    pub platform: Platform,
    /// The manifest.
    pub manifest: Blob,
    /// The configuration.
    pub config: Blob,
    /// The configuration's content.
    pub document: Value,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
}

/// A layer as manifest and config describe it together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// The compressed blob.
    pub blob: Blob,
    /// How it is compressed.
    pub encoding: Encoding,
    /// What it holds.
    pub diff_id: DiffId,
}

/// The largest manifest or index that registries take, in bytes (distribution-spec, "Pushing Manifests": at least 4 MiB).
const MANIFEST_LIMIT: u64 = 4 << 20;

/// The largest configuration, in bytes: some tens of thousands of layers and labels.
const CONFIG_LIMIT: u64 = 16 << 20;

impl Image {
    /// Finds an image, or one platform of it, in a store by name.
    pub fn resolve(store: &Store, reference: &ImageRef) -> Result<Self, Error> {
        let entries = store.index()?;
        let named = entries.iter().find(|entry| entry.name() == Some(reference.name.as_str()));
        let Some((entry, root)) = named.and_then(|entry| Some((entry, entry.blob()?))) else {
            let mut there: Vec<String> = entries.iter().filter_map(|e| e.name().map(str::to_owned)).collect();
            there.sort();
            return Err(Error::NoImage { name: reference.name.clone(), there });
        };
        let image = Self::read(store, reference.name.clone(), entry, root)?;
        match reference.platform {
            Some(platform) => image.narrow(platform),
            None => Ok(image),
        }
    }

    fn read(store: &Store, name: ImageName, entry: &IndexEntry, root: Blob) -> Result<Self, Error> {
        let media_type = entry.media_type().unwrap_or_default();
        if is_manifest(media_type) {
            let image = PlatformImage::read(store, root, None)?;
            return Ok(Self { name, root, indexed: false, platforms: vec![image] });
        }
        if !is_index(media_type) {
            return Err(unknown("image", root.digest, media_type));
        }
        let index: IndexDocument = document(store, "index", root, MANIFEST_LIMIT)?;
        let mut platforms: Vec<PlatformImage> = Vec::new();
        for entry in &index.manifests {
            // What is for no platform that remint knows is left out: Windows, or attestations for `unknown/unknown`.
            let platform = entry.platform.as_ref().and_then(|platform| platform.to_string().parse().ok());
            let Some(platform) = platform.filter(|_| is_manifest(&entry.media_type)) else { continue };
            if !platforms.iter().any(|there| there.platform == platform) {
                platforms.push(PlatformImage::read(store, entry.blob(), Some(platform))?);
            }
        }
        if platforms.is_empty() {
            return Err(unknown("index without a platform,", root.digest, media_type));
        }
        platforms.sort_by_key(|image| image.platform.to_string());
        Ok(Self { name, root, indexed: true, platforms })
    }

    /// This image for one platform only, named by that platform's manifest.
    pub fn narrow(self, platform: Platform) -> Result<Self, Error> {
        match self.platforms.iter().find(|image| image.platform == platform) {
            Some(image) => {
                let image = image.clone();
                Ok(Self { name: self.name, root: image.manifest, indexed: false, platforms: vec![image] })
            }
            None => Err(Error::NoPlatform { there: self.available(), name: self.name, wanted: platform }),
        }
    }

    /// The platforms that it is for.
    #[must_use]
    pub fn available(&self) -> Vec<Platform> {
        self.platforms.iter().map(|image| image.platform).collect()
    }

    /// The media type of what the name points to; in a manifest or index that says nothing of it, OCI's.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        if self.indexed { media::INDEX } else { media::MANIFEST }
    }

    /// Every blob that the image consists of, sorted by digest, without repetition.
    #[must_use]
    pub fn blobs(&self) -> Vec<Blob> {
        let mut blobs = vec![self.root];
        for image in &self.platforms {
            blobs.extend([image.manifest, image.config]);
            blobs.extend(image.layers.iter().map(|layer| layer.blob));
        }
        blobs.sort();
        blobs.dedup();
        blobs
    }
}

impl PlatformImage {
    /// Reads the image of one platform by its manifest; `expected` is what an index said that it is for.
    pub fn read(store: &Store, manifest: Blob, expected: Option<Platform>) -> Result<Self, Error> {
        let read: ManifestDocument = document(store, "manifest", manifest, MANIFEST_LIMIT)?;
        let config = read.config.blob();
        if !matches!(&*read.config.media_type, media::CONFIG | "application/vnd.docker.container.image.v1+json") {
            return Err(unknown("config", config.digest, &read.config.media_type));
        }
        let value: Value = document(store, "config", config, CONFIG_LIMIT)?;
        let facts = ConfigDocument::deserialize(&value).map_err(not_json("config", config.digest))?;
        let found = facts.platform.to_string();
        let platform = match (found.parse::<Platform>(), expected) {
            (Ok(platform), Some(expected)) if platform != expected => None,
            (Ok(platform), _) => Some(platform),
            (Err(_), _) => None,
        };
        let Some(platform) = platform else {
            return Err(Error::ConfigPlatform { config: config.digest, expected, found });
        };
        let diff_ids = facts.rootfs.diff_ids;
        if read.layers.len() != diff_ids.len() {
            let (layers, diff_ids) = (read.layers.len(), diff_ids.len());
            return Err(Error::LayerCount { manifest: manifest.digest, layers, diff_ids });
        }
        let layers = read.layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
            let encoding = Encoding::of_media_type(&layer.media_type);
            let encoding = encoding.ok_or_else(|| unknown("layer", layer.digest, &layer.media_type))?;
            Ok(Layer { blob: layer.blob(), encoding, diff_id })
        });
        let layers = layers.collect::<Result<_, Error>>()?;
        Ok(Self { platform, manifest, config, document: value, layers })
    }
}

/// Reads a document whole, verified, unless it is too large to be one.
fn document<T: DeserializeOwned>(store: &Store, what: &'static str, blob: Blob, limit: u64) -> Result<T, Error> {
    let Blob { digest, size } = blob;
    if size > limit {
        return Err(Error::Document { what, digest, size, limit });
    }
    serde_json::from_slice(&store.read(&blob)?).map_err(not_json(what, digest))
}

fn not_json(what: &'static str, digest: Digest) -> impl FnOnce(serde_json::Error) -> Error {
    move |source| Error::Json { what, digest, source }
}

fn unknown(what: &'static str, digest: Digest, found: &str) -> Error {
    Error::MediaType { what, digest, found: found.to_owned() }
}

fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, media::MANIFEST | "application/vnd.docker.distribution.manifest.v2+json")
}

fn is_index(media_type: &str) -> bool {
    matches!(media_type, media::INDEX | "application/vnd.docker.distribution.manifest.list.v2+json")
}

/// What is needed of a descriptor.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    platform: Option<PlatformDocument>,
}

impl Descriptor {
    fn blob(&self) -> Blob {
        Blob { digest: self.digest, size: self.size }
    }
}

#[derive(Deserialize)]
struct IndexDocument {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct ManifestDocument {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct ConfigDocument {
    #[serde(flatten)]
    platform: PlatformDocument,
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<DiffId>,
}

#[derive(Deserialize)]
struct PlatformDocument {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl std::fmt::Display for PlatformDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            None | Some("") => Ok(()),
            Some(variant) => write!(f, "/{variant}"),
        }
    }
}

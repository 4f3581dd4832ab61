//! From layer blobs to an image in the store: config, manifest, index, name.

use super::config::{History, configure};
use super::encoding::Encoding;
use super::error::Error;
use super::index::{index, platform};
use super::manifest::manifest;
use super::read::{Image, Layer, PlatformImage};
use crate::digest::DiffId;
use crate::oci::{Blob, Platform, canonical_json, media};
use crate::recipe::{self, ImageName};
use crate::store::{IndexEntry, Store};
use std::collections::BTreeMap;

/// A layer whose blob is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltLayer {
    /// The compressed blob.
    pub blob: Blob,
    /// How it is compressed.
    pub encoding: Encoding,
    /// What it holds.
    pub diff_id: DiffId,
    /// What made it, for people; goes into the config's history.
    pub created_by: String,
}

/// What an image for one platform is put together from.
#[derive(Debug, Clone, Copy)]
pub struct Assembly<'a> {
    /// Its name, for messages.
    pub name: &'a ImageName,
    /// What it runs on.
    pub platform: Platform,
    /// What it starts from.
    pub base: Option<&'a PlatformImage>,
    /// What the recipe sets of the configuration.
    pub config: &'a recipe::Config,
    /// Its own layers, the lowest first.
    pub layers: &'a [BuiltLayer],
    /// When it was made, in seconds since 1970: the newest date among its locked sources.
    pub epoch: u64,
}

/// Writes config and manifest of an image for one platform into the store.
pub fn assemble(store: &Store, assembly: &Assembly<'_>) -> Result<PlatformImage, Error> {
    let (image, config, manifest) = compose(assembly)?;
    store.put(&config)?;
    store.put(&manifest)?;
    Ok(image)
}

/// Puts together what others start from, without a trace of it in the store.
pub fn assemble_base(assembly: &Assembly<'_>) -> Result<PlatformImage, Error> {
    compose(assembly).map(|(image, _, _)| image)
}

/// The image, and the bytes of its config and of its manifest.
fn compose(assembly: &Assembly<'_>) -> Result<(PlatformImage, Vec<u8>, Vec<u8>), Error> {
    let platform = assembly.platform;
    if let Some(base) = assembly.base.filter(|base| base.platform != platform) {
        let (config, found) = (base.config.digest, base.platform.to_string());
        return Err(Error::ConfigPlatform { config, expected: Some(platform), found });
    }
    let mut layers = assembly.base.map_or_else(Vec::new, |base| base.layers.clone());
    let own = assembly.layers.iter();
    layers.extend(own.clone().map(|l| Layer { blob: l.blob, encoding: l.encoding, diff_id: l.diff_id }));
    if layers.is_empty() {
        return Err(Error::NoLayers { name: assembly.name.clone() });
    }
    let history: Vec<History> =
        own.map(|layer| History { diff_id: layer.diff_id, created_by: layer.created_by.clone() }).collect();
    let base = assembly.base.map(|base| &base.document);
    let document = configure(base, platform, assembly.config, &history, assembly.epoch)?;
    let config_bytes = canonical_json(&document);
    let config = Blob::of(&config_bytes);
    let manifest_bytes = manifest(config, &layers, &BTreeMap::new());
    let manifest = Blob::of(&manifest_bytes);
    Ok((PlatformImage { platform, manifest, config, document, layers }, config_bytes, manifest_bytes))
}

impl Image {
    /// Makes one image of those for each platform, with an index in the store if there are several; it has no name there yet.
    ///
    /// `platforms` must not be empty, and no platform may stand in it twice; the last wins if one does.
    pub fn join(store: &Store, name: ImageName, platforms: Vec<PlatformImage>) -> Result<Self, Error> {
        let by_name: BTreeMap<String, PlatformImage> =
            platforms.into_iter().map(|image| (image.platform.to_string(), image)).collect();
        let platforms: Vec<PlatformImage> = by_name.into_values().collect();
        let (root, indexed) = match &platforms[..] {
            [] => return Err(Error::NoLayers { name }),
            [only] => (only.manifest, false),
            several => {
                let manifests = several.iter().map(|image| (image.platform, image.manifest)).collect();
                (store.put(&index(&manifests, &BTreeMap::new()))?, true)
            }
        };
        Ok(Self { name, root, indexed, platforms })
    }

    /// The image's line in a layout's index.json.
    #[must_use]
    pub fn entry(&self) -> IndexEntry {
        if self.indexed {
            return IndexEntry::new(self.name.as_str(), media::INDEX, self.root);
        }
        let mut line = IndexEntry::new(self.name.as_str(), media::MANIFEST, self.root);
        for only in &self.platforms {
            line.0.insert("platform".to_owned(), platform(only.platform));
        }
        line
    }
}

/// Names images in the store's index.json, all in one step, each in place of whatever had its name.
pub fn name_images(store: &Store, images: &[Image]) -> Result<(), Error> {
    let entries: Vec<IndexEntry> = images.iter().map(Image::entry).collect();
    Ok(store.set_images(&entries)?)
}

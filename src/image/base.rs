//! Images from outside the project that recipes start from: what the lock says of one, and its blobs brought into the store.
//!
//! A manifest and a configuration are kept byte for byte. An archive of Docker's has no manifest: it gets the one that remint would
//! write, which names its layers as they are packed in the archive.

use super::encoding::Encoding;
use super::error::Error;
use super::inspect::installed;
use super::manifest::manifest;
use super::open::registry;
use super::open::{ImagePlace, OpenError, Opened, OpenedLayer};
use super::read::{Layer, PlatformImage};
use crate::layer::{CONSTANT_MTIME, Wrapping};
use crate::lock::{BaseLayer, BasePin, PackageKey};
use crate::oci::time::parse_rfc3339;
use crate::oci::{Blob, Platform};
use crate::recipe::BaseImage;
use crate::registry::{Client, Reference, ReferenceError, Selector};
use crate::source::base::{BaseBlob, BlobKind};
use crate::store::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Opens an image, of these platforms where it says which it has; relative paths begin at `root`.
pub fn open(image: &BaseImage, platforms: &[Platform], root: &Path, client: &Client) -> Result<Opened, OpenError> {
    let place = match image {
        BaseImage::Layout(rest) => ImagePlace::Layout(rest.clone()),
        BaseImage::DockerArchive(rest) => ImagePlace::DockerArchive(rest.clone()),
        BaseImage::Registry(text) => {
            let only: Vec<String> = platforms.iter().map(ToString::to_string).collect();
            return registry::open(client, &reference(text)?, Some(&only));
        }
    };
    place.open(Path::new(""), root, client)
}

/// Brings a blob that a registry is known to have into the store, without a look at anything else; whether it has it.
pub fn fetch(client: &Client, text: &str, blob: &BaseBlob, store: &Store) -> Result<bool, OpenError> {
    let repository = reference(text)?.repository;
    match blob.kind {
        BlobKind::Blob => registry::fetch(client, &repository, &blob.blob, store),
        BlobKind::Manifest => {
            let manifest = client.manifest(&repository, &Selector::Digest(blob.blob.digest.into()))?;
            let there = manifest.is_some();
            manifest.map(|manifest| store.put(&manifest.bytes)).transpose()?;
            Ok(there)
        }
    }
}

fn reference(text: &str) -> Result<Reference, OpenError> {
    text.parse().map_err(|error: ReferenceError| OpenError::Form {
        image: text.to_owned(),
        part: "reference".to_owned(),
        reason: error.to_string(),
    })
}

/// Says of an image what the lock records, but for its packages; keeps its documents in the store, and an archive's layers too.
pub fn pin(store: &Store, opened: &Opened, platform: Platform) -> Result<BasePin, OpenError> {
    let name = platform.to_string();
    let Some(image) = opened.platforms.iter().find(|image| image.platform == name) else {
        let there = opened.platforms.iter().map(|image| image.platform.clone()).collect();
        return Err(OpenError::NoPlatform { image: opened.shown.clone(), wanted: name, there });
    };
    let form = |part: &str, reason: &str| OpenError::Form {
        image: opened.shown.clone(),
        part: part.to_owned(),
        reason: reason.to_owned(),
    };
    let Some((_, document)) = &image.config else { return Err(form("root file system", "has no configuration")) };
    let config = store.put(&image.raw.config)?;
    let mut layers = Vec::with_capacity(image.layers.len());
    for layer in &image.layers {
        let blob = layer.blob.map_or_else(|| layer.keep(store), Ok)?;
        let diff_id = layer.diff_id.ok_or_else(|| form("config", "has no DiffIds"))?;
        layers.push(BaseLayer { blob, diff_id });
    }
    let manifest = match &image.manifest {
        Some(_) => store.put(&image.raw.manifest)?,
        None => {
            let described = image.layers.iter().zip(&layers).map(|(layer, pin)| {
                let encoding =
                    encoding(layer)?.ok_or_else(|| form("layer", "is compressed by xz, which no registry takes"))?;
                Ok(Layer { blob: pin.blob, encoding, diff_id: pin.diff_id })
            });
            let described = described.collect::<Result<Vec<_>, OpenError>>()?;
            store.put(&manifest(config, &described, &BTreeMap::new()))?
        }
    };
    let root = opened.root.unwrap_or(manifest.digest);
    Ok(BasePin { root, manifest, config, date: date(document), layers, packages: None })
}

/// Brings a blob of an image into the store; whether the image has it.
pub fn bring(store: &Store, opened: &Opened, wanted: &Blob) -> Result<bool, OpenError> {
    for image in &opened.platforms {
        if image.manifest.is_none() && image.config.is_some() {
            // Only the whole tells the digests of an archive's layers.
            if let Ok(platform) = image.platform.parse() {
                pin(store, opened, platform)?;
            }
        }
        for bytes in [&image.raw.manifest, &image.raw.config] {
            if Blob::of(bytes) == *wanted {
                store.put(bytes)?;
            }
        }
        if let Some(layer) = image.layers.iter().find(|layer| layer.blob == Some(*wanted)) {
            layer.keep(store)?;
        }
    }
    Ok(store.has(wanted))
}

/// The Debian packages that an image of the store lists as installed, sorted; its layers must be there.
pub fn packages(store: &Store, pin: &BasePin, platform: Platform) -> Result<Vec<PackageKey>, Error> {
    let image = PlatformImage::read(store, pin.manifest, Some(platform))?;
    let found = installed(store, &image)?;
    Ok(found.iter().map(|found| PackageKey::installed(&found.name, &found.version, &found.architecture)).collect())
}

fn encoding(layer: &OpenedLayer) -> Result<Option<Encoding>, OpenError> {
    Ok(match layer.open()?.wrapping() {
        Wrapping::Plain => Some(Encoding::Plain),
        Wrapping::Gzip => Some(Encoding::Gzip),
        Wrapping::Zstd => Some(Encoding::Zstd),
        Wrapping::Xz => None,
    })
}

/// When an image says that it was made, to the second; docker writes the year 1 where it does not know.
fn date(config: &Value) -> u64 {
    let text = config["created"].as_str().unwrap_or_default();
    let utc = text.ends_with('Z').then(|| text.get(..19)).flatten();
    utc.and_then(|text| parse_rfc3339(&format!("{text}Z"))).unwrap_or_default().max(CONSTANT_MTIME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_read_to_the_second() {
        for (created, seconds) in [
            (json!("2025-08-09T10:11:12Z"), 1_754_734_272),
            (json!("2025-08-09T10:11:12.987654321Z"), 1_754_734_272),
            (json!("0001-01-01T00:00:00Z"), CONSTANT_MTIME),
            (json!("2025-08-09T10:11:12+02:00"), CONSTANT_MTIME),
            (json!("é"), CONSTANT_MTIME),
            (json!(null), CONSTANT_MTIME),
        ] {
            assert_eq!(date(&json!({ "created": created })), seconds, "{created}");
        }
    }
}

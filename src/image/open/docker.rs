//! Archives as `docker save` writes them, and flat root file systems (Docker image specification 1.2, "Combined Image JSON +
//! Filesystem Changeset Format").
//!
//! The names of the layers are free: `<hex>.tar` by skopeo and remint, `<id>/layer.tar` by Docker up to 24, `blobs/sha256/<hex>`
//! since, where the archive is an image layout as well.

use super::archive::Archive;
use super::blobs::{Blobs, Files};
use super::error::OpenError;
use super::layer::OpenedLayer;
use super::layout::{LAYERS, MANIFESTS, diff_ids, platform};
use super::{Opened, OpenedPlatform, Raw};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// An archive as `docker save` writes it, of which each image can be opened.
#[derive(Debug)]
pub struct DockerArchive {
    blobs: Arc<Blobs>,
    /// What manifest.json says of each image.
    images: Vec<Value>,
}

/// Opens an image of an archive: the one of a name, or the only one.
pub(super) fn archive(shown: String, path: &Path, wanted: Option<&str>) -> Result<Opened, OpenError> {
    let archive = DockerArchive::open(shown, path)?;
    let number = match wanted {
        Some(name) => archive.find(name)?,
        None => Some(0).filter(|_| archive.images.len() == 1),
    };
    let Some(number) = number else {
        let there = archive.images.iter().flat_map(tags).map(str::to_owned).collect();
        let place = archive.blobs.image.clone();
        return Err(OpenError::NoImage { place, wanted: wanted.map(str::to_owned), there });
    };
    archive.image(number)
}

impl DockerArchive {
    /// Opens an archive, which messages call `shown`.
    pub fn open(shown: String, path: &Path) -> Result<Self, OpenError> {
        let archive = Archive::open(path)?;
        if !archive.has("manifest.json") {
            return Err(OpenError::Missing { image: shown, part: "manifest.json".to_owned() });
        }
        let blobs = Arc::new(Blobs { image: shown, files: Files::Archive(archive) });
        let (_, manifest, _) = blobs.document("manifest.json", None)?;
        let images = if let Value::Array(images) = manifest { images } else { vec![] };
        if images.len() > MANIFESTS {
            return Err(blobs.form("manifest.json", format!("names more than {MANIFESTS} images")));
        }
        Ok(Self { blobs, images })
    }

    /// Which image has a name, from 0; `None`: none has it. An error if several have.
    pub fn find(&self, name: &str) -> Result<Option<usize>, OpenError> {
        let named = |line: &Value| tags(line).any(|tag| tag == name || tag.strip_suffix(":latest") == Some(name));
        let found: Vec<usize> = (0..self.images.len()).filter(|&number| named(&self.images[number])).collect();
        // A line may stand there twice.
        let what = |number: &usize| (&self.images[*number]["Config"], &self.images[*number]["Layers"]);
        if found.windows(2).any(|pair| what(&pair[0]) != what(&pair[1])) {
            let those = found.iter().map(|number| what(number).0.as_str().unwrap_or_default().to_owned()).collect();
            return Err(OpenError::Several { place: self.blobs.image.clone(), name: name.to_owned(), those });
        }
        Ok(found.first().copied())
    }

    /// What each image is called, in the archive's order: by its first name, else by the digest of its configuration.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        // Several may have one configuration, which is read once.
        let mut digests: BTreeMap<&str, String> = BTreeMap::new();
        // What cannot be read is called as the archive calls it.
        let digest =
            |config: &str| self.blobs.document(config, None).map_or(config.to_owned(), |found| found.0.to_string());
        let mut titles = Vec::new();
        for line in &self.images {
            let config = line["Config"].as_str().unwrap_or_default();
            titles.push(match tags(line).next() {
                Some(tag) => tag.to_owned(),
                None => digests.entry(config).or_insert_with(|| digest(config)).clone(),
            });
        }
        titles
    }

    /// Whether it has one image only, which has no name.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        matches!(&self.images[..], [only] if tags(only).next().is_none())
    }

    /// Opens an image, by its number.
    pub fn image(&self, number: usize) -> Result<Opened, OpenError> {
        let blobs = &self.blobs;
        let shown = blobs.image.clone();
        let Some(line) = self.images.get(number) else {
            return Err(OpenError::NoImage { place: shown, wanted: None, there: vec![] });
        };
        let Some(config) = line["Config"].as_str() else {
            return Err(blobs.form("manifest.json", "has no `Config`".to_owned()));
        };
        let (digest, document, config_bytes) = blobs.document(config, None)?;
        let names: Vec<&str> = line["Layers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let diff_ids = diff_ids(blobs, config, &document)?;
        if names.len() > LAYERS {
            return Err(blobs.form("manifest.json", format!("has more than {LAYERS} layers")));
        }
        if names.len() != diff_ids.len() {
            let reason = format!("has {} layers, its config has {} DiffIds", names.len(), diff_ids.len());
            return Err(blobs.form("manifest.json", reason));
        }
        let layers = names.into_iter().zip(diff_ids).map(|(name, diff_id)| OpenedLayer {
            blobs: Arc::clone(blobs),
            name: name.to_owned(),
            blob: None,
            diff_id: Some(diff_id),
        });
        let layers = layers.collect();
        let platform = platform(blobs, config, &document)?;
        let raw = Raw { config: config_bytes, ..Raw::default() };
        let config = Some((digest, document));
        let only = OpenedPlatform { platform, manifest: None, config, layers, entry: None, raw };
        Ok(Opened { shown, root: None, indices: vec![], platforms: vec![only], attestations: vec![] })
    }
}

fn tags(line: &Value) -> impl Iterator<Item = &str> {
    line["RepoTags"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Opens a root file system that is one tar.
pub(super) fn flat(shown: String, path: &Path) -> Result<Opened, OpenError> {
    if !path.is_file() {
        let part = path.display().to_string();
        return Err(OpenError::Missing { image: shown, part });
    }
    let blobs = Arc::new(Blobs { image: shown.clone(), files: Files::Single(path.to_owned()) });
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let layer = OpenedLayer { blobs, name, blob: None, diff_id: None };
    let platform = "root file system".to_owned();
    let only = OpenedPlatform {
        platform,
        manifest: None,
        config: None,
        layers: vec![layer],
        entry: None,
        raw: Raw::default(),
    };
    Ok(Opened { shown, root: None, indices: vec![], platforms: vec![only], attestations: vec![] })
}

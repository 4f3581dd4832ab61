//! Archives as `docker save` writes them, and flat root file systems (Docker image specification 1.2, "Combined Image JSON +
//! Filesystem Changeset Format").
//!
//! The names of the layers are free: `<hex>.tar` by skopeo and remint, `<id>/layer.tar` by Docker up to 24, `blobs/sha256/<hex>`
//! since, where the archive is an image layout as well.

use super::archive::Archive;
use super::blobs::{Blobs, Files};
use super::error::OpenError;
use super::layer::OpenedLayer;
use super::layout::{LAYERS, diff_ids, platform};
use super::{Opened, OpenedPlatform, Raw};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Opens an image of an archive.
pub(super) fn archive(shown: String, path: &Path, wanted: Option<&str>) -> Result<Opened, OpenError> {
    let archive = Archive::open(path)?;
    if !archive.has("manifest.json") {
        return Err(OpenError::Missing { image: shown, part: "manifest.json".to_owned() });
    }
    let blobs = Arc::new(Blobs { image: shown.clone(), files: Files::Archive(archive) });
    let (_, manifest, _) = blobs.document("manifest.json", None)?;
    let all = manifest.as_array().map_or(&[][..], Vec::as_slice);
    let named =
        |line: &Value, name: &str| tags(line).any(|tag| tag == name || tag.strip_suffix(":latest") == Some(name));
    let found: Vec<&Value> = all.iter().filter(|line| wanted.is_none_or(|name| named(line, name))).collect();
    let [line] = found[..] else {
        let there = all.iter().flat_map(tags).map(str::to_owned).collect();
        return Err(OpenError::NoImage { place: shown, wanted: wanted.map(str::to_owned), there });
    };
    let Some(config) = line["Config"].as_str() else {
        return Err(blobs.form("manifest.json", "has no `Config`".to_owned()));
    };
    let (digest, document, config_bytes) = blobs.document(config, None)?;
    let names: Vec<&str> = line["Layers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let diff_ids = diff_ids(&blobs, config, &document)?;
    if names.len() > LAYERS {
        return Err(blobs.form("manifest.json", format!("has more than {LAYERS} layers")));
    }
    if names.len() != diff_ids.len() {
        let reason = format!("has {} layers, its config has {} DiffIds", names.len(), diff_ids.len());
        return Err(blobs.form("manifest.json", reason));
    }
    let layers = names.into_iter().zip(diff_ids).map(|(name, diff_id)| OpenedLayer {
        blobs: Arc::clone(&blobs),
        name: name.to_owned(),
        blob: None,
        diff_id: Some(diff_id),
    });
    let layers = layers.collect();
    let platform = platform(&document);
    let raw = Raw { config: config_bytes, ..Raw::default() };
    let only = OpenedPlatform { platform, manifest: None, config: Some((digest, document)), layers, entry: None, raw };
    Ok(Opened { shown, root: None, indices: vec![], platforms: vec![only], attestations: vec![] })
}

/// The names of each image of an archive, in the archive's order; an image may have none.
pub fn docker_names(path: &Path) -> Result<Vec<Vec<String>>, OpenError> {
    let blobs = Blobs { image: path.display().to_string(), files: Files::Archive(Archive::open(path)?) };
    let (_, manifest, _) = blobs.document("manifest.json", None)?;
    let all = manifest.as_array().map_or(&[][..], Vec::as_slice);
    Ok(all.iter().map(|line| tags(line).map(str::to_owned).collect()).collect())
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

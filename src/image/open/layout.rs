//! Image layouts, as directories and in archives.

use super::archive::Archive;
use super::attestation::OpenedAttestation;
use super::blobs::{Blobs, Files, blob_name};
use super::error::OpenError;
use super::layer::OpenedLayer;
use super::{Opened, OpenedIndex, OpenedPlatform, Raw};
use crate::digest::{DiffId, Digest};
use crate::oci::{Platform, json_weight};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// An index names at most this many images, and at most so deep.
pub(super) const MANIFESTS: usize = 1000;
const DEPTH: usize = 3;

/// What the documents of all images of an index may take in memory, in bytes.
const DOCUMENTS: u64 = 256 << 20;

/// The most bytes that each part of a platform has: whatever is found is told with the platform.
const PLATFORM: usize = 100;

/// An image has at most this many layers; engines take some hundred.
pub(super) const LAYERS: usize = 2000;

/// Opens an image of a layout that is a directory.
pub(super) fn directory(shown: String, path: &Path, name: Option<&str>) -> Result<Opened, OpenError> {
    open(Blobs { image: shown, files: Files::Directory(path.to_owned()) }, name)
}

/// Opens an image of a layout that is in an archive.
pub(super) fn archive(shown: String, path: &Path, name: Option<&str>) -> Result<Opened, OpenError> {
    open(Blobs { image: shown, files: Files::Archive(Archive::open(path)?) }, name)
}

fn open(blobs: Blobs, wanted: Option<&str>) -> Result<Opened, OpenError> {
    let blobs = Arc::new(blobs);
    let (_, index, _) = blobs.document("index.json", None)?;
    let all = entries(&blobs, "index.json", &index)?;
    let mut found: Vec<&Value> = match wanted {
        None => all.iter().collect(),
        Some(name) => all.iter().filter(|entry| names(entry).any(|there| there == name)).collect(),
    };
    // An image of several names has an entry for each.
    let mut seen = BTreeSet::new();
    found.retain(|entry| seen.insert(entry["digest"].as_str().unwrap_or_default()));
    if let ([_, _, ..], Some(name)) = (&found[..], wanted) {
        let those = seen.into_iter().map(str::to_owned).collect();
        return Err(OpenError::Several { place: blobs.image.clone(), name: name.to_owned(), those });
    }
    let [entry] = found[..] else {
        let mut there: Vec<String> = all.iter().filter_map(|entry| names(entry).next().map(str::to_owned)).collect();
        there.sort();
        let place = blobs.image.clone();
        return Err(OpenError::NoImage { place, wanted: wanted.map(str::to_owned), there });
    };
    let root = blobs.descriptor("index.json", entry)?;
    let shown = blobs.image.clone();
    let mut opened =
        Opened { shown, root: Some(root.digest), indices: vec![], platforms: vec![], attestations: vec![] };
    follow(&blobs, entry, &[], None, &mut opened)?;
    finish(&blobs, root.digest, opened)
}

/// Sorts what was found, which must be something.
pub(super) fn finish(blobs: &Blobs, root: Digest, mut opened: Opened) -> Result<Opened, OpenError> {
    if opened.platforms.is_empty() {
        return Err(blobs.form(&blobs.manifest_name(&root), "names no image".to_owned()));
    }
    opened.platforms.sort_by(|a, b| a.platform.cmp(&b.platform));
    opened.attestations.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(opened)
}

/// The names of an entry of index.json: the specification's, and containerd's, which `docker save` writes.
fn names(entry: &Value) -> impl Iterator<Item = &str> {
    let annotations = &entry["annotations"];
    ["org.opencontainers.image.ref.name", "io.containerd.image.name"]
        .into_iter()
        .filter_map(|key| annotations[key].as_str())
}

fn entries<'a>(blobs: &Blobs, part: &str, index: &'a Value) -> Result<&'a [Value], OpenError> {
    match index["manifests"].as_array() {
        Some(all) if all.len() <= MANIFESTS => Ok(all),
        Some(_) => Err(blobs.form(part, format!("names more than {MANIFESTS} images"))),
        None => Err(blobs.form(part, "has no `manifests`".to_owned())),
    }
}

/// Follows a descriptor, the entries of the indices above lead to which, to the images behind it; with `only`, to those of these
/// platforms.
pub(super) fn follow(
    blobs: &Arc<Blobs>,
    entry: &Value,
    place: &[usize],
    only: Option<&[String]>,
    opened: &mut Opened,
) -> Result<(), OpenError> {
    let blob = blobs.descriptor("index", entry)?;
    let name = blobs.manifest_name(&blob.digest);
    if let Some(only) = only.filter(|_| entry["platform"].is_object())
        && !only.contains(&platform(blobs, &name, &entry["platform"])?)
    {
        return Ok(());
    }
    if let Some(attestation) = OpenedAttestation::of(blobs, entry, blob)? {
        opened.attestations.push(attestation);
        return bounded(blobs, &name, opened);
    }
    let (digest, mut document, bytes) = blobs.document(&name, Some(blob))?;
    let said = (!place.is_empty()).then(|| entry.clone());
    if document["manifests"].is_array() {
        if place.len() == DEPTH {
            return Err(blobs.form(&name, format!("is an index more than {DEPTH} deep")));
        }
        entries(blobs, &name, &document)?;
        let named = document["manifests"].take();
        let weight = json_weight(&bytes);
        opened.indices.push(OpenedIndex { place: place.to_vec(), digest, document, entry: said, weight });
        bounded(blobs, &name, opened)?;
        for (at, entry) in named.as_array().into_iter().flatten().enumerate() {
            follow(blobs, entry, &[place, &[at]].concat(), only, opened)?;
        }
        return Ok(());
    }
    let image = image(blobs, digest, (document, bytes), &entry["platform"])?;
    opened.platforms.push(OpenedPlatform { entry: said, ..image });
    bounded(blobs, &name, opened)
}

/// Refuses what all indices together name too much of: one blob may be named again and again.
fn bounded(blobs: &Blobs, part: &str, opened: &Opened) -> Result<(), OpenError> {
    for (count, what) in
        [(opened.platforms.len() + opened.attestations.len(), "images"), (opened.indices.len(), "indices")]
    {
        if count > MANIFESTS {
            return Err(blobs.form(part, format!("is one of more than {MANIFESTS} {what}")));
        }
    }
    let images = opened.platforms.iter().map(|one| one.raw.weight);
    if images.chain(opened.indices.iter().map(|one| one.weight)).sum::<u64>() > DOCUMENTS {
        return Err(blobs.form(part, format!("is one of documents that take more than {DOCUMENTS} bytes together")));
    }
    Ok(())
}

fn image(
    blobs: &Arc<Blobs>,
    digest: Digest,
    (manifest, manifest_bytes): (Value, Vec<u8>),
    said: &Value,
) -> Result<OpenedPlatform, OpenError> {
    let part = blobs.manifest_name(&digest);
    let config = blobs.descriptor(&part, &manifest["config"])?;
    let (config_digest, document, config_bytes) = blobs.document(&blob_name(&config.digest), Some(config))?;
    let diff_ids = diff_ids(blobs, &blob_name(&config.digest), &document)?;
    let Some(layers) = manifest["layers"].as_array() else {
        return Err(blobs.form(&part, "has no `layers`".to_owned()));
    };
    if layers.len() > LAYERS {
        return Err(blobs.form(&part, format!("has more than {LAYERS} layers")));
    }
    if layers.len() != diff_ids.len() {
        let reason = format!("has {} layers, its config has {} DiffIds", layers.len(), diff_ids.len());
        return Err(blobs.form(&part, reason));
    }
    let layers = layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
        let blob = blobs.descriptor(&part, layer)?;
        let name = blob_name(&blob.digest);
        Ok(OpenedLayer { blobs: Arc::clone(blobs), name, blob: Some(blob), diff_id: Some(diff_id) })
    });
    let layers = layers.collect::<Result<_, OpenError>>()?;
    let (from, said) = if document["os"].is_string() { (blob_name(&config_digest), &document) } else { (part, said) };
    let platform = platform(blobs, &from, said)?;
    let weight = json_weight(&manifest_bytes) + json_weight(&config_bytes);
    let raw = Raw { manifest: manifest_bytes, config: config_bytes, weight };
    let (manifest, config) = (Some((digest, manifest)), Some((config_digest, document)));
    Ok(OpenedPlatform { platform, manifest, config, layers, entry: None, raw })
}

/// The DiffIds that a configuration has.
pub(super) fn diff_ids(blobs: &Blobs, part: &str, config: &Value) -> Result<Vec<DiffId>, OpenError> {
    let all = config["rootfs"]["diff_ids"].as_array();
    let all = all.map(|all| all.iter().map(|id| id.as_str()?.parse().ok().map(DiffId)).collect::<Option<Vec<_>>>());
    all.flatten().ok_or_else(|| blobs.form(part, "has no DiffIds by sha256".to_owned()))
}

/// A platform in remint's spelling where that has one, so that `linux/arm64/v8` is `linux/arm64`.
pub(super) fn platform(blobs: &Blobs, part: &str, document: &Value) -> Result<String, OpenError> {
    let mut text = String::new();
    for key in ["os", "architecture", "variant"] {
        let said = document[key].as_str().unwrap_or(if key == "variant" { "" } else { "unknown" });
        let said = blobs.name(part, key, said, PLATFORM)?;
        if !said.is_empty() {
            text = if text.is_empty() { said.to_owned() } else { format!("{text}/{said}") };
        }
    }
    Ok(text.parse::<Platform>().map_or(text, |platform| platform.to_string()))
}

//! What an image consists of, as data: behind `remint inspect IMAGE`.

mod dpkg;
mod sharing;

pub use dpkg::Package;

use super::error::Error;
use super::read::{Image, PlatformImage};
use super::tree::Tree;
use crate::digest::{DiffId, Digest};
use crate::layer::Kind;
use crate::store::Store;
use serde::Serialize;
use serde_json::Value;
use sharing::Sharing;
use std::collections::BTreeMap;
use std::io::Read;

/// What there is to know about an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Its name.
    pub name: String,
    /// Its digest: of the index, or of the only platform's manifest.
    pub digest: Digest,
    /// The image of each platform, sorted by the platforms' names.
    pub platforms: Vec<PlatformSummary>,
}

/// What there is to know about an image for one platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlatformSummary {
    /// What it runs on: `linux/amd64`.
    pub platform: String,
    /// The manifest's digest.
    pub digest: Digest,
    /// The config's digest, which Docker calls the image's id.
    pub config_digest: Digest,
    /// When it was made, as the config says, if it does.
    pub created: Option<String>,
    /// What runs, and how.
    pub config: ConfigSummary,
    /// What a client fetches, in bytes: manifest, config and layers, each blob once.
    pub compressed_size: u64,
    /// How many bytes of that are layers which other images of the store have too.
    pub shared_size: u64,
    /// The layers' tars together, in bytes.
    pub uncompressed_size: u64,
    /// The layers, the lowest first.
    pub layers: Vec<LayerSummary>,
    /// What the dpkg database of the image lists as installed, sorted by name and architecture.
    pub packages: Vec<Package>,
    /// How many things the root file system holds.
    pub files: FileCounts,
    /// The biggest files of the root file system, the biggest first.
    pub biggest: Vec<BigFile>,
}

/// The parts of an image's configuration that people ask for; empty where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ConfigSummary {
    /// `User`.
    pub user: Option<String>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `Env`, each as `NAME=value`.
    pub env: Vec<String>,
    /// `WorkingDir`.
    pub working_dir: Option<String>,
    /// `ExposedPorts`.
    pub exposed_ports: Vec<String>,
    /// `Volumes`.
    pub volumes: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `StopSignal`.
    pub stop_signal: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerSummary {
    /// The blob's digest.
    pub digest: Digest,
    /// The tar's digest.
    pub diff_id: DiffId,
    /// How the blob is compressed.
    pub encoding: super::Encoding,
    /// The blob's size in bytes.
    pub compressed_size: u64,
    /// The tar's size in bytes.
    pub uncompressed_size: u64,
    /// What made it, as the config's history says, if it does.
    pub created_by: Option<String>,
    /// The other images of the store that have this blob too, by name, sorted.
    pub also_in: Vec<String>,
}

/// How many things of each kind a root file system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FileCounts {
    /// Regular files; one with several names counts once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Directories, without the root.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Further names of files.
    pub hardlinks: u64,
    /// Devices and pipes.
    pub special: u64,
}

/// A file and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BigFile {
    /// Its path from the root, without a slash in front.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// How many of the biggest files are told.
const BIGGEST: usize = 20;

/// Reads an image through: every layer is unpacked, and thereby verified.
pub fn inspect(store: &Store, image: &Image) -> Result<Inspection, Error> {
    let sharing = Sharing::read(store, &image.name)?;
    let platforms =
        image.platforms.iter().map(|image| platform(store, image, &sharing)).collect::<Result<_, Error>>()?;
    Ok(Inspection { name: image.name.to_string(), digest: image.root.digest, platforms })
}

/// The packages that an image's dpkg database lists as installed, sorted by name and architecture.
pub(super) fn installed(store: &Store, image: &PlatformImage) -> Result<Vec<Package>, Error> {
    let mut tree = Tree::default();
    let mut database = dpkg::Database::default();
    for layer in &image.layers {
        tree.apply(store, layer, &mut |entry, content: &mut dyn Read| {
            database.look(entry.path.as_str(), content)?;
            Ok(0)
        })?;
    }
    Ok(database.packages(|path| tree.has(path)))
}

fn platform(store: &Store, image: &PlatformImage, sharing: &Sharing) -> Result<PlatformSummary, Error> {
    let mut tree = Tree::default();
    let mut database = dpkg::Database::default();
    let mut told = created_by(&image.document);
    let mut layers = Vec::new();
    for layer in &image.layers {
        let tar_size = tree.apply(store, layer, &mut |entry, content: &mut dyn Read| {
            database.look(entry.path.as_str(), content)?;
            Ok(0)
        })?;
        layers.push(LayerSummary {
            digest: layer.blob.digest,
            diff_id: layer.diff_id,
            encoding: layer.encoding,
            compressed_size: layer.blob.size,
            uncompressed_size: tar_size,
            created_by: told.next().flatten(),
            also_in: sharing.images_with(&layer.blob.digest),
        });
    }
    let packages = database.packages(|path| tree.has(path));
    let mut blobs: Vec<_> = image.layers.iter().map(|layer| layer.blob).collect();
    blobs.sort();
    blobs.dedup();
    let shared_size = blobs.iter().filter(|blob| sharing.has(&blob.digest)).map(|blob| blob.size).sum();
    blobs.extend([image.manifest, image.config]);
    blobs.sort();
    blobs.dedup();
    let (files, biggest) = count(&tree);
    Ok(PlatformSummary {
        platform: image.platform.to_string(),
        digest: image.manifest.digest,
        config_digest: image.config.digest,
        created: text(&image.document, "created"),
        config: summary(&image.document["config"]),
        compressed_size: blobs.iter().map(|blob| blob.size).sum(),
        shared_size,
        uncompressed_size: layers.iter().map(|layer| layer.uncompressed_size).sum(),
        layers,
        packages,
        files,
        biggest,
    })
}

fn count(tree: &Tree) -> (FileCounts, Vec<BigFile>) {
    let mut counts = FileCounts { directories: tree.directories().count() as u64, ..FileCounts::default() };
    let mut sizes: Vec<(u64, String)> = Vec::new();
    for (entry, _) in tree.others() {
        match entry.kind {
            Kind::File { size } => {
                counts.files += 1;
                counts.bytes = counts.bytes.saturating_add(size);
                sizes.push((size, entry.path.to_string()));
            }
            Kind::Symlink { .. } => counts.symlinks += 1,
            Kind::Hardlink { .. } => counts.hardlinks += 1,
            _ => counts.special += 1,
        }
    }
    sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    sizes.truncate(BIGGEST);
    (counts, sizes.into_iter().map(|(size, path)| BigFile { path, size }).collect())
}

/// What made each layer: the history's entries, less those that made none.
fn created_by(document: &Value) -> impl Iterator<Item = Option<String>> + '_ {
    let history = document["history"].as_array().map_or(&[][..], Vec::as_slice);
    history.iter().filter(|entry| entry["empty_layer"] != true).map(|entry| text(entry, "created_by"))
}

fn summary(config: &Value) -> ConfigSummary {
    ConfigSummary {
        user: text(config, "User"),
        entrypoint: texts(&config["Entrypoint"]),
        cmd: texts(&config["Cmd"]),
        env: texts(&config["Env"]),
        working_dir: text(config, "WorkingDir"),
        exposed_ports: keys(&config["ExposedPorts"]),
        volumes: keys(&config["Volumes"]),
        labels: pairs(&config["Labels"]),
        stop_signal: text(config, "StopSignal"),
    }
}

/// A text that says something: Docker writes empty ones for what is not set.
fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn pairs(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

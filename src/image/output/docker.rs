//! What `docker save` writes (Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format").
//!
//! ```text
//! <config's hex>.json    the configuration, byte for byte: its digest is what Docker calls the image's id
//! <DiffId's hex>.tar     a layer, uncompressed, so that engines of any age read it whatever the store's compression
//! manifest.json          [{"Config": …, "Layers": […], "RepoTags": ["name:latest"]}]
//! ```
//!
//! The file `repositories`, for engines before 1.10 (2016), is not written.

use super::super::error::Error;
use super::super::layer_reader::LayerReader;
use super::super::read::{self, Image, PlatformImage};
use super::place::NewFile;
use super::tarball::{Tarball, file};
use crate::layer;
use crate::oci::{Blob, canonical_json};
use crate::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A file of the archive and where it comes from.
enum Member<'a> {
    Config(Blob),
    Layer(&'a read::Layer),
}

/// Writes one archive of several images, each for one platform.
pub(super) fn write(store: &Store, images: &[(&Image, &PlatformImage)], target: &Path) -> Result<(), Error> {
    let mut members: BTreeMap<String, Member<'_>> = BTreeMap::new();
    let mut lines: Vec<Value> = Vec::new();
    for (image, only) in images {
        let config = format!("{}.json", only.config.digest.hex());
        let mut layers = Vec::new();
        for layer in &only.layers {
            let name = format!("{}.tar", layer.diff_id.0.hex());
            layers.push(name.clone());
            members.insert(name, Member::Layer(layer));
        }
        lines.push(json!({ "Config": config, "Layers": layers, "RepoTags": [format!("{}:latest", image.name)] }));
        members.insert(config, Member::Config(only.config));
    }
    let mut tarball = Tarball::begin(NewFile::begin(target)?, [])?;
    for (name, member) in members {
        match member {
            Member::Config(config) => tarball.add_blob(&name, store, &config)?,
            Member::Layer(layer) => add_layer(store, layer, &name, &mut tarball)?,
        }
    }
    tarball.add_bytes("manifest.json", &canonical_json(&lines))?;
    tarball.finish()
}

/// Unpacks a layer into the archive. A tar's header wants the size first, so the layer is unpacked twice, which is faster than
/// writing it to a disk in between and checks its DiffId before the first byte goes out.
fn add_layer(store: &Store, layer: &read::Layer, name: &str, tarball: &mut Tarball) -> Result<(), Error> {
    let size = LayerReader::open(store, layer)?.finish()?;
    let mut reader = LayerReader::open(store, layer)?;
    match tarball.add(&file(name, size), &mut reader) {
        Ok(()) => reader.finish().map(|_| ()),
        Err(Error::Tar { source: layer::Error::Content { source, .. }, .. }) => Err(reader.failed(source)),
        Err(error) => Err(error),
    }
}

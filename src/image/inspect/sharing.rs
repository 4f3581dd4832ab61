//! Which other images of a store have the same layers: a registry and a node hold such a blob once for all of them.

use crate::digest::Digest;
use crate::image::error::Error;
use crate::image::read::Image;
use crate::image::reference::ImageRef;
use crate::recipe::ImageName;
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// The layers of a store's other images.
pub(super) struct Sharing(BTreeMap<Digest, BTreeSet<String>>);

impl Sharing {
    /// Reads the manifests of every image of a store but the one of that name. An image that cannot be read shares nothing: what is wrong
    /// with it is for whoever asks for it.
    pub(super) fn read(store: &Store, but: &ImageName) -> Result<Self, Error> {
        let mut layers: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for entry in store.index()? {
            let name = entry.name().and_then(ImageName::parse);
            let Some(name) = name.filter(|name| name != but) else { continue };
            let reference = ImageRef { name, platform: None };
            let Ok(image) = Image::resolve(store, &reference) else { continue };
            for layer in image.platforms.iter().flat_map(|platform| &platform.layers) {
                layers.entry(layer.blob.digest).or_default().insert(reference.name.to_string());
            }
        }
        Ok(Self(layers))
    }

    /// The names of the other images that have a layer, sorted.
    pub(super) fn images_with(&self, layer: &Digest) -> Vec<String> {
        self.0.get(layer).into_iter().flatten().cloned().collect()
    }

    /// Whether another image has a layer.
    pub(super) fn has(&self, layer: &Digest) -> bool {
        self.0.contains_key(layer)
    }
}

//! What a name in index.json leads to: the documents of an image and its layers (image-spec, descriptor.md).
//!
//! Any tool may have put an image here, so all that looks like a descriptor where the specification has one is followed, also in
//! documents whose media types remint does not know: what is reachable is never garbage.

use super::Store;
use super::inventory::Kind;
use crate::digest::Digest;
use crate::oci::Blob;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// A document of an image has at most this many bytes; what is larger is not looked into.
const LIMIT: u64 = 16 << 20;

/// Blobs that an image leads to, with what they are in it.
pub(super) type Reached = BTreeMap<Digest, (Blob, Kind)>;

impl Store {
    /// Adds an image's documents and layers to those that are reached already.
    pub(super) fn reach(&self, root: Blob, reached: &mut Reached) {
        let mut left = vec![root];
        while let Some(blob) = left.pop() {
            if reached.insert(blob.digest, (blob, Kind::Document)).is_some() || blob.size > LIMIT {
                continue;
            }
            let path = self.blob_path(&blob.digest);
            let bytes = fs::metadata(&path).is_ok_and(|meta| meta.len() <= LIMIT).then(|| fs::read(&path));
            let Some(Ok(bytes)) = bytes else { continue };
            let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let of = |key: &str| document.get(key).and_then(Value::as_array).into_iter().flatten();
            left.extend(of("manifests").chain(document.get("subject")).filter_map(described));
            for (kind, blob) in document
                .get("config")
                .map(|config| (Kind::Document, config))
                .into_iter()
                .chain(of("layers").chain(of("blobs")).map(|layer| (Kind::Layer, layer)))
                .filter_map(|(kind, value)| Some((kind, described(value)?)))
            {
                reached.entry(blob.digest).or_insert((blob, kind));
            }
        }
    }
}

/// The blob that a descriptor describes, if it is named by a SHA-256.
fn described(descriptor: &Value) -> Option<Blob> {
    let digest = descriptor.get("digest")?.as_str()?.parse().ok()?;
    Some(Blob { digest, size: descriptor.get("size")?.as_u64()? })
}

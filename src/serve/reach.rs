//! What an image leads to: its documents, each with its media type, and its other blobs (image-spec, descriptor.md).
//!
//! Any tool may have put an image into the store: whatever stands where the specification has a descriptor is followed, and a document
//! that is not there, as of a platform that was left out, is only not there.

use crate::digest::Digest;
use crate::oci::{Blob, media};
use crate::store::{self, Store};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The largest document that is looked into, in bytes (distribution-spec, "Pushing Manifests": registries take at least 4 MiB).
pub(super) const LARGEST: u64 = 4 << 20;

/// The most documents, and the most other blobs, of one image.
const MOST: usize = 50_000;

/// What an image leads to.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Indices and manifests, with their media types.
    pub(super) documents: BTreeMap<Digest, Document>,
    /// Configurations, layers and what else there is.
    pub(super) blobs: BTreeMap<Digest, Blob>,
    /// Manifests with a subject: what they are about, and their descriptors as referrers.
    pub(super) referrers: Vec<(Digest, Map<String, Value>)>,
    /// Documents that could not be read, and why.
    pub(super) faults: BTreeMap<Digest, store::Error>,
}

/// An index or a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Its digest and size.
    pub(super) blob: Blob,
    /// What it is.
    pub(super) media_type: String,
}

impl Reached {
    /// Follows a document.
    pub(super) fn follow(&mut self, store: &Store, root: Document) {
        let mut left = vec![root];
        while let Some(mut document) = left.pop() {
            let digest = document.blob.digest;
            if self.documents.contains_key(&digest) || self.documents.len() + self.blobs.len() > MOST {
                continue;
            }
            match read(store, &document.blob) {
                Ok(Some(value)) => {
                    if let Some(own) = media_type(&value) {
                        document.media_type = own;
                    }
                    left.extend(listed(&value, "manifests").filter_map(described));
                    let config = value.get("config");
                    for blob in config.into_iter().chain(listed(&value, "layers")).chain(listed(&value, "blobs")) {
                        if let Some(Document { blob, .. }) = described(blob)
                            && self.blobs.len() < MOST
                        {
                            self.blobs.insert(blob.digest, blob);
                        }
                    }
                    self.referrers.extend(referrer(&value, &document));
                }
                Ok(None) => {}
                Err(error) => {
                    self.faults.insert(digest, error);
                }
            }
            self.documents.insert(digest, document);
        }
    }

    /// The blob of a digest, whatever it is.
    pub(super) fn blob(&self, digest: &Digest) -> Option<Blob> {
        self.blobs.get(digest).copied().or_else(|| self.documents.get(digest).map(|document| document.blob))
    }
}

/// Reads a document; `None` if it is nothing to look into: too large, or no JSON.
///
/// A file of another size than its descriptor says is not read: which of the two is wrong is for `cache check` to find out.
fn read(store: &Store, blob: &Blob) -> Result<Option<Value>, store::Error> {
    if blob.size > LARGEST {
        return Ok(None);
    }
    if !store.has(blob) {
        return Err(store::Error::Missing { digest: blob.digest });
    }
    Ok(serde_json::from_slice(&store.read(blob)?).ok())
}

/// A descriptor, if it names its blob by a SHA-256.
fn described(descriptor: &Value) -> Option<Document> {
    let digest = descriptor.get("digest")?.as_str()?.parse().ok()?;
    let blob = Blob { digest, size: descriptor.get("size")?.as_u64()? };
    Some(Document { blob, media_type: media_type(descriptor).unwrap_or_else(|| media::MANIFEST.to_owned()) })
}

/// What a document says that it is, if that can stand in a field of an answer (RFC 6838, section 4.2).
pub(super) fn media_type(value: &Value) -> Option<String> {
    let text = value.get("mediaType")?.as_str()?;
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
    (text.len() <= 255 && text.contains('/') && text.chars().all(good)).then(|| text.to_owned())
}

fn listed<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A manifest as a referrer of its subject (distribution-spec, "Listing Referrers"); `None` if it has none.
fn referrer(value: &Value, document: &Document) -> Option<(Digest, Map<String, Value>)> {
    let subject = described(value.get("subject")?)?.blob.digest;
    let mut entry = Map::new();
    entry.insert("mediaType".to_owned(), document.media_type.clone().into());
    entry.insert("digest".to_owned(), document.blob.digest.to_string().into());
    entry.insert("size".to_owned(), document.blob.size.into());
    // "If the artifactType is empty or missing in an image manifest, the value of artifactType MUST be set to the config descriptor's
    // mediaType value."
    let own = value.get("artifactType").filter(|kind| kind.as_str().is_some_and(|kind| !kind.is_empty()));
    let kind = own.or_else(|| value.get("config")?.get("mediaType"));
    for (key, value) in [("artifactType", kind), ("annotations", value.get("annotations"))] {
        if let Some(value) = value {
            entry.insert(key.to_owned(), value.clone());
        }
    }
    Some((subject, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_leads_to_its_documents_and_blobs_and_to_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let put = |value: &Value| store.put(value.to_string().as_bytes()).unwrap();
        let (config, layer, other) = (Blob::of(b"config"), Blob::of(b"layer"), Blob::of(b"other"));
        let manifest = put(&json!({"config": config, "layers": [layer, {"digest": "sha512:x", "size": 1}, 7]}));
        let lying = json!({"digest": manifest.digest, "size": manifest.size, "mediaType": "a/b\r\nX: y"});
        let missing = Blob::of(b"missing");
        let index = put(&json!({"mediaType": "application/x.own", "manifests": [lying, missing], "more": [other]}));
        let mut reached = Reached::default();
        reached.follow(&store, Document { blob: index, media_type: "application/x.said".to_owned() });
        assert_eq!(reached.documents[&index.digest].media_type, "application/x.own");
        assert_eq!(reached.documents[&manifest.digest].media_type, media::MANIFEST);
        assert_eq!(reached.blobs.keys().copied().collect::<Vec<_>>().len(), 2);
        assert_eq!((reached.blob(&config.digest), reached.blob(&layer.digest)), (Some(config), Some(layer)));
        assert_eq!(reached.blob(&other.digest), None);
        assert!(matches!(reached.faults[&missing.digest], store::Error::Missing { .. }));
    }

    #[test]
    fn a_descriptor_that_lies_costs_no_blob() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(b"{}").unwrap();
        let mut reached = Reached::default();
        let lie = Blob { size: 3, ..blob };
        reached.follow(&store, Document { blob: lie, media_type: media::MANIFEST.to_owned() });
        assert!(store.has(&blob));
        assert_eq!(reached.faults.len(), 1);
    }
}

//! index.json: which images the store holds, by name (image-spec, image-layout.md, "index.json file").

use super::error::{Error, doing};
use super::{Damage, Store};
use crate::oci::{Blob, canonical_json, media};
use serde_json::{Map, Value, json};
use std::fs;

/// One entry of index.json: a descriptor as JSON, kept whole, so that what other tools wrote survives.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEntry(pub Map<String, Value>);

/// The annotation that names an image in a layout (image-spec, annotations.md).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

impl IndexEntry {
    /// Describes an image by name.
    #[must_use]
    pub fn new(name: &str, media_type: &str, blob: Blob) -> Self {
        let entry = json!({
            "annotations": { REF_NAME: name },
            "digest": blob.digest,
            "mediaType": media_type,
            "size": blob.size,
        });
        match entry {
            Value::Object(map) => Self(map),
            _ => unreachable!("the literal above is an object"),
        }
    }

    /// The image's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.get("annotations")?.get(REF_NAME)?.as_str()
    }

    /// What the entry describes.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.0.get("mediaType")?.as_str()
    }

    /// The blob it points to, if that is named by a SHA-256.
    #[must_use]
    pub fn blob(&self) -> Option<Blob> {
        let digest = self.0.get("digest")?.as_str()?.parse().ok()?;
        Some(Blob { digest, size: self.0.get("size")?.as_u64()? })
    }
}

impl Store {
    /// Reads index.json.
    pub fn index(&self) -> Result<Vec<IndexEntry>, Error> {
        let path = self.dir.join("index.json");
        let bytes = fs::read(&path).map_err(doing("read", &path))?;
        parse(&bytes).map_err(|source| Error::Index { path, source })
    }

    /// Changes index.json in one step that no other process can come between.
    ///
    /// The entries are sorted by name, then digest; if nothing changed, nothing is written.
    pub fn update_index(&self, change: impl FnOnce(&mut Vec<IndexEntry>)) -> Result<(), Error> {
        let _lock = self.lock("index")?;
        let path = self.dir.join("index.json");
        let before = match self.index() {
            Ok(before) => before,
            // Every build names its images anew: a list that a power cut tore is begun again.
            Err(Error::Index { .. }) => {
                self.report_damage(Damage::Index);
                Vec::new()
            }
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut entries = before.clone();
        change(&mut entries);
        entries.sort_by(|a, b| (a.name(), a.blob()).cmp(&(b.name(), b.blob())));
        if entries == before && self.index().is_ok() {
            return Ok(());
        }
        let manifests: Vec<&Map<String, Value>> = entries.iter().map(|entry| &entry.0).collect();
        let index = json!({ "manifests": manifests, "mediaType": media::INDEX, "schemaVersion": 2 });
        self.replace(&path, &canonical_json(&index))
    }

    /// Names images, each in place of whatever had its name.
    pub fn set_images(&self, images: &[IndexEntry]) -> Result<(), Error> {
        // Without a change nothing is locked either, so that a store that cannot be written serves builds of what it has.
        if self.index().is_ok_and(|there| images.iter().all(|image| there.contains(image))) {
            return Ok(());
        }
        self.update_index(|entries| {
            entries.retain(|old| !images.iter().any(|new| new.name() == old.name()));
            entries.extend_from_slice(images);
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<IndexEntry>, serde_json::Error> {
    /// The specification's own invariants: "This REQUIRED property […] MUST be 2", and the media type, where there is one.
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Index {
        manifests: Vec<Map<String, Value>>,
        schema_version: u64,
        media_type: Option<String>,
    }
    let index: Index = serde_json::from_slice(bytes)?;
    if index.schema_version != 2 || index.media_type.is_some_and(|of| of != media::INDEX) {
        return Err(serde::de::Error::custom("`schemaVersion` or `mediaType` is not that of an image index"));
    }
    Ok(index.manifests.into_iter().map(IndexEntry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_replace_their_namesakes_and_keep_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let entry = |name: &str, bytes: &[u8]| IndexEntry::new(name, media::MANIFEST, Blob::of(bytes));
        store.set_images(&[entry("b", b"1"), entry("a", b"2")]).unwrap();
        store.set_images(&[entry("b", b"3")]).unwrap();
        let names: Vec<_> =
            store.index().unwrap().iter().map(|e| (e.name().unwrap().to_owned(), e.blob().unwrap())).collect();
        assert_eq!(names, [("a".to_owned(), Blob::of(b"2")), ("b".to_owned(), Blob::of(b"3"))]);
    }

    #[test]
    fn a_torn_index_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for torn in ["", "{"] {
            fs::write(dir.path().join("index.json"), torn).unwrap();
            store.set_images(&[IndexEntry::new("a", media::MANIFEST, Blob::of(b"1"))]).unwrap();
            assert_eq!(store.index().unwrap().len(), 1);
            assert_eq!(store.take_damage(), [Damage::Index]);
        }
    }

    #[test]
    fn many_writers_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let store = &store;
                scope.spawn(move || {
                    let name = format!("image{n}");
                    store.set_images(&[IndexEntry::new(&name, media::MANIFEST, Blob::of(&[n]))]).unwrap();
                });
            }
        });
        assert_eq!(store.index().unwrap().len(), 16);
    }
}

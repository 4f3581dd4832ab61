//! The manifest: one image for one platform (OCI image-spec, manifest.md).

use super::read::Layer;
use crate::oci::{Blob, canonical_json, media};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Writes a manifest as canonical JSON.
///
/// Layers that came with a base under one of Docker's media types get the OCI name of the same thing: the blob is the same.
#[must_use]
pub fn manifest(config: Blob, layers: &[Layer], annotations: &BTreeMap<String, String>) -> Vec<u8> {
    let layers: Vec<Value> = layers.iter().map(|layer| descriptor(layer.encoding.media_type(), layer.blob)).collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": media::MANIFEST,
        "config": descriptor(media::CONFIG, config),
        "layers": layers,
    });
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    canonical_json(&manifest)
}

/// Describes a blob (OCI image-spec, descriptor.md).
pub(super) fn descriptor(media_type: &str, blob: Blob) -> Value {
    json!({ "mediaType": media_type, "digest": blob.digest, "size": blob.size })
}

#[cfg(test)]
mod tests {
    use super::super::Encoding;
    use super::*;
    use crate::digest::{DiffId, Digest};

    /// Golden bytes: a manifest's digest is the image's name everywhere, so these never change.
    #[test]
    fn the_bytes_are_pinned() {
        let layer = |text: &str, encoding| Layer {
            blob: Blob::of(text.as_bytes()),
            encoding,
            diff_id: DiffId(Digest::of(b"unused")),
        };
        let layers = [layer("abc", Encoding::Zstd), layer("", Encoding::Gzip)];
        let annotations = [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into();
        let expected = concat!(
            r#"{"annotations":{"a":"1","b":"2"},"config":{"#,
            r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","#,
            r#""mediaType":"application/vnd.oci.image.config.v1+json","size":2},"layers":[{"#,
            r#""digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","#,
            r#""mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","size":3},{"#,
            r#""digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
            r#""mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":0}],"#,
            r#""mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#,
        );
        assert_eq!(String::from_utf8(manifest(Blob::of(b"{}"), &layers, &annotations)).unwrap(), expected);
        let plain = manifest(Blob::of(b"{}"), &layers, &BTreeMap::new());
        assert!(plain.starts_with(b"{\"config\":"));
    }
}

//! The index: one image for several platforms (OCI image-spec, image-index.md).

use super::manifest::descriptor;
use crate::oci::{Blob, Platform, canonical_json, media};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Writes an index as canonical JSON, sorted by the platforms' names.
///
/// Clients take the first entry that fits; since no platform stands twice and none is a variant of another, the order is free.
#[must_use]
pub fn index(manifests: &BTreeMap<Platform, Blob>, annotations: &BTreeMap<String, String>) -> Vec<u8> {
    let mut sorted: Vec<(String, &Platform, &Blob)> = manifests.iter().map(|(p, b)| (p.to_string(), p, b)).collect();
    sorted.sort();
    let manifests = sorted.into_iter().map(|(_, &runs_on, &blob)| {
        let mut entry = descriptor(media::MANIFEST, blob);
        entry["platform"] = platform(runs_on);
        entry
    });
    let manifests: Vec<Value> = manifests.collect();
    let mut index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests });
    if !annotations.is_empty() {
        index["annotations"] = json!(annotations);
    }
    canonical_json(&index)
}

/// A platform as descriptors have it (image-index.md, "platform").
pub(super) fn platform(platform: Platform) -> Value {
    let mut value = json!({ "os": "linux", "architecture": platform.arch.oci() });
    if let Some(variant) = platform.arch.variant() {
        value["variant"] = json!(variant);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Arch;

    /// Golden bytes: an index's digest is the image's name everywhere, so these never change.
    #[test]
    fn the_bytes_are_pinned() {
        let platform = |arch| Platform { arch };
        let manifests = [(platform(Arch::Arm64), Blob::of(b"abc")), (platform(Arch::Amd64), Blob::of(b"{}"))].into();
        let expected = concat!(
            r#"{"manifests":[{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","#,
            r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""platform":{"architecture":"amd64","os":"linux"},"size":2},{"#,
            r#""digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","#,
            r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""platform":{"architecture":"arm64","os":"linux","variant":"v8"},"size":3}],"#,
            r#""mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#,
        );
        assert_eq!(String::from_utf8(index(&manifests, &BTreeMap::new())).unwrap(), expected);
    }
}

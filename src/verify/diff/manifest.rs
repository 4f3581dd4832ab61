//! What manifests and indices say besides which documents and layers they name (OCI image-spec, manifest.md and image-index.md).
//!
//! Clients choose an image by the platform beside its digest, and refuse a media type that they do not know, so that either can be
//! all that differs. The same thing named in Docker's form and in OCI's is no difference.

use super::class::Class;
use super::document::{MOST, bounded, values};
use super::model::{Field, Finding};
use crate::image::{Encoding, OpenedLayer};
use crate::oci::media;
use serde_json::Value;

/// Compares two manifests. Of layers in other blobs only what they are is compared: the rest goes with how they are packed.
pub(super) fn manifests(a: &Value, b: &Value) -> Vec<Finding> {
    let (mut a, mut b) = (a.clone(), b.clone());
    optional_type(&mut a, &mut b);
    if let (Some(a), Some(b)) = (a.get_mut("config"), b.get_mut("config")) {
        without_blob(a, b);
    }
    let layers = |manifest: &mut Value| manifest.as_object_mut().and_then(|all| all.remove("layers"));
    let (layers_a, layers_b) = (layers(&mut a), layers(&mut b));
    let mut findings = values(&a, &b, |_| false);
    let list = |layers: Option<Value>| if let Some(Value::Array(list)) = layers { list } else { vec![] };
    let (layers_a, layers_b) = (list(layers_a), list(layers_b));
    // Layers of images that have another number of them do not stand for each other by their place.
    if layers_a.len() == layers_b.len() {
        for (at, (mut a, mut b)) in layers_a.into_iter().zip(layers_b).enumerate() {
            if a["digest"] == b["digest"] {
                without_blob(&mut a, &mut b);
            } else {
                let kind = |layer: &Value| serde_json::json!({ "mediaType": layer["mediaType"] });
                (a, b) = (kind(&a), kind(&b));
                drop_type(&mut a, &mut b, |one, other| is_layer(one) && is_layer(other));
            }
            findings.extend(below(&["layers", &at.to_string()], values(&a, &b, |_| false)));
            if findings.len() > MOST {
                break;
            }
        }
    }
    bounded(findings)
}

/// Compares two indices, but for the images that they name.
pub(super) fn indices(a: &Value, b: &Value) -> Vec<Finding> {
    let (mut a, mut b) = (a.clone(), b.clone());
    optional_type(&mut a, &mut b);
    values(&a, &b, |_| false)
}

/// Compares what two indices say of things that stand for each other.
pub(super) fn descriptors(a: &Value, b: &Value) -> Vec<Finding> {
    let (mut a, mut b) = (a.clone(), b.clone());
    without_blob(&mut a, &mut b);
    values(&a, &b, |_| false)
}

/// Compares the DiffIds that are said of the same blobs, of which only one can be right.
pub(super) fn diff_ids(a: &[OpenedLayer], b: &[OpenedLayer]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, layer) in b.iter().enumerate() {
        let Some(there) = a.iter().find(|there| there.same_place(layer)) else { continue };
        if let (Some(one), Some(other)) = (there.diff_id, layer.diff_id)
            && one != other
        {
            let finding = Finding::new(Field::Value, Class::Configuration).values(one.to_string(), other.to_string());
            let finding = finding.note("of the same blob, so that one of them is wrong");
            findings.extend(below(&["rootfs", "diff_ids", &at.to_string()], vec![finding]));
        }
    }
    findings
}

/// Says of findings where the thing stands in which they are.
pub(super) fn below(path: &[&str], findings: Vec<Finding>) -> Vec<Finding> {
    let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
    findings.into_iter().map(|one| Finding { within: [&path[..], &one.within].concat(), ..one }).collect()
}

/// Leaves only what two descriptors say besides which blob they mean.
fn without_blob(a: &mut Value, b: &mut Value) {
    for descriptor in [&mut *a, &mut *b] {
        if let Some(all) = descriptor.as_object_mut() {
            // The blob itself may stand in its descriptor (descriptor.md, "Embedded Content").
            for key in ["digest", "size", "data"] {
                all.remove(key);
            }
        }
    }
    drop_type(a, b, |one, other| kind(one).is_some() && kind(one) == kind(other));
}

/// Documents may leave out what they are.
fn optional_type(a: &mut Value, b: &mut Value) {
    let left_out = a["mediaType"].is_null() || b["mediaType"].is_null();
    drop_type(a, b, |one, other| left_out || kind(one).is_some() && kind(one) == kind(other));
}

/// Removes the media types of both where they say the same.
fn drop_type(a: &mut Value, b: &mut Value, same: impl Fn(&str, &str) -> bool) {
    if same(a["mediaType"].as_str().unwrap_or_default(), b["mediaType"].as_str().unwrap_or_default()) {
        for document in [a, b] {
            document.as_object_mut().map(|all| all.remove("mediaType"));
        }
    }
}

/// What a media type stands for, whoever's name for it it is.
fn kind(media_type: &str) -> Option<(&'static str, Option<Encoding>)> {
    match media_type {
        // Clients fetch these from elsewhere, and registries are not given them.
        other if other.contains("nondistributable") || other.contains(".foreign.") => {
            Encoding::of_media_type(other).map(|encoding| ("layer that is not distributed", Some(encoding)))
        }
        media::INDEX | "application/vnd.docker.distribution.manifest.list.v2+json" => Some(("index", None)),
        media::MANIFEST | "application/vnd.docker.distribution.manifest.v2+json" => Some(("manifest", None)),
        media::CONFIG | "application/vnd.docker.container.image.v1+json" => Some(("config", None)),
        // Docker has it in archives only.
        "application/vnd.docker.image.rootfs.diff.tar" => Some(("layer", Some(Encoding::Plain))),
        other => Encoding::of_media_type(other).map(|encoding| ("layer", Some(encoding))),
    }
}

fn is_layer(media_type: &str) -> bool {
    matches!(kind(media_type), Some(("layer", _)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest() -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "config": { "mediaType": media::CONFIG, "digest": "c", "size": 1 },
            "layers": [{ "mediaType": media::LAYER_GZIP, "digest": "x", "size": 2 }],
        })
    }

    fn found(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut other = manifest();
        change(&mut other);
        let one = manifests(&manifest(), &other);
        assert_eq!(one.len(), manifests(&other, &manifest()).len());
        one.into_iter().map(|finding| finding.within.join(".")).collect()
    }

    #[test]
    fn other_names_of_the_same_are_no_difference() {
        let docker = |name: &str| json!(format!("application/vnd.docker.{name}"));
        assert!(found(|one| drop(one.as_object_mut().unwrap().remove("mediaType"))).is_empty());
        assert!(found(|one| one["mediaType"] = docker("distribution.manifest.v2+json")).is_empty());
        assert!(found(|one| one["config"]["mediaType"] = docker("container.image.v1+json")).is_empty());
        assert!(found(|one| one["layers"][0]["mediaType"] = docker("image.rootfs.diff.tar.gzip")).is_empty());
        assert!(found(|one| one["annotations"] = json!({})).is_empty());
        assert!(found(|one| one["config"]["data"] = json!("e30=")).is_empty(), "the blob itself");
        let other =
            json!([{ "mediaType": media::LAYER_ZSTD, "digest": "y", "size": 3, "annotations": { "toc": "z" } }]);
        assert!(found(|one| one["layers"] = other.clone()).is_empty());
    }

    #[test]
    fn whatever_else_is_said_is_compared() {
        for (path, expected) in [
            ("/mediaType", "mediaType"),
            ("/schemaVersion", "schemaVersion"),
            ("/config/mediaType", "config.mediaType"),
            ("/layers/0/mediaType", "layers.0.mediaType"),
        ] {
            assert_eq!(found(|one| *one.pointer_mut(path).unwrap() = json!("x")), [expected]);
            let mut other = manifest();
            *other.pointer_mut(path).unwrap() = json!("x");
            let media_type = manifests(&manifest(), &other)[0].class == Class::MediaType;
            assert_eq!(media_type, path.ends_with("mediaType"), "{path}");
        }
        assert_eq!(found(|one| one["layers"][0]["mediaType"] = json!(media::LAYER_ZSTD)), ["layers.0.mediaType"]);
        assert_eq!(found(|one| one["layers"][0]["urls"] = json!(["x"])), ["layers.0.urls"]);
        let elsewhere = json!("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
        assert_eq!(found(|one| one["layers"][0]["mediaType"] = elsewhere.clone()), ["layers.0.mediaType"]);
        assert_eq!(found(|one| one["artifactType"] = json!("x")), ["artifactType"]);
        assert_eq!(found(|one| one["subject"] = json!({ "digest": "x" })), ["subject"]);
    }
}

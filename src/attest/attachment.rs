//! What a registry holds beside an image: manifests that refer to it, ready to be sent.
//!
//! ```text
//! referrer     manifest { artifactType, subject: the image, config: {}, layers: [the document] }       OCI 1.1
//! tag scheme   manifest { config: an image's, layers: [payload with its signature, …] }, as sha256-<hex>.sig or .att     cosign
//! ```
//!
//! The image knows nothing of them, so its digest stays what it is.

use super::dsse::{ENVELOPE, Envelope, invalid, within};
use super::error::Error;
use super::key::PrivateKey;
use super::statement::{STATEMENT, Statement};
use crate::digest::Digest;
use crate::oci::{Blob, canonical_json, media};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The image that something is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The media type of its manifest or index.
    pub media_type: String,
    /// That document's digest and size.
    pub blob: Blob,
    /// The image's own date, in RFC 3339, which becomes the attachment's; `None`: it has none.
    pub created: Option<String>,
}

/// A blob of an attachment, and how its manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its descriptor's annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Something attached to an image: a manifest, its blobs, and the tag that it needs where it is not found by its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The manifest's media type.
    pub media_type: &'static str,
    /// What it is: the manifest's `artifactType`; `None` in the tag scheme, which has none.
    pub artifact_type: Option<String>,
    /// The manifest's annotations, which a list of referrers repeats.
    pub annotations: BTreeMap<String, String>,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The blobs that have to be there before it: the config, then the layers.
    pub blobs: Vec<Part>,
    /// The tag that it goes by in cosign's scheme; `None`: its subject leads to it.
    pub tag: Option<String>,
}

/// An empty config (OCI image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The largest manifest of a tag that is added to, in bytes, as registries take them.
const MANIFEST_LIMIT: usize = 4 << 20;

/// The most signatures that a tag may have.
const LAYERS: usize = 1000;

impl Attachment {
    /// Attaches a document by reference (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage").
    #[must_use]
    pub fn referrer(
        subject: &Subject,
        artifact_type: &str,
        document: Vec<u8>,
        mut annotations: BTreeMap<String, String>,
    ) -> Self {
        if let Some(created) = &subject.created {
            annotations.insert("org.opencontainers.image.created".to_owned(), created.clone());
        }
        let plain =
            |media_type: &str, bytes| Part { media_type: media_type.to_owned(), bytes, annotations: BTreeMap::new() };
        let blobs = vec![plain(EMPTY, b"{}".to_vec()), plain(artifact_type, document)];
        let manifest = canonical_json(&json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "artifactType": artifact_type,
            "config": descriptor(&blobs[0]),
            "layers": [descriptor(&blobs[1])],
            "subject": {
                "mediaType": subject.media_type,
                "digest": subject.blob.digest,
                "size": subject.blob.size,
            },
            "annotations": annotations,
        }));
        let (media_type, artifact_type) = (media::MANIFEST, Some(artifact_type.to_owned()));
        Self { media_type, artifact_type, annotations, manifest, blobs, tag: None }
    }

    /// Attaches a statement that nobody signed.
    #[must_use]
    pub fn statement(subject: &Subject, statement: &Statement) -> Self {
        let mut annotations =
            BTreeMap::from([("in-toto.io/predicate-type".to_owned(), statement.predicate_type.clone())]);
        statement.annotate(&mut annotations);
        Self::referrer(subject, STATEMENT, statement.bytes(), annotations)
    }

    /// Attaches a signed statement in cosign's tag scheme: the tag `sha256-<hex>.att`. `existing` is the manifest that the tag has
    /// already, whose statements stay.
    pub fn attestation(
        subject: &Subject,
        statement: &Statement,
        key: &PrivateKey,
        existing: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let bytes = Envelope::sign(STATEMENT, statement.bytes(), key).bytes();
        let annotations = BTreeMap::from([
            (super::simple::SIGNATURE.to_owned(), String::new()),
            ("predicateType".to_owned(), statement.predicate_type.clone()),
        ]);
        Self::tagged(subject, "att", Part { media_type: ENVELOPE.to_owned(), bytes, annotations }, existing)
    }

    /// Attaches a blob in cosign's tag scheme, beside those that the tag has already (cosign, `specs/SIGNATURE_SPEC.md`).
    pub(super) fn tagged(subject: &Subject, suffix: &str, part: Part, existing: Option<&[u8]>) -> Result<Self, Error> {
        let mut layers = existing.map(layers_of).transpose()?.unwrap_or_default();
        let new = descriptor(&part);
        if !layers.contains(&new) {
            layers.push(new);
        }
        let (config, manifest) = Self::of_layers(&layers);
        Ok(Self {
            media_type: media::MANIFEST,
            artifact_type: None,
            annotations: BTreeMap::new(),
            manifest,
            blobs: vec![config, part],
            tag: Some(format!("{}.{suffix}", tag(&subject.blob.digest))),
        })
    }

    /// This one of cosign's tag scheme, beside what its tag has by now; `None`: the tag has all of it.
    pub fn beside(&self, existing: Option<&[u8]>) -> Result<Option<Self>, Error> {
        let Some(existing) = existing else { return Ok(Some(self.clone())) };
        let mut layers = layers_of(existing)?;
        let before = layers.len();
        for layer in layers_of(&self.manifest)? {
            if !layers.contains(&layer) {
                layers.push(layer);
            }
        }
        if layers.len() == before {
            return Ok(None);
        }
        let (config, manifest) = Self::of_layers(&layers);
        let blobs = [config].into_iter().chain(self.blobs.iter().skip(1).cloned()).collect();
        Ok(Some(Self { manifest, blobs, ..self.clone() }))
    }

    /// The config and the manifest of a tag of cosign's scheme.
    fn of_layers(layers: &[Value]) -> (Part, Vec<u8>) {
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        // An image's config, since that is what clients of the scheme expect; the blobs are not compressed, so each is its own DiffId.
        let config = canonical_json(&json!({
            "architecture": "",
            "os": "",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        }));
        let config = Part { media_type: media::CONFIG.to_owned(), bytes: config, annotations: BTreeMap::new() };
        let manifest = canonical_json(&json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "config": descriptor(&config),
            "layers": layers,
        }));
        (config, manifest)
    }

    /// The manifest's digest and size.
    #[must_use]
    pub fn blob(&self) -> Blob {
        Blob::of(&self.manifest)
    }
}

/// `sha256-<hex>`: how schemes that know only tags name what belongs to a digest (distribution-spec, "Referrers Tag Schema").
fn tag(digest: &Digest) -> String {
    digest.to_string().replace(':', "-")
}

fn descriptor(part: &Part) -> Value {
    let blob = Blob::of(&part.bytes);
    let mut descriptor = json!({ "mediaType": part.media_type, "digest": blob.digest, "size": blob.size });
    if !part.annotations.is_empty() {
        descriptor["annotations"] = json!(part.annotations);
    }
    descriptor
}

/// The layers of the manifest that a tag has already.
fn layers_of(manifest: &[u8]) -> Result<Vec<Value>, Error> {
    const WHAT: &str = "the manifest of the signatures that are there";
    within(WHAT, manifest.len(), MANIFEST_LIMIT)?;
    let mut manifest: Value = serde_json::from_slice(manifest).map_err(invalid(WHAT))?;
    let Some(Value::Array(layers)) = manifest.get_mut("layers").map(Value::take) else {
        return Err(Error::Document { what: WHAT, why: "it has no layers".to_owned() });
    };
    let whole = |layer: &Value| layer["digest"].as_str().is_some_and(|digest| digest.parse::<Digest>().is_ok());
    if layers.len() > LAYERS || !layers.iter().all(whole) {
        return Err(Error::Document { what: WHAT, why: "its layers are none".to_owned() });
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        let created = Some("2026-01-01T00:00:00Z".to_owned());
        Subject { media_type: media::INDEX.to_owned(), blob: Blob::of(b"index"), created }
    }

    #[test]
    fn a_referrer_names_its_subject_and_holds_its_document() {
        let attached =
            Attachment::referrer(&subject(), "application/spdx+json", b"{\"a\":1}".to_vec(), BTreeMap::new());
        let manifest: Value = serde_json::from_slice(&attached.manifest).unwrap();
        assert_eq!(canonical_json(&manifest), attached.manifest);
        assert_eq!(manifest["subject"]["digest"], subject().blob.digest.to_string());
        assert_eq!(manifest["artifactType"], "application/spdx+json");
        assert_eq!(
            manifest["config"],
            json!({ "mediaType": EMPTY, "size": 2,
                "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" })
        );
        assert_eq!(manifest["layers"][0]["digest"], Digest::of(&attached.blobs[1].bytes).to_string());
        assert_eq!(manifest["annotations"]["org.opencontainers.image.created"], "2026-01-01T00:00:00Z");
        assert_eq!(attached.tag, None);
    }

    #[test]
    fn a_tag_keeps_what_it_has_and_takes_the_same_once() {
        let part = |text: &str| Part {
            media_type: "x/y".to_owned(),
            bytes: text.as_bytes().to_vec(),
            annotations: BTreeMap::from([("s".to_owned(), text.to_owned())]),
        };
        let first = Attachment::tagged(&subject(), "sig", part("a"), None).unwrap();
        assert_eq!(first.tag.as_deref(), Some(&*format!("sha256-{}.sig", subject().blob.digest.hex())));
        let second = Attachment::tagged(&subject(), "sig", part("b"), Some(&first.manifest)).unwrap();
        let again = Attachment::tagged(&subject(), "sig", part("a"), Some(&second.manifest)).unwrap();
        assert_eq!(again.manifest, second.manifest);
        // Who did not know of the first comes to the same.
        let alone = Attachment::tagged(&subject(), "sig", part("b"), None).unwrap();
        assert_eq!(alone.beside(Some(&first.manifest)).unwrap().as_ref(), Some(&second));
        assert_eq!(alone.beside(None).unwrap().as_ref(), Some(&alone));
        assert_eq!(first.beside(Some(&second.manifest)).unwrap(), None);
        let manifest: Value = serde_json::from_slice(&second.manifest).unwrap();
        assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(2));
        let config: Value = serde_json::from_slice(&second.blobs[0].bytes).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][1], Digest::of(b"b").to_string());
        for wrong in ["", "{}", r#"{"layers":[1]}"#, r#"{"layers":{}}"#, r#"{"layers":[{"digest":"x"}]}"#] {
            assert!(Attachment::tagged(&subject(), "sig", part("a"), Some(wrong.as_bytes())).is_err(), "{wrong}");
        }
    }
}

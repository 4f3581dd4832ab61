//! "Simple signing": what cosign's tag scheme signs (containers/image, `docs/containers-signature.5.md`; cosign, `specs/SIGNATURE_SPEC.md`).

use super::attachment::{Attachment, Part, Subject};
use super::dsse::{invalid, within};
use super::error::Error;
use super::key::PrivateKey;
use crate::digest::Digest;
use crate::oci::canonical_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The media type of the payload, which is a layer of the signature's manifest.
pub const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The annotation of that layer which holds the signature, in base64.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What `type` has to say.
const TYPE: &str = "cosign container image signature";

/// The largest payload that is read, in bytes.
const LIMIT: usize = 64 << 10;

/// What is signed: that an image has this digest and goes by that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleSigning {
    /// The name, such as `registry.example/team/web`; what it is worth is for whoever verifies to say.
    pub reference: String,
    /// The digest of the image's manifest or index.
    pub digest: Digest,
}

impl SimpleSigning {
    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        canonical_json(&json!({
            "critical": {
                "identity": { "docker-reference": self.reference },
                "image": { "docker-manifest-digest": self.digest.to_string() },
                "type": TYPE,
            },
            "optional": null,
        }))
    }

    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "the signature's payload";
        within(WHAT, bytes.len(), LIMIT)?;
        let Document { critical } = serde_json::from_slice(bytes).map_err(invalid(WHAT))?;
        if critical.kind != TYPE {
            return Err(Error::Document { what: WHAT, why: format!("its type is not `{TYPE}`") });
        }
        Ok(Self { reference: critical.identity.reference, digest: critical.image.digest })
    }
}

#[derive(Deserialize)]
struct Document {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

/// Signs an image in cosign's tag scheme: the tag `sha256-<hex>.sig`. `existing` is the manifest that the tag has already, whose signatures
/// stay.
pub fn simple_signing(
    subject: &Subject,
    reference: &str,
    key: &PrivateKey,
    existing: Option<&[u8]>,
) -> Result<Attachment, Error> {
    let payload = SimpleSigning { reference: reference.to_owned(), digest: subject.blob.digest }.bytes();
    let signature = STANDARD.encode(key.sign(&payload));
    let annotations = BTreeMap::from([(SIGNATURE.to_owned(), signature)]);
    let part = Part { media_type: PAYLOAD.to_owned(), bytes: payload, annotations };
    Attachment::tagged(subject, "sig", part, existing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_one_form() {
        let payload = SimpleSigning { reference: "r.example/web".into(), digest: Digest::of(b"") };
        let text = String::from_utf8(payload.bytes()).unwrap();
        assert_eq!(
            text,
            r#"{"critical":{"identity":{"docker-reference":"r.example/web"},"image":{"docker-manifest-digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"type":"cosign container image signature"},"optional":null}"#
        );
        assert_eq!(SimpleSigning::parse(text.as_bytes()).unwrap(), payload);
        for wrong in [text.replace("cosign", "other"), text.replace("sha256:", "sha1:"), String::new(), "{}".to_owned()]
        {
            assert!(SimpleSigning::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}

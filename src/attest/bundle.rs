//! Sigstore bundles, version 0.3: an envelope and which key to verify it with (sigstore/protobuf-specs, `sigstore_bundle.proto`, as proto3
//! JSON). This is what cosign from 2.4 on writes as a referrer of the image, and from 3 on by default.

use super::attachment::{Attachment, Subject};
use super::dsse::{self, Envelope, decode, invalid, within};
use super::error::Error;
use super::key::{KeyId, PrivateKey, PublicKey};
use super::statement::{STATEMENT, Statement};
use crate::digest::Digest;
use crate::oci::canonical_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The media type of a bundle, and the artifact type of what holds one.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The predicate type of cosign's statement that an image is signed, and no more.
pub const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bundle {
    /// Signed bytes.
    Envelope(Envelope),
    /// A signature of bytes that are elsewhere, and their digest, which is only a hint.
    Message(Digest, Vec<u8>),
}

impl Statement {
    /// The statement that an image is signed (cosign, `sign`): its subject is all it says.
    #[must_use]
    pub fn signed(subject: Digest) -> Self {
        Self { name: None, subject, predicate_type: SIGNED.to_owned(), predicate: json!({}) }
    }
}

/// Signs a statement and wraps it as a bundle that refers to the image.
#[must_use]
pub fn sign_bundle(subject: &Subject, statement: &Statement, key: &PrivateKey) -> Attachment {
    let envelope = Envelope::sign(STATEMENT, statement.bytes(), key);
    let mut annotations = BTreeMap::from([
        ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
        ("dev.sigstore.bundle.predicateType".to_owned(), statement.predicate_type.clone()),
    ]);
    statement.annotate(&mut annotations);
    Attachment::referrer(subject, BUNDLE, write(&envelope, &key.public()), annotations)
}

/// Writes an envelope with its first signature; a bundle has exactly one.
pub(super) fn write(envelope: &Envelope, key: &PublicKey) -> Vec<u8> {
    let signatures: Vec<_> =
        envelope.signatures.iter().take(1).map(|one| json!({ "sig": STANDARD.encode(one) })).collect();
    canonical_json(&json!({
        "mediaType": BUNDLE,
        "dsseEnvelope": {
            "payload": STANDARD.encode(&envelope.payload),
            "payloadType": envelope.payload_type,
            "signatures": signatures,
        },
        "verificationMaterial": { "publicKey": { "hint": hint(&key.id()) } },
    }))
}

/// What cosign calls a key: the SHA-256 of its SPKI in base64.
fn hint(key: &KeyId) -> String {
    STANDARD.encode(key.as_bytes())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    dsse_envelope: Option<dsse::Document>,
    message_signature: Option<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_digest: MessageDigest,
    signature: String,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

impl Bundle {
    /// Reads one; nothing is checked of the signature.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "the bundle";
        within(WHAT, bytes.len(), dsse::LIMIT)?;
        let document: Document = serde_json::from_slice(bytes).map_err(invalid(WHAT))?;
        let wrong = |why: &str| Error::Document { what: WHAT, why: why.to_owned() };
        if document.media_type != BUNDLE {
            return Err(wrong("it is of another version than 0.3"));
        }
        match (document.dsse_envelope, document.message_signature) {
            (Some(envelope), None) => {
                let envelope = envelope.envelope(WHAT)?;
                if envelope.signatures.len() != 1 {
                    return Err(wrong("its envelope must have exactly one signature"));
                }
                Ok(Self::Envelope(envelope))
            }
            (None, Some(message)) => {
                if message.message_digest.algorithm != "SHA2_256" {
                    return Err(wrong("its digest is no SHA-256"));
                }
                let digest = decode(WHAT, &message.message_digest.digest)?;
                let digest = <[u8; 32]>::try_from(digest).map_err(|_| wrong("its digest has not 32 bytes"))?;
                Ok(Self::Message(Digest::from_bytes(digest), decode(WHAT, &message.signature)?))
            }
            _ => Err(wrong("it must have either an envelope or a signature")),
        }
    }
}

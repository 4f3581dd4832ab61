//! What attachments say that a key vouches for. Nothing is said of what no key signed.

use super::bundle::BUNDLE;
use super::bundle::Bundle;
use super::dsse::{ENVELOPE, Envelope, decode, invalid};
use super::error::Error;
use super::key::{KeyId, PublicKey};
use super::simple::{PAYLOAD, SimpleSigning};
use super::statement::{STATEMENT, TYPE};
use crate::digest::Digest;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that a key vouches for.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The key, which is one of those given.
    pub key: KeyId,
    /// The images that it is about, by digest, sorted.
    pub subjects: Vec<Digest>,
    /// What is said of them.
    pub claim: Claim,
}

/// What is said of an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// That it is signed, under this name if there is one.
    Signed(Option<String>),
    /// A statement.
    Statement {
        /// What kind of thing is said.
        predicate_type: String,
        /// What is said.
        predicate: Value,
    },
}

/// The most subjects of a statement.
const SUBJECTS: usize = 10_000;

/// The most keys that are tried.
const KEYS: usize = 1000;

/// Says which of some keys vouch for what a blob of an attachment says, a [`Verified`] a key; none: no key of these signed it.
///
/// `annotation` is the signature that the blob's descriptor carries, in the tag scheme; `artifact` is the image's manifest or index, which
/// bundles of the other kind sign as it is. A blob of a type that carries no signature says nothing.
///
/// # Errors
/// If the blob is not what its media type says.
pub fn verify_attachment(
    media_type: &str,
    blob: &[u8],
    annotation: Option<&str>,
    artifact: Option<&[u8]>,
    keys: &[PublicKey],
) -> Result<Vec<Verified>, Error> {
    let keys = &keys[..keys.len().min(KEYS)];
    match media_type {
        PAYLOAD => {
            let payload = SimpleSigning::parse(blob)?;
            let Some(signature) = annotation else { return Ok(Vec::new()) };
            let signature = decode("the signature's annotation", signature)?;
            let (subjects, claim) = (vec![payload.digest], Claim::Signed(Some(payload.reference)));
            Ok(vouched(signers(blob, &signature, keys), &subjects, &claim))
        }
        ENVELOPE => statement(&Envelope::parse(blob)?, keys),
        BUNDLE => match Bundle::parse(blob)? {
            Bundle::Envelope(envelope) => statement(&envelope, keys),
            Bundle::Message(digest, signature) => match artifact {
                Some(artifact) if Digest::of(artifact) == digest => {
                    Ok(vouched(signers(artifact, &signature, keys), &[digest], &Claim::Signed(None)))
                }
                _ => Ok(Vec::new()),
            },
        },
        _ => Ok(Vec::new()),
    }
}

fn signers(message: &[u8], signature: &[u8], keys: &[PublicKey]) -> Vec<KeyId> {
    let mut ids: Vec<KeyId> = keys.iter().filter(|key| key.verify(message, signature)).map(PublicKey::id).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn vouched(keys: Vec<KeyId>, subjects: &[Digest], claim: &Claim) -> Vec<Verified> {
    keys.into_iter().map(|key| Verified { key, subjects: subjects.to_vec(), claim: claim.clone() }).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<DocumentSubject>,
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

#[derive(Deserialize)]
struct DocumentSubject {
    digest: BTreeMap<String, String>,
}

/// The statement of an envelope, which is read only once a signature of it holds.
fn statement(envelope: &Envelope, keys: &[PublicKey]) -> Result<Vec<Verified>, Error> {
    const WHAT: &str = "the signed statement";
    let keys = envelope.signers(keys);
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |why: String| Err(Error::Document { what: WHAT, why });
    if envelope.payload_type != STATEMENT {
        return wrong(format!("the envelope holds no `{STATEMENT}`"));
    }
    let document: Document = serde_json::from_slice(&envelope.payload).map_err(invalid(WHAT))?;
    if document.kind != TYPE && document.kind != "https://in-toto.io/Statement/v0.1" {
        return wrong(format!("it is not of type `{TYPE}`"));
    }
    if document.subject.len() > SUBJECTS {
        return wrong(format!("it has more than {SUBJECTS} subjects"));
    }
    let digests = document.subject.iter().filter_map(|subject| Digest::from_hex(subject.digest.get("sha256")?));
    let mut subjects: Vec<Digest> = digests.collect();
    subjects.sort();
    subjects.dedup();
    let claim = match document.predicate_type.as_str() {
        super::bundle::SIGNED => Claim::Signed(None),
        _ => Claim::Statement { predicate_type: document.predicate_type, predicate: document.predicate },
    };
    Ok(vouched(keys, &subjects, &claim))
}

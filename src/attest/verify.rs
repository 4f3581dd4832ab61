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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::{
        Attachment, PrivateKey, Rebuild, SIGNED, Secret, Statement, Subject, distinct_rebuilders, rebuild, sign_bundle,
        simple_signing,
    };
    use crate::oci::{Blob, canonical_json, media};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    /// A key of Ed25519 whose seed is this byte, 32 times.
    fn key(byte: u8) -> PrivateKey {
        let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let text = STANDARD.encode([&head[..], &[byte; 32]].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        PrivateKey::from_pem(&Secret::new(pem.into_bytes())).unwrap()
    }

    fn subject() -> Subject {
        Subject { media_type: media::MANIFEST.to_owned(), blob: Blob::of(b"manifest"), created: None }
    }

    /// Which keys vouch, by their number.
    fn vouch(media_type: &str, blob: &[u8], annotation: Option<&str>, keys: &[u8]) -> Vec<usize> {
        let keys: Vec<PublicKey> = keys.iter().map(|byte| key(*byte).public()).collect();
        let verified = verify_attachment(media_type, blob, annotation, None, &keys).unwrap();
        verified.iter().map(|one| keys.iter().position(|key| key.id() == one.key).unwrap()).collect()
    }

    #[test]
    fn only_the_keys_that_signed_vouch() {
        let bundle = sign_bundle(&subject(), &Statement::signed(subject().blob.digest), &key(1)).blobs.remove(1);
        assert_eq!(vouch(BUNDLE, &bundle.bytes, None, &[2, 1, 1]), [1]);
        assert_eq!(vouch(BUNDLE, &bundle.bytes, None, &[2]), [0; 0]);
        let signed = simple_signing(&subject(), "r.example/web", &key(1), None).unwrap().blobs.remove(1);
        let annotation = signed.annotations.values().next().unwrap();
        assert_eq!(vouch(PAYLOAD, &signed.bytes, Some(annotation), &[2, 1]), [1]);
        assert_eq!(vouch(PAYLOAD, &signed.bytes, Some("AAAA"), &[1]), [0; 0]);
        assert_eq!(vouch(PAYLOAD, &signed.bytes, None, &[1]), [0; 0]);
        assert_eq!(vouch("text/plain", b"x", None, &[1]), [0; 0]);
    }

    #[test]
    fn nothing_that_was_changed_is_believed() {
        let statement = Statement::signed(subject().blob.digest);
        let bundle = sign_bundle(&subject(), &statement, &key(1)).blobs.remove(1).bytes;
        let keys = [key(1).public()];
        for at in 0..bundle.len() {
            let mut changed = bundle.clone();
            changed[at] ^= 1;
            // Outside of what is signed there is the hint, which nobody reads.
            if let Ok(verified) = verify_attachment(BUNDLE, &changed, None, None, &keys)
                && !verified.is_empty()
            {
                assert_eq!(verified[0].subjects, [subject().blob.digest]);
                let place = bundle.windows(20).position(|word| word == b"verificationMaterial").unwrap();
                assert!(at >= place, "byte {at} counts for nothing");
            }
        }
    }

    #[test]
    fn a_signature_of_the_manifest_itself_needs_the_manifest() {
        let bundle = canonical_json(&json!({
            "mediaType": BUNDLE,
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(subject().blob.digest.as_bytes()) },
                "signature": STANDARD.encode(key(1).sign(b"manifest")),
            },
            "verificationMaterial": { "publicKey": { "hint": "" } },
        }));
        let keys = [key(1).public()];
        let vouched = |artifact| verify_attachment(BUNDLE, &bundle, None, artifact, &keys).unwrap();
        assert_eq!(vouched(None), []);
        assert_eq!(vouched(Some(&b"other"[..])), []);
        let found = vouched(Some(&b"manifest"[..]));
        assert_eq!((&found[0].claim, &*found[0].subjects), (&Claim::Signed(None), &[subject().blob.digest][..]));
    }

    #[test]
    fn signed_bytes_that_are_no_statement_are_an_error() {
        let keys = [key(1).public()];
        for (kind, payload) in [("text/plain", "{}"), (STATEMENT, "{}"), (STATEMENT, "")] {
            let envelope = Envelope::sign(kind, payload.as_bytes().to_vec(), &key(1)).bytes();
            assert!(verify_attachment(ENVELOPE, &envelope, None, None, &keys).is_err(), "{kind} {payload}");
            assert_eq!(verify_attachment(ENVELOPE, &envelope, None, None, &[]).unwrap(), [], "nobody looks inside");
        }
    }

    #[test]
    fn rebuilders_are_told_apart_by_their_keys() {
        let image = subject().blob.digest;
        let said = |by: u8, name: &str, identical: bool, image: Digest| {
            let lock = Digest::of(b"lock");
            let statement = rebuild(&Rebuild { image, rebuilder: name.to_owned(), lock, seed: u64::MAX, identical });
            let attached = Attachment::attestation(&subject(), &statement, &key(by), None).unwrap();
            let keys: Vec<PublicKey> = (1..=4).map(|byte| key(byte).public()).collect();
            verify_attachment(ENVELOPE, &attached.blobs[1].bytes, None, None, &keys).unwrap().remove(0)
        };
        let all = [
            said(1, "a", true, image),
            said(1, "somebody else", true, image),
            said(2, "a", true, image),
            said(3, "b", false, image),
            said(4, "c", true, Digest::of(b"another image")),
        ];
        let expected = [key(1).public().id(), key(2).public().id()].into();
        assert_eq!(distinct_rebuilders(&image, &all), expected);
        let Claim::Statement { predicate, .. } = &all[0].claim else { panic!("{:?}", all[0]) };
        assert_eq!(predicate["seed"], "18446744073709551615");
        // That it is signed says nothing of a rebuild.
        let signed = Verified { claim: Claim::Signed(None), ..all[0].clone() };
        assert!(distinct_rebuilders(&image, &[signed]).is_empty());
        assert_eq!(Statement::signed(image).predicate_type, SIGNED);
    }
}

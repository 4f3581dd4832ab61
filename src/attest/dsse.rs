//! DSSE envelopes: bytes, what they are, and signatures of both together (Dead Simple Signing Envelope 1.0, `protocol.md`,
//! `envelope.md`).
//!
//! A signature's `keyid` is left empty: it is a hint that nobody may trust, and cosign, which computes ids in a way of its own, passes over
//! signatures that have another.

use super::error::Error;
use super::key::{KeyId, PrivateKey, PublicKey};
use crate::oci::canonical_json;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde_json::json;

/// The media type of an envelope.
pub const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// The largest envelope that is read, in bytes: some times the bill of materials of a desktop.
pub(super) const LIMIT: usize = 64 << 20;

/// The most signatures of one envelope.
const SIGNATURES: usize = 100;

/// Signed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// The bytes.
    pub payload: Vec<u8>,
    /// Signatures over [`pae`] of both.
    pub signatures: Vec<Vec<u8>>,
}

/// What is signed: type and payload, each with its length before it (`protocol.md`, "Signature Definition": PAE).
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Signs bytes.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &PrivateKey) -> Self {
        let signatures = vec![key.sign(&pae(payload_type, &payload))];
        Self { payload_type: payload_type.to_owned(), payload, signatures }
    }

    /// Which keys signed it, in the order given, each once.
    #[must_use]
    pub fn signers(&self, keys: &[PublicKey]) -> Vec<KeyId> {
        let signed = pae(&self.payload_type, &self.payload);
        let mut signers: Vec<KeyId> = Vec::new();
        for key in keys {
            if !signers.contains(&key.id()) && self.signatures.iter().any(|one| key.verify(&signed, one)) {
                signers.push(key.id());
            }
        }
        signers
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let signatures: Vec<_> =
            self.signatures.iter().map(|one| json!({ "keyid": "", "sig": STANDARD.encode(one) })).collect();
        canonical_json(&json!({
            "payload": STANDARD.encode(&self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures,
        }))
    }

    /// Reads one; nothing is checked of the signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "the envelope";
        within(WHAT, bytes.len(), LIMIT)?;
        let document: Document = serde_json::from_slice(bytes).map_err(invalid(WHAT))?;
        document.envelope(WHAT)
    }
}

/// An envelope as JSON; unknown fields mean nothing (`envelope.md`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

impl Document {
    pub(super) fn envelope(self, what: &'static str) -> Result<Envelope, Error> {
        if self.signatures.len() > SIGNATURES {
            let why = format!("it has {} signatures, more than {SIGNATURES}", self.signatures.len());
            return Err(Error::Document { what, why });
        }
        let signatures = self.signatures.iter().map(|one| decode(what, &one.sig)).collect::<Result<_, Error>>()?;
        Ok(Envelope { payload_type: self.payload_type, payload: decode(what, &self.payload)?, signatures })
    }
}

/// Reads base64, in the usual alphabet or in that of URLs (`envelope.md`: both are to be accepted).
pub(super) fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .map_err(|error| Error::Document { what, why: error.to_string() })
}

/// Refuses what is too large to be what it says.
pub(super) fn within(what: &'static str, size: usize, limit: usize) -> Result<(), Error> {
    if size > limit { Err(Error::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
}

/// Says of what JSON is wrong with.
pub(super) fn invalid(what: &'static str) -> impl FnOnce(serde_json::Error) -> Error {
    move |error| Error::Document { what, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::EncodePublicKey as _;

    #[test]
    fn the_protocols_own_vector_holds() {
        // protocol.md, "Test Vectors".
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        let envelope = br#"{"payload": "aGVsbG8gd29ybGQ=",
            "payloadType": "http://example.com/HelloWorld",
            "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}"#;
        let envelope = Envelope::parse(envelope).unwrap();
        assert_eq!(envelope.payload, b"hello world");
        // The vector's signature is r and s; ours are DER, as cosign's.
        let (r, s) = envelope.signatures[0].split_at(32);
        let whole =
            p256::ecdsa::Signature::from_scalars(<[u8; 32]>::try_from(r).unwrap(), <[u8; 32]>::try_from(s).unwrap());
        let mut envelope = envelope.clone();
        envelope.signatures = vec![whole.unwrap().to_der().as_bytes().to_vec()];
        let point = p256::EncodedPoint::from_affine_coordinates(
            &field("46950820868899156662930047687818585632848591499744589407958293238635476079160"),
            &field("5640078356564379163099075877009565129882514886557779369047442380624545832820"),
            false,
        );
        let key = p256::ecdsa::VerifyingKey::from_encoded_point(&point).unwrap();
        let key = PublicKey::from_pem(key.to_public_key_pem(p256::pkcs8::LineEnding::LF).unwrap().as_bytes()).unwrap();
        assert_eq!(envelope.signers(std::slice::from_ref(&key)), [key.id()]);
        envelope.payload.push(b' ');
        assert_eq!(envelope.signers(&[key]), []);
    }

    /// A coordinate from its decimal digits.
    fn field(decimal: &str) -> p256::FieldBytes {
        let mut bytes = [0_u8; 32];
        for digit in decimal.bytes() {
            let mut carry = u32::from(digit - b'0');
            for byte in bytes.iter_mut().rev() {
                carry += u32::from(*byte) * 10;
                *byte = (carry & 0xff) as u8;
                carry >>= 8;
            }
        }
        bytes.into()
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for text in ["", "{}", "[]", r#"{"payload":"%","payloadType":"","signatures":[]}"#] {
            assert!(matches!(Envelope::parse(text.as_bytes()), Err(Error::Document { .. })), "{text}");
        }
        let one = r#"{"sig":""}"#;
        let many = format!(r#"{{"payload":"","payloadType":"","signatures":[{}]}}"#, vec![one; 101].join(","));
        assert!(matches!(Envelope::parse(many.as_bytes()), Err(Error::Document { .. })));
        let few = format!(r#"{{"payload":"_-8=","payloadType":"","signatures":[{one}]}}"#);
        assert_eq!(Envelope::parse(few.as_bytes()).unwrap().payload, [0xff, 0xef]);
    }
}

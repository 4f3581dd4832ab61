//! Public keys.

use super::KeyError;
use super::pem::block;
use super::private::{EC, ED25519, named};
use crate::digest::Digest;
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::spki::SubjectPublicKeyInfoRef;
use p256::pkcs8::{AssociatedOid as _, Document, EncodePublicKey as _, LineEnding};
use std::fmt;

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    /// Its SPKI, in DER.
    der: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// ECDSA on P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// What a public key is called: the SHA-256 of its SPKI in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(Digest);

impl KeyId {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

/// What errors call it.
const WHAT: &str = "public key";
/// RFC 7468, 13.
const LABEL: &str = "PUBLIC KEY";

impl PublicKey {
    /// Reads a key: SPKI, PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let (label, text) = block(pem, WHAT, LABEL)?;
        if label != LABEL {
            return Err(KeyError::Label { what: WHAT, found: label.to_owned(), expected: LABEL });
        }
        let damaged = || KeyError::Damaged { what: WHAT, form: "SPKI" };
        let (_, document) = Document::from_pem(text).map_err(|_| damaged())?;
        let info = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).map_err(|_| damaged())?;
        let curve = info.algorithm.parameters_oid().ok();
        match (info.algorithm.oid, curve) {
            (EC, Some(p256::NistP256::OID)) => {
                let key = p256::PublicKey::try_from(info).map_err(|_| damaged())?;
                Ok(Self::p256(key.into()))
            }
            (ED25519, _) => {
                let key = ed25519_dalek::VerifyingKey::try_from(info).map_err(|_| damaged())?;
                // With a key of small order one signature fits many messages.
                if key.is_weak() { Err(damaged()) } else { Ok(Self::ed25519(key)) }
            }
            (oid, curve) => Err(KeyError::Algorithm { what: WHAT, algorithm: named(oid, curve) }),
        }
    }

    pub(super) fn p256(key: p256::ecdsa::VerifyingKey) -> Self {
        let der = key.to_public_key_der().expect("a point of the curve can be written").into_vec();
        Self { kind: Kind::P256(key), der }
    }

    pub(super) fn ed25519(key: ed25519_dalek::VerifyingKey) -> Self {
        let der = key.to_public_key_der().expect("32 bytes can be written").into_vec();
        Self { kind: Kind::Ed25519(key), der }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(&self.der))
    }

    /// Itself as SPKI in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let document = Document::try_from(self.der.as_slice()).expect("it was written by us");
        document.to_pem(LABEL, LineEnding::LF).expect("the label is one")
    }

    /// Whether a signature in the form of [`super::PrivateKey::sign`] is this key's, of this message.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey` and `openssl pkey -pubout`.
    const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEet/oPQrMHx53ZZVezzm8l+b6dQyD\nEQGIzcJmI4Uzo1kim87jq6H26QOeAfIQJFv37ipSS962BAHTXflr4Ey1AA==\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_are_read_and_written_the_same() {
        let Ok(key) = PublicKey::from_pem(P256.as_bytes()) else {
            panic!("{:?}", PublicKey::from_pem(P256.as_bytes()))
        };
        assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()).unwrap(), key);
        assert_eq!(PublicKey::from_pem(format!("said before\n{}", key.to_pem()).as_bytes()).unwrap().id(), key.id());
        assert!(!key.verify(b"", b"") && !key.verify(b"x", &[0; 64]));
    }

    #[test]
    fn other_keys_are_refused() {
        let private = P256.replace("PUBLIC", "PRIVATE");
        assert!(matches!(PublicKey::from_pem(private.as_bytes()).unwrap_err(), KeyError::Label { .. }));
        assert!(PublicKey::from_pem(P256.replace("MFkw", "MFkx").as_bytes()).is_err());
        // Another curve's number in place of P-256's.
        let other = P256.replace("AQcDQgAE", "AQgDQgAE");
        assert!(matches!(PublicKey::from_pem(other.as_bytes()).unwrap_err(), KeyError::Algorithm { .. }));
    }
}

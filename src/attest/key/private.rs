//! Private keys.

use super::pem::block;
use super::public::PublicKey;
use super::{KeyError, Secret};
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::{AssociatedOid as _, ObjectIdentifier, PrivateKeyInfo, SecretDocument};
use std::fmt;

/// A key that signs. Never shown, and wiped when it goes.
pub struct PrivateKey(Kind);

enum Kind {
    /// ECDSA on P-256.
    P256(p256::ecdsa::SigningKey),
    /// Ed25519.
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// What errors call it.
const WHAT: &str = "private key";
/// RFC 5958.
const LABEL: &str = "PRIVATE KEY";
/// `id-ecPublicKey` (RFC 5480, 2.1.1).
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `id-Ed25519` (RFC 8410, 3).
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl PrivateKey {
    /// Reads a key: PKCS#8, PEM, not encrypted.
    pub fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        let (label, text) = block(pem.bytes(), WHAT, LABEL)?;
        match label {
            LABEL => {}
            "EC PRIVATE KEY" | "EC PARAMETERS" => return Err(KeyError::Sec1),
            _ if label.starts_with("ENCRYPTED ") => return Err(KeyError::Encrypted { label: label.to_owned() }),
            _ => return Err(KeyError::Label { what: WHAT, found: label.to_owned(), expected: LABEL }),
        }
        // Causes are left out: they would say where in the key they stumbled.
        let damaged = || KeyError::Damaged { what: WHAT, form: "PKCS#8" };
        let (_, document) = SecretDocument::from_pem(text).map_err(|_| damaged())?;
        let info = PrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| damaged())?;
        let curve = info.algorithm.parameters_oid().ok();
        match (info.algorithm.oid, curve) {
            (EC, Some(p256::NistP256::OID)) => {
                let key = p256::SecretKey::try_from(info).map_err(|_| damaged())?;
                Ok(Self(Kind::P256(key.into())))
            }
            (ED25519, _) => {
                let key = ed25519_dalek::SigningKey::try_from(info).map_err(|_| damaged())?;
                Ok(Self(Kind::Ed25519(Box::new(key))))
            }
            (oid, curve) => Err(KeyError::Algorithm { what: WHAT, algorithm: named(oid, curve) }),
        }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Kind::P256(key) => PublicKey::p256(*key.verifying_key()),
            Kind::Ed25519(key) => PublicKey::ed25519(key.verifying_key()),
        }
    }

    /// Signs a message: ECDSA as DER (RFC 3279, 2.2.3) over its SHA-256, Ed25519 as 64 bytes over the message itself.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Kind::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Kind::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id())
    }
}

/// An algorithm by its numbers, with its curve's.
pub(super) fn named(oid: ObjectIdentifier, curve: Option<ObjectIdentifier>) -> String {
    curve.map_or_else(|| oid.to_string(), |curve| format!("{oid} with {curve}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around a key in base64.
    const AROUND: &str = "-----BEGIN PRIVATE KEY-----\n@\n-----END PRIVATE KEY-----\n";

    fn pem(der: &[u8]) -> Secret {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        Secret::new(AROUND.replace('@', &lines.join("\n")).into_bytes())
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn p256() -> PrivateKey {
        // RFC 6979, A.2.5.
        let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
        // PrivateKeyInfo { 0, { id-ecPublicKey, prime256v1 }, ECPrivateKey { 1, scalar } }
        let head = "3041020100301306072A8648CE3D020106082A8648CE3D030107042730250201010420";
        PrivateKey::from_pem(&pem(&bytes(&format!("{head}{scalar}")))).unwrap()
    }

    fn ed25519(seed: &str) -> PrivateKey {
        PrivateKey::from_pem(&pem(&bytes(&format!("302E020100300506032B657004220420{seed}")))).unwrap()
    }

    #[test]
    fn ecdsa_signs_as_rfc_6979_says() {
        // A.2.5, "With SHA-256", messages "sample" and "test".
        for (message, r, s) in [
            (
                "sample",
                "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
                "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
            ),
            (
                "test",
                "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
                "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
            ),
        ] {
            let signature = p256().sign(message.as_bytes());
            let whole = p256::ecdsa::Signature::from_der(&signature).unwrap().to_bytes();
            assert_eq!(whole.to_vec(), bytes(&format!("{r}{s}")), "{message}");
            assert!(p256().public().verify(message.as_bytes(), &signature));
            assert!(!p256().public().verify(b"other", &signature));
        }
    }

    #[test]
    fn ed25519_signs_as_rfc_8032_says() {
        // 7.1, tests 1 and 3.
        for (seed, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ] {
            let (key, message) = (ed25519(seed), bytes(message));
            assert_eq!(key.sign(&message), bytes(signature));
            assert!(key.public().verify(&message, &bytes(signature)));
            assert!(!key.public().verify(b"other", &bytes(signature)));
        }
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let key = ed25519("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.public().id()));
        let canary = "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZQ0FOQVJZ\n-----END PRIVATE KEY-----\n";
        let secret = Secret::new(canary.as_bytes().to_vec());
        let error = PrivateKey::from_pem(&secret).unwrap_err();
        for shown in [format!("{secret:?}"), format!("{error:?}"), error.to_string()] {
            assert!(!shown.contains("CANARY") && !shown.contains("Q0FO"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_key_of_ours_is_said() {
        let read = |text: &str| PrivateKey::from_pem(&Secret::new(text.as_bytes().to_vec())).unwrap_err();
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert_eq!(read(&block("EC PRIVATE KEY")), KeyError::Sec1);
        assert_eq!(read(&format!("{}{}", block("EC PARAMETERS"), block("EC PRIVATE KEY"))), KeyError::Sec1);
        assert!(read(&block("EC PRIVATE KEY")).hint().unwrap().contains("-topk8"));
        assert!(matches!(read(&block("ENCRYPTED PRIVATE KEY")), KeyError::Encrypted { .. }));
        assert!(matches!(read(&block("ENCRYPTED SIGSTORE PRIVATE KEY")), KeyError::Encrypted { .. }));
        assert!(matches!(read(&block("PUBLIC KEY")), KeyError::Label { .. }));
        assert!(matches!(read(&block(LABEL)), KeyError::Damaged { .. }));
        for text in
            ["", "x", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN secret-----\n-----END secret-----"]
        {
            assert!(matches!(read(text), KeyError::NotPem { .. }), "{text}");
        }
        assert!(matches!(read(&"x".repeat(100_000)), KeyError::TooLong { .. }));
        // Ed448, which begins like Ed25519.
        let other = PrivateKey::from_pem(&pem(&bytes("300B020100300506032B65710400")));
        assert!(matches!(other.unwrap_err(), KeyError::Damaged { .. } | KeyError::Algorithm { .. }));
    }
}

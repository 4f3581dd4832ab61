//! Keys: private ones that sign, public ones that verify, and secrets that show nowhere.
//!
//! ECDSA on P-256 with SHA-256 (FIPS 186-5), the nonce by RFC 6979, and Ed25519 (RFC 8032): both give the same signature for the same
//! message every time. Private keys come as PKCS#8 in PEM (RFC 5958, RFC 7468), public ones as SPKI in PEM (RFC 5280, 4.1.2.7). Where a key
//! comes from, a file or the environment or a command, is for `cli` to know.

mod pem;
mod private;
mod public;
mod secret;

pub use private::PrivateKey;
pub use public::{KeyId, PublicKey};
pub use secret::Secret;

/// Why something is no key that remint can use. Never holds anything of the key itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM at all, or damaged PEM.
    #[error("the {what} is not PEM: expected `-----BEGIN {label}-----`, and base64 up to its end")]
    NotPem {
        /// What was looked for.
        what: &'static str,
        /// The label that it begins with.
        label: &'static str,
    },
    /// PEM of something else.
    #[error("the {what} is `{found}`, expected `{expected}`")]
    Label {
        /// What was looked for.
        what: &'static str,
        /// Its label.
        found: String,
        /// The label that it should have.
        expected: &'static str,
    },
    /// A private key in SEC1's form.
    #[error("the private key is in SEC1's form (`EC PRIVATE KEY`), and remint reads PKCS#8")]
    Sec1,
    /// A private key that a password locks.
    #[error("the private key is encrypted (`{label}`), and remint reads keys without a password")]
    Encrypted {
        /// Its label.
        label: String,
    },
    /// A key of another algorithm or curve.
    #[error("the {what} is of another algorithm than ECDSA on P-256 and Ed25519: {algorithm}")]
    Algorithm {
        /// Private or public key.
        what: &'static str,
        /// The algorithm's object identifier, with that of the curve.
        algorithm: String,
    },
    /// Not what its form says.
    #[error("the {what} is damaged: it is not {form}")]
    Damaged {
        /// Private or public key.
        what: &'static str,
        /// Its form.
        form: &'static str,
    },
    /// Far more than a key is.
    #[error("the {what} has more than {limit} bytes, which is no key")]
    TooLong {
        /// Private or public key.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl KeyError {
    /// A command that helps.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sec1 => Some("convert it: `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out NEW.pem`"),
            Self::Encrypted { .. } => {
                Some("decrypt it where nobody else reads it: `openssl pkcs8 -in OLD.pem -out NEW.pem`")
            }
            Self::NotPem { .. } | Self::Label { .. } | Self::Algorithm { .. } => Some(
                "make a key: `openssl genpkey -algorithm ed25519 -out key.pem`, and `openssl pkey -in key.pem -pubout -out key.pub`",
            ),
            _ => None,
        }
    }
}

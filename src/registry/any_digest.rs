//! Digests as registries have them: what remint makes is SHA-256, what others made may be SHA-512.

use crate::digest::{Digest, Hasher};
use sha2::Digest as _;
use std::fmt;
use std::str::FromStr;

/// The digest of a blob or manifest in a registry (OCI image-spec, descriptor.md, "Registered algorithms").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyDigest {
    /// Shown as `sha256:<64 hex digits>`.
    Sha256(Digest),
    /// Shown as `sha512:<128 hex digits>`.
    Sha512([u8; 64]),
}

/// A text is no digest, or one of an algorithm that nobody has registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest: expected `sha256:` and 64 hex digits, or `sha512:` and 128")]
pub struct BadDigest(pub String);

/// An incremental hash of either algorithm.
#[derive(Clone)]
pub(super) enum AnyHasher {
    Sha256(Hasher),
    Sha512(Box<sha2::Sha512>),
}

impl AnyDigest {
    /// The name of the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        match self {
            Self::Sha256(digest) => digest.hex(),
            Self::Sha512(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// With the first twelve hex digits, for people; data and mismatches show the whole.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}:{}", self.algorithm(), &self.hex()[..12])
    }

    /// Hashes bytes that are in memory, with the algorithm of this one.
    #[must_use]
    pub fn same_of(&self, bytes: &[u8]) -> Self {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    /// A hash of no bytes with the algorithm of this one.
    pub(super) fn hasher(&self) -> AnyHasher {
        match self {
            Self::Sha256(_) => AnyHasher::Sha256(Hasher::new()),
            Self::Sha512(_) => AnyHasher::Sha512(Box::default()),
        }
    }
}

impl AnyHasher {
    /// Adds bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Names all bytes that were added.
    pub(super) fn finish(self) -> AnyDigest {
        match self {
            Self::Sha256(hasher) => AnyDigest::Sha256(hasher.finish()),
            Self::Sha512(hasher) => AnyDigest::Sha512(hasher.finalize().into()),
        }
    }
}

impl From<Digest> for AnyDigest {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl FromStr for AnyDigest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let bad = || BadDigest(text.chars().take(200).collect());
        if let Some(hex) = text.strip_prefix("sha512:") {
            // One digest has one spelling: lower case.
            let digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f').then(|| char::from(digit).to_digit(16));
            let digits: Option<Vec<u8>> = hex.bytes().map(|byte| u8::try_from(digit(byte)??).ok()).collect();
            let digits = digits.filter(|digits| digits.len() == 128).ok_or_else(bad)?;
            let mut bytes = [0; 64];
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                *byte = pair[0] << 4 | pair[1];
            }
            return Ok(Self::Sha512(bytes));
        }
        text.parse().map(Self::Sha256).map_err(|_| bad())
    }
}

impl fmt::Display for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex())
    }
}

impl fmt::Debug for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_are_read_back_and_verified() {
        // FIPS 180-4, examples for "abc".
        let sha512 = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        for text in [&Digest::of(b"abc").to_string(), sha512] {
            let digest: AnyDigest = text.parse().unwrap();
            assert_eq!(digest.to_string(), text);
            assert_eq!(digest.same_of(b"abc"), digest);
            assert_ne!(digest.same_of(b"abd"), digest);
        }
        let upper = sha512.replace('a', "A");
        for wrong in ["", "sha512:", "sha512:00", &sha512[..134], &upper, "md5:00", "sha256:xyz", "sha512:ü"] {
            assert!(wrong.parse::<AnyDigest>().is_err(), "{wrong}");
        }
    }
}

//! Bytes that nobody else may see.

use std::fmt;
use zeroize::Zeroizing;

/// Secret bytes: shown nowhere, wiped when they go.
///
/// What reads them into it has to wipe its own buffers; a `Vec` that grows leaves copies behind, so one is reserved whole.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes over; they are wiped with it.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

//! Streams that hash, and streams that verify, what passes through them.

use super::Digest;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use std::io::{self, Read, Write};

/// An incremental SHA-256.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Starts with no bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Names all bytes that were added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    /// What it knows of the bytes that were added.
    #[must_use]
    pub fn state(&self) -> HashState {
        HashState(self.0.serialize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Goes on from where another one was; `None` if that is no state of a SHA-256.
    #[must_use]
    pub fn resume(state: &HashState) -> Option<Self> {
        let mut bytes = SerializedState::<sha2::Sha256>::default();
        if state.0.len() != 2 * bytes.len() || !state.0.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(state.0.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        sha2::Sha256::deserialize(&bytes).ok().map(Self)
    }
}

/// What a SHA-256 knows of the bytes before some place, so that they need not be hashed again; in the form of the crate sha2, which another
/// version of it may change: whoever keeps one keeps by it what that form is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashState(String);

impl HashState {
    /// The state as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A writer that hashes and counts what it passes on.
pub struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    /// Wraps a writer.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(), size: 0 }
    }

    /// How many bytes went through so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Gives back the writer with the digest and the count of what went through.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.size)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that hashes and counts what it hands out.
pub struct HashingReader<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
}

impl<R: Read> HashingReader<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::new(), size: 0 }
    }

    /// The digest and the count of what was read.
    pub fn finish(self) -> (R, Digest, u64) {
        (self.inner, self.hasher.finish(), self.size)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// What was expected of some bytes, and what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another number of bytes.
    #[error("expected {expected} bytes, found {found}")]
    Size {
        /// The promised size in bytes.
        expected: u64,
        /// The size found; for a stream that was cut off at the promised size, one more.
        found: u64,
    },
    /// Other bytes.
    #[error("expected {expected}, found {found}")]
    Digest {
        /// The promised digest.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
}

impl From<Mismatch> for io::Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::new(io::ErrorKind::InvalidData, mismatch)
    }
}

/// A reader that fails, at the end of the data at the latest, unless the data have the promised size and digest.
///
/// The error is an [`io::Error`] of kind `InvalidData` around a [`Mismatch`]. A consumer that must not act on wrong bytes has
/// to read to the end before it acts.
pub struct VerifyingReader<R> {
    inner: R,
    hasher: Option<Hasher>,
    /// What the bytes hash to, once all have passed.
    found: Option<Digest>,
    digest: Digest,
    left: u64,
    size: u64,
}

impl<R: Read> VerifyingReader<R> {
    /// Expects `size` bytes that hash to `digest`.
    pub fn new(inner: R, digest: Digest, size: u64) -> Self {
        Self { inner, hasher: Some(Hasher::new()), found: None, digest, left: size, size }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.inner.read(buffer)?;
        if read as u64 > self.left {
            return Err(Mismatch::Size { expected: self.size, found: self.size + 1 }.into());
        }
        self.left -= read as u64;
        if read > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..read]);
            }
            return Ok(read);
        }
        if self.left > 0 {
            return Err(Mismatch::Size { expected: self.size, found: self.size - self.left }.into());
        }
        if let Some(hasher) = self.hasher.take() {
            self.found = Some(hasher.finish());
        }
        // Again and again: whoever overhears it once must not take what comes next for the end.
        match self.found {
            Some(found) if found != self.digest => Err(Mismatch::Digest { expected: self.digest, found }.into()),
            _ => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], digest: Digest, size: u64) -> Result<Vec<u8>, Mismatch> {
        let mut all = Vec::new();
        match VerifyingReader::new(bytes, digest, size).read_to_end(&mut all) {
            Ok(_) => Ok(all),
            Err(error) => Err(*error.get_ref().and_then(|e| e.downcast_ref()).expect("a mismatch")),
        }
    }

    #[test]
    fn a_mismatch_is_said_as_often_as_it_is_asked_for() {
        let mut reader = VerifyingReader::new(&b"other"[..], Digest::of(b"bytes"), 5);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 5);
        for _ in 0..3 {
            assert!(reader.read(&mut [0; 8]).is_err());
        }
    }

    #[test]
    fn only_the_promised_bytes_pass() {
        let right = Digest::of(b"bytes");
        assert_eq!(read(b"bytes", right, 5), Ok(b"bytes".to_vec()));
        assert_eq!(read(b"byte", right, 5), Err(Mismatch::Size { expected: 5, found: 4 }));
        assert_eq!(read(b"bytess", right, 5), Err(Mismatch::Size { expected: 5, found: 6 }));
        let found = Digest::of(b"Bytes");
        assert_eq!(read(b"Bytes", right, 5), Err(Mismatch::Digest { expected: right, found }));
    }

    #[test]
    fn a_hash_goes_on_from_any_place() {
        let bytes: Vec<u8> = (0..1000_u32).map(|n| (n * n).to_le_bytes()[0]).collect();
        for cut in [0, 1, 63, 64, 65, 512, 777, 1000] {
            let mut first = Hasher::new();
            first.update(&bytes[..cut]);
            let json = serde_json::to_string(&first.state()).unwrap();
            let mut second = Hasher::resume(&serde_json::from_str(&json).unwrap()).unwrap();
            second.update(&bytes[cut..]);
            assert_eq!(second.finish(), Digest::of(&bytes), "{cut}");
        }
        let whole = Hasher::new().state().0;
        for wrong in [String::new(), whole[1..].to_owned(), whole.replacen('0', "x", 1), "é".repeat(whole.len() / 2)] {
            assert!(Hasher::resume(&HashState(wrong)).is_none());
        }
    }

    #[test]
    fn hashing_streams_agree_with_the_whole() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"by").unwrap();
        writer.write_all(b"tes").unwrap();
        assert_eq!(writer.finish(), (b"bytes".to_vec(), Digest::of(b"bytes"), 5));
        let mut reader = HashingReader::new(&b"bytes"[..]);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        let (_, digest, size) = reader.finish();
        assert_eq!((digest, size), (Digest::of(b"bytes"), 5));
    }
}

//! Whether contents are the same, told by 32 bytes a piece, so that none has to be kept.
//!
//! A fingerprint lives as long as a comparison and is never shown, so it need not be the SHA-256 that names blobs. But nobody may
//! be able to make two contents of one fingerprint, since images may be hostile. BLAKE3 (O'Connor, Aumasson, Neves,
//! Wilcox-O'Hearn: "BLAKE3, one function, fast everywhere", 2020) takes a third of SHA-256's time, which layers take twice already:
//! for the blob's digest and for the tar's.

use std::io::{self, Read};

/// A content is fingerprinted in pieces of this many bytes, of which the last may be shorter.
pub(super) const PIECE: u64 = 4 << 20;

/// The BLAKE3 of a piece.
pub(super) type Fingerprint = [u8; 32];

/// Reads a content through and gives the fingerprint of each [`PIECE`] of it; nothing has none.
///
/// Contents are the same exactly if all of these are: where pieces end follows from the length alone.
pub(super) fn fingerprints(mut content: impl Read, buffer: &mut [u8]) -> io::Result<Box<[Fingerprint]>> {
    let mut pieces = Vec::new();
    let (mut hasher, mut read) = (blake3::Hasher::new(), 0);
    loop {
        let most = usize::try_from(PIECE - read).unwrap_or(usize::MAX).min(buffer.len());
        let count = match content.read(&mut buffer[..most]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        read += count as u64;
        if read == PIECE || (count == 0 && read > 0) {
            pieces.push(*hasher.finalize().as_bytes());
            hasher.reset();
            read = 0;
        }
        if count == 0 {
            return Ok(pieces.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same of bytes that are in memory.
    fn fingerprints_of(bytes: &[u8]) -> Vec<Fingerprint> {
        let piece = usize::try_from(PIECE).unwrap();
        bytes.chunks(piece).map(|piece| *blake3::hash(piece).as_bytes()).collect()
    }

    #[test]
    fn each_piece_has_its_own() {
        let of = |bytes: &[u8]| {
            let read = fingerprints(bytes, &mut vec![0; 1000]).unwrap();
            assert_eq!(*read, fingerprints_of(bytes));
            read
        };
        // The first bytes of BLAKE3's own test vector for one byte.
        assert_eq!(of(&[0])[0][..4], [0x2d, 0x3a, 0xde, 0xdf]);
        assert!(of(b"").is_empty());
        let piece = usize::try_from(PIECE).unwrap();
        let mut bytes = vec![7; 3 * piece + 5];
        let before = of(&bytes);
        assert_eq!((before.len(), before[0]), (4, before[1]));
        bytes[2 * piece] = 8;
        let after = of(&bytes);
        let differ: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
        assert_eq!(differ, [false, false, true, false]);
        assert_eq!(of(&bytes[..piece]).len(), 1);
        assert_ne!(of(&[7; 4]), of(&[7; 5]));
    }
}

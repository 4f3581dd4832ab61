//! One layer, read once: what it holds, without the files' bytes but with their digests.

use super::error::Error;
use crate::digest::{Digest, Hasher};
use crate::image::{OpenedLayer, TarFacts};
use crate::layer::{self, Limits, Seen, SeenKind, scan};
use std::io::{self, Read};

/// Bounds for bombs: entries some ten times those of a full desktop, bytes beyond what any registry takes.
pub(super) const LIMITS: Limits =
    Limits { entries: 4_000_000, bytes: 1 << 40, metadata: 1 << 20, total_metadata: 256 << 20 };

/// A file beyond this many bytes is compared by the piece of this length in which the first difference lies.
pub(super) const PIECE: u64 = 4 << 20;

/// What a layer holds.
#[derive(Debug)]
pub(super) struct Listing {
    /// In the archive's order.
    pub(super) entries: Vec<Listed>,
    /// What was found out about the tar.
    pub(super) facts: TarFacts,
}

/// An entry of a layer.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) seen: Seen,
    /// The content's digest; that of nothing for what is no file.
    pub(super) digest: Digest,
    /// The CRC-32 of each [`PIECE`] of a file that has several.
    pub(super) pieces: Box<[u32]>,
}

/// Names a layer in messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerName<'a> {
    pub(super) image: &'a str,
    pub(super) number: usize,
}

impl LayerName<'_> {
    fn refused(self, source: layer::Error) -> Error {
        Error::Layer { image: self.image.to_owned(), number: self.number, source }
    }
}

/// Gives each entry of a layer, with its place in the archive's order, to `visit` until that says no.
pub(super) fn each(
    layer: &OpenedLayer,
    name: LayerName<'_>,
    mut visit: impl FnMut(usize, Seen, &mut dyn Read) -> io::Result<bool>,
) -> Result<Option<TarFacts>, Error> {
    /// Why reading stops.
    enum Stop {
        Enough,
        Tar(layer::Error),
        Read(io::Error),
    }
    impl From<layer::Error> for Stop {
        fn from(error: layer::Error) -> Self {
            Self::Tar(error)
        }
    }
    let mut reader = layer.open()?;
    let mut number = 0;
    let outcome = scan(&mut reader, &LIMITS, |seen, content: &mut dyn Read| {
        number += 1;
        match visit(number - 1, seen, content) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Enough),
            Err(error) => Err(Stop::Read(error)),
        }
    });
    match outcome {
        Ok(()) => Ok(Some(reader.finish()?)),
        Err(Stop::Enough) => Ok(None),
        // What looks like a bad tar may be a bad blob.
        Err(Stop::Tar(layer::Error::Archive { source, .. }) | Stop::Read(source)) => Err(reader.failed(source).into()),
        Err(Stop::Tar(error)) => Err(reader.finish().map_or_else(Error::from, |_| name.refused(error))),
    }
}

impl Listing {
    /// Reads a layer through, and so verifies it.
    pub(super) fn read(layer: &OpenedLayer, name: LayerName<'_>) -> Result<Self, Error> {
        let mut entries = Vec::new();
        let mut buffer = vec![0; 128 << 10];
        let facts = each(layer, name, |_, seen, content| {
            let (digest, pieces) = summed(content, &mut buffer)?;
            entries.push(Listed { seen, digest, pieces });
            Ok(true)
        })?;
        let facts = facts.expect("nobody said no");
        Ok(Self { entries, facts })
    }
}

/// The digest of a content, and the sums of its pieces where there are several.
fn summed(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<(Digest, Box<[u32]>)> {
    let mut hasher = Hasher::new();
    let mut pieces = Vec::new();
    let (mut piece, mut left) = (crc32fast::Hasher::new(), PIECE);
    loop {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = match content.read(&mut buffer[..most]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        piece.update(&buffer[..read]);
        left -= read as u64;
        if left == 0 || (read == 0 && !pieces.is_empty()) {
            pieces.push(std::mem::take(&mut piece).finalize());
            left = PIECE;
        }
        if read == 0 {
            return Ok((hasher.finish(), pieces.into()));
        }
    }
}

impl Listed {
    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        if let SeenKind::File(size) = self.seen.kind { size } else { 0 }
    }

    /// Where in a large file the first difference to another must be sought: the beginning of the piece, in bytes.
    pub(super) fn first_piece(&self, other: &Self) -> u64 {
        let same = self.pieces.iter().zip(&other.pieces).take_while(|(a, b)| a == b).count();
        let last = self.size().min(other.size()).saturating_sub(1) / PIECE;
        (same as u64).min(last) * PIECE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_compared_by_its_pieces() {
        let sum = |bytes: &[u8]| {
            let (digest, pieces) = summed(&mut &bytes[..], &mut vec![0; 1000]).unwrap();
            assert_eq!(digest, Digest::of(bytes));
            pieces
        };
        let piece = usize::try_from(PIECE).unwrap();
        assert!(sum(b"small").is_empty());
        let mut bytes = vec![7; 3 * piece + 5];
        let before = sum(&bytes);
        assert_eq!(before.len(), 4);
        bytes[2 * piece] = 8;
        let after = sum(&bytes);
        assert_eq!(before.iter().zip(&after).position(|(a, b)| a != b), Some(2));
    }
}

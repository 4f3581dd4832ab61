//! One layer, read once: what it holds, without the files' bytes but with their fingerprints.

use super::error::Error;
use super::fingerprint::{Fingerprint, PIECE, fingerprints};
use super::tree::shown;
use crate::image::{OpenedLayer, TarFacts};
use crate::layer::{self, Limits, Seen, SeenKind, scan};
use std::io::{self, Read};

/// Bounds for bombs: entries some ten times those of a full desktop, bytes beyond what any registry takes.
pub(super) const LIMITS: Limits =
    Limits { entries: 4_000_000, bytes: 1 << 40, metadata: 1 << 20, total_metadata: 256 << 20 };

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
    /// What tells whether another entry has the same content.
    pub(super) content: Box<[Fingerprint]>,
}

/// Names a layer in messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerName<'a> {
    pub(super) image: &'a str,
    pub(super) number: usize,
}

impl LayerName<'_> {
    pub(super) fn refused(self, source: layer::Error) -> Error {
        Error::Layer { image: self.image.to_owned(), number: self.number, source }
    }

    pub(super) fn changed(self, listed: &Listed) -> Error {
        Error::Changed { image: self.image.to_owned(), number: self.number, path: shown(&listed.seen.path) }
    }
}

/// Why a layer is not read to its end.
enum Stop {
    Tar(layer::Error),
    /// In the content of this entry.
    Read(io::Error, Box<Seen>),
}

impl From<layer::Error> for Stop {
    fn from(error: layer::Error) -> Self {
        Self::Tar(error)
    }
}

impl Listing {
    /// Reads a layer through, and so verifies it.
    pub(super) fn read(layer: &OpenedLayer, name: LayerName<'_>) -> Result<Self, Error> {
        let mut entries = Vec::new();
        let mut buffer = vec![0; 128 << 10];
        let mut reader = layer.open()?;
        let outcome = scan(&mut reader, &LIMITS, |seen, content: &mut dyn Read| {
            match fingerprints(content, &mut buffer) {
                Ok(content) => entries.push(Listed { seen, content }),
                Err(error) => return Err(Stop::Read(error, Box::new(seen))),
            }
            Ok(())
        });
        match outcome {
            Ok(()) => Ok(Self { entries, facts: reader.finish()? }),
            // What looks like a bad tar may be a bad blob.
            Err(Stop::Tar(layer::Error::Archive { source, .. })) => Err(layer.failed(source).into()),
            Err(Stop::Read(source, seen)) => Err(match seen.kind {
                SeenKind::File(size) => layer.failed_within(source, &seen.path, size).into(),
                _ => layer.failed(source).into(),
            }),
            Err(Stop::Tar(error)) => Err(match (reader.finish(), layer.refused(error)) {
                (Err(error), _) | (Ok(_), Ok(error)) => error.into(),
                (Ok(_), Err(error)) => name.refused(error),
            }),
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
        let same = self.content.iter().zip(&other.content).take_while(|(a, b)| a == b).count();
        let last = self.size().min(other.size()).saturating_sub(1) / PIECE;
        (same as u64).min(last) * PIECE
    }
}

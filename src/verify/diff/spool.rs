//! The contents of differing files: read from their layers in a second pass, and put aside until they are explained.

use super::error::Error;
use super::listing::{LayerName, each};
use super::tree::Inode;
use crate::image::OpenedLayer;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

/// A file of more bytes is not compared whole but by one [`PIECE`](super::listing::PIECE).
pub(super) const WHOLE: u64 = 12 << 20;

/// Contents that are to be read: of an inode's layer and entry, from which byte on and how many at most.
pub(super) type Wanted = BTreeMap<(usize, usize), (u64, u64)>;

/// Contents that were put aside.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    places: BTreeMap<(usize, usize), (u64, u64)>,
}

impl Spool {
    /// Reads what is wanted of an image's layers, each layer only as far as it must be.
    pub(super) fn fill(image: &str, layers: &[OpenedLayer], wanted: &Wanted, scratch: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Spool { directory: scratch.to_owned(), source };
        let file = tempfile::tempfile_in(scratch).map_err(failed)?;
        let mut by_layer: BTreeMap<usize, BTreeMap<usize, (u64, u64)>> = BTreeMap::new();
        for (&(layer, entry), &part) in wanted {
            by_layer.entry(layer).or_default().insert(entry, part);
        }
        let state = Mutex::new((file, BTreeMap::new()));
        let fill = |(layer, entries): (usize, BTreeMap<usize, (u64, u64)>)| {
            let mut left = entries.len();
            each(&layers[layer], LayerName::of(image, layer), |at, _, content| {
                let Some(&(from, most)) = entries.get(&at) else { return Ok(true) };
                io::copy(&mut (&mut *content).take(from), &mut io::sink())?;
                let mut bytes = Vec::new();
                content.take(most).read_to_end(&mut bytes)?;
                let (file, places) = &mut *state.lock().expect("no holder of this lock panics");
                let begin = file.stream_position()?;
                file.write_all(&bytes)?;
                places.insert((layer, at), (begin, bytes.len() as u64));
                left -= 1;
                Ok(left > 0)
            })
            .map(|_| ())
        };
        by_layer.into_par_iter().map(fill).collect::<Result<(), Error>>()?;
        let (file, places) = state.into_inner().expect("no holder of this lock panics");
        Ok(Self { file, places })
    }

    /// The content of an inode, as far as it was put aside.
    pub(super) fn content(&self, inode: Inode, scratch: &Path) -> Result<Vec<u8>, Error> {
        let place = inode.entry.and_then(|entry| self.places.get(&(inode.layer, entry)));
        let &(at, length) = place.unwrap_or(&(0, 0));
        // At most `WHOLE` bytes, as they were written.
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = self.file.read_exact_at(&mut bytes, at);
        read.map(|()| bytes).map_err(|source| Error::Spool { directory: scratch.to_owned(), source })
    }
}

//! The contents of differing files: read from their layers in a second pass, and put aside until they are explained.

use super::error::Error;
use super::fingerprint::{Fingerprint, PIECE, fingerprints_of};
use super::listing::{LIMITS, LayerName, Listing};
use super::tree::Inode;
use crate::image::OpenedLayer;
use crate::layer::{self, scan};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A file of more bytes is not compared whole but by one [`PIECE`].
pub(super) const WHOLE: u64 = 3 * PIECE;

/// A part of a content: from which byte on, and how many at most; both whole [`PIECE`]s.
type Part = (u64, u64);

/// Contents that are to be read: of an inode's layer and entry, which part.
pub(super) type Wanted = BTreeMap<(usize, usize), Part>;

/// Contents that were put aside.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    places: BTreeMap<(usize, usize), (u64, u64)>,
}

impl Spool {
    /// Reads what is wanted of an image's layers, each layer only as far as it must be.
    pub(super) fn fill(
        image: &str,
        layers: &[OpenedLayer],
        listings: &[Arc<Listing>],
        wanted: &Wanted,
        scratch: &Path,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Spool { directory: scratch.to_owned(), source };
        let file = tempfile::tempfile_in(scratch).map_err(failed)?;
        let mut by_layer: BTreeMap<usize, BTreeMap<usize, Part>> = BTreeMap::new();
        for (&(layer, entry), &part) in wanted {
            by_layer.entry(layer).or_default().insert(entry, part);
        }
        let state = Mutex::new((file, BTreeMap::new()));
        let fill = |(layer, parts)| {
            read_again(&layers[layer], LayerName::of(image, layer), &listings[layer], parts, |entry, bytes| {
                let (file, places) = &mut *state.lock().expect("no holder of this lock panics");
                let begin = file.stream_position().map_err(failed)?;
                file.write_all(bytes).map_err(failed)?;
                places.insert((layer, entry), (begin, bytes.len() as u64));
                Ok(())
            })
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

/// Why a layer is not read to its end.
enum Stop {
    Enough,
    Tar(layer::Error),
    Read(io::Error),
    Failed(Error),
}

impl From<layer::Error> for Stop {
    fn from(error: layer::Error) -> Self {
        Self::Tar(error)
    }
}

/// Reads parts of a layer's contents once more, by their entries, and gives each to `put`.
///
/// The layer was verified when it was listed. Now each part is held against its fingerprints instead, which costs less than
/// hashing once more all that stands before it.
fn read_again(
    layer: &OpenedLayer,
    name: LayerName<'_>,
    listing: &Listing,
    mut parts: BTreeMap<usize, Part>,
    mut put: impl FnMut(usize, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let changed = |entry: usize| name.changed(&listing.entries[entry]);
    let mut entries = 0..;
    let outcome = scan(layer.open_again()?, &LIMITS, |_, content: &mut dyn Read| {
        let Some((entry, part)) = entries.next().and_then(|entry| parts.remove_entry(&entry)) else { return Ok(()) };
        let bytes = read_part(content, part).map_err(Stop::Read)?;
        if !is_part(&bytes, part, &listing.entries[entry].content) {
            return Err(Stop::Failed(changed(entry)));
        }
        put(entry, &bytes).map_err(Stop::Failed)?;
        if parts.is_empty() { Err(Stop::Enough) } else { Ok(()) }
    });
    match outcome {
        Ok(()) => parts.first_key_value().map_or(Ok(()), |(&entry, _)| Err(changed(entry))),
        Err(Stop::Enough) => Ok(()),
        Err(Stop::Tar(layer::Error::Archive { source, .. }) | Stop::Read(source)) => Err(layer.failed(source).into()),
        Err(Stop::Tar(error)) => Err(name.refused(error)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn read_part(content: &mut dyn Read, (from, most): Part) -> io::Result<Vec<u8>> {
    io::copy(&mut (&mut *content).take(from), &mut io::sink())?;
    let mut bytes = Vec::new();
    content.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether bytes are that part of the content of these fingerprints.
fn is_part(bytes: &[u8], (from, most): Part, content: &[Fingerprint]) -> bool {
    let pieces = |length: u64| usize::try_from(length / PIECE).unwrap_or(usize::MAX);
    let expected = content.iter().skip(pieces(from)).take(pieces(most));
    expected.eq(&fingerprints_of(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Events;
    use crate::image::ImagePlace;
    use crate::registry::{Client, Settings};

    #[test]
    fn what_is_explained_is_what_was_compared() {
        let dir = tempfile::tempdir().unwrap();
        let write = |files: &[(&str, &[u8])]| {
            let mut builder = tar::Builder::new(File::create(dir.path().join("a.tar")).unwrap());
            for (path, content) in files {
                let mut header = tar::Header::new_ustar();
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, path, *content).unwrap();
            }
            builder.finish().unwrap();
        };
        let files = [("first", &[1; 3000][..]), ("second", &[2; 9][..]), ("third", &[3; 9])];
        write(&files);
        let place: ImagePlace = "tar:a.tar".parse().unwrap();
        let client = Client::new(Settings::default(), Events::none(), |_| ());
        let image = place.open(dir.path(), dir.path(), &client).unwrap();
        let layers = &image.platforms[0].layers;
        let listings = [Arc::new(Listing::read(&layers[0], LayerName::of("a", 0)).unwrap())];
        let second = Inode { layer: 0, entry: Some(1) };
        let read = || {
            let wanted = Wanted::from([((0, 1), (0, WHOLE))]);
            let spool = Spool::fill("a", layers, &listings, &wanted, dir.path()).map_err(|error| error.to_string())?;
            spool.content(second, dir.path()).map_err(|error| error.to_string())
        };
        assert_eq!(read().unwrap(), [2; 9]);
        write(&[files[0], ("second", &[7; 9]), files[2]]);
        assert_eq!(
            read().unwrap_err(),
            "layer 1 of `a` changed while it was read: `/second` is not what it was before"
        );
        write(&files[..1]);
        assert!(read().unwrap_err().contains("`/second` is not what it was before"));
        std::fs::write(dir.path().join("a.tar"), [0x1f, 0x8b]).unwrap();
        assert!(read().unwrap_err().contains("layer 1 of `a` cannot be compared"));
    }

    #[test]
    fn a_part_is_known_again() {
        let piece = usize::try_from(PIECE).unwrap();
        let bytes: Vec<u8> = (0..4 * piece + 5).map(|at| (at / 1000).to_le_bytes()[0]).collect();
        let content = fingerprints_of(&bytes);
        for part in [(0, WHOLE), (PIECE, PIECE), (4 * PIECE, PIECE)] {
            let mut read = read_part(&mut &bytes[..], part).unwrap();
            assert!(is_part(&read, part, &content), "{part:?}");
            assert!(!is_part(&read[1..], part, &content), "{part:?}");
            assert!(!is_part(&read, part, &content[1..]), "{part:?}");
            read[4] ^= 1;
            assert!(!is_part(&read, part, &content), "{part:?}");
        }
        assert!(is_part(b"", (0, WHOLE), &[]));
    }
}

//! The contents of differing files: read from their layers in a second pass, and put aside until they are explained.

use super::error::Error;
use super::fingerprint::{Fingerprint, PIECE, fingerprints};
use super::listing::{LIMITS, LayerName, Listing};
use super::tree::Inode;
use crate::image::OpenedLayer;
use crate::layer::{self, scan};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file of more bytes is not compared whole but by one [`PIECE`].
pub(super) const WHOLE: u64 = 3 * PIECE;

/// Contents that are to be read: of an inode's layer and entry, from which byte on, and how many at most; both whole [`PIECE`]s.
pub(super) type Wanted = BTreeMap<(usize, usize), (u64, u64)>;

/// A part of a content: from which byte on, how many, and where it is put.
#[derive(Debug, Clone, Copy)]
struct Part {
    from: u64,
    length: u64,
    at: u64,
}

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
        let (mut places, mut end) = (BTreeMap::new(), 0);
        for (&(layer, entry), &(from, most)) in wanted {
            let length = most.min(listings[layer].entries[entry].size().saturating_sub(from));
            by_layer.entry(layer).or_default().insert(entry, Part { from, length, at: end });
            places.insert((layer, entry), (end, length));
            end += length;
        }
        let fill = |(layer, parts)| {
            read_again(&layers[layer], LayerName::of(image, layer), &listings[layer], parts, &file).map_err(|error| {
                match error {
                    Refused::Error(error) => error,
                    Refused::Aside(source) => failed(source),
                }
            })
        };
        by_layer.into_par_iter().map(fill).collect::<Result<(), Error>>()?;
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
    Failed(Refused),
}

/// Why a layer's contents are not put aside.
enum Refused {
    Error(Error),
    /// The file took no more.
    Aside(io::Error),
}

impl From<layer::Error> for Stop {
    fn from(error: layer::Error) -> Self {
        Self::Tar(error)
    }
}

/// Reads parts of a layer's contents once more, by their entries, and puts each where it belongs.
///
/// The layer was verified when it was listed. Now each part is held against its fingerprints instead, which costs less than
/// hashing once more all that stands before it.
fn read_again(
    layer: &OpenedLayer,
    name: LayerName<'_>,
    listing: &Listing,
    mut parts: BTreeMap<usize, Part>,
    file: &File,
) -> Result<(), Refused> {
    let changed = |entry: usize| Refused::Error(name.changed(&listing.entries[entry]));
    let mut entries = 0..;
    let mut buffer = vec![0; 128 << 10];
    let tar = layer.open_again().map_err(|error| Refused::Error(error.into()))?;
    let outcome = scan(tar, &LIMITS, |seen, content: &mut dyn Read| {
        let Some((entry, part)) = entries.next().and_then(|entry| parts.remove_entry(&entry)) else { return Ok(()) };
        let listed = &listing.entries[entry];
        if seen.kind != listed.seen.kind {
            return Err(Stop::Failed(changed(entry)));
        }
        let mut aside = Aside { file, at: part.at, failed: None };
        match put(content, part, &mut aside, &mut buffer) {
            Err(error) => {
                return Err(aside.failed.map_or(Stop::Read(error), |error| Stop::Failed(Refused::Aside(error))));
            }
            Ok(found) if !is_part(&found, part, &listed.content) => return Err(Stop::Failed(changed(entry))),
            Ok(_) => {}
        }
        if parts.is_empty() { Err(Stop::Enough) } else { Ok(()) }
    });
    match outcome {
        Ok(()) => parts.first_key_value().map_or(Ok(()), |(&entry, _)| Err(changed(entry))),
        Err(Stop::Enough) => Ok(()),
        Err(Stop::Tar(layer::Error::Archive { source, .. }) | Stop::Read(source)) => {
            Err(Refused::Error(layer.failed(source).into()))
        }
        Err(Stop::Tar(error)) => Err(Refused::Error(name.refused(error))),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Where bytes are put.
struct Aside<'a> {
    file: &'a File,
    at: u64,
    failed: Option<io::Error>,
}

/// Puts a part of a content aside; gives its fingerprints.
fn put(content: &mut dyn Read, part: Part, aside: &mut Aside<'_>, buffer: &mut [u8]) -> io::Result<Box<[Fingerprint]>> {
    io::copy(&mut (&mut *content).take(part.from), &mut io::sink())?;
    fingerprints(Passing { content: content.take(part.length), aside }, buffer)
}

/// Bytes that are put aside as they pass.
struct Passing<'a, 'b, R> {
    content: R,
    aside: &'a mut Aside<'b>,
}

impl<R: Read> Read for Passing<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        if let Err(error) = self.aside.file.write_all_at(&buffer[..count], self.aside.at) {
            self.aside.failed = Some(error);
            return Err(io::Error::other("it cannot be put aside"));
        }
        self.aside.at += count as u64;
        Ok(count)
    }
}

/// Whether these are the fingerprints of that part of a content.
fn is_part(found: &[Fingerprint], part: Part, content: &[Fingerprint]) -> bool {
    let from = usize::try_from(part.from / PIECE).unwrap_or(usize::MAX);
    let count = usize::try_from(part.length.div_ceil(PIECE)).unwrap_or(usize::MAX);
    content.iter().skip(from).take(count).eq(found)
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
        let content = fingerprints(&bytes[..], &mut vec![0; 1000]).unwrap();
        let file = tempfile::tempfile().unwrap();
        for (from, length) in [(0, WHOLE), (PIECE, PIECE), (4 * PIECE, 5)] {
            let part = Part { from, length, at: 7 };
            let found = |bytes: &[u8]| {
                let mut aside = Aside { file: &file, at: part.at, failed: None };
                put(&mut &bytes[..], part, &mut aside, &mut vec![0; 1000]).unwrap()
            };
            assert!(is_part(&found(&bytes), part, &content), "{part:?}");
            let mut read = vec![0; usize::try_from(length).unwrap()];
            file.read_exact_at(&mut read, 7).unwrap();
            let from = usize::try_from(from).unwrap();
            assert!(read[..] == bytes[from..from + read.len()], "{part:?}");
            assert!(!is_part(&found(&bytes[1..]), part, &content), "{part:?}");
            assert!(!is_part(&found(&bytes), part, &content[1..]), "{part:?}");
            let mut other = bytes.clone();
            other[from + 4] ^= 1;
            assert!(!is_part(&found(&other), part, &content), "{part:?}");
        }
        assert!(is_part(&[], Part { from: 0, length: 0, at: 0 }, &[]));
    }
}

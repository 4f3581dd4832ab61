//! A layer's tar, streamed out of its blob and verified on the way.

use super::encoding::Encoding;
use super::error::Error;
use super::read::Layer;
use crate::digest::{DiffId, HashingReader, Mismatch};
use crate::store::{BlobReader, Store};
use std::io::{self, BufReader, Read};

/// Reads a layer's tar; [`LayerReader::finish`] says whether both the blob and the tar were what they should be.
///
/// Reads frames and members one after the other, so it reads what any tool wrote. Memory: one window of the compression.
pub struct LayerReader<'a> {
    store: &'a Store,
    layer: Layer,
    inner: HashingReader<Bounded<Decoder>>,
}

/// The most bytes that a layer may unpack to: a bound for bombs, far beyond any layer that a registry takes.
pub(super) const LIMIT: u64 = 1 << 40;

enum Decoder {
    Plain(BufReader<BlobReader>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<BlobReader>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<BlobReader>>),
}

impl<'a> LayerReader<'a> {
    /// Opens a layer that is in the store.
    pub fn open(store: &'a Store, layer: &Layer) -> Result<Self, Error> {
        let blob = BufReader::with_capacity(1 << 17, store.open_blob(&layer.blob)?);
        let decoder = match layer.encoding {
            Encoding::Plain => Decoder::Plain(blob),
            Encoding::Gzip => Decoder::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(blob))),
            Encoding::Zstd => Decoder::Zstd(
                zstd::stream::read::Decoder::with_buffer(blob)
                    .map_err(|source| Error::Layer { layer: layer.blob.digest, source })?,
            ),
        };
        let inner = HashingReader::new(Bounded { inner: decoder, left: LIMIT });
        Ok(Self { store, layer: *layer, inner })
    }

    /// Reads whatever is left and checks the DiffId; gives the tar's size in bytes.
    pub fn finish(mut self) -> Result<u64, Error> {
        if let Err(error) = io::copy(&mut self.inner, &mut io::sink()) {
            return Err(self.failed(error));
        }
        let (_, found, size) = self.inner.finish();
        let (found, expected) = (DiffId(found), self.layer.diff_id);
        if found == expected { Ok(size) } else { Err(Error::DiffId { layer: self.layer.blob.digest, expected, found }) }
    }

    /// Says what a failed read of this layer means.
    ///
    /// A decoder stumbles over rot before the digest shows it, so what looks like bad data is read once more for its digest:
    /// a damaged blob is set aside to be made again, a sound one is at fault itself.
    #[must_use]
    pub fn failed(&self, error: io::Error) -> Error {
        let layer = self.layer.blob.digest;
        if caused_by::<TooMuch>(&error).is_some() {
            return Error::TooLarge { layer, limit: LIMIT };
        }
        match caused_by::<Mismatch>(&error) {
            Some(&mismatch) => self.store.damaged(&layer, mismatch.into()).into(),
            None => match self.store.open_blob(&self.layer.blob).map(|mut blob| io::copy(&mut blob, &mut io::sink())) {
                Err(missing) => missing.into(),
                Ok(Err(rot)) => self.store.damaged(&layer, rot).into(),
                Ok(Ok(_)) => Error::Layer { layer, source: error },
            },
        }
    }
}

/// Looks for a cause below what decoders and tar readers wrapped around it.
pub(super) fn caused_by<T: std::error::Error + 'static>(error: &io::Error) -> Option<&T> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An io::Error shows its inner error's source, not the inner error.
        cause = match error.downcast_ref::<io::Error>() {
            Some(wrapped) => wrapped.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}

impl Read for LayerReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Gzip(reader) => reader.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
        }
    }
}

/// A reader that fails, rather than ends, when there is more than there may be.
pub(super) struct Bounded<R> {
    pub(super) inner: R,
    pub(super) left: u64,
}

/// The bound was reached.
#[derive(Debug, thiserror::Error)]
#[error("too much data")]
struct TooMuch;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TooMuch))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::store::Damage;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(store: &Store, encoding: Encoding, blob: &[u8], tar: &[u8]) -> Result<Vec<u8>, Error> {
        let layer = Layer { blob: store.put(blob).unwrap(), encoding, diff_id: DiffId(Digest::of(tar)) };
        let mut reader = LayerReader::open(store, &layer)?;
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map_err(|error| reader.failed(error))?;
        assert_eq!(reader.finish()?, all.len() as u64);
        Ok(all)
    }

    #[test]
    fn every_encoding_in_several_parts_is_read_and_checked() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 3).unwrap();
        let gzipped = [gzip(b"one "), gzip(b"two")].concat();
        let frames = [zstd(b"one "), zstd(b""), zstd(b"two")].concat();
        for (encoding, blob) in
            [(Encoding::Plain, b"one two".to_vec()), (Encoding::Gzip, gzipped), (Encoding::Zstd, frames)]
        {
            assert_eq!(read(&store, encoding, &blob, b"one two").unwrap(), b"one two");
            assert!(matches!(read(&store, encoding, &blob, b"other"), Err(Error::DiffId { .. })));
            if encoding != Encoding::Plain {
                let cut = read(&store, encoding, &blob[..blob.len() - 2], b"one two");
                assert!(matches!(cut, Err(Error::Layer { .. })), "{cut:?}");
            }
        }
    }

    #[test]
    fn a_rotten_blob_is_named_and_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(b"bytes").unwrap();
        std::fs::write(store.blob_path(&blob.digest), b"bytEs").unwrap();
        let layer = Layer { blob, encoding: Encoding::Plain, diff_id: DiffId(blob.digest) };
        let error = LayerReader::open(&store, &layer).unwrap().finish().unwrap_err();
        assert!(matches!(error, Error::Store(crate::store::Error::Damaged { .. })), "{error}");
        assert!(matches!(store.take_damage()[..], [Damage::Blob(digest)] if digest == blob.digest));
    }

    #[test]
    fn rot_that_the_decoder_finds_first_is_rot_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut bytes = zstd::bulk::compress(b"some bytes", 3).unwrap();
        let blob = store.put(&bytes).unwrap();
        bytes[0] ^= 1;
        std::fs::write(store.blob_path(&blob.digest), bytes).unwrap();
        let layer = Layer { blob, encoding: Encoding::Zstd, diff_id: DiffId(Digest::of(b"some bytes")) };
        let error = LayerReader::open(&store, &layer).unwrap().finish().unwrap_err();
        assert!(matches!(error, Error::Store(crate::store::Error::Damaged { .. })), "{error}");
    }

    #[test]
    fn a_bound_is_an_error_not_an_end() {
        let mut bounded = Bounded { inner: &b"12345"[..], left: 4 };
        let error = io::copy(&mut bounded, &mut io::sink()).unwrap_err();
        assert!(caused_by::<TooMuch>(&io::Error::other(error)).is_some());
    }
}

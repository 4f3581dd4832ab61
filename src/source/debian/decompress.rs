//! Decompression with bounds: on memory, and on what comes out.

use std::io::{self, BufRead, Read};

/// How a file of an archive or a member of a package is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Xz,
    Zstd,
}

/// The memory that a decoder may take, in bytes; `xz -9` needs 65 MiB.
const MEMORY: u64 = 256 << 20;

/// The largest zstd window, as a power of two: 128 MiB, as the `zstd` program allows.
const ZSTD_WINDOW: u32 = 27;

impl Packing {
    /// The packing that the end of a file's name says, and the name without it; `None` for one that is not supported.
    pub(super) fn of(name: &str) -> Option<(&str, Self)> {
        let known = [(".xz", Self::Xz), (".gz", Self::Gzip), (".zst", Self::Zstd)];
        for (suffix, packing) in known {
            if let Some(stem) = name.strip_suffix(suffix) {
                return Some((stem, packing));
            }
        }
        let foreign = [".bz2", ".lzma", ".lz4", ".Z"];
        (!foreign.iter().any(|suffix| name.ends_with(suffix))).then_some((name, Self::Plain))
    }
}

/// A reader of decompressed bytes that fails once there are more than its limit, and at the end if the data are cut off.
pub(super) struct Decompressor<R: BufRead> {
    decoder: Decoder<R>,
    left: u64,
    limit: u64,
}

enum Decoder<R: BufRead> {
    Plain(R),
    Gzip(Box<flate2::bufread::MultiGzDecoder<R>>),
    Xz(liblzma::bufread::XzDecoder<R>),
    Zstd(zstd::stream::read::Decoder<'static, R>),
}

/// More came out of a decoder than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it expands to more than {limit} bytes")]
pub struct Bomb {
    /// The limit in bytes.
    pub limit: u64,
}

impl<R: BufRead> Decompressor<R> {
    /// Starts to decompress; at most `limit` bytes come out.
    pub(super) fn new(reader: R, packing: Packing, limit: u64) -> io::Result<Self> {
        let decoder = match packing {
            Packing::Plain => Decoder::Plain(reader),
            Packing::Gzip => Decoder::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(reader))),
            Packing::Xz => {
                // dpkg and apt, too, read several streams as one.
                let stream = liblzma::stream::Stream::new_stream_decoder(MEMORY, liblzma::stream::CONCATENATED)?;
                Decoder::Xz(liblzma::bufread::XzDecoder::new_stream(reader, stream))
            }
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Decoder::Zstd(decoder)
            }
        };
        Ok(Self { decoder, left: limit, limit })
    }
}

impl<R: BufRead> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.decoder {
            Decoder::Plain(reader) => reader.read(buffer),
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Xz(reader) => reader.read(buffer),
            Decoder::Zstd(reader) => reader.read(buffer),
        }?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, Bomb { limit: self.limit }))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
        match packing {
            Packing::Plain => bytes.to_vec(),
            Packing::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Packing::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Packing::Zstd => zstd::encode_all(bytes, 1).unwrap(),
        }
    }

    fn unpacked(packing: Packing, bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Decompressor::new(bytes, packing, limit)?.read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn every_packing_is_undone_and_bounded() {
        let bytes = b"some bytes that repeat, some bytes that repeat".repeat(1000);
        let size = bytes.len() as u64;
        for packing in [Packing::Plain, Packing::Gzip, Packing::Xz, Packing::Zstd] {
            let small = packed(packing, &bytes);
            assert_eq!(unpacked(packing, &small, size).unwrap(), bytes);
            let error = unpacked(packing, &small, size - 1).unwrap_err();
            assert_eq!(error.to_string(), format!("it expands to more than {} bytes", size - 1), "{packing:?}");
            let twice = [small.clone(), small.clone()].concat();
            assert_eq!(unpacked(packing, &twice, 2 * size).unwrap().len() as u64, 2 * size, "{packing:?}");
            if packing != Packing::Plain {
                assert!(unpacked(packing, &small[..small.len() - 5], size).is_err(), "{packing:?}: cut off");
                assert!(unpacked(packing, b"not packed at all, whatever it is", size).is_err(), "{packing:?}");
            }
        }
    }

    #[test]
    fn the_name_says_the_packing() {
        assert_eq!(Packing::of("data.tar.xz"), Some(("data.tar", Packing::Xz)));
        assert_eq!(Packing::of("data.tar"), Some(("data.tar", Packing::Plain)));
        assert_eq!(Packing::of("data.tar.bz2"), None);
    }
}

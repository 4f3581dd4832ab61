//! How others pack layers: told by their first bytes, and unpacked.

use std::io::{self, BufRead, Read};

/// How a blob is wrapped, by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wrapping {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// zstd (RFC 8878), also where it begins with a skippable frame.
    Zstd,
    /// xz (The .xz File Format 1.2), which Docker reads.
    Xz,
}

/// The memory that an xz decoder may take, in bytes; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// The largest zstd window, as a power of two: 128 MiB, as the `zstd` program allows.
const ZSTD_WINDOW: u32 = 27;

impl Wrapping {
    /// Tells by the first six bytes.
    #[must_use]
    pub fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::Plain,
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    /// A reader of what is inside.
    pub fn unwrap<'a>(self, reader: impl BufRead + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::Plain => Box::new(reader),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            Self::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream))
            }
        })
    }
}

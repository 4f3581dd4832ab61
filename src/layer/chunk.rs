//! How a fragment is cut and each piece compressed alone.

use super::{Error, gzip, zstd};
use crate::recipe::Compression;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The size of every chunk of a fragment but the last, in bytes: part of the format.
pub const CHUNK: usize = 2 << 20;

/// The size of what is read at a time where nothing is compressed, in bytes: it stays in a core's cache from one use to the next.
pub(super) const PIECE: usize = 256 << 10;

/// How the chunks of a layer are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Each chunk a zstd frame.
    Zstd,
    /// Each chunk some blocks of one gzip member.
    Gzip,
}

impl Codec {
    /// Fails if this program was linked with another library than the one that format 1 is made with.
    pub fn check(self) -> Result<(), Error> {
        match self {
            Self::Zstd => zstd::check(),
            // The encoder is compiled in; only its lock line can change it, which the golden vectors notice.
            Self::Gzip => Ok(()),
        }
    }

    /// What stands before the first chunk of a blob.
    pub(super) fn head(self) -> &'static [u8] {
        match self {
            Self::Zstd => &[],
            Self::Gzip => &gzip::HEAD,
        }
    }

    /// What stands behind the last chunk of a blob whose tar has that check sum and size.
    pub(super) fn tail(self, crc32: u32, tar_size: u64) -> Vec<u8> {
        match self {
            Self::Zstd => Vec::new(),
            Self::Gzip => gzip::tail(crc32, tar_size).to_vec(),
        }
    }
}

impl From<Compression> for Codec {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Zstd => Self::Zstd,
            Compression::Gzip => Self::Gzip,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }
}

/// Which threads pack a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread alone: of a small layer, the others would wake up when nothing is left to do.
    Caller,
    /// It and the current rayon pool.
    Pool,
}

/// Compresses chunks on any number of threads; keeps what is dear to make.
pub(super) struct Encoder {
    codec: Codec,
    threads: Threads,
    zstd: Mutex<Vec<zstd::Context>>,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Encoder {
    pub(super) fn new(codec: Codec, threads: Threads) -> Result<Self, Error> {
        codec.check()?;
        Ok(Self { codec, threads, zstd: Mutex::default(), spare: Mutex::default() })
    }

    /// Has the pool do something that the calling thread would do later, unless it works alone.
    pub(super) fn share(&self, work: impl FnOnce() + Send + 'static) {
        if self.threads == Threads::Pool {
            rayon::spawn(work);
        }
    }

    /// How many threads may compress.
    pub(super) fn threads(&self) -> usize {
        match self.threads {
            Threads::Caller => 1,
            Threads::Pool => rayon::current_num_threads(),
        }
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// A buffer that can hold a chunk, packed or not. What its last user left is still in it, which spares the next the zeros.
    pub(super) fn buffer(&self) -> Vec<u8> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(zstd::bound(CHUNK).max(gzip::bound(CHUNK))))
    }

    /// Takes a buffer back from the last who had it.
    pub(super) fn release(&self, buffer: Arc<Vec<u8>>) {
        let Some(buffer) = Arc::into_inner(buffer) else { return };
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }

    /// Compresses a chunk. The result depends on the chunk alone.
    pub(super) fn compress(&self, chunk: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = self.buffer();
        out.clear();
        match self.codec {
            Codec::Gzip => gzip::compress(chunk, &mut out)?,
            Codec::Zstd => {
                let context = self.zstd.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut context = context.map_or_else(zstd::Context::new, Ok)?;
                context.compress(chunk, &mut out)?;
                self.zstd.lock().unwrap_or_else(PoisonError::into_inner).push(context);
            }
        }
        Ok(out)
    }
}

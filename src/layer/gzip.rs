//! One gzip member out of chunks that are each deflated alone.
//!
//! Source: RFC 1952 (the member), RFC 1951 (the blocks). A chunk ends in an empty stored block (zlib's sync flush), hence on a
//! byte's border and not in the last block, so that chunks of one member can stand one behind the other and be used again.

use super::{Codec, Error};
use flate2::{Compress, Compression, FlushCompress, Status};

/// The member's header: deflate, no flags, no time, no extra flags, unknown operating system.
pub(super) const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Level 6 of zlib-rs 0.6.8.
const LEVEL: u32 = 6;

/// The last block, empty and with fixed codes, then the check sum and the size modulo 2³² of all that was deflated.
pub(super) fn tail(crc32: u32, size: u64) -> [u8; 10] {
    let mut tail = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    tail[2..6].copy_from_slice(&crc32.to_le_bytes());
    tail[6..].copy_from_slice(&((size & 0xffff_ffff) as u32).to_le_bytes());
    tail
}

/// The most bytes that a chunk of that size becomes: stored blocks of at least 16 KiB with 5 bytes each, the flush, and to spare.
pub(super) const fn bound(size: usize) -> usize {
    size + (size >> 10) + 128
}

/// Deflates a chunk in one call, with a new compressor, into the empty `out`.
///
/// zlib-rs's blocks depend on how the input and the space for the output come, so both come whole.
pub(super) fn compress(chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.reserve_exact(bound(chunk.len()));
    let mut compressor = Compress::new(Compression::new(LEVEL), false);
    let status = compressor.compress_vec(chunk, out, FlushCompress::Sync);
    let whole = compressor.total_in() == chunk.len() as u64 && out.len() < out.capacity();
    match status {
        Ok(Status::Ok) if whole && out.ends_with(&[0, 0, 0xff, 0xff]) => Ok(()),
        Ok(_) => Err(Error::Compress { codec: Codec::Gzip, reason: "the compressor did not finish in one call" }),
        Err(_) => Err(Error::Compress { codec: Codec::Gzip, reason: "the compressor failed" }),
    }
}

//! zstd frames with every parameter fixed.
//!
//! Source: RFC 8878; the parameters are explained in libzstd's `zstd.h`, `ZSTD_cParameter`.

use super::{Codec, Error};
use zstd_safe::{CCtx, CParameter, Strategy};

/// The only libzstd that makes format 1: 1.5.7. Another version may choose other bytes for the same parameters.
const VERSION: u32 = 10_507;

/// Fails if another libzstd was linked: the build of `zstd-sys` can be told to take the system's.
pub(super) fn check() -> Result<(), Error> {
    let found = zstd_safe::version_number();
    if found == VERSION { Ok(()) } else { Err(Error::Library { expected: VERSION, found }) }
}

/// The most bytes that a chunk of that size becomes.
pub(super) fn bound(size: usize) -> usize {
    zstd_safe::compress_bound(size)
}

/// A compression context; frames do not depend on what it compressed before.
pub(super) struct Context(CCtx<'static>);

impl Context {
    pub(super) fn new() -> Result<Self, Error> {
        let mut context =
            CCtx::try_create().ok_or(Error::Compress { codec: Codec::Zstd, reason: "no memory for a context" })?;
        // All that level 3 means for inputs of more than 256 KiB, spelled out, so that a chunk's size does not choose.
        for parameter in [
            CParameter::CompressionLevel(3),
            CParameter::WindowLog(21),
            CParameter::ChainLog(16),
            CParameter::HashLog(17),
            CParameter::SearchLog(1),
            CParameter::MinMatch(5),
            CParameter::TargetLength(0),
            CParameter::Strategy(Strategy::ZSTD_dfast),
            CParameter::EnableLongDistanceMatching(false),
            CParameter::ContentSizeFlag(true),
            // The blob's digest is the check sum.
            CParameter::ChecksumFlag(false),
            CParameter::DictIdFlag(false),
            CParameter::NbWorkers(0),
        ] {
            context.set_parameter(parameter).map_err(failed)?;
        }
        Ok(Self(context))
    }

    /// Makes one frame, in one call, into the empty `out`.
    pub(super) fn compress(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        out.reserve(bound(chunk.len()));
        self.0.compress2(out, chunk).map(|_| ()).map_err(failed)
    }
}

fn failed(code: zstd_safe::ErrorCode) -> Error {
    Error::Compress { codec: Codec::Zstd, reason: zstd_safe::get_error_name(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_the_one_that_format_1_is_made_with() {
        check().unwrap();
    }

    #[test]
    fn a_used_context_makes_the_bytes_of_a_new_one() {
        let mut used = Context::new().unwrap();
        let mut state = 1_u64;
        for round in 0..40_usize {
            let size = (round * 7_919) % 90_000;
            let text: Vec<u8> = (0..size)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    b"abcdefgh"[(state >> 61) as usize]
                })
                .collect();
            let (mut a, mut b) = (Vec::new(), Vec::new());
            used.compress(&text, &mut a).unwrap();
            Context::new().unwrap().compress(&text, &mut b).unwrap();
            assert!(a == b, "round {round}");
        }
    }
}

//! Packing: the same bytes whoever compresses, and nothing that rotted is used again.

#![expect(clippy::cast_possible_truncation, reason = "what a test packs is small")]

use super::*;
use crate::digest::Digest;
use crate::layer::arbitrary::noise;
use std::io::Cursor;

const SIZES: [usize; 9] = [0, 1, 512, CHUNK - 1, CHUNK, CHUNK + 1, 0, 3 * CHUNK + 7, 100_000];

fn contents() -> Vec<Vec<u8>> {
    SIZES.iter().enumerate().map(|(at, &size)| noise(at as u64, size)).collect()
}

fn fresh(contents: &[Vec<u8>]) -> Vec<Part<'_>> {
    contents.iter().map(|content| Part::Fresh(Box::new(&content[..]), content.len() as u64)).collect()
}

fn packed<'a>(tar: &'a [u8], blob: &'a [u8], range: PackedRange) -> Part<'a> {
    let bytes = &blob[range.offset as usize..(range.offset + range.size) as usize];
    Part::Packed { tar: Box::new(tar), size: tar.len() as u64, packed: Box::new(bytes), range }
}

fn run<'a>(codec: Codec, parts: impl IntoIterator<Item = Part<'a>>) -> Result<(Packed, Vec<u8>), Error> {
    let mut blob = Vec::new();
    pack(codec, parts, &mut blob).map(|packed| (packed, blob))
}

fn unpacked(codec: Codec, blob: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    match codec {
        Codec::Zstd => ::zstd::Decoder::new(blob).unwrap().read_to_end(&mut tar).unwrap(),
        Codec::Gzip => {
            let mut rest = Cursor::new(blob);
            let read = flate2::bufread::GzDecoder::new(&mut rest).read_to_end(&mut tar).unwrap();
            assert_eq!(rest.position(), blob.len() as u64, "one member and nothing behind it");
            read
        }
    };
    tar
}

#[test]
fn a_blob_holds_its_tar_and_is_named_rightly() {
    let contents = contents();
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (packed, blob) = run(codec, fresh(&contents)).unwrap();
        let tar = unpacked(codec, &blob);
        assert!(tar == [&contents.concat()[..], &END].concat());
        assert_eq!(packed.diff_id, DiffId(Digest::of(&tar)));
        assert_eq!(packed.tar_size, tar.len() as u64);
        assert_eq!(packed.blob, Blob::of(&blob));
        assert_eq!(packed.ranges.len(), contents.len());
        let mut next = codec.head().len() as u64;
        for (range, content) in packed.ranges.iter().zip(&contents) {
            assert_eq!(range.offset, next);
            next += range.size;
            assert_eq!(range.crc32, crc32fast::hash(content));
            assert_eq!(range.packed_crc32, crc32fast::hash(&blob[range.offset as usize..next as usize]));
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let contents = contents();
    for codec in [Codec::Zstd, Codec::Gzip] {
        let outside = run(codec, fresh(&contents)).unwrap();
        for threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| run(codec, fresh(&contents))).unwrap() == outside, "{codec} on {threads}");
        }
    }
}

#[test]
fn layers_packed_at_the_same_time_in_a_full_pool_finish() {
    let contents = contents();
    let expected = run(Codec::Zstd, fresh(&contents)).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|_| assert!(run(Codec::Zstd, fresh(&contents)).unwrap() == expected));
        }
    });
}

#[test]
fn packed_parts_give_the_blob_that_fresh_ones_give() {
    let contents = contents();
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (all, blob) = run(codec, fresh(&contents)).unwrap();
        for mask in [0b1_1111_1111_u32, 0b1_0101_0101, 0b0_1010_1010, 0b0_1000_0000] {
            let mixed = fresh(&contents).into_iter().enumerate().map(|(at, part)| {
                if mask & (1 << at) == 0 { part } else { packed(&contents[at], &blob, all.ranges[at]) }
            });
            let again = run(codec, mixed).unwrap();
            assert!(again == (all.clone(), blob.clone()), "{codec} {mask:b}");
        }
    }
}

#[test]
fn what_rotted_is_noticed() {
    let content = noise(1, CHUNK + 999);
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (all, blob) = run(codec, fresh(std::slice::from_ref(&content))).unwrap();
        let range = all.ranges[0];
        assert!(run(codec, [packed(&content, &blob, range)]).is_ok());

        let mut rotten = blob.clone();
        rotten[range.offset as usize + 1000] ^= 1;
        assert!(matches!(run(codec, [packed(&content, &rotten, range)]), Err(Error::PartPacked { part: 0, .. })));
        let mut tar = content.clone();
        tar[7] ^= 1;
        assert!(matches!(run(codec, [packed(&tar, &blob, range)]), Err(Error::PartTar { part: 0, .. })));

        let short = Part::Packed {
            tar: Box::new(&content[..]),
            size: content.len() as u64,
            packed: Box::new(&blob[range.offset as usize..][..range.size as usize - 1]),
            range,
        };
        assert!(matches!(run(codec, [short]), Err(Error::PartSize { longer: false, .. })));
        for (claimed, too_long) in [(content.len() + 1, false), (content.len() - 1, true)] {
            let wrong = Part::Fresh(Box::new(&content[..]), claimed as u64);
            assert!(matches!(run(codec, [wrong]), Err(Error::PartSize { longer, .. }) if longer == too_long));
        }
    }
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_and_a_bad_source_end_it() {
    let contents = contents();
    for room in [0, 9, 10, 100_000, 4_000_000] {
        let error = pack(Codec::Gzip, fresh(&contents), &mut Full(room)).unwrap_err();
        assert!(matches!(error, Error::Write { what: "layer", .. }), "{error}");
    }
    let broken = Part::Fresh(Box::new((&[0; 512][..]).chain(Broken)), CHUNK as u64);
    assert!(matches!(run(Codec::Zstd, [broken]), Err(Error::Part { part: 0, what: "tar", .. })));
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

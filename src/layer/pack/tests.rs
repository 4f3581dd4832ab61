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

/// How far apart marks are.
const EVERY: u64 = 512;

fn run<'a>(codec: Codec, parts: impl IntoIterator<Item = Part<'a>>) -> Result<(Packed, Vec<u8>), Error> {
    run_from(codec, Threads::Pool, None, parts)
}

fn run_from<'a>(
    codec: Codec,
    threads: Threads,
    from: Option<&Mark>,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<(Packed, Vec<u8>), Error> {
    let mut blob = Vec::new();
    pack(codec, threads, from, EVERY, parts, &mut blob).map(|packed| (packed, blob))
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
        assert!(run_from(codec, Threads::Caller, None, fresh(&contents)).unwrap() == outside, "{codec} alone");
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

fn hashed<'a>(tar: &[u8], blob: &'a [u8], range: PackedRange) -> Part<'a> {
    match packed(&[], blob, range) {
        Part::Packed { packed, range, .. } => Part::Hashed { size: tar.len() as u64, packed, range },
        other => other,
    }
}

#[test]
fn a_layer_goes_on_from_any_mark() {
    let contents = contents();
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (all, blob) = run(codec, fresh(&contents)).unwrap();
        // Before each part with bytes that stands behind enough of them, and before the end.
        assert_eq!(all.marks.iter().map(|mark| mark.parts).collect::<Vec<_>>(), [3, 4, 5, 7, 8, 9]);
        for (number, mark) in all.marks.iter().enumerate() {
            for again in [false, true] {
                let parts = fresh(&contents).into_iter().enumerate().map(|(at, part)| match (at < mark.parts, again) {
                    (true, _) => hashed(&contents[at], &blob, all.ranges[at]),
                    (false, true) => packed(&contents[at], &blob, all.ranges[at]),
                    (false, false) => part,
                });
                let (packed, found) = run_from(codec, Threads::Pool, Some(mark), parts).unwrap();
                assert!(found == blob, "{codec} {number}");
                assert_eq!((packed.diff_id, packed.blob, packed.tar_size), (all.diff_id, all.blob, all.tar_size));
                assert_eq!((&packed.ranges, &packed.marks[..]), (&all.ranges, &all.marks[number + 1..]));
            }
        }
    }
}

/// A part without bytes may stand where the hashed ones end.
#[test]
fn a_layer_goes_on_with_an_empty_part() {
    let contents = contents();
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (all, blob) = run(codec, fresh(&contents)).unwrap();
        let mark = &all.marks[2];
        let mut other = contents[..mark.parts].to_vec();
        other.extend([vec![], vec![], vec![7; 5000]]);
        let expected = run(codec, fresh(&other)).unwrap();
        let parts = |mark: &Mark| {
            let (count, ranges, blob, contents) = (mark.parts, &all.ranges, &blob, &contents);
            fresh(&other)
                .into_iter()
                .enumerate()
                .map(move |(at, part)| if at < count { hashed(&contents[at], blob, ranges[at]) } else { part })
                .collect::<Vec<_>>()
        };
        let (found, bytes) = run_from(codec, Threads::Pool, Some(mark), parts(mark)).unwrap();
        assert_eq!((found.diff_id, found.blob), (expected.0.diff_id, expected.0.blob));
        assert!(bytes == expected.1);
        let longer = Mark { blob_size: mark.blob_size + 20, ..mark.clone() };
        assert!(matches!(run_from(codec, Threads::Pool, Some(&longer), parts(mark)), Err(Error::Mark)));
    }
}

#[test]
fn a_mark_that_the_parts_do_not_lead_to_is_refused() {
    let contents = contents();
    let (all, blob) = run(Codec::Zstd, fresh(&contents)).unwrap();
    let mark = &all.marks[2];
    let parts = |count: usize| {
        let (contents, ranges, blob) = (&contents, &all.ranges, &blob);
        fresh(contents)
            .into_iter()
            .enumerate()
            .map(move |(at, part)| if at < count { hashed(&contents[at], blob, ranges[at]) } else { part })
    };
    let refused = |mark: &Mark, count, given| {
        let result = run_from(Codec::Zstd, Threads::Pool, Some(mark), parts(count).take(given));
        assert!(matches!(result, Err(Error::Mark)), "{count} {given}");
    };
    assert!(run_from(Codec::Zstd, Threads::Pool, Some(mark), parts(mark.parts)).is_ok());
    assert!(matches!(run(Codec::Zstd, parts(1)), Err(Error::Mark)));
    refused(mark, mark.parts - 1, 9);
    refused(mark, mark.parts + 1, 9);
    refused(mark, mark.parts, mark.parts - 1);
    refused(&Mark { tar_size: mark.tar_size + 512, ..mark.clone() }, mark.parts, 9);
    refused(&Mark { blob_size: mark.blob_size - 1, ..mark.clone() }, mark.parts, 9);
    refused(&Mark { blob_size: mark.blob_size + 1, ..mark.clone() }, mark.parts, 9);
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
        let error = pack(Codec::Gzip, Threads::Pool, None, EVERY, fresh(&contents), &mut Full(room)).unwrap_err();
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

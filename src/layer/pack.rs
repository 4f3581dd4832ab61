//! Turns the parts of a layer into one compressed blob, on all cores, and names its tar and itself on the way.

use super::chunk::{CHUNK, Codec, Encoder, PIECE, Threads};
use super::job::Job;
use super::lane::Lane;
use super::sink::ended;
use super::{END, Error};
use crate::digest::{DiffId, HashState, Hasher};
use crate::oci::Blob;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// How many parts may wait at least, where few threads mean that few chunks may: each that is copied holds a file open.
const WAITING: usize = 8;

/// A fragment of a layer, in the order of its tar.
pub enum Part<'a> {
    /// A fragment that is to be compressed, and its size in bytes.
    Fresh(Box<dyn Read + Send + 'a>, u64),
    /// A fragment that was compressed before with the same codec.
    Packed {
        /// Its tar, which is hashed only.
        tar: Box<dyn Read + Send + 'a>,
        /// The size of its tar in bytes.
        size: u64,
        /// The compressed bytes, which are copied.
        packed: Box<dyn Read + Send + 'a>,
        /// What [`pack`] said of it then.
        range: PackedRange,
    },
    /// A fragment that was compressed before, and with all before it hashed too: what stands before a [`Mark`].
    Hashed {
        /// The size of its tar in bytes.
        size: u64,
        /// The compressed bytes, which are copied.
        packed: Box<dyn Read + Send + 'a>,
        /// What [`pack`] said of it then.
        range: PackedRange,
    },
}

/// A place between two parts, and what a layer's hashes are there: a layer with the same parts before it goes on from it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// How many parts stand before it.
    pub parts: usize,
    /// Where it is in the tar, in bytes.
    pub tar_size: u64,
    /// Where it is in the blob, in bytes.
    pub blob_size: u64,
    /// The hash of the tar before it.
    pub tar: HashState,
    /// The hash of the blob before it.
    pub blob: HashState,
}

/// Where a part lies in a blob, and how to know that it is still what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PackedRange {
    /// Where it begins in the blob, in bytes.
    pub offset: u64,
    /// How many bytes it has there.
    pub size: u64,
    /// The CRC-32 of its tar.
    pub crc32: u32,
    /// The CRC-32 of its bytes in the blob.
    pub packed_crc32: u32,
}

/// A layer that was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Packed {
    /// The name of the tar.
    pub diff_id: DiffId,
    /// The name and size of the blob.
    pub blob: Blob,
    /// The size of the tar in bytes, with its end.
    pub tar_size: u64,
    /// One range a part that was given; the tar's end belongs to none.
    pub ranges: Vec<PackedRange>,
    /// Places to go on from, in order.
    pub marks: Vec<Mark>,
}

/// Writes a layer: the parts one behind the other, and the end of the tar, compressed.
///
/// Chunks are compressed on the calling thread and, if it may help, on the current rayon pool. The bytes depend on the parts' bytes
/// and borders and on the codec, not on threads, nor on which parts were packed before. Memory holds two chunks a thread, at most 32, before
/// and after compression, and a few more to be hashed. After an error what was written is no blob.
///
/// With a mark, what stands before it is [`Part::Hashed`], all of it and nothing else. A mark is made before the first part behind
/// each `every` bytes of the tar.
pub fn pack<'a>(
    codec: Codec,
    threads: Threads,
    from: Option<&Mark>,
    every: u64,
    parts: impl IntoIterator<Item = Part<'a>>,
    out: &mut dyn Write,
) -> Result<Packed, Error> {
    let mut packer = Packer::new(Encoder::new(codec, threads)?, from, every, out)?;
    packer.write(&Arc::new(codec.head().to_vec()))?;
    for part in parts {
        packer.part(part)?;
    }
    let given = packer.ranges.len();
    packer.part(Part::Fresh(Box::new(&END[..]), END.len() as u64))?;
    packer.finish(given)
}

struct Packer<'a, 'o> {
    encoder: Arc<Encoder>,
    /// Work whose bytes are not in the blob yet, in order.
    window: Window<'a>,
    window_limit: usize,
    ranges: Vec<Range>,
    /// Hashes the tar.
    tar: Arc<Lane>,
    tar_size: u64,
    /// Hashes the blob.
    blob: Arc<Lane>,
    blob_size: u64,
    /// What is hashed already, if anything.
    from: Option<&'o Mark>,
    /// Whether the blob has come to what is not hashed yet.
    passed: bool,
    /// The places of new marks, in order; the blob comes to them later than the tar.
    places: Vec<Place>,
    /// At how many of them the blob was.
    blob_marks: usize,
    every: u64,
    out: &'o mut dyn Write,
}

/// A [`Mark`] in the making.
struct Place {
    parts: usize,
    tar_size: u64,
    blob_size: u64,
}

/// Cancels what nobody has begun when a layer fails.
#[derive(Default)]
struct Window<'a>(VecDeque<Pending<'a>>);

impl Drop for Window<'_> {
    fn drop(&mut self) {
        for pending in &self.0 {
            if let Work::Chunk(job) = &pending.work {
                job.cancel();
            }
        }
    }
}

/// Something that stands in the blob at its turn.
struct Pending<'a> {
    part: usize,
    work: Work<'a>,
}

enum Work<'a> {
    Chunk(Arc<Job>),
    Copy(Box<dyn Read + Send + 'a>, PackedRange),
}

/// A [`PackedRange`] in the making.
#[derive(Default)]
struct Range {
    /// Set when the first of its bytes is written.
    offset: Option<u64>,
    size: u64,
    crc32: crc32fast::Hasher,
    packed_crc32: crc32fast::Hasher,
}

impl Part<'_> {
    /// The size of its tar in bytes.
    fn size(&self) -> u64 {
        match self {
            Self::Fresh(_, size) | Self::Packed { size, .. } | Self::Hashed { size, .. } => *size,
        }
    }
}

impl<'a, 'o> Packer<'a, 'o> {
    fn new(encoder: Encoder, from: Option<&'o Mark>, every: u64, out: &'o mut dyn Write) -> Result<Self, Error> {
        let encoder = Arc::new(encoder);
        let resume = |state: &HashState| Hasher::resume(state).ok_or(Error::Mark);
        let (tar, blob) = match from {
            Some(mark) => (resume(&mark.tar)?, resume(&mark.blob)?),
            None => (Hasher::new(), Hasher::new()),
        };
        Ok(Self {
            window: Window::default(),
            window_limit: (2 * encoder.threads()).clamp(4, 32),
            ranges: Vec::new(),
            tar: Lane::new(&encoder, tar),
            tar_size: 0,
            blob: Lane::new(&encoder, blob),
            blob_size: 0,
            from,
            passed: false,
            places: Vec::new(),
            blob_marks: 0,
            every: every.max(1),
            out,
            encoder,
        })
    }

    /// Takes in a part: hashes its tar now; its blob bytes follow when it is their turn.
    fn part(&mut self, part: Part<'a>) -> Result<(), Error> {
        let at = self.ranges.len();
        self.ranges.push(Range::default());
        let before = self.from.map_or(0, |mark| mark.parts);
        if matches!(part, Part::Hashed { .. }) != (at < before)
            || self.from.is_some_and(|mark| at == before && self.tar_size != mark.tar_size)
        {
            return Err(Error::Mark);
        }
        if at > before && part.size() > 0 {
            self.mark(at);
        }
        match part {
            Part::Fresh(mut tar, size) => {
                let mut left = size;
                while left > 0 {
                    let chunk = self.take_in(at, &mut *tar, size, left, CHUNK)?;
                    left -= chunk.len() as u64;
                    let job = Job::start(chunk, &self.encoder);
                    self.push(at, Work::Chunk(job))?;
                }
                expect_end(at, "tar", &mut *tar, size)
            }
            Part::Packed { mut tar, size, packed, range } => {
                let mut left = size;
                let mut crc32 = crc32fast::Hasher::new();
                while left > 0 {
                    let piece = self.take_in(at, &mut *tar, size, left, PIECE)?;
                    left -= piece.len() as u64;
                    crc32.update(&piece);
                    self.encoder.release(piece);
                }
                expect_end(at, "tar", &mut *tar, size)?;
                let found = crc32.clone().finalize();
                if found != range.crc32 {
                    return Err(Error::PartTar { part: at, expected: range.crc32, found });
                }
                self.ranges[at].crc32 = crc32;
                self.push(at, Work::Copy(packed, range))
            }
            Part::Hashed { size, packed, range } => {
                self.tar_size += size;
                self.ranges[at].crc32 = crc32fast::Hasher::new_with_initial_len(range.crc32, size);
                self.push(at, Work::Copy(packed, range))
            }
        }
    }

    /// Marks the place before a part if it is the first behind some more bytes.
    fn mark(&mut self, part: usize) {
        let last = self.places.last().map(|place| place.tar_size).or(self.from.map(|mark| mark.tar_size)).unwrap_or(0);
        if self.tar_size / self.every > last / self.every {
            self.tar.mark();
            self.places.push(Place { parts: part, tar_size: self.tar_size, blob_size: 0 });
        }
    }

    /// Reads the next bytes of a part of `size` bytes of which `left` are left, at most so many, and adds them to the tar.
    fn take_in(
        &mut self,
        part: usize,
        tar: &mut dyn Read,
        size: u64,
        left: u64,
        most: usize,
    ) -> Result<Arc<Vec<u8>>, Error> {
        let bytes = Arc::new(self.read(part, "tar", tar, size, left, most)?);
        self.tar.put(&bytes);
        self.tar_size += bytes.len() as u64;
        Ok(bytes)
    }

    /// Reads the next bytes of something of `size` bytes of which `left` are left, at most so many.
    fn read(
        &self,
        part: usize,
        what: &'static str,
        reader: &mut dyn Read,
        size: u64,
        left: u64,
        most: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = self.encoder.buffer();
        bytes.resize(usize::try_from(left).map_or(most, |left| left.min(most)), 0);
        match reader.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Error::PartSize { part, what, expected: size, longer: false })
            }
            Err(source) => Err(Error::Part { part, what, source }),
        }
    }

    fn push(&mut self, part: usize, work: Work<'a>) -> Result<(), Error> {
        self.window.0.push_back(Pending { part, work });
        // What is only copied waits without memory, so that what has to be compressed is begun the sooner.
        let chunks = |window: &Window<'_>| window.0.iter().filter(|one| matches!(one.work, Work::Chunk(_))).count();
        while self.window.0.len() >= self.window_limit.max(WAITING) || chunks(&self.window) >= self.window_limit {
            self.step()?;
        }
        Ok(())
    }

    /// Writes the oldest work of the window into the blob; false if there is none.
    fn step(&mut self) -> Result<bool, Error> {
        let Some(Pending { part, work }) = self.window.0.pop_front() else { return Ok(false) };
        match work {
            Work::Chunk(job) => {
                let compressed = job.finish(&self.encoder)?;
                self.append(part, compressed.bytes)?;
                let crc32 = crc32fast::Hasher::new_with_initial_len(compressed.crc32, compressed.chunk_size);
                self.ranges[part].crc32.combine(&crc32);
            }
            Work::Copy(packed, range) => self.copy(part, packed, &range)?,
        }
        Ok(true)
    }

    /// Copies bytes that were packed before, if they are still what they were.
    fn copy(&mut self, part: usize, mut packed: Box<dyn Read + Send + 'a>, range: &PackedRange) -> Result<(), Error> {
        let mut left = range.size;
        while left > 0 {
            let buffer = self.read(part, "packed bytes", &mut *packed, range.size, left, PIECE)?;
            left -= buffer.len() as u64;
            self.append(part, buffer)?;
        }
        expect_end(part, "packed bytes", &mut *packed, range.size)?;
        // What is damaged stands in the blob by now, which is therefore never finished.
        match self.ranges[part].packed_crc32.clone().finalize() {
            found if found == range.packed_crc32 => Ok(()),
            found => Err(Error::PartPacked { part, expected: range.packed_crc32, found }),
        }
    }

    /// Writes bytes of a part.
    fn append(&mut self, part: usize, bytes: Vec<u8>) -> Result<(), Error> {
        if self.ranges[part].offset.is_none() {
            self.reach(part)?;
        }
        let range = &mut self.ranges[part];
        range.offset.get_or_insert(self.blob_size);
        range.size += bytes.len() as u64;
        range.packed_crc32.update(&bytes);
        let bytes = Arc::new(bytes);
        self.write(&bytes)?;
        self.encoder.release(bytes);
        Ok(())
    }

    /// Begins a part in the blob.
    fn reach(&mut self, part: usize) -> Result<(), Error> {
        if let Some(mark) = self.from.filter(|mark| part >= mark.parts && !self.passed) {
            self.passed = true;
            if self.blob_size != mark.blob_size {
                return Err(Error::Mark);
            }
        }
        if let Some(place) = self.places.get_mut(self.blob_marks).filter(|place| place.parts == part) {
            place.blob_size = self.blob_size;
            self.blob.mark();
            self.blob_marks += 1;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &Arc<Vec<u8>>) -> Result<(), Error> {
        if self.from.is_none_or(|mark| self.blob_size >= mark.blob_size) {
            self.blob.put(bytes);
        }
        self.blob_size += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|source| Error::Write { what: "layer", source })
    }

    /// Writes what is left and names what was written; of the parts the first `given` were.
    fn finish(mut self, given: usize) -> Result<Packed, Error> {
        while self.step()? {}
        let mut crc32 = crc32fast::Hasher::new();
        for range in &self.ranges {
            crc32.combine(&range.crc32);
        }
        self.write(&Arc::new(self.encoder.codec().tail(crc32.finalize(), self.tar_size)))?;
        self.out.flush().map_err(|source| Error::Write { what: "layer", source })?;

        let mut next = self.encoder.codec().head().len() as u64;
        let mut ranges = Vec::with_capacity(given);
        for range in self.ranges.into_iter().take(given) {
            // A part without bytes lies where the one before it ends.
            let offset = range.offset.unwrap_or(next);
            next = offset + range.size;
            let (crc32, packed_crc32) = (range.crc32.finalize(), range.packed_crc32.finalize());
            ranges.push(PackedRange { offset, size: range.size, crc32, packed_crc32 });
        }
        let ((tar, tar_marks), (blob, blob_marks)) = (self.tar.finish(), self.blob.finish());
        let states = tar_marks.into_iter().zip(blob_marks);
        let mark = |(place, (tar, blob)): (&Place, _)| Mark {
            parts: place.parts,
            tar_size: place.tar_size,
            blob_size: place.blob_size,
            tar,
            blob,
        };
        Ok(Packed {
            diff_id: DiffId(tar),
            blob: Blob { digest: blob, size: self.blob_size },
            tar_size: self.tar_size,
            ranges,
            marks: self.places.iter().zip(states).map(mark).collect(),
        })
    }
}

/// Fails unless a reader of a part has come to its end.
fn expect_end(part: usize, what: &'static str, reader: &mut dyn Read, expected: u64) -> Result<(), Error> {
    match ended(reader) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::PartSize { part, what, expected, longer: true }),
        Err(source) => Err(Error::Part { part, what, source }),
    }
}

#[cfg(test)]
mod tests;

//! Reads pieces of a seekable file that mostly lie one behind the other.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

/// Bytes read at a time.
const BUFFER: usize = 256 << 10;

/// A buffered reader that keeps its buffer over short ways forward or back.
pub(super) struct Spans<R> {
    reader: BufReader<R>,
    /// Where the reader is; `None` until it is first told.
    at: Option<u64>,
}

impl<R: Read + Seek> Spans<R> {
    /// Wraps a file, wherever it is.
    pub(super) fn new(file: R) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER, file), at: None }
    }

    /// Goes to a place and reads from there, at most `size` bytes.
    pub(super) fn span(&mut self, offset: u64, size: u64) -> io::Result<Take<&mut Self>> {
        match self.at.take() {
            // Both are below 2⁶³: no file is longer.
            Some(at) => self.reader.seek_relative(offset.cast_signed() - at.cast_signed())?,
            None => {
                self.reader.seek(SeekFrom::Start(offset))?;
            }
        }
        self.at = Some(offset);
        Ok(self.take(size))
    }
}

impl<R: Read> Read for Spans<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.at = self.at.map(|at| at + count as u64);
        Ok(count)
    }
}

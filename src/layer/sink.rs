//! A writer with one large buffer, which contents are read straight into.

use super::Error;
use crate::oci::TreePath;
use std::io::{self, Read, Write};

/// Bytes that go to the writer at a time.
const BUFFER: usize = 256 << 10;

/// A buffered writer that files' contents are copied into without passing through another buffer.
pub(super) struct Sink<W> {
    out: W,
    buffer: Box<[u8]>,
    filled: usize,
    what: &'static str,
}

impl<W: Write> Sink<W> {
    /// Wraps a writer; `what` is being written, for messages.
    pub(super) fn new(out: W, what: &'static str) -> Self {
        Self { out, buffer: vec![0; BUFFER].into(), filled: 0, what }
    }

    /// Appends bytes.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let space = self.space()?;
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Appends zero bytes.
    pub(super) fn pad(&mut self, mut zeros: u64) -> Result<(), Error> {
        while zeros > 0 {
            let space = self.space()?;
            let count = usize::try_from(zeros).map_or(space.len(), |zeros| zeros.min(space.len()));
            space[..count].fill(0);
            self.filled += count;
            zeros -= count as u64;
        }
        Ok(())
    }

    /// Appends the content of the file at `path`: exactly `size` bytes, or an error.
    pub(super) fn copy(&mut self, path: &TreePath, content: &mut dyn Read, size: u64) -> Result<(), Error> {
        let mut left = size;
        while left > 0 {
            let space = self.space()?;
            let wanted = usize::try_from(left).map_or(space.len(), |left| left.min(space.len()));
            match content.read(&mut space[..wanted]) {
                Ok(0) => return Err(Error::Length { path: path.clone(), expected: size, longer: false }),
                Ok(count) => {
                    self.filled += count;
                    left -= count as u64;
                }
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Content { path: path.clone(), source }),
            }
        }
        expect_end(path, content, size)
    }

    /// Writes what is in the buffer and gives back the writer.
    pub(super) fn finish(mut self) -> Result<W, Error> {
        self.drain()?;
        self.out.flush().map_err(|source| Error::Write { what: self.what, source })?;
        Ok(self.out)
    }

    /// The free part of the buffer, at least one byte.
    fn space(&mut self) -> Result<&mut [u8], Error> {
        if self.filled == self.buffer.len() {
            self.drain()?;
        }
        Ok(&mut self.buffer[self.filled..])
    }

    fn drain(&mut self) -> Result<(), Error> {
        let filled = std::mem::take(&mut self.filled);
        self.out.write_all(&self.buffer[..filled]).map_err(|source| Error::Write { what: self.what, source })
    }
}

/// Fails unless the content of the file at `path` has come to its end after `size` bytes.
pub(super) fn expect_end(path: &TreePath, content: &mut dyn Read, size: u64) -> Result<(), Error> {
    match ended(content) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Length { path: path.clone(), expected: size, longer: true }),
        Err(source) => Err(Error::Content { path: path.clone(), source }),
    }
}

/// Whether a reader has come to its end; takes a byte if not.
pub(super) fn ended(reader: &mut dyn Read) -> io::Result<bool> {
    loop {
        match reader.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map(|count| count == 0),
        }
    }
}

//! Writes fragments: runs of tar records in byte order, without an end.

use super::header::{self, BLOCK};
use super::index::Growing;
use super::sink::Sink;
use super::{CONSTANT_MTIME, Entry, Error, Index};
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// The end of a tar archive: two blocks of zeros behind the last fragment.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Writes a fragment of files, links, devices and pipes.
///
/// Holds in memory one buffer of 256 KiB and the index. The writer need not be buffered.
pub struct FragmentWriter<W: Write> {
    sink: Sink<W>,
    growing: Growing,
}

impl<W: Write> FragmentWriter<W> {
    /// Begins a fragment.
    pub fn new(out: W) -> Self {
        Self { sink: Sink::new(out, "fragment"), growing: Growing::default() }
    }

    /// Adds an entry and, if it is a file, its content.
    ///
    /// Refuses directories, an entry that does not stand behind all others in byte order, one below something that is no
    /// directory, a hard link to anything but a file before it, and a content of another length than the entry says. After an
    /// error what was written is no fragment.
    pub fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), Error> {
        self.sink.put(self.growing.admit(entry)?)?;
        let size = entry.size();
        if size > 0 {
            self.sink.copy(&entry.path, content, size)?;
            self.sink.pad((size.next_multiple_of(BLOCK as u64) - size) as usize)
        } else {
            super::sink::expect_end(&entry.path, content, 0)
        }
    }

    /// Ends the fragment and gives back the writer, flushed, and what was written.
    pub fn finish(self) -> Result<(W, Index), Error> {
        Ok((self.sink.finish()?, self.growing.finish()))
    }
}

/// Makes the first fragment of a layer: its directories in byte order, each with the constant mtime.
///
/// Of several directories with one path the last one given counts. Anything but a directory is refused.
pub fn directories<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Vec<u8>, Error> {
    let mut sorted = BTreeMap::new();
    for entry in entries {
        if !entry.is_directory() {
            return Err(Error::Mixed { path: entry.path.clone() });
        }
        sorted.insert(&entry.path, entry);
    }
    let mut out = Vec::with_capacity(sorted.len() * BLOCK);
    let mut header = Vec::new();
    for entry in sorted.into_values() {
        header::encode(&Entry { mtime: CONSTANT_MTIME, ..entry.clone() }, &mut header)?;
        out.extend_from_slice(&header);
    }
    Ok(out)
}

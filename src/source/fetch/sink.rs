//! Where the bytes of a download go: memory, or a file that outlives an interruption.

use crate::digest::Hasher;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What was downloaded so far, with its hash: always a beginning of the whole.
pub(super) struct Sink<T> {
    to: T,
    hasher: Hasher,
    size: u64,
}

/// Something that can begin again.
pub(super) trait Restart: Write {
    /// Forgets everything that was written.
    fn restart(&mut self) -> io::Result<()>;
}

impl Restart for Vec<u8> {
    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

impl Restart for File {
    fn restart(&mut self) -> io::Result<()> {
        self.set_len(0)?;
        self.seek(SeekFrom::Start(0)).map(drop)
    }
}

impl Sink<Vec<u8>> {
    /// Starts in memory.
    pub(super) fn memory() -> Self {
        Self { to: Vec::new(), hasher: Hasher::new(), size: 0 }
    }

    /// The bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.to
    }
}

impl Sink<File> {
    /// Opens a file, which may hold the beginning of the download, and hashes what it holds.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let mut to = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (mut hasher, mut size) = (Hasher::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match to.read(&mut buffer)? {
                0 => break,
                read => {
                    hasher.update(&buffer[..read]);
                    size += read as u64;
                }
            }
        }
        Ok(Self { to, hasher, size })
    }
}

impl<T: Restart> Sink<T> {
    /// How many bytes are there.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The hash of what is there.
    pub(super) fn hasher(&self) -> Hasher {
        self.hasher.clone()
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Forgets everything.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        (self.hasher, self.size) = (Hasher::new(), 0);
        self.to.restart()
    }
}

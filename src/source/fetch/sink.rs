//! Where the bytes of a download go: memory, or a file that outlives an interruption.

use crate::digest::Hasher;
use crate::disk;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What was downloaded so far, with its hash: always a beginning of the whole.
pub(super) struct Sink<T> {
    to: T,
    hasher: Hasher,
    size: u64,
}

/// Something that can begin again.
pub(super) trait Restart {
    /// Adds some bytes and says how many, as [`Write::write`] does.
    fn add(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Forgets everything that was written.
    fn restart(&mut self) -> io::Result<()>;
}

impl Restart for Vec<u8> {
    fn add(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

impl Restart for File {
    fn add(&mut self, bytes: &[u8]) -> io::Result<usize> {
        disk::write(self, bytes)
    }

    fn restart(&mut self) -> io::Result<()> {
        disk::truncate(self)?;
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
        let mut to = disk::open_or_create(path)?;
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
        let mut left = bytes;
        while !left.is_empty() {
            let written = self.to.add(left)?;
            // What is on the disk is what is hashed: a beginning that a full disk cut off is gone on from as it is.
            self.hasher.update(&left[..written]);
            self.size += written as u64;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            left = &left[written..];
        }
        Ok(())
    }

    /// Forgets everything.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        (self.hasher, self.size) = (Hasher::new(), 0);
        self.to.restart()
    }
}

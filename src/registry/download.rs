//! Reading a blob to its end: into memory, or into a file that outlives an interruption.

use super::Client;
use super::any_digest::AnyDigest;
use super::error::RegistryError;
use super::pull::BlobReader;
use super::reference::Repository;
use crate::disk;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

impl Client {
    /// Opens a blob, of at most so many bytes, at a mirror if it has it; `None`: there is none.
    pub fn blob_reader(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        limit: u64,
    ) -> Result<Option<BlobReader>, RegistryError> {
        self.anywhere(repository, |place| {
            let mut reader = BlobReader::new(self, place, *digest, limit);
            Ok(reader.open()?.then_some(reader))
        })
    }

    /// Reads a small blob into memory; `None`: there is none.
    pub fn blob(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.anywhere(repository, |place| {
            let mut reader = BlobReader::new(self, place, *digest, limit);
            if !reader.open()? {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(|error| whole(error, &reader.task))?;
            Ok(Some(bytes))
        })
    }

    /// Reads a blob of this size into a file, which may hold its beginning from an attempt that was interrupted, and which keeps
    /// what came in if this one fails. When it returns, the file is whole and verified; it is not synced to disk. That it begins and ends is the
    /// caller's to tell. `false`: there is
    /// no such blob.
    pub fn blob_to_file(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        size: u64,
        path: &Path,
    ) -> Result<bool, RegistryError> {
        let there = self.anywhere(repository, |place| {
            match self.blob_to_file_from(place, digest, size, path) {
                // A beginning from elsewhere may be wrong; this place gets a second chance from nothing.
                Err((RegistryError::Wrong { .. }, true)) => self.blob_to_file_from(place, digest, size, path),
                result => result,
            }
            .map_err(|(error, _)| error)
        })?;
        Ok(there.is_some())
    }

    /// As above, at one place; with an error, whether the file held a beginning.
    fn blob_to_file_from(
        &self,
        place: &Repository,
        digest: &AnyDigest,
        size: u64,
        path: &Path,
    ) -> Result<Option<()>, (RegistryError, bool)> {
        let mut reader = BlobReader::new(self, place, *digest, size);
        reader.size = Some(size);
        let task = reader.task.clone();
        let local = |source| RegistryError::Local { task: task.clone(), doing: "write", path: path.to_owned(), source };
        let mut file = take_beginning(&mut reader, path, size).map_err(|error| (local(error), false))?;
        let resumed = reader.offset > 0;
        let mut go = || -> Result<Option<()>, RegistryError> {
            if reader.offset < size && !reader.open()? {
                return Ok(None);
            }
            let mut buffer = vec![0; 1 << 17];
            loop {
                let read = reader.read(&mut buffer).map_err(|error| whole(error, &task))?;
                if read == 0 {
                    return Ok(Some(()));
                }
                let mut left = &buffer[..read];
                while !left.is_empty() {
                    let written = disk::write(&mut file, left).map_err(local)?;
                    left = &left[written..];
                }
            }
        };
        let result = go();
        if let Err(RegistryError::Wrong { .. }) = &result {
            disk::truncate(&file).map_err(|error| (local(error), resumed))?;
        }
        result.map_err(|error| (error, resumed))
    }
}

/// Hashes what a file holds of it and gives the file, to be written from there.
fn take_beginning(reader: &mut BlobReader, path: &Path, size: u64) -> io::Result<File> {
    let mut file = disk::open_or_create(path)?;
    if file.metadata()?.len() > size {
        disk::truncate(&file)?;
    }
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            file.seek(SeekFrom::Start(reader.offset))?;
            return Ok(file);
        }
        reader.add(&buffer[..read]);
    }
}

/// The error that a reader's error holds.
fn whole(error: io::Error, task: &str) -> RegistryError {
    let why = error.to_string();
    match error.downcast::<RegistryError>() {
        Ok(error) => error,
        Err(_) => RegistryError::Unreachable { task: task.to_owned(), why },
    }
}

//! Blobs: written whole or not at all, verified whenever they are read.

use super::clear::MODE;
use super::error::{Error, doing};
use super::{Damage, Store};
use crate::digest::{Digest, HashingWriter, Mismatch, VerifyingReader};
use crate::disk;
use crate::oci::Blob;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use tempfile::NamedTempFile;

/// What a reader of a blob is: it fails at the end unless the bytes are the blob's.
pub type BlobReader = VerifyingReader<File>;

/// A blob that is being written; dropped without [`BlobWriter::commit`], it leaves nothing behind.
pub struct BlobWriter<'a> {
    store: &'a Store,
    file: NamedTempFile,
}

impl Store {
    /// Where a blob stands, whether it is there or not.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir.join("blobs/sha256").join(digest.hex())
    }

    /// Whether a blob is there with its size; its bytes are checked when it is read.
    #[must_use]
    pub fn has(&self, blob: &Blob) -> bool {
        fs::metadata(self.blob_path(&blob.digest)).is_ok_and(|meta| meta.is_file() && meta.len() == blob.size)
    }

    /// Opens a blob for reading once, verified: the last read fails if the bytes are not the blob's.
    pub fn open_blob(&self, blob: &Blob) -> Result<BlobReader, Error> {
        Ok(VerifyingReader::new(self.open_file(&blob.digest)?, blob.digest, blob.size))
    }

    /// Opens a blob's file without verification, for whoever verifies by other means.
    pub fn open_file(&self, digest: &Digest) -> Result<File, Error> {
        let path = self.blob_path(digest);
        match File::open(&path) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Missing { digest: *digest }),
            Err(error) => Err(doing("open", &path)(error)),
        }
    }

    /// Reads a small blob whole, verified; one that is damaged is set aside, so that it can be made again.
    pub fn read(&self, blob: &Blob) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or(0).min(1 << 30));
        match self.open_blob(blob)?.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(self.damaged(&blob.digest, error)),
        }
    }

    /// Reads a blob through once, unless this process did or wrote it itself, so that parts of it can be used without more ado.
    pub fn ensure(&self, blob: &Blob) -> Result<(), Error> {
        if self.known().contains(&blob.digest) { Ok(()) } else { self.check(blob) }
    }

    /// As [`Store::ensure`], but by a CRC-32 that somebody remembers of the blob. Only if it does not fit, the digest decides.
    pub fn ensure_by_sum(&self, blob: &Blob, sum: impl FnOnce() -> Option<u32>) -> Result<(), Error> {
        if self.known().contains(&blob.digest) {
            return Ok(());
        }
        match sum() {
            Some(sum) if self.has(blob) && self.crc32(&blob.digest)? == sum => {
                self.known().insert(blob.digest);
                Ok(())
            }
            _ => self.check(blob),
        }
    }

    fn crc32(&self, digest: &Digest) -> Result<u32, Error> {
        let path = self.blob_path(digest);
        let mut file = self.open_file(digest)?;
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finalize()),
                Ok(read) => hasher.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(doing("read", &path)(error)),
            }
        }
    }

    /// Reads a blob through; one that is damaged is set aside.
    pub fn check(&self, blob: &Blob) -> Result<(), Error> {
        let mut reader = self.open_blob(blob)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(self.damaged(&blob.digest, error)),
            }
        }
        self.known().insert(blob.digest);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<Digest>> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// Turns a failed read of a blob into an error; if the bytes were wrong, sets the blob aside, so that it can be made again.
    pub fn damaged(&self, digest: &Digest, error: io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Mismatch>()) {
            Some(&source) => match self.discard(digest) {
                Ok(()) => Error::Damaged { digest: *digest, source },
                Err(stuck) => stuck,
            },
            None => doing("read", &self.blob_path(digest))(error),
        }
    }

    /// Removes a blob that was found damaged and remembers it for [`Store::take_damage`]. Where it cannot be removed, it cannot
    /// be made again either.
    pub fn discard(&self, digest: &Digest) -> Result<(), Error> {
        self.known().remove(digest);
        self.clear(&self.blob_path(digest))?;
        self.report_damage(Damage::Blob(*digest));
        Ok(())
    }

    /// Stores bytes that are in memory.
    pub fn put(&self, bytes: &[u8]) -> Result<Blob, Error> {
        let blob = Blob::of(bytes);
        if self.has(&blob) {
            return Ok(blob);
        }
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(doing("write", writer.file.path()))?;
        writer.commit(blob)?;
        Ok(blob)
    }

    /// Stores everything that a reader gives.
    pub fn put_from(&self, reader: &mut dyn Read) -> Result<Blob, Error> {
        let mut writer = HashingWriter::new(self.writer()?);
        io::copy(reader, &mut writer).map_err(doing("write a blob in", &self.dir))?;
        let (writer, digest, size) = writer.finish();
        writer.commit(Blob { digest, size })
    }

    /// Begins a blob whose digest is known at its end.
    pub fn writer(&self) -> Result<BlobWriter<'_>, Error> {
        Ok(BlobWriter { store: self, file: self.temporary()? })
    }

    /// Takes a file that was verified elsewhere, on the same file system, as a blob.
    pub fn adopt(&self, file: &std::path::Path, blob: Blob) -> Result<Blob, Error> {
        disk::set_mode(file, MODE).map_err(doing("set the permissions of", file))?;
        let path = self.blob_path(&blob.digest);
        if path.is_dir() {
            self.clear(&path)?;
        }
        disk::rename(file, &path).map_err(doing("put in place", &path))?;
        Ok(blob)
    }
}

impl BlobWriter<'_> {
    /// Puts the blob in place under its digest, which the caller computed from the very bytes that it wrote.
    pub fn commit(self, blob: Blob) -> Result<Blob, Error> {
        let store = self.store;
        let blob = self.commit_unhashed(blob)?;
        store.known().insert(blob.digest);
        Ok(blob)
    }

    /// Puts the blob in place under the digest that its bytes should have; whoever reads it in this process makes sure of it first.
    pub fn commit_unhashed(self, blob: Blob) -> Result<Blob, Error> {
        let path = self.store.blob_path(&blob.digest);
        self.store.put_in_place(self.file, &path)?;
        Ok(blob)
    }

    /// The file that is being written.
    #[must_use]
    pub fn file(&self) -> &File {
        self.file.as_file()
    }
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        disk::write(&mut self.file, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_there_only_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = Blob::of(b"whole");
        let mut writer = store.writer().unwrap();
        writer.write_all(b"who").unwrap();
        drop(writer);
        assert!(!store.has(&blob));
        assert_eq!(fs::read_dir(store.scratch()).unwrap().count(), 0);
        assert_eq!(store.put_from(&mut &b"whole"[..]).unwrap(), blob);
        assert!(store.has(&blob));
    }

    #[test]
    fn a_sum_saves_the_digest_and_never_speaks_against_it() {
        let dir = tempfile::tempdir().unwrap();
        let blob = Store::open(dir.path()).unwrap().put(b"bytes").unwrap();
        let sum = crc32fast::hash(b"bytes");
        for remembered in [Some(sum), Some(sum ^ 1), None] {
            Store::open(dir.path()).unwrap().ensure_by_sum(&blob, || remembered).unwrap();
        }
        let store = Store::open(dir.path()).unwrap();
        fs::write(store.blob_path(&blob.digest), b"bytEs").unwrap();
        assert!(matches!(store.ensure_by_sum(&blob, || Some(sum)), Err(Error::Damaged { .. })));
        assert!(!store.has(&blob), "it is set aside");
    }

    #[test]
    fn rot_is_noticed_named_and_healed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = store.put(b"bytes").unwrap();
        fs::write(store.blob_path(&blob.digest), b"bytEs").unwrap();
        assert!(matches!(store.read(&blob), Err(Error::Damaged { digest, .. }) if digest == blob.digest));
        assert!(matches!(&store.take_damage()[..], [Damage::Blob(digest)] if *digest == blob.digest));
        assert!(!store.has(&blob));
        store.put(b"bytes").unwrap();
        assert_eq!(store.read(&blob).unwrap(), b"bytes");
        assert!(matches!(store.read(&Blob::of(b"never")), Err(Error::Missing { .. })));
    }
}

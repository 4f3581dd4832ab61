//! Tars that leave the store: directories, then everything else in byte order, as format 1 has them.

use super::super::error::{Error, doing};
use super::place::NewFile;
use crate::digest::Mismatch;
use crate::layer::{self, END, Entry, FragmentWriter, directories};
use crate::oci::{Blob, TreePath};
use crate::store::Store;
use std::io::{Read, Write};
use std::path::PathBuf;

/// A tar that is written to a new file.
pub(super) struct Tarball {
    target: PathBuf,
    writer: FragmentWriter<NewFile>,
}

impl Tarball {
    /// Begins with all directories.
    pub(super) fn begin<'a>(mut file: NewFile, all: impl IntoIterator<Item = &'a Entry>) -> Result<Self, Error> {
        let target = file.target().to_owned();
        let bytes = directories(all).map_err(|source| Error::Tar { path: target.clone(), source })?;
        file.write_all(&bytes).map_err(doing("write", &target))?;
        Ok(Self { target, writer: FragmentWriter::new(file) })
    }

    /// Adds an entry, which must stand behind all others in byte order; `content` must have as many bytes as it says.
    pub(super) fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), Error> {
        self.writer.add(entry, content).map_err(|source| Error::Tar { path: self.target.clone(), source })
    }

    /// Adds a file that is in memory, under a name of our own.
    pub(super) fn add_bytes(&mut self, name: &str, mut content: &[u8]) -> Result<(), Error> {
        self.add(&file(name, content.len() as u64), &mut content)
    }

    /// Adds a blob of the store under a name of our own.
    pub(super) fn add_blob(&mut self, name: &str, store: &Store, blob: &Blob) -> Result<(), Error> {
        let result = self.add(&file(name, blob.size), &mut store.open_blob(blob)?);
        match result {
            Err(Error::Tar { source: layer::Error::Content { source, .. }, .. }) if rotten(&source) => {
                Err(store.damaged(&blob.digest, source).into())
            }
            result => result,
        }
    }

    /// Ends the tar and puts the file in place.
    pub(super) fn finish(self) -> Result<(), Error> {
        let (mut file, _) = self.writer.finish().map_err(|source| Error::Tar { path: self.target.clone(), source })?;
        file.write_all(&END).map_err(doing("write", &self.target))?;
        file.commit()
    }
}

/// A file under a name of our own.
pub(super) fn file(name: &str, size: u64) -> Entry {
    Entry::file(own(name), 0o644, size)
}

/// A directory under a name of our own.
pub(super) fn directory(name: &str) -> Entry {
    Entry::directory(own(name), 0o755)
}

fn own(name: &str) -> TreePath {
    TreePath::parse(name).expect("names of archives are made of words and digests")
}

fn rotten(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Mismatch>()).is_some()
}

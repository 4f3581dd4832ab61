//! Files that appear whole, and the way cleared for them: whatever stands at a name of the store that cannot be read goes.

use super::Store;
use super::error::{Error, doing};
use crate::disk;
use std::fs;
use std::io;
use std::path::Path;
use tempfile::NamedTempFile;

/// Everything in the store is for all to read, as far as the umask lets it: another user may serve it.
pub(super) const MODE: u32 = 0o644;

impl Store {
    /// A file that is being written and has no name of its own yet.
    pub(super) fn temporary(&self) -> Result<NamedTempFile, Error> {
        let scratch = self.scratch();
        disk::temporary("", MODE, &scratch).map_err(doing("make a temporary file in", &scratch))
    }

    /// Gives a file that is whole its name; a directory that stands there, which nothing of ours made, goes.
    pub(super) fn put_in_place(&self, file: NamedTempFile, path: &Path) -> Result<(), Error> {
        match disk::persist(file, path) {
            Ok(()) => Ok(()),
            Err(failed) if path.is_dir() => {
                self.clear(path)?;
                disk::persist(failed.file, path).map_err(|again| doing("put in place", path)(again.error))
            }
            Err(failed) => Err(doing("put in place", path)(failed.error)),
        }
    }

    /// Removes whatever stands at a path of the store: a damaged file, or a directory in the place of one.
    pub(super) fn clear(&self, path: &Path) -> Result<(), Error> {
        let is_dir = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
        let result = if is_dir {
            // Out of the way in one step; what a crash leaves of it is swept with the rest of `tmp/`.
            disk::temporary_dir("", 0o700, &self.scratch()).and_then(|aside| {
                disk::rename(path, &aside.path().join("aside"))?;
                disk::remove_dir_all(aside.path())
            })
        } else {
            disk::remove_file(path)
        };
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(doing("remove, for it is damaged,", path)(error))
            }
            _ => Ok(()),
        }
    }
}

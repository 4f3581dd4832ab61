//! Recipe → exact digests: the lock pins every source of every recipe.
//!
//! Invariants: the same recipes and the same archive give the same lock, byte for byte; a lock never names a mirror; what is
//! locked stays locked until someone asks to move it; a lock is written whole or not at all, and synced.

mod below;
mod changes;
mod error;
mod file;
mod matching;
mod model;
mod resolve;
mod stand_in;

pub use changes::{Change, changes};
pub use error::Error;
pub use file::{parse, print};
pub use matching::{Gap, Place, WantedBase, bases, gaps, is_complete, matches, packages_layers, wanted};
pub use model::{BaseLayer, BasePin, FORMAT, LayerPin, Lock, PackageKey, PackagePin, ReleasePin};

pub use resolve::{Bases, Indices, ResolveError, Update, moving_bases, resolve, vanished};

use crate::disk;
use std::path::Path;

/// Reads a project's lock; `None` if there is none yet.
pub fn read(path: &Path) -> Result<Option<Lock>, Error> {
    // A pipe could hold the run for ever.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let source = std::io::Error::from(std::io::ErrorKind::InvalidInput);
        return Err(Error::Io { doing: "read, since it is no file,", path: path.to_owned(), source });
    }
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { doing: "read", path: path.to_owned(), source }),
    }
}

/// Writes a project's lock in place of the old one: whole, and on the disk when this returns.
pub fn write(path: &Path, lock: &Lock) -> Result<(), Error> {
    let io = |doing: &'static str| move |source| Error::Io { doing, path: path.to_owned(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = disk::temporary(".remint.lock.", 0o644, dir).map_err(io("make a temporary file beside"))?;
    disk::write_file(file.path(), print(lock).as_bytes()).map_err(io("write"))?;
    disk::sync(file.as_file()).map_err(io("sync"))?;
    disk::persist(file, path).map_err(|e| e.error).map_err(io("put in place"))?;
    std::fs::File::open(dir).and_then(|dir| disk::sync(&dir)).map_err(io("sync the directory of"))
}

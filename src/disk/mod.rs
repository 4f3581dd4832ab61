//! The deeds that change files, each in one place, so that a test can make any of them fail, or be the last of its process.
//!
//! Whatever the store, the lock, downloads and outputs do to a disk goes through here; the test `faults` reads the sources of those
//! rooms and refuses anything else. Without debug assertions every function is the plain call below it: nothing is counted,
//! compared or looked up.
//!
//! Invariant: a deed that fails here for a test's sake was not done, but for a write, of which half may be: as a full disk leaves it.

mod fault;

#[cfg(debug_assertions)]
pub use fault::arm;
#[cfg(debug_assertions)]
pub use fault::{BadFault, Fault, Then};

use fault::{point, writing};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::{Builder, NamedTempFile, PersistError, TempDir};

/// Makes a directory and those above it.
#[track_caller]
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    point("make-directory")?;
    fs::create_dir_all(path)
}

/// Makes a file of an unused name that is gone when it is dropped; the umask takes from its mode.
#[track_caller]
pub fn temporary(prefix: &str, mode: u32, dir: &Path) -> io::Result<NamedTempFile> {
    point("make-temporary")?;
    Builder::new().prefix(prefix).permissions(Permissions::from_mode(mode)).tempfile_in(dir)
}

/// Makes a directory of an unused name that is gone when it is dropped; the umask takes from its mode.
#[track_caller]
pub fn temporary_dir(prefix: &str, mode: u32, dir: &Path) -> io::Result<TempDir> {
    point("make-temporary-directory")?;
    Builder::new().prefix(prefix).permissions(Permissions::from_mode(mode)).tempdir_in(dir)
}

/// Makes a file without a name, which no crash leaves behind.
#[track_caller]
pub fn unnamed(dir: &Path) -> io::Result<File> {
    point("make-unnamed")?;
    tempfile::tempfile_in(dir)
}

/// Makes a file that must not be there yet.
#[track_caller]
pub fn create_new(path: &Path) -> io::Result<File> {
    point("make")?;
    File::create_new(path)
}

/// Opens a file for reading and writing as it is, and makes it if it is not there.
#[track_caller]
pub fn open_or_create(path: &Path) -> io::Result<File> {
    point("open")?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Writes a whole small file.
#[track_caller]
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    writing("write-file", bytes, |half| fs::write(path, half))?;
    fs::write(path, bytes)
}

/// Writes some bytes, as [`Write::write`] does.
#[track_caller]
pub fn write<W: Write>(to: &mut W, bytes: &[u8]) -> io::Result<usize> {
    writing("write", bytes, |half| to.write_all(half).and_then(|()| to.flush()))?;
    to.write(bytes)
}

/// Gives a temporary file its name, in place of whatever file had it.
#[track_caller]
pub fn persist(file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    match point("put-in-place") {
        Ok(()) => file.persist(path).map(drop),
        Err(error) => Err(PersistError { error, file }),
    }
}

/// Gives a file or directory another name.
#[track_caller]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    point("rename")?;
    fs::rename(from, to)
}

/// Lets two names change places, in one step; not every file system can.
#[track_caller]
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    point("exchange")?;
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Gives a file a second name.
#[track_caller]
pub fn hard_link(file: &Path, name: &Path) -> io::Result<()> {
    point("link")?;
    fs::hard_link(file, name)
}

/// Sets a file's permission bits.
#[track_caller]
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    point("set-permissions")?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Empties an open file.
#[track_caller]
pub fn truncate(file: &File) -> io::Result<()> {
    point("empty")?;
    file.set_len(0)
}

/// Brings a file's bytes, or a directory's names, onto the disk.
#[track_caller]
pub fn sync(file: &File) -> io::Result<()> {
    point("sync")?;
    file.sync_all()
}

/// Removes a file.
#[track_caller]
pub fn remove_file(path: &Path) -> io::Result<()> {
    point("remove")?;
    fs::remove_file(path)
}

/// Removes a directory and all below it.
#[track_caller]
pub fn remove_dir_all(path: &Path) -> io::Result<()> {
    point("remove-directory")?;
    fs::remove_dir_all(path)
}

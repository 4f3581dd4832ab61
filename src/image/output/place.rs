//! Putting a file or a directory in place whole, or not at all.

use super::super::error::{Error, doing};
use crate::disk;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::{NamedTempFile, TempDir};

/// A file that appears at its path when it is committed; dropped before, it leaves nothing and what was there stays.
pub(super) struct NewFile {
    target: PathBuf,
    file: BufWriter<OnDisk<NamedTempFile>>,
}

/// What a killed process left is removed once it is this much older than what is being written.
const STALE: Duration = Duration::from_secs(60);

/// A file of an output, whose every write is a deed of its own.
pub(super) struct OnDisk<F>(pub(super) F);

impl<F: Write> Write for OnDisk<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        disk::write(&mut self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Temporary names begin with a dot and say whose they are.
const PREFIX: &str = ".remint-";

impl NewFile {
    /// Begins the file that will stand at a path.
    pub(super) fn begin(target: &Path) -> Result<Self, Error> {
        let (target, parent) = resolve(target)?;
        match fs::symlink_metadata(&target) {
            Ok(meta) if !meta.is_file() => {
                return Err(Error::NotReplaced { path: target, expected: "a file" });
            }
            _ => {}
        }
        let file = disk::temporary(PREFIX, 0o666, &parent).map_err(doing("make a temporary file in", &parent))?;
        claim(file.as_file(), &parent);
        Ok(Self { target, file: BufWriter::with_capacity(1 << 17, OnDisk(file)) })
    }

    /// Puts the file in place.
    pub(super) fn commit(self) -> Result<(), Error> {
        let target = self.target;
        let file = self.file.into_inner().map_err(|e| doing("write", &target)(e.into_error()))?;
        disk::persist(file.0, &target).map_err(|e| doing("put in place", &target)(e.error))
    }

    /// The path that it will have.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// A file beside it that has no name and is gone when it is closed, for what is needed while this one is written.
    pub(super) fn scratch(&self) -> Result<File, Error> {
        let parent = self.target.parent().unwrap_or(Path::new("."));
        disk::unnamed(parent).map_err(doing("make a temporary file in", parent))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A directory that appears at its path when it is committed; dropped before, it leaves nothing and what was there stays.
pub(super) struct NewDirectory {
    target: PathBuf,
    new: TempDir,
    /// Holds the directory's lock.
    claimed: Option<File>,
}

impl NewDirectory {
    /// Begins the directory that will stand at a path.
    ///
    /// One that is there already is replaced only if it is empty, or has `marker` in it and nothing but `known`: a slip of the
    /// keyboard must not cost anyone a home directory.
    pub(super) fn begin(target: &Path, marker: &str, known: &[&str]) -> Result<Self, Error> {
        let (target, parent) = resolve(target)?;
        if !may_replace(&target, marker, known)? {
            return Err(Error::NotReplaced { path: target, expected: "an OCI image layout or an empty directory" });
        }
        let new =
            disk::temporary_dir(PREFIX, 0o777, &parent).map_err(doing("make a temporary directory in", &parent))?;
        let claimed = File::open(new.path()).ok();
        if let Some(directory) = &claimed {
            claim(directory, &parent);
        }
        Ok(Self { target, new, claimed })
    }

    /// Where it is being written.
    pub(super) fn path(&self) -> &Path {
        self.new.path()
    }

    /// Puts the directory in place; what was there is removed after.
    pub(super) fn commit(self) -> Result<(), Error> {
        let Self { target, new, claimed: _claimed } = self;
        match disk::rename(new.path(), &target) {
            Ok(()) => {
                let _ = new.keep(); // it is elsewhere now
                return Ok(());
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(doing("put in place", &target)(error)),
        }
        if disk::exchange(new.path(), &target).is_ok() {
            return Ok(()); // what was there stands at the temporary path, and goes with it
        }
        // Some file systems cannot exchange two names: for a moment there is nothing at the path.
        let parent = target.parent().unwrap_or(Path::new("."));
        let old = disk::temporary_dir(PREFIX, 0o700, parent).map_err(doing("make a temporary directory in", parent))?;
        disk::rename(&target, old.path()).map_err(doing("set aside", &target))?;
        if let Err(error) = disk::rename(new.path(), &target) {
            let _ = disk::rename(old.path(), &target);
            return Err(doing("put in place", &target)(error));
        }
        let _ = new.keep();
        Ok(())
    }
}

/// Marks an unfinished output as somebody's by locking it, and removes those that killed processes left beside it: nobody holds
/// their locks. Best effort: what stays is in nobody's way.
fn claim(new: &File, parent: &Path) {
    let Some(now) = new.try_lock().ok().and_then(|()| new.metadata().ok()?.modified().ok()) else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = || now.duration_since(entry.metadata().ok()?.modified().ok()?).ok();
        // One that was made a moment ago may not be locked yet.
        if !ours || age().is_none_or(|age| age < STALE) {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|left| left.try_lock().is_ok()) {
            let _ = if path.is_dir() { disk::remove_dir_all(&path) } else { disk::remove_file(&path) };
        }
    }
}

/// Follows a link at a path, so that what it points to is replaced and not the link, and makes the directory that it is in.
fn resolve(target: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let target = match fs::canonicalize(target) {
        Ok(real) => real,
        Err(_) => target.to_owned(),
    };
    let parent = match target.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    disk::create_dir_all(&parent).map_err(doing("make the directory", &parent))?;
    Ok((target, parent))
}

fn may_replace(target: &Path, marker: &str, known: &[&str]) -> Result<bool, Error> {
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(doing("read the directory", target)(error)),
    };
    let (mut empty, mut is_ours) = (true, false);
    for entry in entries {
        let name = entry.map_err(doing("read the directory", target))?.file_name();
        if !known.iter().any(|known| name == *known) {
            return Ok(false);
        }
        empty = false;
        is_ours |= name == marker;
    }
    Ok(empty || is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_is_not_committed_leaves_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/file");
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"old").unwrap();
        file.commit().unwrap();
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(&dir.path().join("new")), ["file"]);
        assert!(matches!(NewFile::begin(dir.path()), Err(Error::NotReplaced { .. })));
    }

    #[test]
    fn what_killed_processes_left_goes_and_what_others_write_stays() {
        let dir = tempfile::tempdir().unwrap();
        let old = |name: &str| {
            let file = File::open(dir.path().join(name)).unwrap();
            let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
            file.set_times(times).unwrap();
            file
        };
        for name in [".remint-left", ".remint-written", ".remint-fresh", "mine"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir_all(dir.path().join(".remint-layout/blobs")).unwrap();
        let written = old(".remint-written");
        written.lock().unwrap();
        for name in [".remint-left", ".remint-layout", "mine"] {
            old(name);
        }
        drop(NewFile::begin(&dir.path().join("file")).unwrap());
        assert_eq!(names(dir.path()), [".remint-fresh", ".remint-written", "mine"]);
    }

    #[test]
    fn a_link_is_followed_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = NewFile::begin(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(link.is_symlink());
    }

    #[test]
    fn a_directory_is_replaced_whole_and_only_if_it_is_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("layout");
        for text in ["one", "two"] {
            let new = NewDirectory::begin(&path, "mark", &["mark"]).unwrap();
            fs::write(new.path().join("mark"), text).unwrap();
            new.commit().unwrap();
            assert_eq!(fs::read_to_string(path.join("mark")).unwrap(), text);
        }
        drop(NewDirectory::begin(&path, "mark", &["mark"]).unwrap());
        assert_eq!(names(dir.path()), ["layout"]);
        assert_eq!(fs::read_to_string(path.join("mark")).unwrap(), "two");

        fs::write(path.join("precious"), "").unwrap();
        assert!(matches!(NewDirectory::begin(&path, "mark", &["mark"]), Err(Error::NotReplaced { .. })));
        fs::remove_file(path.join("mark")).unwrap();
        let known = &["mark", "precious"];
        assert!(matches!(NewDirectory::begin(&path, "mark", known), Err(Error::NotReplaced { .. })));
        fs::remove_file(path.join("precious")).unwrap();
        NewDirectory::begin(&path, "mark", known).unwrap().commit().unwrap();
    }
}

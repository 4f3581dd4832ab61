//! A tar that holds an image's files: indexed once, without reading the contents, then read from anywhere.

use super::error::OpenError;
use crate::layer::{self, Limits, SeenKind, Wrapping, locate};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// An image's archive has few files; so many are no image.
const LIMITS: Limits = Limits { entries: 200_000, bytes: 1 << 42, metadata: 1 << 20, total_metadata: 64 << 20 };

/// An archive's files.
#[derive(Debug)]
pub(super) struct Archive {
    file: Arc<File>,
    members: BTreeMap<String, Member>,
}

/// Where a name leads.
#[derive(Debug)]
enum Member {
    /// To bytes of the archive: where they begin, and how many.
    Bytes(u64, u64),
    /// To another name: `docker save` up to 24 writes a layer that is there twice as a link.
    Link(String),
}

impl Archive {
    /// Indexes an archive.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let (file, end) = file(path)?;
        let file = Arc::new(file);
        let found = locate(BufReader::new(&*file), end, &LIMITS).map_err(|source| refused(path, &file, end, source))?;
        let mut members = BTreeMap::new();
        for located in found {
            let Ok(name) = String::from_utf8(located.seen.path.into_vec()) else { continue };
            let member = match located.seen.kind {
                SeenKind::File(size) => Member::Bytes(located.at, size),
                SeenKind::Hardlink(to) => Member::Link(String::from_utf8_lossy(&to).into_owned()),
                SeenKind::Symlink(to) => Member::Link(beside(&name, &String::from_utf8_lossy(&to))),
                _ => continue,
            };
            members.insert(name, member);
        }
        Ok(Self { file, members })
    }

    /// Where a file's bytes begin, and how many they are.
    fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name;
        // A link leads to a file; a chain is a trick.
        for _ in 0..4 {
            match self.members.get(name)? {
                Member::Bytes(at, size) => return Some((*at, *size)),
                Member::Link(to) => name = to,
            }
        }
        None
    }

    /// How many bytes a file of it has.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        self.find(name).map(|(_, size)| size)
    }

    /// Opens a file of it.
    pub(super) fn section(&self, name: &str) -> Option<Section> {
        let (at, left) = self.find(name)?;
        Some(Section { file: Arc::clone(&self.file), at, left })
    }

    /// Whether it has a file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }
}

/// Opens an archive's file, and says how many bytes it has.
pub fn file(path: &Path) -> Result<(File, u64), OpenError> {
    let failed = |source| OpenError::Io { doing: "open", path: path.to_owned(), source };
    // A pipe would be waited for, and cannot be read twice.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let source = layer::Error::Archive { at: 0, source: io::Error::other("it is no regular file") };
        return Err(OpenError::Archive { path: path.to_owned(), source });
    }
    let file = File::open(path).map_err(failed)?;
    let end = file.metadata().map_err(failed)?.len();
    Ok((file, end))
}

/// Says why a file of `end` bytes could not be read as a tar: it is none, not all of one, or a bad one.
#[must_use]
pub fn refused(path: &Path, file: &File, end: u64, source: layer::Error) -> OpenError {
    let mut begin = [0; 262];
    let read = file.read_at(&mut begin, 0).unwrap_or_default();
    let path = path.to_owned();
    // No header was read, nor does the first one begin like one.
    if matches!(source, layer::Error::Damaged { at: 0, .. }) && !begin.ends_with(b"ustar") {
        return OpenError::NoArchive { path, size: end, compressed: Wrapping::of(&begin[..read]) != Wrapping::Plain };
    }
    match source {
        layer::Error::Within { path: file, size } => OpenError::Truncated { path, end, inside: Some((file, size)) },
        source if source.is_truncation() => OpenError::Truncated { path, end, inside: None },
        source => OpenError::Archive { path, source },
    }
}

/// What a link leads to, by names alone.
fn beside(name: &str, link: &str) -> String {
    let mut parts: Vec<&str> = if link.starts_with('/') { Vec::new() } else { name.split('/').collect() };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Some bytes of an archive.
#[derive(Debug)]
pub(super) struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut buffer[..most], self.at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_and_circles_to_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        let mut builder = tar::Builder::new(File::create(&path).unwrap());
        let mut header = tar::Header::new_ustar();
        header.set_size(3);
        builder.append_data(&mut header, "one/layer.tar", &b"abc"[..]).unwrap();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        for (name, to) in [("two/layer.tar", "../one/layer.tar"), ("x", "y"), ("y", "x")] {
            builder.append_link(&mut header, name, to).unwrap();
        }
        builder.finish().unwrap();
        let archive = Archive::open(&path).unwrap();
        let mut text = String::new();
        archive.section("two/layer.tar").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        assert!(archive.section("x").is_none() && archive.section("z").is_none());
    }
}

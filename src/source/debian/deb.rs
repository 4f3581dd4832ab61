//! A .deb: its control files, and its data as a stream (deb(5)).

use super::ar::Ar;
use super::decompress::{Decompressor, Packing};
use super::stanza::{Stanza, StanzaError};
use crate::layer::{self, Kind, Limits, read};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// A package file whose control part was read and whose data part comes next.
pub struct Deb<R> {
    control: BTreeMap<String, ControlFile>,
    packing: Packing,
    data: io::Take<R>,
}

/// A file of the control part: `control`, `md5sums`, a script, and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it may be executed: a script.
    pub executable: bool,
}

/// Why a file is no package that can be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// It cannot be read, or decompressed.
    #[error("cannot read the package")]
    Io(#[from] io::Error),
    /// It has not the form of a package.
    #[error("it is not a Debian package: {why}")]
    Form {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A member that nothing here can decompress.
    #[error("its member `{member}` is packed in a way that is not supported: expected xz, zstd, gzip or none")]
    Packing {
        /// The member.
        member: String,
    },
    /// A control file whose name leads elsewhere, or that is no file.
    #[error("its control part has `{path}`, which is not a plain file at the top")]
    ControlEntry {
        /// The path as written.
        path: String,
    },
    /// The control part is no archive that can be taken.
    #[error("its control part cannot be read")]
    ControlPart(#[from] layer::Error),
    /// The file `control` is no control data.
    #[error("its control file is malformed")]
    Control(#[from] StanzaError),
}

/// The most bytes of the control part when expanded; Debian's largest, lists of hundreds of thousands of files, have about 30 MB.
const LARGEST_CONTROL: u64 = 128 << 20;

/// What the control part may hold: a thousand files, and no names that need more than some kilobytes of extension headers.
const CONTROL: Limits = Limits { entries: 1000, bytes: LARGEST_CONTROL, metadata: 64 << 10, total_metadata: 1 << 20 };

impl<R: Read> Deb<R> {
    /// Reads the control part. The reader is best buffered; it is read front to back.
    pub fn open(reader: R) -> Result<Self, DebError> {
        let form = |why| DebError::Form { why };
        let mut ar = Ar::new(reader)?;
        let first = ar.next()?.ok_or(form("it is empty"))?;
        let mut version = Vec::new();
        if first.name != "debian-binary" || first.size > 100 {
            return Err(form("its first member is not `debian-binary`"));
        }
        ar.read_to_end(&mut version)?;
        if !version.starts_with(b"2.") {
            return Err(form("its format is not 2"));
        }
        let (_, packing) = part(&mut ar, "control.tar")?;
        let control = read_control(&mut ar, packing)?;
        let (size, packing) = part(&mut ar, "data.tar")?;
        Ok(Self { control, packing, data: ar.into_inner().take(size) })
    }

    /// The control files by name.
    #[must_use]
    pub fn control_files(&self) -> &BTreeMap<String, ControlFile> {
        &self.control
    }

    /// The stanza of the file `control`.
    pub fn control(&self) -> Result<Stanza<'_>, DebError> {
        let file = self.control.get("control").ok_or(DebError::Form { why: "it has no file `control`" })?;
        let text =
            std::str::from_utf8(&file.bytes).map_err(|_| DebError::Form { why: "its control file is not UTF-8" })?;
        Ok(Stanza::parse(text)?)
    }

    /// The data part as a tar, decompressed as it is read; more than `limit` bytes are an error that says so, as is data that is
    /// cut off. Read it to its end to know that it is whole.
    pub fn into_data(self, limit: u64) -> Result<impl Read, DebError> {
        Ok(Decompressor::new(BufReader::with_capacity(1 << 16, self.data), self.packing, limit)?)
    }

    /// Takes the control files out, and gives the data part as [`Deb::into_data`] does.
    pub fn into_parts(self, limit: u64) -> Result<(BTreeMap<String, ControlFile>, impl Read), DebError> {
        let data = Decompressor::new(BufReader::with_capacity(1 << 16, self.data), self.packing, limit)?;
        Ok((self.control, data))
    }
}

/// Finds the next part; members whose names begin with `_` are for others.
fn part<R: Read>(ar: &mut Ar<R>, expected: &'static str) -> Result<(u64, Packing), DebError> {
    while let Some(member) = ar.next()? {
        if member.name.starts_with('_') {
            continue;
        }
        if !member.name.starts_with(expected) {
            break;
        }
        return match Packing::of(&member.name) {
            Some((stem, packing)) if stem == expected => Ok((member.size, packing)),
            _ => Err(DebError::Packing { member: member.name }),
        };
    }
    Err(DebError::Form { why: if expected == "data.tar" { "it has no data part" } else { "it has no control part" } })
}

fn read_control(part: impl Read, packing: Packing) -> Result<BTreeMap<String, ControlFile>, DebError> {
    let tar = Decompressor::new(BufReader::new(part), packing, LARGEST_CONTROL)?;
    let mut files = BTreeMap::new();
    read(tar, &CONTROL, |entry, content| {
        let name = entry.path.as_str();
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
        if files.contains_key(name) {
            return Err(DebError::Form { why: "its control part has a file twice" });
        }
        if !matches!(entry.kind, Kind::File { .. }) || !plain || name.starts_with('.') {
            return Err(DebError::ControlEntry { path: name.to_owned() });
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        files.insert(name.to_owned(), ControlFile { bytes, executable: entry.mode & 0o111 != 0 });
        Ok(())
    })?;
    Ok(files)
}

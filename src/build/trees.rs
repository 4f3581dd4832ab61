//! Layers of what a recipe writes, and what all layers of single files are put together with.

use super::error::Error;
use super::place::{add_parents, resolve};
use super::results::{Fragment, Layered};
use super::view::View;
use crate::digest::HashingWriter;
use crate::layer::{Entry, FragmentWriter, Index, Kind, directories};
use crate::native::Root;
use crate::oci::{Blob, TreePath};
use crate::recipe::{Owner, Written};
use crate::source::path;
use crate::store::Store;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file, link or other thing that is no directory, and where its bytes come from.
pub(super) struct Piece {
    pub(super) entry: Entry,
    pub(super) content: Bytes,
}

/// Where the bytes of a file come from.
pub(super) enum Bytes {
    None,
    Memory(Vec<u8>),
    Local(PathBuf, Blob),
}

/// Makes a layer of what a recipe writes.
pub(super) fn write(
    store: &Store,
    view: &View<'_>,
    written: &BTreeMap<TreePath, Written>,
    title: &str,
) -> Result<Layered, Error> {
    let get = |path: &str| view.get(path);
    let (mut dirs, mut pieces) = (BTreeMap::new(), Vec::new());
    for (wanted, what) in written {
        match what {
            Written::Directory { owner, mode } => {
                let place = into(wanted, view)?;
                dirs.insert(place.clone(), owned(Entry::directory(place, *mode), *owner));
            }
            Written::Link { target, owner } => {
                let entry = owned(Entry::symlink(resolve(wanted, &get)?, target.clone()), *owner);
                pieces.push(Piece { entry, content: Bytes::None });
            }
            Written::Text { text, owner, mode } => {
                let entry = owned(Entry::file(resolve(wanted, &get)?, *mode, text.len() as u64), *owner);
                pieces.push(Piece { entry, content: Bytes::Memory(text.clone().into_bytes()) });
            }
        }
    }
    pieces.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    let places = || pieces.iter().map(|piece| &piece.entry.path);
    refuse_directories(places(), view)?;
    refuse_twice(places(), &dirs)?;
    let all: Vec<TreePath> = dirs.keys().cloned().collect();
    add_parents(&mut dirs, places().chain(&all), &get)?;
    let directories = put_directories(store, &dirs, title)?;
    let fragments = if pieces.is_empty() { Vec::new() } else { vec![fragment(store, pieces.iter(), title)?] };
    Ok(Layered { directories, fragments, uncovered: Vec::new() })
}

/// Writes a fragment of pieces, which stand in byte order, into the store.
pub(super) fn fragment<'a>(
    store: &Store,
    pieces: impl Iterator<Item = &'a Piece>,
    title: &str,
) -> Result<Fragment, Error> {
    let failed = Error::layer(title);
    let mut writer = FragmentWriter::new(HashingWriter::new(store.writer()?));
    for piece in pieces {
        match &piece.content {
            Bytes::None => writer.add(&piece.entry, &mut io::empty()),
            Bytes::Memory(bytes) => writer.add(&piece.entry, &mut &bytes[..]),
            Bytes::Local(file, content) => {
                let mut reader = local(file, *content)?;
                writer.add(&piece.entry, &mut reader).map_err(|error| changed(file, error))
            }
        }
        .map_err(&failed)?;
    }
    let (out, index) = writer.finish().map_err(&failed)?;
    put_fragment(store, out, &index)
}

/// Keeps a fragment that was written.
pub(super) fn put_fragment(
    store: &Store,
    out: HashingWriter<crate::store::BlobWriter<'_>>,
    index: &Index,
) -> Result<Fragment, Error> {
    let (writer, digest, size) = out.finish();
    let tar = writer.commit(Blob { digest, size })?;
    Ok(Fragment { tar, index: store.put(&index.encode())? })
}

/// Keeps a layer's directories.
pub(super) fn put_directories(store: &Store, dirs: &BTreeMap<TreePath, Entry>, title: &str) -> Result<Blob, Error> {
    let tar = directories(dirs.values()).map_err(Error::layer(title))?;
    Ok(store.put(&tar)?)
}

/// The real place of a directory: a link to one counts as one, as it does for whoever copies into it.
pub(super) fn into(wanted: &TreePath, view: &View<'_>) -> Result<TreePath, Error> {
    let get = |path: &str| view.get(path);
    // With something below it, a link at its own place is followed too.
    let below = resolve(&wanted.join("x")?, &get)?;
    below.parent().ok_or_else(|| Error::Link { path: wanted.clone(), link: wanted.clone() })
}

/// Refuses what would take the place of a directory.
pub(super) fn refuse_directories<'a>(
    paths: impl IntoIterator<Item = &'a TreePath>,
    view: &View<'_>,
) -> Result<(), Error> {
    let over = paths.into_iter().find(|path| view.get(path.as_str()).is_some_and(Entry::is_directory));
    over.map_or(Ok(()), |path| {
        let what = "a directory in the layers below";
        Err(Error::Through { path: path.clone(), through: path.clone(), what })
    })
}

/// Refuses paths, which stand in byte order, that different names lead to by way of links.
pub(super) fn refuse_twice<'a>(
    paths: impl IntoIterator<Item = &'a TreePath>,
    dirs: &BTreeMap<TreePath, Entry>,
) -> Result<(), Error> {
    let mut before = None;
    for path in paths {
        if before.replace(path) == Some(path) || dirs.contains_key(path) {
            return Err(Error::Twice { path: path.clone() });
        }
    }
    Ok(())
}

/// An entry that is somebody's.
pub(super) fn owned(mut entry: Entry, owner: Owner) -> Entry {
    entry.uid = owner.uid;
    entry.gid = owner.gid;
    debug_assert!(entry.mtime == crate::layer::CONSTANT_MTIME, "what is copied has no time of its own");
    entry
}

fn local(file: &Path, content: Blob) -> Result<impl Read, Error> {
    path::open(file, content).map_err(|source| Error::Copy { path: file.to_owned(), source })
}

/// A file whose bytes are not those that were digested changed in between; everything else stays what it is.
fn changed(file: &Path, error: crate::layer::Error) -> crate::layer::Error {
    match error {
        crate::layer::Error::Content { path, source } if source.kind() == io::ErrorKind::InvalidData => {
            let why = path::Error::Changed { path: file.to_owned() };
            crate::layer::Error::Content { path, source: io::Error::other(why) }
        }
        other => other,
    }
}

impl Piece {
    /// Takes the bytes of a file into memory.
    pub(super) fn read(self) -> Result<Self, Error> {
        let Bytes::Local(file, content) = &self.content else { return Ok(self) };
        let failed = |source| Error::Copy { path: file.clone(), source };
        let mut bytes = Vec::with_capacity(usize::try_from(content.size).unwrap_or_default());
        match path::open(file, *content).map_err(failed)?.read_to_end(&mut bytes) {
            Ok(_) => Ok(Self { content: Bytes::Memory(bytes), ..self }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(failed(path::Error::Changed { path: file.clone() }))
            }
            Err(source) => Err(failed(path::Error::Io { doing: "read", path: file.clone(), source })),
        }
    }

    /// A thing that is made in memory.
    pub(super) fn made(entry: Entry, bytes: Vec<u8>) -> Self {
        let content = if matches!(entry.kind, Kind::File { .. }) { Bytes::Memory(bytes) } else { Bytes::None };
        Self { entry, content }
    }
}

//! Layers of what the user brings: copied trees and what a recipe writes.

use super::error::Error;
use super::place::{Resolver, add_parents, resolve};
use super::results::{Fragment, Layered, Run};
use super::view::View;
use crate::digest::HashingWriter;
use crate::layer::{Entry, FragmentWriter, Index, Kind, RunItem, directories, runs};
use crate::native::Root;
use crate::oci::{Blob, TreePath};
use crate::plan::{CopyWork, run_key};
use crate::recipe::{Owner, Written};
use crate::source::path::{self, Item, ItemKind, LocalFile, Tree};
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

/// Makes a layer of a copied tree.
pub(super) fn copy(store: &Store, view: &View<'_>, work: &CopyWork, title: &str) -> Result<Layered, Error> {
    let get = |path: &str| view.get(path);
    let (mut dirs, mut pieces) = (BTreeMap::new(), Vec::new());
    let mut real = Resolver::new(&get);
    let mut items: Vec<(TreePath, Item)> = Vec::new();
    match &*work.tree {
        Tree::File(single) => {
            let to = work.to.clone().ok_or_else(|| crate::oci::PathError::Root("/".to_owned()))?;
            let place = resolve(&to, &get)?;
            let item = Item { path: place.clone(), kind: ItemKind::File(*single) };
            pieces.push(piece(&place, &item, work.root.clone(), work));
            items.push((place, item));
        }
        Tree::Directory(all) => {
            let to = work.to.as_ref().map(|to| into(to, view)).transpose()?;
            if let Some(to) = &to
                && view.get(to.as_str()).is_none()
            {
                dirs.insert(to.clone(), owned(Entry::directory(to.clone(), 0o755), work.owner));
            }
            for item in all {
                let wanted = to.as_ref().map_or_else(|| Ok(item.path.clone()), |to| to.join(item.path.as_str()))?;
                if item.kind == ItemKind::Directory {
                    let place = into(&wanted, view)?;
                    if view.get(place.as_str()).is_none() {
                        dirs.insert(place.clone(), owned(Entry::directory(place, 0o755), work.owner));
                    }
                    continue;
                }
                let place = real.resolve(&wanted)?;
                pieces.push(piece(&place, item, work.root.join(item.path.as_str()), work));
                items.push((place, item.clone()));
            }
        }
    }
    refuse_directories(&pieces, view)?;
    add_parents(&mut dirs, pieces.iter().map(|piece| &piece.entry.path).chain(work.to.as_ref()), &get)?;
    refuse_twice(pieces.iter().map(|piece| &piece.entry.path), &dirs)?;
    // By their real places, since links can bring things from far apart together.
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by(|&a, &b| pieces[a].entry.path.cmp(&pieces[b].entry.path));
    let weights: Vec<RunItem<'_>> =
        order.iter().map(|&at| RunItem { path: &pieces[at].entry.path, size: pieces[at].entry.size() }).collect();
    let mut fragments = Vec::new();
    for run in runs(&weights) {
        let members: Vec<Item> = order[run.clone()]
            .iter()
            .map(|&at| Item { path: items[at].0.clone(), kind: items[at].1.kind.clone() })
            .collect();
        let key = run_key(&members, None, work.owner, work.mode);
        let cached = store.action::<Run>(&key)?;
        let made = match cached {
            Some(run) => run,
            None => {
                let run = Run { files: fragment(store, order[run].iter().map(|&at| &pieces[at]), title)? };
                store.put_action(&key, &run)?;
                run
            }
        };
        fragments.push(made.files);
    }
    let directories = put_directories(store, &dirs, title)?;
    Ok(Layered { directories, fragments, uncovered: Vec::new() })
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
    refuse_directories(&pieces, view)?;
    refuse_twice(pieces.iter().map(|piece| &piece.entry.path), &dirs)?;
    let all: Vec<TreePath> = dirs.keys().cloned().collect();
    let paths = pieces.iter().map(|piece| &piece.entry.path).chain(&all);
    add_parents(&mut dirs, paths, &get)?;
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
fn into(wanted: &TreePath, view: &View<'_>) -> Result<TreePath, Error> {
    let get = |path: &str| view.get(path);
    // With something below it, a link at its own place is followed too.
    let below = resolve(&wanted.join("x")?, &get)?;
    below.parent().ok_or_else(|| Error::Link { path: wanted.clone(), link: wanted.clone() })
}

fn refuse_directories(pieces: &[Piece], view: &View<'_>) -> Result<(), Error> {
    let over = pieces.iter().find(|piece| view.get(piece.entry.path.as_str()).is_some_and(Entry::is_directory));
    over.map_or(Ok(()), |piece| {
        let path = piece.entry.path.clone();
        Err(Error::Through { path: path.clone(), through: path, what: "a directory in the layers below" })
    })
}

/// Refuses paths that different names lead to by way of links.
fn refuse_twice<'a>(pieces: impl Iterator<Item = &'a TreePath>, dirs: &BTreeMap<TreePath, Entry>) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for path in pieces {
        if dirs.contains_key(path) || !seen.insert(path) {
            return Err(Error::Twice { path: path.clone() });
        }
    }
    Ok(())
}

fn piece(place: &TreePath, item: &Item, local: PathBuf, work: &CopyWork) -> Piece {
    match &item.kind {
        ItemKind::Symlink(target) => {
            Piece { entry: owned(Entry::symlink(place.clone(), target.clone()), work.owner), content: Bytes::None }
        }
        ItemKind::File(file) => {
            let mode = work.mode.unwrap_or_else(|| default_mode(file));
            let entry = owned(Entry::file(place.clone(), mode, file.content.size), work.owner);
            Piece { entry, content: Bytes::Local(local, file.content) }
        }
        ItemKind::Directory => unreachable!("directories are kept apart"),
    }
}

fn default_mode(file: &LocalFile) -> u32 {
    if file.executable { 0o755 } else { 0o644 }
}

fn owned(mut entry: Entry, owner: Owner) -> Entry {
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
    /// A thing that is made in memory.
    pub(super) fn made(entry: Entry, bytes: Vec<u8>) -> Self {
        let content = if matches!(entry.kind, Kind::File { .. }) { Bytes::Memory(bytes) } else { Bytes::None };
        Self { entry, content }
    }
}

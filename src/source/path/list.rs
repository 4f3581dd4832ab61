//! What stands below a directory: each directory on whichever core is free, each file looked at from its directory.

use super::{Error, HashCache, Item, ItemKind, LocalFile, doing, executable, refuse_special};
use crate::digest::Shuffle;
use crate::oci::{Blob, TreePath};
use globset::GlobSet;
use rayon::prelude::*;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// What was found below a directory, in no order.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) items: Vec<Item>,
    pub(super) unread: Vec<Unread>,
}

/// A file whose digest nobody remembers: its item has an empty one until it is read.
pub(super) struct Unread {
    /// Which of the items it is.
    pub(super) at: usize,
    pub(super) path: PathBuf,
    pub(super) executable: bool,
}

/// A directory that has yet to be listed.
struct Dir {
    path: PathBuf,
    /// Where it is in the tree; `None` for the tree's root.
    place: Option<TreePath>,
}

/// Lists what is below a directory. Links are not followed.
///
/// A stat by a whole path makes the kernel walk all of it; from the directory that is being listed it is a single step.
pub(super) fn list(
    root: &Path,
    exclude: &GlobSet,
    hashes: &HashCache,
    order: Option<Shuffle>,
) -> Result<Listed, Error> {
    let mut all = Listed::default();
    // Level by level and not by recursion: how deep a tree is, the tree decides.
    let mut level = vec![Dir { path: root.to_owned(), place: None }];
    while !level.is_empty() {
        let found: Vec<_> = level.par_iter().map(|dir| dir.list(exclude, hashes, order)).collect();
        level.clear();
        for found in found {
            let (listed, below) = found?;
            let shift = all.items.len();
            all.items.extend(listed.items);
            all.unread.extend(listed.unread.into_iter().map(|file| Unread { at: file.at + shift, ..file }));
            level.extend(below);
        }
    }
    Ok(all)
}

impl Dir {
    /// Lists what is in it, and the directories that are to be listed next.
    fn list(&self, exclude: &GlobSet, hashes: &HashCache, order: Option<Shuffle>) -> Result<(Listed, Vec<Dir>), Error> {
        let entries = fs::read_dir(&self.path).map_err(doing("list", &self.path))?;
        let mut entries: Vec<DirEntry> = entries.collect::<Result<_, _>>().map_err(doing("list", &self.path))?;
        if let Some(order) = order {
            entries.sort_by_key(|entry| order.place(entry.file_name().as_encoded_bytes()));
        }
        let (mut listed, mut below) = (Listed::default(), Vec::new());
        for entry in entries {
            let name = entry.file_name();
            let relative =
                self.place.as_ref().map_or_else(|| PathBuf::from(&name), |dir| Path::new(dir.as_str()).join(&name));
            if !exclude.is_empty() && exclude.is_match(&relative) {
                continue;
            }
            let path = || self.path.join(&name);
            let place = TreePath::parse_bytes(relative.as_os_str().as_encoded_bytes())
                .map_err(|source| Error::Name { path: path(), source })?;
            if place.name().starts_with(".wh.") {
                return Err(Error::Whiteout { path: path() });
            }
            let kind = entry.file_type().map_err(|error| doing("look at", &path())(error))?;
            let kind = if kind.is_dir() {
                below.push(Dir { path: path(), place: Some(place.clone()) });
                ItemKind::Directory
            } else if kind.is_symlink() {
                let target = fs::read_link(path()).map_err(|error| doing("read the link", &path())(error))?;
                let target = target.into_os_string().into_string();
                ItemKind::Symlink(target.map_err(|_| Error::Target { path: path() })?)
            } else {
                let meta = entry.metadata().map_err(|error| doing("look at", &path())(error))?;
                // What was listed as a file may be something else by now.
                if meta.is_dir() || meta.is_symlink() {
                    return Err(Error::Changed { path: path() });
                }
                refuse_special(&meta, path)?;
                let (known, executable) = (hashes.get(&meta), executable(&meta));
                if known.is_none() {
                    listed.unread.push(Unread { at: listed.items.len(), path: path(), executable });
                }
                ItemKind::File(LocalFile { content: known.unwrap_or_else(|| Blob::of(b"")), executable })
            };
            listed.items.push(Item { path: place, kind });
        }
        Ok((listed, below))
    }
}

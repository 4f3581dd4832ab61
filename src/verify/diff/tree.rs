//! The root file system that layers make together (OCI image-spec, layer.md, "Applying Changesets").
//!
//! Overlays are the model, as for the trees that remint writes: an entry replaces whatever had its path, except a directory a
//! directory. Here nothing of an entry is dropped, and paths may be any bytes.

use super::error::Error;
use super::listing::{LayerName, Listed, Listing};
use crate::layer::SeenKind;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// A path of a tree.
pub(super) type Path = Box<[u8]>;

/// A merged tree.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: BTreeMap<Path, Node>,
    pub(super) inodes: Vec<Inode>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Which inode; several paths of one are hard links.
    pub(super) inode: usize,
    /// The last layer that has to do with the path, from 0.
    layer: usize,
}

/// Something that paths lead to: an entry of a layer, or a directory that layers imply without an entry for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inode {
    /// The layer, from 0.
    pub(super) layer: usize,
    /// Which entry of it.
    pub(super) entry: Option<usize>,
}

/// Names that begin so are no files but say that one is gone (layer.md, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";
/// The file that hides all of its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Names that begin so are aufs's own and no one else's.
const AUFS: &[u8] = b".wh..wh.";

impl Tree {
    /// Puts layers on top of each other, the lowest first.
    pub(super) fn of(image: &str, listings: &[Arc<Listing>]) -> Result<Self, Error> {
        let mut tree = Self::default();
        for (layer, listing) in listings.iter().enumerate() {
            for (at, listed) in listing.entries.iter().enumerate() {
                tree.change(listed, Inode { layer, entry: Some(at) }, listings).map_err(|target| Error::Hardlink {
                    image: image.to_owned(),
                    number: layer + 1,
                    path: shown(&listed.seen.path),
                    target: shown(target),
                })?;
            }
        }
        Ok(tree)
    }

    /// The entry of an inode.
    pub(super) fn entry<'a>(&self, inode: usize, listings: &'a [Arc<Listing>]) -> Option<&'a Listed> {
        let Inode { layer, entry } = self.inodes[inode];
        Some(&listings[layer].entries[entry?])
    }

    /// Does what an entry says; `Err` is the target of a hard link to nothing.
    fn change<'a>(&mut self, listed: &'a Listed, inode: Inode, listings: &[Arc<Listing>]) -> Result<(), &'a [u8]> {
        let (path, layer) = (&listed.seen.path, inode.layer);
        let (parent, name) = parts(path);
        if name == OPAQUE {
            match parent {
                None => self.nodes.retain(|_, node| node.layer >= layer),
                Some(parent) => self.remove_older(parent, layer),
            }
            return Ok(());
        }
        if path.split(|&byte| byte == b'/').any(|part| part.starts_with(AUFS)) {
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT).filter(|hidden| !hidden.is_empty()) {
            let hidden = parent.map_or_else(|| hidden.to_vec(), |parent| [parent, b"/", hidden].concat());
            self.remove_older(&hidden, layer);
            if self.nodes.get(&hidden[..]).is_some_and(|node| node.layer < layer) {
                self.nodes.remove(&hidden[..]);
            }
            return Ok(());
        }
        let directory = listed.seen.kind == SeenKind::Directory;
        let inode = match &listed.seen.kind {
            SeenKind::Hardlink(target) => {
                let there = self.nodes.get(target).map(|node| node.inode);
                let whole = |&inode: &usize| {
                    self.entry(inode, listings).is_some_and(|entry| entry.seen.kind != SeenKind::Directory)
                };
                let there = there.filter(whole).ok_or(&target[..])?;
                if target == path {
                    return Ok(());
                }
                there
            }
            _ => {
                self.inodes.push(inode);
                self.inodes.len() - 1
            }
        };
        self.make_room(path, directory, layer, listings);
        self.nodes.insert(path.clone(), Node { inode, layer });
        Ok(())
    }

    /// Makes sure that the directories above a path are there, and that nothing is below it unless it becomes a directory.
    fn make_room(&mut self, path: &[u8], directory: bool, layer: usize, listings: &[Arc<Listing>]) {
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = &path[..at];
            let there = self.nodes.get(above).map(|node| node.inode);
            let stands = there.is_some_and(|inode| {
                self.entry(inode, listings).is_none_or(|entry| entry.seen.kind == SeenKind::Directory)
            });
            match self.nodes.get_mut(above) {
                // It belongs to this layer too from now on, so that a whiteout of the layer's own does not take it away.
                Some(node) if stands => node.layer = layer,
                _ => {
                    self.inodes.push(Inode { layer, entry: None });
                    self.nodes.insert(above.into(), Node { inode: self.inodes.len() - 1, layer });
                }
            }
        }
        if !directory && !path.is_empty() {
            self.remove_older(path, usize::MAX);
        }
    }

    /// Removes everything below a path that an earlier layer put there.
    fn remove_older(&mut self, path: &[u8], layer: usize) {
        let (first, last) = ([path, b"/"].concat(), [path, b"0"].concat()); // `0` is the byte after `/`
        let below = self.nodes.range::<[u8], _>((Bound::Included(&first[..]), Bound::Excluded(&last[..])));
        let old: Vec<Path> = below.filter(|(_, node)| node.layer < layer).map(|(path, _)| path.clone()).collect();
        for path in old {
            self.nodes.remove(&path);
        }
    }

    /// Of each inode of several names, the first in byte order.
    pub(super) fn first_names(&self) -> Vec<Option<&[u8]>> {
        let mut first: Vec<Option<&[u8]>> = vec![None; self.inodes.len()];
        for (path, node) in &self.nodes {
            first[node.inode].get_or_insert(path);
        }
        first
    }
}

impl LayerName<'_> {
    /// The name of a layer of an image, counted from 0.
    pub(super) fn of(image: &str, layer: usize) -> LayerName<'_> {
        LayerName { image, number: layer + 1 }
    }
}

/// A path with a slash in front, for people and machines.
pub(super) fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

/// The directory above a path, and the name in it.
fn parts(path: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (Some(&path[..at]), &path[at + 1..]),
        None => (None, path),
    }
}

//! The root file system that layers make together (OCI image-spec, layer.md, "Applying Changesets").
//!
//! Holds what stands where, never a file's bytes: memory grows with the number of files alone. Overlays are the model, since that
//! is how engines mount layers: an entry replaces whatever had its path, except a directory a directory, and a directory that a
//! layer leaves out above an entry of its own stands where a link stood below.

mod change;

use super::error::Error;
use super::layer_reader::{self, LayerReader};
use super::read::Layer;
use crate::layer::{self, Entry, Kind, Limits};
use crate::oci::TreePath;
use crate::store::Store;
use change::Change;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Bound;

/// Bounds for bombs: entries some ten times those of a full desktop, bytes beyond what any registry takes.
const LIMITS: Limits =
    Limits { entries: 4_000_000, bytes: layer_reader::LIMIT, metadata: 1 << 20, total_metadata: 256 << 20 };

/// A merged tree.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<TreePath, Node>,
    inodes: Vec<Inode>,
    layers: u32,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Which inode; several paths of one are hard links.
    inode: usize,
    /// The layer that put it there.
    layer: u32,
}

/// Something that paths lead to.
#[derive(Debug)]
struct Inode {
    /// Under the path that it had first.
    entry: Entry,
    /// Where the visitor put its content.
    content: u64,
}

/// Takes a file's content while its layer is read, and says where it is kept: a number that comes back from [`Tree::others`].
pub(super) type Visitor<'a> = dyn FnMut(&Entry, &mut dyn Read) -> io::Result<u64> + 'a;

/// Why a layer could not be applied.
enum Failure {
    /// It could not be read, or its content not kept.
    Read(io::Error),
    /// A hard link to nothing that can have two names.
    Link { path: TreePath, target: TreePath },
}

/// Carries a [`Failure`] through the reader of tars.
struct Stop(Failure);

impl From<layer::Error> for Stop {
    fn from(error: layer::Error) -> Self {
        Self(Failure::Read(io::Error::other(error)))
    }
}

impl Tree {
    /// Puts a layer on top; gives the size of its tar in bytes.
    pub(super) fn apply(&mut self, store: &Store, from: &Layer, visit: &mut Visitor<'_>) -> Result<u64, Error> {
        let number = self.layers;
        self.layers += 1;
        let mut reader = LayerReader::open(store, from)?;
        let outcome = layer::read(&mut reader, &LIMITS, |entry, content| {
            self.change(entry, content, number, visit).map_err(Stop)
        });
        match outcome {
            Ok(()) => reader.finish(),
            Err(Stop(Failure::Read(source))) => Err(reader.failed(source)),
            Err(Stop(Failure::Link { path, target })) => {
                Err(Error::Hardlink { layer: from.blob.digest, path: path.to_string(), target: target.to_string() })
            }
        }
    }

    fn change(
        &mut self,
        entry: Entry,
        content: &mut dyn Read,
        layer: u32,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Failure> {
        match Change::of(entry).map_err(|error| Failure::Read(io::Error::other(error)))? {
            Change::Nothing => {}
            Change::Hide(path) => {
                self.remove_older(&path, layer);
                if self.nodes.get(&path).is_some_and(|node| node.layer < layer) {
                    self.nodes.remove(&path);
                }
            }
            Change::HideBelow(None) => self.nodes.retain(|_, node| node.layer >= layer),
            Change::HideBelow(Some(path)) => self.remove_older(&path, layer),
            Change::Link { path, target } => self.link(path, target, layer)?,
            Change::Put(entry) => {
                let kept = match entry.kind {
                    Kind::File { .. } => visit(&entry, content).map_err(Failure::Read)?,
                    _ => 0,
                };
                self.put(entry, kept, layer);
            }
        }
        Ok(())
    }

    fn put(&mut self, mut entry: Entry, content: u64, layer: u32) {
        if matches!(entry.kind, Kind::Symlink { .. }) {
            entry.mode = 0o777; // Linux has no other; what archives say differs by who made them
        }
        let path = entry.path.clone();
        self.make_room(&path, entry.is_directory(), layer);
        self.inodes.push(Inode { entry, content });
        self.nodes.insert(path, Node { inode: self.inodes.len() - 1, layer });
    }

    fn link(&mut self, path: TreePath, target: TreePath, layer: u32) -> Result<(), Failure> {
        let there = self.nodes.get(&target).map(|node| node.inode);
        let Some(inode) = there.filter(|&inode| !self.inodes[inode].entry.is_directory()) else {
            return Err(Failure::Link { path, target });
        };
        if path != target {
            self.make_room(&path, false, layer);
            self.nodes.insert(path, Node { inode, layer });
        }
        Ok(())
    }

    /// Makes sure that the directories above a path are there, and that nothing is below it unless it becomes a directory.
    fn make_room(&mut self, path: &TreePath, directory: bool, layer: u32) {
        for above in path.ancestors() {
            match self.nodes.get_mut(&above) {
                // It belongs to this layer too from now on, so that a whiteout of the layer's own does not take it away.
                Some(node) if self.inodes[node.inode].entry.is_directory() => node.layer = layer,
                _ => {
                    self.inodes.push(Inode { entry: Entry::directory(above.clone(), 0o755), content: 0 });
                    self.nodes.insert(above, Node { inode: self.inodes.len() - 1, layer });
                }
            }
        }
        if !directory {
            self.remove_older(path, u32::MAX);
        }
    }

    /// Removes everything below a path that an earlier layer put there.
    fn remove_older(&mut self, path: &TreePath, layer: u32) {
        let (first, last) = (format!("{path}/"), format!("{path}0")); // `0` is the byte after `/`
        let below = self.nodes.range::<str, _>((Bound::Included(&*first), Bound::Excluded(&*last)));
        let old: Vec<TreePath> = below.filter(|(_, node)| node.layer < layer).map(|(path, _)| path.clone()).collect();
        for path in old {
            self.nodes.remove(&path);
        }
    }

    /// Whether something stands at a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.nodes.contains_key(path)
    }

    /// Everything but directories, in byte order: each under its own path, with the layer that put it there, counted from 0, and where
    /// its content is kept.
    pub(super) fn standing(&self) -> impl Iterator<Item = (Entry, u32, u64)> + '_ {
        let all = self.nodes.iter().map(|(path, node)| (path, node.layer, &self.inodes[node.inode]));
        all.filter(|(_, _, inode)| !inode.entry.is_directory())
            .map(|(path, layer, inode)| (Entry { path: path.clone(), ..inode.entry.clone() }, layer, inode.content))
    }

    /// All directories, in byte order.
    pub(super) fn directories(&self) -> impl Iterator<Item = Entry> + '_ {
        let all = self.nodes.iter().map(|(path, node)| (path, &self.inodes[node.inode].entry));
        all.filter(|(_, entry)| entry.is_directory()).map(|(path, entry)| Entry { path: path.clone(), ..entry.clone() })
    }

    /// Everything else, in byte order, where a file of several names is a hard link under all but the first. With each file comes
    /// where its content is kept.
    pub(super) fn others(&self) -> impl Iterator<Item = (Entry, u64)> + '_ {
        let mut first_names: BTreeMap<usize, &TreePath> = BTreeMap::new();
        self.nodes.iter().filter_map(move |(path, node)| {
            let Inode { entry, content } = &self.inodes[node.inode];
            if entry.is_directory() {
                return None;
            }
            let mut entry = Entry { path: path.clone(), ..entry.clone() };
            if matches!(entry.kind, Kind::File { .. }) {
                let first = *first_names.entry(node.inode).or_insert(path);
                if first != path {
                    entry.kind = Kind::Hardlink { target: first.clone() };
                }
            }
            Some((entry, *content))
        })
    }
}

#[cfg(test)]
mod tests;

//! A layer that others made, looked into: its tree in fragments of ours, for what is made over it.
//!
//! The blob itself is passed through as it is; nothing of what is made here reaches a byte of the image.

use super::error::Error;
use super::results::{Fragment, Layered};
use super::trees::put_directories;
use crate::digest::{HashingReader, HashingWriter};
use crate::layer::{Entry, FragmentBuilder, Kind, Limits, Seen, SeenKind, Wrapping, scan};
use crate::lock::BaseLayer;
use crate::oci::{Blob, TreePath};
use crate::store::Store;
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

/// Contents up to this many bytes are sorted in memory, larger layers by way of a temporary file.
const MEMORY: usize = 64 << 20;

/// The most that a layer may expand to, in bytes.
const LARGEST: u64 = 64 << 30;

/// Reads a layer of the store and sorts it; checks that its tar is the one that the lock names.
pub(super) fn look_into(store: &Store, layer: &BaseLayer, title: &str) -> Result<Layered, Error> {
    let blob = layer.blob;
    let mut verified = BufReader::with_capacity(256 << 10, store.open_blob(&blob)?);
    let mut tree = Tree::new(store);
    let taken = take_apart(&mut verified, layer, &mut tree, title);
    // A decoder stumbles over rot before the digest shows it.
    io::copy(&mut verified, &mut io::sink()).map_err(|error| store.damaged(&blob.digest, error))?;
    taken?;

    let mut out = HashingWriter::new(store.writer()?);
    let built = tree.finish().and_then(|builder| builder.finish(&mut out)).map_err(Error::layer(title))?;
    let (writer, digest, size) = out.finish();
    let tar = writer.commit(Blob { digest, size })?;
    let index = store.put(&built.index.encode())?;
    let directories = built.directories.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
    let fragments = vec![Fragment { tar, index }];
    Ok(Layered { directories: put_directories(store, &directories, title)?, fragments, uncovered: Vec::new() })
}

fn take_apart(blob: impl BufRead + Send, layer: &BaseLayer, tree: &mut Tree, title: &str) -> Result<(), Error> {
    let mut blob = blob;
    let failed = |source| Error::Read { digest: layer.blob.digest, source };
    let wrapping = blob.fill_buf().map(Wrapping::of).map_err(failed)?;
    let mut tar = HashingReader::new(wrapping.unwrap(blob).map_err(failed)?.take(LARGEST));
    scan(&mut tar, &Limits::default(), |seen, content| tree.add(&seen, content)).map_err(Error::layer(title))?;
    io::copy(&mut tar, &mut io::sink()).map_err(failed)?;
    let (_, found, _) = tar.finish();
    let expected = layer.diff_id.0;
    if found == expected { Ok(()) } else { Err(Error::DiffId { title: title.to_owned(), expected, found }) }
}

/// The tree of a layer, as far as anything made over it can ask for it.
struct Tree {
    builder: FragmentBuilder,
    paths: BTreeSet<TreePath>,
    links: Vec<Entry>,
}

impl Tree {
    fn new(store: &Store) -> Self {
        Self { builder: FragmentBuilder::new(&store.scratch(), MEMORY), paths: BTreeSet::new(), links: Vec::new() }
    }

    /// Adds an entry. What has a name that is not UTF-8 can be named by no recipe and by no package, and is passed over.
    fn add(&mut self, seen: &Seen, content: &mut dyn Read) -> Result<(), crate::layer::Error> {
        let Some(entry) = entry(seen) else { return Ok(()) };
        if matches!(entry.kind, Kind::Hardlink { .. }) {
            self.links.push(entry);
            return Ok(());
        }
        self.paths.insert(entry.path.clone());
        self.builder.add(entry, content)
    }

    /// Adds the links. One to a file of a lower layer is passed over: that file is there by its own name.
    fn finish(mut self) -> Result<FragmentBuilder, crate::layer::Error> {
        let names: BTreeSet<TreePath> = self.links.iter().map(|link| link.path.clone()).collect();
        for link in self.links {
            if let Kind::Hardlink { target } = &link.kind
                && (self.paths.contains(target) || names.contains(target))
            {
                self.builder.add(link, &mut io::empty())?;
            }
        }
        Ok(self.builder)
    }
}

/// An entry as remint has it; `None` where a name is not UTF-8, and for the root.
fn entry(seen: &Seen) -> Option<Entry> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let path = TreePath::parse_bytes(&seen.path).ok()?;
    let kind = match &seen.kind {
        SeenKind::Directory => Kind::Directory,
        SeenKind::File(size) => Kind::File { size: *size },
        SeenKind::Symlink(target) => Kind::Symlink { target: text(target)? },
        SeenKind::Hardlink(target) => Kind::Hardlink { target: TreePath::parse_bytes(target).ok()? },
        SeenKind::Fifo => Kind::Fifo,
        SeenKind::CharDevice(major, minor) => Kind::CharDevice { major: *major, minor: *minor },
        SeenKind::BlockDevice(major, minor) => Kind::BlockDevice { major: *major, minor: *minor },
    };
    let number = |number: u64| u32::try_from(number).ok();
    let (uid, gid) = (number(seen.uid)?, number(seen.gid)?);
    let mtime = u64::try_from(seen.mtime).unwrap_or_default();
    Some(Entry { path, kind, mode: seen.mode, uid, gid, mtime, xattrs: Vec::new() })
}

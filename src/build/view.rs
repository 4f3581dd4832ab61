//! The image's files as a layer sees them: what lies below it, and what it adds, merged.

use super::alone;
use super::error::Error;
use super::merged::{self, Content, Merged, OPAQUE, Seen, WHITEOUT, is_in, seen, whiteout};
use super::results::{Fragment, Layered};
use crate::digest::Digest;
use crate::layer::{Entry, Index, Kind, Limits};
use crate::native::Root;
use crate::oci::{Blob, TreePath};
use crate::store::Store;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A merged tree over fragments in the store; what is added later stands over what was there.
pub(super) struct View<'a> {
    store: &'a Store,
    /// What several views may stand on.
    below: Arc<Merged>,
    /// What this one adds, and takes away.
    own: Merged,
    /// The only entry of the root that is looked into; `None`: all are.
    top: Option<&'a str>,
}

/// How many entries a tree has that is taken apart aside.
const ASIDE: usize = 1000;

impl<'a> View<'a> {
    /// A view of nothing yet, but for what lies below.
    pub(super) fn over(store: &'a Store, below: Arc<Merged>) -> Self {
        Self { store, below, own: Merged::default(), top: None }
    }

    /// A view of one entry of the root and all below it.
    pub(super) fn of(store: &'a Store, top: &'a str) -> Self {
        Self { store, below: Arc::default(), own: Merged::default(), top: Some(top) }
    }

    /// Whether a link is in sight, which could lead out of it.
    pub(super) fn has_links(&self) -> bool {
        self.entries().any(|entry| matches!(entry.kind, Kind::Symlink { .. }))
    }

    /// What a view that stands on nothing shows, for others to stand on.
    pub(super) fn merged(mut self) -> Merged {
        debug_assert!(self.below.is_empty(), "what lies below is lost");
        std::mem::take(&mut self.own)
    }

    /// Lays a finished layer over what is there.
    pub(super) fn add_layer(&mut self, layer: &Layered) -> Result<(), Error> {
        let read = |fragment: &Fragment| {
            self.top.map_or_else(|| read_index(self.store, fragment), |top| self.read_in(top, fragment))
        };
        let few = alone::files(layer.fragments.len());
        let (directories, indexes) = alone::both(
            few,
            || read_directories(self.store, &layer.directories),
            || alone::each(&layer.fragments, few, read).into_iter().collect::<Result<Vec<Index>, _>>(),
        );
        let (mut directories, indexes) = (directories?, indexes?);
        directories.retain(|directory| is_in(self.top, &directory.path));
        for index in &indexes {
            for path in index.entries().iter().map(|indexed| &indexed.entry.path) {
                if path.name() == OPAQUE {
                    self.empty(path.parent().as_ref().map_or("", TreePath::as_str));
                } else if let Some(gone) = whiteout(path) {
                    self.remove(&gone);
                }
            }
        }
        if self.begin(&directories, layer.fragments.iter().zip(&indexes)) {
            return Ok(());
        }
        for directory in directories {
            self.add_directory(directory);
        }
        for (fragment, index) in layer.fragments.iter().zip(indexes) {
            self.add_fragment(fragment, &index);
        }
        Ok(())
    }

    /// Reads the index of a fragment that may have to do with an entry of the root; of any other, none of it is taken apart.
    fn read_in(&self, top: &str, fragment: &Fragment) -> Result<Index, Error> {
        let bytes = self.store.read(&fragment.index)?;
        // A whiteout in the root may be that entry's.
        let matters = |path: &[u8]| {
            let first = path.split(|&byte| byte == b'/').next().unwrap_or(path);
            first == top.as_bytes() || first.starts_with(WHITEOUT.as_bytes())
        };
        if Index::may_have(&bytes, matters) { decode(self.store, fragment, &bytes) } else { Ok(Index::default()) }
    }

    /// Takes a layer as the lowest one, all at once: it is often the largest by far. Whether it could: there has to be nothing yet, so that
    /// its whiteouts hide nothing, and nothing in the layer may take the place of anything.
    fn begin<'i>(&mut self, directories: &[Entry], parts: impl Iterator<Item = (&'i Fragment, &'i Index)>) -> bool {
        if !self.below.is_empty() || !self.own.is_empty() {
            return false;
        }
        let Some(own) = Merged::of(self.top, directories, parts) else { return false };
        self.own = own;
        true
    }

    /// Lays a directory over what is there.
    pub(super) fn add_directory(&mut self, directory: Entry) {
        self.insert(Seen::directory(directory));
    }

    /// Lays a fragment's entries over what is there.
    pub(super) fn add_fragment(&mut self, fragment: &Fragment, index: &Index) {
        let at = self.below.tars.len() + self.own.tars.len();
        self.own.tars.push(fragment.tar);
        for seen in seen(self.top, at, index) {
            // Only layers that others made put anything else in the place of a directory.
            if self.seen(seen.entry.path.as_str()).is_some_and(|there| there.entry.is_directory()) {
                self.remove(&seen.entry.path);
            }
            self.insert(seen);
        }
    }

    fn insert(&mut self, seen: Seen) {
        self.own.entries.insert(seen.entry.path.clone(), Some(seen));
    }

    /// Takes away a path and all below it.
    pub(super) fn remove(&mut self, path: &TreePath) {
        self.hide(path);
        self.empty(path.as_str());
    }

    /// Takes away all below a directory.
    fn empty(&mut self, directory: &str) {
        let below: Vec<TreePath> = self.inside(directory).map(|(path, _)| path.clone()).collect();
        for path in below {
            self.hide(&path);
        }
    }

    fn hide(&mut self, path: &TreePath) {
        if self.below.entries.contains_key(path) {
            self.own.entries.insert(path.clone(), None);
        } else {
            self.own.entries.remove(path);
        }
    }

    /// Every entry, in byte order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.inside("").map(|(_, seen)| &seen.entry)
    }

    fn seen(&self, path: &str) -> Option<&Seen> {
        self.own.entries.get(path).or_else(|| self.below.entries.get(path))?.as_ref()
    }

    fn inside<'s>(&'s self, directory: &str) -> impl Iterator<Item = (&'s TreePath, &'s Seen)> + use<'s> {
        merged::inside(&self.below, &self.own, directory)
    }
}

impl Drop for View<'_> {
    /// Takes large trees apart aside: nobody has to wait for that.
    fn drop(&mut self) {
        let trees = (std::mem::take(&mut self.below), std::mem::take(&mut self.own));
        if trees.0.entries.len() + trees.1.entries.len() > ASIDE {
            rayon::spawn(move || drop(trees));
        }
    }
}

impl Root for View<'_> {
    fn get(&self, path: &str) -> Option<&Entry> {
        self.seen(path).map(|seen| &seen.entry)
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.read_part(path, 0, usize::MAX)
    }

    fn read_part(&self, path: &str, from: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(Seen { entry: Entry { kind: Kind::File { size }, .. }, content: Content::At(tar, offset) }) =
            self.seen(path)
        else {
            return Ok(None);
        };
        let lower = &self.below.tars;
        let tar = lower.get(*tar).unwrap_or_else(|| &self.own.tars[*tar - lower.len()]);
        super::pack::ensure(self.store, tar).map_err(io::Error::other)?;
        let left = usize::try_from(size.saturating_sub(from)).map_err(io::Error::other)?;
        let mut bytes = vec![0; left.min(length)];
        if !bytes.is_empty() {
            let file = self.store.open_file(&tar.digest).map_err(io::Error::other)?;
            file.read_exact_at(&mut bytes, offset + from)?;
        }
        Ok(Some(bytes))
    }

    fn under<'s>(&'s self, directory: &str) -> Box<dyn Iterator<Item = &'s Entry> + 's> {
        Box::new(self.inside(directory).map(|(_, seen)| &seen.entry))
    }
}

/// Reads a fragment's index out of the store.
pub(super) fn read_index(store: &Store, fragment: &Fragment) -> Result<Index, Error> {
    decode(store, fragment, &store.read(&fragment.index)?)
}

fn decode(store: &Store, fragment: &Fragment, bytes: &[u8]) -> Result<Index, Error> {
    Index::decode(bytes).map_err(|_| misformed(store, fragment.index.digest, "a fragment's index"))
}

/// Reads a layer's directories out of the store.
pub(super) fn read_directories(store: &Store, blob: &Blob) -> Result<Vec<Entry>, Error> {
    let bytes = store.read(blob)?;
    parse_directories(&bytes).map_err(|_| misformed(store, blob.digest, "a fragment of directories"))
}

/// Sets aside a blob that is what its name says and yet not what it should be.
pub(super) fn misformed(store: &Store, digest: Digest, expected: &'static str) -> Error {
    match store.discard(&digest) {
        Ok(()) => Error::Form { digest, expected },
        Err(stuck) => stuck.into(),
    }
}

/// Reads what [`crate::layer::directories`] writes.
pub(super) fn parse_directories(tar: &[u8]) -> Result<Vec<Entry>, crate::layer::Error> {
    let mut all = Vec::new();
    let whole = io::Read::chain(tar, &crate::layer::END[..]);
    crate::layer::read(whole, &Limits::default(), |entry, _| {
        all.push(entry);
        Ok::<(), crate::layer::Error>(())
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::FragmentWriter;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    fn file(text: &str, mode: u32) -> Entry {
        Entry::file(path(text), mode, 0)
    }

    fn fragment(entries: &[Entry]) -> (Fragment, Index) {
        let mut writer = FragmentWriter::new(Vec::new());
        for entry in entries {
            writer.add(entry, &mut io::empty()).unwrap();
        }
        let (tar, index) = writer.finish().unwrap();
        (Fragment { tar: Blob::of(&tar), index: Blob::of(b"") }, index)
    }

    fn shown(view: &View<'_>) -> Vec<String> {
        view.entries().map(|entry| format!("{} {:o}", entry.path, entry.mode)).collect()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    #[test]
    fn what_is_shared_stays_what_it_is() {
        let (_dir, store) = store();
        let mut lower = View::over(&store, Arc::default());
        for name in ["a", "a/b", "a/b/c", "a-", "d"] {
            lower.add_directory(Entry::directory(path(name), 0o755));
        }
        let ground = Arc::new(lower.merged());
        let mut one = View::over(&store, Arc::clone(&ground));
        one.remove(&path("a/b"));
        one.add_directory(Entry::directory(path("a/b/x"), 0o700));
        one.add_directory(Entry::directory(path("d"), 0o711));
        // A file in the place of a directory.
        let (files, index) = fragment(&[file("a-", 0o640), file("e", 0o600)]);
        one.add_fragment(&files, &index);
        assert_eq!(shown(&one), ["a 755", "a- 640", "a/b/x 700", "d 711", "e 600"]);
        assert!(one.get("a/b").is_none() && one.get("a/b/c").is_none() && one.get("a").is_some());
        let under: Vec<&str> = one.under("a").map(|entry| entry.path.as_str()).collect();
        assert_eq!(under, ["a/b/x"]);
        one.remove(&path("a/b/x"));
        one.add_directory(Entry::directory(path("a/b"), 0o750));
        assert_eq!(shown(&one), ["a 755", "a- 640", "a/b 750", "d 711", "e 600"]);
        assert_eq!(shown(&View::over(&store, ground)), ["a 755", "a- 755", "a/b 755", "a/b/c 755", "d 755"]);
    }

    #[test]
    fn one_entry_of_the_root_is_all_that_is_seen() {
        let (_dir, store) = store();
        let directories = [Entry::directory(path("srv"), 0o755), Entry::directory(path("srvx"), 0o755)];
        let (files, index) = fragment(&[file("etc/x", 0o644), file("srv/a", 0o600), file("srv/b/c", 0o644)]);
        let mut tar = Vec::new();
        crate::layer::directories(directories.iter()).map(|bytes| tar.extend(bytes)).unwrap();
        let layer = Layered {
            directories: store.put(&tar).unwrap(),
            fragments: vec![Fragment { index: store.put(&index.encode()).unwrap(), ..files }],
            uncovered: Vec::new(),
        };
        let mut view = View::of(&store, "srv");
        view.add_layer(&layer).unwrap();
        assert_eq!(shown(&view), ["srv 755", "srv/a 600", "srv/b/c 644"]);
        assert!(!view.has_links());
        // What takes it away stands in the root; another's does not matter.
        for (whiteout, left) in
            [(".wh.etc", 3), ("etc/.wh.srv", 3), (".wh.srv", 0), (".wh..wh..opq", 0), ("srv/.wh.b", 2)]
        {
            let (files, index) = fragment(&[file(whiteout, 0o644)]);
            let upper = Layered {
                directories: store.put(b"").unwrap(),
                fragments: vec![Fragment { index: store.put(&index.encode()).unwrap(), ..files }],
                uncovered: Vec::new(),
            };
            let mut both = View::of(&store, "srv");
            both.add_layer(&layer).unwrap();
            both.add_layer(&upper).unwrap();
            assert_eq!(shown(&both).len(), left, "{whiteout}");
        }
        let (links, index) = fragment(&[Entry::symlink(path("etc/y"), "/srv"), Entry::symlink(path("srv/l"), "/etc")]);
        let mut elsewhere = View::of(&store, "home");
        elsewhere.add_fragment(&links, &index);
        assert!(!elsewhere.has_links());
        view.add_fragment(&links, &index);
        assert!(view.has_links());
    }

    #[test]
    fn the_lowest_layer_is_the_same_taken_all_at_once() {
        let (_dir, store) = store();
        let directories = [Entry::directory(path("a"), 0o755), Entry::directory(path("a/b"), 0o755)];
        let plain = [fragment(&[file("a/b/c", 0o644), file("d", 0o644)]), fragment(&[file("a/x", 0o600)])];
        // What takes the place of a directory, and of a file.
        let clash =
            [fragment(&[file("a/b/c", 0o644)]), fragment(&[file("a/b", 0o600)]), fragment(&[file("a/b", 0o640)])];
        for (parts, fits) in [(&plain[..], true), (&clash[..], false)] {
            let mut slow = View::over(&store, Arc::default());
            for directory in &directories {
                slow.add_directory(directory.clone());
            }
            for (fragment, index) in parts {
                slow.add_fragment(fragment, index);
            }
            let mut quick = View::over(&store, Arc::default());
            let parts = || parts.iter().map(|(fragment, index)| (fragment, index));
            assert_eq!(quick.begin(&directories, parts()), fits);
            if fits {
                assert_eq!(shown(&quick), shown(&slow));
                assert!(!quick.begin(&directories, std::iter::empty()), "there is something by now");
                // What lies below may be fragments alone, of which nothing is seen; they are counted all the same.
                let mut hollow = View::over(&store, Arc::default());
                let (whiteouts, index) = fragment(&[file(".wh.x", 0o644)]);
                hollow.add_fragment(&whiteouts, &index);
                let mut over = View::over(&store, Arc::new(hollow.merged()));
                assert!(!over.begin(&directories, parts()));
            } else {
                assert_eq!(shown(&slow), ["a 755", "a/b 640"]);
            }
        }
    }
}

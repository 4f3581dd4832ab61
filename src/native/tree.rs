//! The image while it is configured: what is there, under what the steps have made so far.

use super::{Error, Output, Root};
use crate::layer::{Entry, Kind};
use crate::oci::TreePath;
use std::collections::{BTreeMap, BTreeSet};

/// How many symbolic links one path may pass, as Linux has it (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// A root with changes over it.
///
/// Paths are relative (`etc/passwd`); a leading slash is taken off. Parents of what is made come into being with mode 0755. A file
/// that is made with the bytes, mode and owner that it has already is no change, so a layer holds only what a step really altered.
pub(super) struct Tree<'a> {
    root: &'a dyn Root,
    made: BTreeMap<TreePath, (Entry, Vec<u8>)>,
    removed: BTreeSet<TreePath>,
    moved: BTreeMap<TreePath, TreePath>,
}

impl<'a> Tree<'a> {
    /// Starts with no changes.
    pub(super) fn new(root: &'a dyn Root) -> Self {
        Self { root, made: BTreeMap::new(), removed: BTreeSet::new(), moved: BTreeMap::new() }
    }

    /// What stands at a path, itself: the last link is not followed.
    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        let path = trimmed(path);
        match self.made.get(path) {
            Some((entry, _)) => Some(entry),
            None if self.removed.contains(path) => None,
            None => self.root.get(path),
        }
    }

    /// A file's bytes; `None` where there is no file. Links on the way and at the end are followed.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(at) = self.content_at(path) else { return Ok(None) };
        if let Some((_, content)) = self.made.get(&at) {
            return Ok(Some(content.clone()));
        }
        self.root.read(at.as_str()).map_err(|source| Error::Read { path: at, source })
    }

    /// A file's bytes from an offset on, as many as there are up to a length; else as [`Tree::read`].
    pub(super) fn part(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Error> {
        let Some(at) = self.content_at(path) else { return Ok(None) };
        if let Some((_, content)) = self.made.get(&at) {
            return Ok(Some(super::part(content, offset, length).to_vec()));
        }
        self.root.read_part(at.as_str(), offset, length).map_err(|source| Error::Read { path: at, source })
    }

    /// The place of a file's content; `None` where there is no file.
    fn content_at(&self, path: &str) -> Option<TreePath> {
        let at = self.resolve(path)?;
        match &self.get(at.as_str())?.kind {
            Kind::File { .. } => Some(at),
            Kind::Hardlink { target } => Some(target.clone()),
            _ => None,
        }
    }

    /// A file's text; a file that is not UTF-8 counts as an error, since the steps read only what Debian writes.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, Error> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| Error::NotText { path: trimmed(path).to_owned() })
    }

    /// Whether something stands at the end of a path, links followed, as `test -e` has it.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|at| self.get(at.as_str()).is_some())
    }

    /// Whether a directory stands at the end of a path, links followed.
    pub(super) fn is_directory(&self, path: &str) -> bool {
        trimmed(path).is_empty()
            || self.resolve(path).is_some_and(|at| self.get(at.as_str()).is_some_and(Entry::is_directory))
    }

    /// Where a path leads when every link on it is followed, inside the image; `None` for the root, a loop, or a path that
    /// cannot be. The end need not exist.
    pub(super) fn resolve(&self, path: &str) -> Option<TreePath> {
        self.walk(path, true)
    }

    /// As [`Self::resolve`], but a link at the very end is left alone: the place that a new file or link would take.
    pub(super) fn place(&self, path: &str) -> Option<TreePath> {
        self.walk(path, false)
    }

    fn walk(&self, path: &str, last_too: bool) -> Option<TreePath> {
        let mut todo: Vec<String> = components(path);
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(component) = todo.pop() {
            if component == ".." {
                done.pop();
                continue;
            }
            done.push(component);
            let here = done.join("/");
            if todo.is_empty() && !last_too {
                break;
            }
            if let Some(Entry { kind: Kind::Symlink { target }, .. }) = self.get(&here) {
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                if target.starts_with('/') {
                    done.clear();
                } else {
                    done.pop();
                }
                todo.extend(components(target));
            }
        }
        TreePath::parse(&done.join("/")).ok()
    }

    /// Everything under a directory, in byte order, at any depth; links are not followed.
    pub(super) fn under(&self, directory: &str) -> Vec<&Entry> {
        let directory = trimmed(directory);
        let mut all: BTreeMap<&TreePath, &Entry> = BTreeMap::new();
        for entry in self.root.under(directory) {
            if !self.removed.contains(&entry.path) {
                all.insert(&entry.path, entry);
            }
        }
        for (path, (entry, _)) in &self.made {
            let inside =
                path.as_str().strip_prefix(directory).is_some_and(|rest| directory.is_empty() || rest.starts_with('/'));
            if inside {
                all.insert(path, entry);
            }
        }
        all.into_values().collect()
    }

    /// The names directly in a directory, links on the way followed, in byte order.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let at = self.resolve(directory).map_or_else(String::new, |at| at.as_str().to_owned());
        if at.is_empty() && !trimmed(directory).is_empty() {
            return Vec::new();
        }
        let skip = if at.is_empty() { 0 } else { at.len() + 1 };
        self.under(&at)
            .into_iter()
            .filter_map(|entry| entry.path.as_str().get(skip..))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Makes or replaces a file of root's; links on the way are followed, one at the end is replaced.
    pub(super) fn file(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        self.owned_file(path, mode, (0, 0), content);
    }

    /// Makes or replaces a file with an owner and a group.
    pub(super) fn owned_file(&mut self, path: &str, mode: u32, (uid, gid): (u32, u32), content: impl Into<Vec<u8>>) {
        let Some(at) = self.place(path) else { return };
        let content = content.into();
        let mut entry = Entry::file(at, mode, content.len() as u64);
        (entry.uid, entry.gid) = (uid, gid);
        self.put(entry, content);
    }

    /// Puts other bytes into a file that keeps its mode and owner; a new one gets 0644 and root.
    pub(super) fn rewrite(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        let found =
            self.resolve(path).and_then(|at| self.get(at.as_str())).map(|e| (e.path.clone(), e.mode, (e.uid, e.gid)));
        match found {
            Some((at, mode, owner)) => self.owned_file(at.as_str(), mode, owner, content),
            None => self.file(path, 0o644, content),
        }
    }

    /// Makes or replaces a symbolic link, as `ln -sfn` has it.
    pub(super) fn symlink(&mut self, path: &str, target: &str) {
        let Some(at) = self.place(path) else { return };
        self.put(Entry::symlink(at, target), Vec::new());
    }

    /// Makes a directory of root's where none is; one that is there stays as it is.
    pub(super) fn directory(&mut self, path: &str, mode: u32) {
        self.owned_directory(path, mode, (0, 0));
    }

    /// Makes a directory with an owner and a group where none is, and says whether it did.
    pub(super) fn owned_directory(&mut self, path: &str, mode: u32, (uid, gid): (u32, u32)) -> bool {
        if self.is_directory(path) {
            return false;
        }
        let Some(at) = self.place(path) else { return false };
        let mut entry = Entry::directory(at, mode);
        (entry.uid, entry.gid) = (uid, gid);
        self.put(entry, Vec::new());
        true
    }

    /// Gives what is there another mode and owner, links followed; `None` leaves either as it is.
    pub(super) fn change(&mut self, path: &str, mode: Option<u32>, owner: Option<(u32, u32)>) -> Result<(), Error> {
        let Some(mut entry) = self.resolve(path).and_then(|at| self.get(at.as_str()).cloned()) else { return Ok(()) };
        let content = match entry.kind {
            Kind::File { .. } => self.read(entry.path.as_str())?.unwrap_or_default(),
            _ => Vec::new(),
        };
        entry.mode = mode.unwrap_or(entry.mode);
        (entry.uid, entry.gid) = owner.unwrap_or((entry.uid, entry.gid));
        self.put(entry, content);
        Ok(())
    }

    /// Takes a file, a link or an empty directory away; a directory that is not empty stays.
    pub(super) fn remove(&mut self, path: &str) {
        let Some(at) = self.place(path) else { return };
        if self.get(at.as_str()).is_some_and(Entry::is_directory) && !self.under(at.as_str()).is_empty() {
            return;
        }
        self.made.remove(&at);
        if self.root.get(at.as_str()).is_some() {
            self.removed.insert(at);
        }
    }

    /// Renames a package's file, as a diversion does; what is not there is not renamed.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        let (Some(from), Some(to)) = (self.place(from), self.place(to)) else { return };
        if self.made.contains_key(&from) || self.root.get(from.as_str()).is_none() {
            return;
        }
        self.removed.insert(from.clone());
        self.moved.insert(from, to);
    }

    /// What changed.
    pub(super) fn finish(self) -> Output {
        let Self { root, made, mut removed, moved } = self;
        removed
            .retain(|path| !made.contains_key(path) && !moved.contains_key(path) && root.get(path.as_str()).is_some());
        Output { entries: made.into_values().collect(), removed, moved, uncovered: Vec::new() }
    }

    fn put(&mut self, entry: Entry, content: Vec<u8>) {
        for above in entry.path.ancestors() {
            if self.get(above.as_str()).is_none() {
                self.removed.remove(&above);
                self.made.insert(above.clone(), (Entry::directory(above, 0o755), Vec::new()));
            }
        }
        let same = |old: &Entry| {
            old.kind == entry.kind && old.mode == entry.mode && (old.uid, old.gid) == (entry.uid, entry.gid)
        };
        let path = entry.path.clone();
        let unchanged = !self.removed.contains(&path)
            && self.root.get(path.as_str()).is_some_and(same)
            && (!matches!(entry.kind, Kind::File { .. })
                || self.root.read(path.as_str()).is_ok_and(|old| old.as_ref() == Some(&content)));
        self.removed.remove(&path);
        if unchanged {
            self.made.remove(&path);
        } else {
            self.made.insert(path, (entry, content));
        }
    }
}

/// A path without slashes in front and behind.
fn trimmed(path: &str) -> &str {
    path.trim_matches('/')
}

/// A path's components, the last first.
fn components(path: &str) -> Vec<String> {
    path.split('/').filter(|c| !c.is_empty() && *c != ".").rev().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn links_are_followed_inside_the_image_alone() {
        let root = Mem::new()
            .directory("usr/bin")
            .symlink("bin", "usr/bin")
            .file("usr/bin/x", b"x")
            .symlink("a", "../../bin/x")
            .symlink("l", "l");
        let tree = Tree::new(&root);
        assert_eq!(tree.resolve("/a").unwrap().as_str(), "usr/bin/x");
        assert_eq!(tree.read("/bin/x").unwrap().unwrap(), b"x");
        assert_eq!(tree.place("bin/new").unwrap().as_str(), "usr/bin/new");
        assert_eq!(tree.place("a").unwrap().as_str(), "a");
        assert_eq!(tree.resolve("l"), None);
        assert!(tree.exists("bin") && !tree.exists("bin/y") && tree.is_directory("/bin"));
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let root = Mem::new().directory("etc").file("etc/a", b"1").file("etc/b", b"2").directory("var/run");
        let mut tree = Tree::new(&root);
        tree.file("etc/a", 0o644, "1");
        tree.file("etc/b", 0o644, "3");
        tree.file("srv/new/c", 0o600, "");
        tree.remove("var/run");
        tree.symlink("var/run", "/run");
        tree.remove("etc");
        let out = tree.finish();
        let paths: Vec<_> = out.entries.iter().map(|(e, _)| e.path.as_str()).collect();
        assert_eq!(paths, ["etc/b", "srv", "srv/new", "srv/new/c", "var/run"]);
        assert!(out.removed.is_empty());
    }

    #[test]
    fn what_was_made_is_seen() {
        let root = Mem::new().directory("etc").file("etc/a", b"1");
        let mut tree = Tree::new(&root);
        tree.file("etc/z", 0o644, "z");
        tree.remove("etc/a");
        assert_eq!(tree.names("etc"), ["z"]);
        assert_eq!(tree.text("/etc/z").unwrap().unwrap(), "z");
        assert!(tree.get("etc/a").is_none());
        assert_eq!(tree.finish().removed.len(), 1);
    }
}

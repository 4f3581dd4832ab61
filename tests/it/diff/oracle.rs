//! Which paths two images differ at, by a plain reading of the image-spec that shares nothing with the engine: each layer's whiteouts
//! first, then its entries, one over the other.

use super::taken::{Entry, Image};
use remint::verify::diff::{Change, Field};
use std::collections::{BTreeMap, BTreeSet};
use tar::EntryType;

/// What stands at a path.
#[derive(Clone)]
struct Node {
    /// Two paths with one number are one file.
    file: usize,
    /// Nothing for a directory that is only implied.
    entry: Option<Entry>,
}

/// A root file system.
pub(super) struct Root(BTreeMap<String, Node>);

/// What differs at a path.
pub(super) type Differences = BTreeMap<String, (Change, BTreeSet<Field>)>;

impl Root {
    /// Lays the layers of an image on top of each other.
    pub(super) fn of(image: &Image) -> Self {
        let mut root = Self(BTreeMap::new());
        let mut files = 0;
        for layer in &image.layers {
            for entry in &layer.entries {
                let (parent, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
                if let Some(hidden) = name.strip_prefix(".wh.") {
                    root.remove(&join(parent, hidden));
                }
            }
            for entry in
                layer.entries.iter().filter(|entry| !entry.path.rsplit('/').next().unwrap().starts_with(".wh."))
            {
                for (at, _) in entry.path.match_indices('/') {
                    files += 1;
                    root.0.entry(entry.path[..at].to_owned()).or_insert(Node { file: files, entry: None });
                }
                files += 1;
                let mut node = Node { file: files, entry: Some(entry.clone()) };
                if entry.kind() == EntryType::Link {
                    node = root.0[&link(entry)].clone();
                }
                if entry.kind() != EntryType::Directory {
                    root.remove(&entry.path);
                }
                root.0.insert(entry.path.clone(), node);
            }
        }
        root.0.remove("");
        root
    }

    /// Removes a path with all that is below it.
    fn remove(&mut self, path: &str) {
        self.0.retain(|other, _| other != path && !other.starts_with(&format!("{path}/")));
    }

    /// The first name of the file at a path.
    fn first(&self, path: &str) -> &str {
        let file = self.0[path].file;
        self.0.iter().find(|(_, node)| node.file == file).map_or("", |(name, _)| name)
    }

    /// Whether the file at a path is this entry.
    pub(super) fn shows(&self, entry: &Entry) -> bool {
        let same = |other: &Entry| other.header.as_bytes() == entry.header.as_bytes() && other.content == entry.content;
        self.0.get(&entry.path).and_then(|node| node.entry.as_ref()).is_some_and(same)
    }

    /// The paths of all things.
    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Compares it with another.
    pub(super) fn differences(&self, other: &Self) -> Differences {
        let mut all = Differences::new();
        for path in self.0.keys().chain(other.0.keys()) {
            let found = match (self.0.get(path), other.0.get(path)) {
                (Some(one), Some(another)) => {
                    let mut fields = fields(one.entry.as_ref(), another.entry.as_ref());
                    let files = [one, another].iter().all(|node| node.entry.as_ref().is_some_and(is_file));
                    if files && self.first(path) != other.first(path) {
                        fields.insert(Field::Link);
                    }
                    (Change::Changed, fields)
                }
                (Some(Node { entry: Some(_), .. }), None) => (Change::Removed, [Field::Presence].into()),
                (None, Some(Node { entry: Some(_), .. })) => (Change::Added, [Field::Presence].into()),
                _ => continue,
            };
            if !found.1.is_empty() {
                all.insert(format!("/{path}"), found);
            }
        }
        all
    }
}

/// A name in a directory.
fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// Where a link leads.
pub(super) fn link(entry: &Entry) -> String {
    String::from_utf8(entry.header.link_name_bytes().unwrap().into_owned()).unwrap()
}

pub(super) fn is_file(entry: &Entry) -> bool {
    entry.kind() == EntryType::Regular
}

/// Which fields of two things at one path differ.
fn fields(a: Option<&Entry>, b: Option<&Entry>) -> BTreeSet<Field> {
    let kind = |entry: Option<&Entry>| entry.map_or(EntryType::Directory, Entry::kind);
    if kind(a) != kind(b) {
        return [Field::Type].into();
    }
    let mut fields = BTreeSet::new();
    let mut add = |field: Field, differs: bool| {
        if differs {
            fields.insert(field);
        }
    };
    let content = |entry: Option<&Entry>| entry.map_or(vec![], |entry| entry.content.clone());
    add(Field::Content, content(a) != content(b));
    add(Field::Link, kind(a) == EntryType::Symlink && a.map(link) != b.map(link));
    let mode = |entry: Option<&Entry>| entry.map_or(0o755, |entry| entry.header.mode().unwrap());
    add(Field::Mode, kind(a) != EntryType::Symlink && mode(a) != mode(b));
    let owner = |entry: Option<&Entry>| {
        entry.map_or((0, 0), |entry| (entry.header.uid().unwrap(), entry.header.gid().unwrap()))
    };
    add(Field::Owner, owner(a) != owner(b));
    // A directory that is only implied has no time.
    let time = |entry: Option<&Entry>| entry.map(|entry| entry.header.mtime().unwrap());
    add(Field::Mtime, a.is_some() && b.is_some() && time(a) != time(b));
    add(Field::Xattrs, xattrs(a) != xattrs(b));
    fields
}

/// The extended attributes, as they stand in the header in front.
fn xattrs(entry: Option<&Entry>) -> Vec<u8> {
    let bytes = entry.map_or(&[][..], |entry| &entry.before);
    let found = bytes.windows(13).position(|window| window == b"SCHILY.xattr.");
    found.map_or(vec![], |at| bytes[at..].split(|&byte| byte == b'\n').next().unwrap().to_vec())
}

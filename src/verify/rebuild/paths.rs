//! The first path at which two fragments differ, by their indexes and then by their bytes.

use crate::build::Fragment;
use crate::layer::{END, Entry, Index, Kind, Limits};
use crate::oci::Blob;
use crate::store::Store;
use crate::verify::diff::{Class, Field, Finding, Hints, explain_contents, time};
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Blobs beyond this many bytes are not read whole to compare them: an index of a million entries is far below.
const LARGEST: u64 = 256 << 20;

/// A file of more bytes is explained by a piece of this length.
const PIECE: u64 = 4 << 20;

/// The first path at which two fragments differ, and how.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) path: String,
    /// A fragment of a sentence, where the findings do not say it.
    pub(super) note: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl Place {
    fn noted(path: &impl ToString, note: impl Into<String>) -> Self {
        Self { path: path.to_string(), note: Some(note.into()), findings: vec![] }
    }
}

/// What was built before, and again.
#[derive(Clone, Copy)]
pub(super) struct Stores<'a> {
    pub(super) before: &'a Store,
    pub(super) after: &'a Store,
}

/// The first path at which two fragments differ, and how; `None` where one of them cannot be read.
pub(super) fn fragment(stores: Stores<'_>, a: &Fragment, b: &Fragment, hints: &Hints) -> Option<Place> {
    let Stores { before, after } = stores;
    let (old, new) = (index(before, a)?, index(after, b)?);
    let mut pairs = old.entries().iter().zip(new.entries());
    if let Some((old, new)) = pairs.find(|(old, new)| old.entry != new.entry) {
        return Some(entries(&old.entry, &new.entry));
    }
    let common = old.entries().len().min(new.entries().len());
    if let Some(more) = new.entries().get(common) {
        return Some(Place::noted(&more.entry.path, "it was not there before"));
    }
    if let Some(less) = old.entries().get(common) {
        return Some(Place::noted(&less.entry.path, "it is missing"));
    }
    let at = first_byte(before, after, a.tar, b.tar)?;
    let inside = old.entries().iter().rev().find(|indexed| indexed.offset <= at)?;
    let into = at - inside.offset;
    let mut place = Place::noted(&inside.entry.path, format!("its content differs from byte {into} on"));
    let Kind::File { size } = inside.entry.kind else { return Some(place) };
    let from = if size > PIECE { into / PIECE * PIECE } else { 0 };
    let piece = |store: &Store, tar: Blob| -> Option<Vec<u8>> {
        let mut file = store.open_file(&tar.digest).ok()?;
        file.seek(SeekFrom::Start(inside.offset + from)).ok()?;
        let mut bytes = Vec::new();
        file.take((size - from).min(PIECE)).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    if let (Some(old), Some(new)) = (piece(before, a.tar), piece(after, b.tar)) {
        place.findings = explain_contents(&place.path, from, &old, &new, hints);
    }
    Some(place)
}

/// The first path at which two layers' directories differ; `None` where one of them cannot be read.
pub(super) fn directories(before: &Store, after: &Store, a: Blob, b: Blob) -> Option<String> {
    let (old, new) = (listed(before, a)?, listed(after, b)?);
    let mut at = 0;
    while at < old.len() && at < new.len() && old[at] == new[at] {
        at += 1;
    }
    let first = [old.get(at), new.get(at)].into_iter().flatten().map(|entry| &entry.path).min()?;
    Some(first.to_string())
}

fn listed(store: &Store, tar: Blob) -> Option<Vec<Entry>> {
    let bytes = whole(store, tar)?;
    let mut all = Vec::new();
    crate::layer::read(bytes.chain(&END[..]), &Limits::default(), |entry, _| {
        all.push(entry);
        Ok::<(), crate::layer::Error>(())
    })
    .ok()?;
    Some(all)
}

fn index(store: &Store, fragment: &Fragment) -> Option<Index> {
    let mut bytes = Vec::new();
    whole(store, fragment.index)?.read_to_end(&mut bytes).ok()?;
    Index::decode(&bytes).ok()
}

/// Reads a blob whole; what is damaged stays where it is.
fn whole(store: &Store, blob: Blob) -> Option<impl Read + use<>> {
    if blob.size > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    store.open_file(&blob.digest).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(std::io::Cursor::new(bytes))
}

/// How two entries of one place differ.
fn entries(old: &Entry, new: &Entry) -> Place {
    if old.path != new.path {
        return if old.path < new.path {
            Place::noted(&old.path, "it is missing")
        } else {
            Place::noted(&new.path, "it was not there before")
        };
    }
    let when = |entry: &Entry| time((i64::try_from(entry.mtime).unwrap_or(i64::MAX), 0));
    let mut findings = Vec::new();
    let mut add = |field, class, old: String, new: String| {
        if old != new {
            findings.push(Finding::new(field, class).values(old, new));
        }
    };
    add(Field::Mode, Class::Mode, format!("{:04o}", old.mode), format!("{:04o}", new.mode));
    add(Field::Owner, Class::Owner, format!("{}:{}", old.uid, old.gid), format!("{}:{}", new.uid, new.gid));
    add(Field::Mtime, Class::Mtime, when(old), when(new));
    let note = match (old.kind == new.kind, old.xattrs == new.xattrs) {
        (false, _) => Some(format!("expected {:?}, found {:?}", old.kind, new.kind)),
        (true, false) => Some("its extended attributes differ".to_owned()),
        (true, true) => None,
    };
    Place { path: new.path.to_string(), note, findings }
}

/// The first byte in which two blobs differ, by its place.
fn first_byte(before: &Store, after: &Store, a: Blob, b: Blob) -> Option<u64> {
    let open = |store: &Store, blob: Blob| Some(BufReader::with_capacity(1 << 17, store.open_file(&blob.digest).ok()?));
    let (mut old, mut new) = (open(before, a)?, open(after, b)?);
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0;
    loop {
        let (n, m) = (fill(&mut old, &mut left)?, fill(&mut new, &mut right)?);
        let same = left[..n].iter().zip(&right[..m]).take_while(|(a, b)| a == b).count();
        at += same as u64;
        if same < n.max(m) {
            return Some(at);
        }
        if n == 0 {
            return None;
        }
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Option<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]).ok()? {
            0 => break,
            read => filled += read,
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::FragmentWriter;
    use crate::oci::TreePath;

    fn make(store: &Store, files: &[(&str, u32, &str)]) -> Fragment {
        let mut writer = FragmentWriter::new(Vec::new());
        for (path, mode, content) in files {
            let entry = Entry::file(TreePath::parse(path).unwrap(), *mode, content.len() as u64);
            writer.add(&entry, &mut content.as_bytes()).unwrap();
        }
        let (tar, index) = writer.finish().unwrap();
        Fragment { tar: store.put(&tar).unwrap(), index: store.put(&index.encode()).unwrap() }
    }

    #[test]
    fn the_first_difference_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let first = make(&store, &[("a", 0o644, "same"), ("b/c", 0o644, "hello"), ("d", 0o644, "x")]);
        let found = |files: &[(&str, u32, &str)]| {
            let other = make(&store, files);
            let stores = Stores { before: &store, after: &store };
            let place = fragment(stores, &first, &other, &Hints::default()).unwrap();
            let lines = place.note.into_iter().chain(place.findings.iter().map(Finding::line));
            format!("{}: {}", place.path, lines.collect::<Vec<_>>().join("; "))
        };
        let content = found(&[("a", 0o644, "same"), ("b/c", 0o644, "heLlo"), ("d", 0o644, "y")]);
        assert_eq!(content, "b/c: its content differs from byte 2 on; content, byte 2: other content");
        let mode = found(&[("a", 0o644, "same"), ("b/c", 0o600, "hello"), ("d", 0o644, "x")]);
        assert_eq!(mode, "b/c: mode  0644 → 0600");
        assert_eq!(found(&[("a", 0o644, "same"), ("d", 0o644, "x")]), "b/c: it is missing");
        let more = [("a", 0o644, "same"), ("b/b", 0o644, ""), ("b/c", 0o644, "hello"), ("d", 0o644, "x")];
        assert_eq!(found(&more), "b/b: it was not there before");
        assert_eq!(found(&[("a", 0o644, "same"), ("b/c", 0o644, "hello")]), "d: it is missing");
        assert!(found(&[("a", 0o644, "samE!")]).starts_with("a: expected File"));
    }
}

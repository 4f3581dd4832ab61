//! The first path at which two fragments differ, by their indexes and then by their bytes.

use crate::build::Fragment;
use crate::layer::{END, Entry, Index, Limits};
use crate::oci::Blob;
use crate::store::Store;
use std::io::{BufReader, Read};

/// Blobs beyond this many bytes are not read whole to compare them: an index of a million entries is far below.
const LARGEST: u64 = 256 << 20;

/// The first path at which two fragments differ, and how; `None` where one of them cannot be read.
pub(super) fn fragment(before: &Store, after: &Store, a: &Fragment, b: &Fragment) -> Option<(String, String)> {
    let (old, new) = (index(before, a)?, index(after, b)?);
    let mut pairs = old.entries().iter().zip(new.entries());
    if let Some((old, new)) = pairs.find(|(old, new)| old.entry != new.entry) {
        return Some(entries(&old.entry, &new.entry));
    }
    let common = old.entries().len().min(new.entries().len());
    if let Some(more) = new.entries().get(common) {
        return Some((more.entry.path.to_string(), "it was not there before".to_owned()));
    }
    if let Some(less) = old.entries().get(common) {
        return Some((less.entry.path.to_string(), "it is missing".to_owned()));
    }
    let at = first_byte(before, after, a.tar, b.tar)?;
    let inside = old.entries().iter().rev().find(|indexed| indexed.offset <= at)?;
    Some((inside.entry.path.to_string(), format!("its content differs from byte {} on", at - inside.offset)))
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
fn entries(old: &Entry, new: &Entry) -> (String, String) {
    if old.path != new.path {
        return if old.path < new.path {
            (old.path.to_string(), "it is missing".to_owned())
        } else {
            (new.path.to_string(), "it was not there before".to_owned())
        };
    }
    let numbers = [
        ("user", old.uid.into(), new.uid.into()),
        ("group", old.gid.into(), new.gid.into()),
        ("mtime", old.mtime, new.mtime),
    ];
    let differs = numbers.into_iter().find(|(_, old, new)| old != new);
    let note = match differs {
        _ if old.kind != new.kind => format!("expected {:?}, found {:?}", old.kind, new.kind),
        _ if old.mode != new.mode => format!("expected mode {:04o}, found {:04o}", old.mode, new.mode),
        Some((what, old, new)) => format!("expected {what} {old}, found {new}"),
        None => "its extended attributes differ".to_owned(),
    };
    (new.path.to_string(), note)
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
            let (path, note) = fragment(&store, &store, &first, &other).unwrap();
            format!("{path}: {note}")
        };
        let content = found(&[("a", 0o644, "same"), ("b/c", 0o644, "heLlo"), ("d", 0o644, "y")]);
        assert_eq!(content, "b/c: its content differs from byte 2 on");
        let mode = found(&[("a", 0o644, "same"), ("b/c", 0o600, "hello"), ("d", 0o644, "x")]);
        assert_eq!(mode, "b/c: expected mode 0644, found 0600");
        assert_eq!(found(&[("a", 0o644, "same"), ("d", 0o644, "x")]), "b/c: it is missing");
        let more = [("a", 0o644, "same"), ("b/b", 0o644, ""), ("b/c", 0o644, "hello"), ("d", 0o644, "x")];
        assert_eq!(found(&more), "b/b: it was not there before");
        assert_eq!(found(&[("a", 0o644, "same"), ("b/c", 0o644, "hello")]), "d: it is missing");
        assert!(found(&[("a", 0o644, "samE!")]).starts_with("a: expected File"));
    }
}

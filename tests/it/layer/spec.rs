//! A second implementation of the specification, in Python, makes the same tar and the same runs.

use super::judges::judge;
use super::tree::{devices, directory_entries, fragment, path, tricky};
use remint::digest::Digest;
use remint::layer::{CONSTANT_MTIME, Entry, Kind, RunItem, directories, runs};
use remint::oci::TreePath;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

/// An entry as spec.py wants it.
fn described(entry: &Entry, content: &[u8]) -> Value {
    let (mut link, mut device) = (String::new(), (0, 0));
    let kind = match &entry.kind {
        Kind::File { .. } => "file",
        Kind::Directory => "directory",
        Kind::Fifo => "fifo",
        Kind::Hardlink { target } => {
            link = target.to_string();
            "hardlink"
        }
        Kind::Symlink { target } => {
            link.clone_from(target);
            "symlink"
        }
        Kind::CharDevice { major, minor } => {
            device = (*major, *minor);
            "char"
        }
        Kind::BlockDevice { major, minor } => {
            device = (*major, *minor);
            "block"
        }
    };
    let mtime = if entry.is_directory() { CONSTANT_MTIME } else { entry.mtime };
    let xattrs: Vec<_> = entry.xattrs.iter().map(|(name, value)| (name, hex(value))).collect();
    json!({
        "path": entry.path.as_str(), "kind": kind, "mode": entry.mode, "uid": entry.uid, "gid": entry.gid, "mtime": mtime,
        "link": link, "major": device.0, "minor": device.1, "xattrs": xattrs, "content": hex(content),
    })
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Entries as they stand in a fragment, with its bytes to take contents from.
fn listed(tree: Vec<(Entry, Vec<u8>)>) -> (Digest, Vec<Value>) {
    let (bytes, index) = fragment(tree);
    let entries = index.entries().iter().map(|indexed| {
        let start = usize::try_from(indexed.offset).unwrap();
        described(&indexed.entry, &bytes[start..][..usize::try_from(indexed.entry.size()).unwrap()])
    });
    (Digest::of(&bytes), entries.collect())
}

/// A tree whose sizes are as uneven as those of real ones, and behind it files whose hashes only rise, which only weight cuts.
fn files() -> BTreeMap<TreePath, u64> {
    let mut state = 3_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let file = |_| {
        let size = random() % (1 << (random() % 22));
        (path(&format!("srv/{}/{}", random() % 50, random())), size)
    };
    let uneven = (0..6000).map(file);
    let rising = (0..40_u8).map(|at| {
        let names = (0..10_000).map(|salt| format!("tmp/{at:02}-{salt}"));
        let hash = |name: &String| Digest::of(format!("remint run 1\0{name}").as_bytes()).as_bytes()[0];
        let name = names.into_iter().find(|name| hash(name) / 6 == at).expect("one of 43 names has such a hash");
        (path(&name), 300_000)
    });
    uneven.chain(rising).collect()
}

#[test]
fn python_makes_the_same_from_the_specification() {
    let Some(mut python) = judge("python3") else { return };
    let all = directory_entries();
    let (mut digests, mut fragments): (Vec<_>, Vec<_>) = [tricky(), devices()].map(listed).into_iter().unzip();
    digests.push(Digest::of(&directories(&all).unwrap()));
    fragments.push(all.iter().map(|entry| described(entry, b"")).collect());

    let files = files();
    let items: Vec<_> = files.iter().map(|(path, &size)| RunItem { path, size }).collect();
    let lengths: Vec<_> = runs(&items).iter().map(ExactSizeIterator::len).collect();
    let pairs: Vec<_> = files.iter().map(|(path, size)| (path.as_str(), size)).collect();
    let document = json!({ "fragments": fragments, "files": pairs });

    let mut child =
        python.args(["-c", include_str!("spec.py")]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&document).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let digests: Vec<_> = digests.iter().map(Digest::hex).collect();
    assert_eq!(found["fragments"], json!(digests));
    assert_eq!(found["runs"], json!(lengths));
}

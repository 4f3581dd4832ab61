//! Trees for tests: any that a fragment can hold.

use super::{Entry, FragmentWriter, Index, Kind};
use crate::oci::TreePath;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Entries in byte order, with their contents.
pub(super) type Tree = Vec<(Entry, Vec<u8>)>;

pub(super) fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Bytes that compress, but not to nothing.
pub(super) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"etaoin shrdlu\n\0\xff"[(state >> 60) as usize]
    };
    std::iter::repeat_with(next).take(size).collect()
}

pub(super) fn fragment(tree: &[(Entry, Vec<u8>)]) -> (Vec<u8>, Index) {
    let mut writer = FragmentWriter::new(Vec::new());
    for (entry, content) in tree {
        writer.add(entry, &mut &content[..]).unwrap();
    }
    writer.finish().unwrap()
}

/// A component of a path: short, long, with a character before `/` in byte order, or not ASCII.
fn component() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ab]{1,2}",
        1 => "[a-z]{90,110}",
        1 => "a[-.+ ~]",
        1 => "[äßλ漢]{1,40}",
    ]
}

fn kind() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    prop_oneof![
        8 => prop_oneof![Just(0), Just(511), Just(512), Just(513), 0..2000_usize]
            .prop_map(|size| (Kind::File { size: size as u64 }, noise(size as u64, size))),
        3 => "[a-zä/.]{1,130}".prop_map(|target| (Kind::Symlink { target }, Vec::new())),
        1 => Just((Kind::Fifo, Vec::new())),
        1 => (0..4096_u32, 0..1_048_576_u32).prop_map(|(major, minor)| (Kind::CharDevice { major, minor }, Vec::new())),
        1 => Just((Kind::BlockDevice { major: 8, minor: 1 }, Vec::new())),
        // Made a link to some file of the tree below.
        3 => Just((Kind::Directory, Vec::new())),
    ]
}

fn entry() -> impl Strategy<Value = (Entry, Vec<u8>)> {
    let id = || prop_oneof![4 => 0..1000_u32, 1 => 0..u32::MAX];
    let path = prop::collection::vec(component(), 1..5).prop_map(|components| components.join("/"));
    let xattrs = prop::collection::btree_map("user\\.[a-c]{1,2}", prop::collection::vec(any::<u8>(), 0..20), 0..3);
    let mtime = prop_oneof![4 => 0..2_000_000_000_u64, 1 => 0..1_u64 << 40];
    (path, kind(), 0..=0o7777_u32, id(), id(), mtime, prop_oneof![3 => Just(BTreeMap::new()), 1 => xattrs]).prop_map(
        |(text, (kind, content), mode, uid, gid, mtime, xattrs)| {
            let xattrs = xattrs.into_iter().collect();
            (Entry { path: path_of(&text), kind, mode, uid, gid, mtime, xattrs }, content)
        },
    )
}

fn path_of(text: &str) -> TreePath {
    path(text)
}

/// Any tree, with hard links that point where they should.
pub(super) fn tree() -> impl Strategy<Value = Tree> {
    prop::collection::vec(entry(), 0..20).prop_map(|entries| {
        let mut tree = BTreeMap::new();
        for (entry, content) in entries {
            tree.insert(entry.path.clone(), (entry, content));
        }
        let all = tree.clone();
        tree.retain(|path, _| !path.ancestors().any(|above| all.contains_key(&above)));
        let mut file: Option<Entry> = None;
        let mut sorted = Tree::new();
        for (path, (mut entry, content)) in tree {
            if entry.is_directory() {
                let Some(file) = &file else { continue };
                entry = Entry { path, kind: Kind::Hardlink { target: file.path.clone() }, ..file.clone() };
            } else if matches!(entry.kind, Kind::File { .. }) {
                file = Some(entry.clone());
            }
            sorted.push((entry, content));
        }
        sorted
    })
}

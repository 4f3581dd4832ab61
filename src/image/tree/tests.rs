//! Tests of merging: layers made by hand, and what they should make together.

use super::*;
use crate::digest::{DiffId, Digest};
use crate::image::Encoding;
use std::fmt::Write as _;

/// Makes a plain layer: `path/` is a directory, `path=text` a file, `path->target` a symbolic link, `path=>target` a hard link.
fn layer(store: &Store, entries: &[&str]) -> Layer {
    let mut builder = tar::Builder::new(Vec::new());
    for text in entries {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(7);
        header.set_uid(1);
        header.set_gid(2);
        header.set_size(0);
        if let Some((path, target)) = text.split_once("=>") {
            header.set_entry_type(tar::EntryType::Link);
            builder.append_link(&mut header, path, target).unwrap();
        } else if let Some((path, target)) = text.split_once("->") {
            header.set_entry_type(tar::EntryType::Symlink);
            builder.append_link(&mut header, path, target).unwrap();
        } else if let Some((path, content)) = text.split_once('=') {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        } else {
            header.set_entry_type(tar::EntryType::Directory);
            builder.append_data(&mut header, text, &b""[..]).unwrap();
        }
    }
    let tar = builder.into_inner().unwrap();
    Layer { blob: store.put(&tar).unwrap(), encoding: Encoding::Plain, diff_id: DiffId(Digest::of(&tar)) }
}

/// Merges layers and writes the tree in the notation of [`layer`].
fn merge(layers: &[&[&str]]) -> Result<Vec<String>, Error> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut tree = Tree::default();
    let mut contents: Vec<String> = Vec::new();
    for entries in layers {
        tree.apply(&store, &layer(&store, entries), &mut |_, reader| {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            contents.push(text);
            Ok(contents.len() as u64 - 1)
        })?;
    }
    let show = |(entry, content): (Entry, u64)| {
        let mut text = entry.path.to_string();
        match entry.kind {
            Kind::Directory => text.push('/'),
            Kind::File { .. } => write!(text, "={}", contents[usize::try_from(content).unwrap()]).unwrap(),
            Kind::Symlink { target } => write!(text, "->{target}").unwrap(),
            Kind::Hardlink { target } => write!(text, "=>{target}").unwrap(),
            _ => text.push('?'),
        }
        text
    };
    Ok(tree.directories().map(|entry| (entry, 0)).chain(tree.others()).map(show).collect())
}

#[test]
fn directories_come_first_and_later_layers_win() {
    let merged = merge(&[&["./", "b/", "b/x=1", "a=1"], &["b/", "b/y=2", "a=2", "c-d=3", "c/e=4"]]).unwrap();
    assert_eq!(merged, ["b/", "c/", "a=2", "b/x=1", "b/y=2", "c-d=3", "c/e=4"]);
}

#[test]
fn whiteouts_hide_what_is_below_and_nothing_of_their_own_layer() {
    let lower: &[&str] = &["d/", "d/x=1", "d/y=1", "e/", "e/z=1", "f=1", "d-not=1"];
    assert_eq!(merge(&[lower, &["d/.wh.x=", ".wh.f="]]).unwrap(), ["d/", "e/", "d-not=1", "d/y=1", "e/z=1"]);
    assert_eq!(merge(&[lower, &[".wh.d=", ".wh.e=", ".wh.f="]]).unwrap(), ["d-not=1"]);
    // The order within the layer does not matter.
    for upper in [["d/new=2", "d/.wh..wh..opq="], ["d/.wh..wh..opq=", "d/new=2"]] {
        assert_eq!(merge(&[lower, &upper]).unwrap(), ["d/", "e/", "d-not=1", "d/new=2", "e/z=1", "f=1"]);
    }
    assert_eq!(merge(&[lower, &["a=2", ".wh..wh..opq="]]).unwrap(), ["a=2"]);
    assert_eq!(merge(&[&["a=1"], &[".wh..wh.plnk/x=", ".wh..wh.aufs="]]).unwrap(), ["a=1"]);
    // A directory whose lower self is hidden stands on for what this layer puts in it.
    assert_eq!(merge(&[lower, &["d/new=2", ".wh.d="]]).unwrap(), ["d/", "e/", "d-not=1", "d/new=2", "e/z=1", "f=1"]);
}

#[test]
fn hard_links_keep_what_they_pointed_to() {
    let merged = merge(&[&["a=1", "b=>a", "c=>b"], &["a=2"]]).unwrap();
    assert_eq!(merged, ["a=2", "b=1", "c=>b"]);
    assert_eq!(merge(&[&["z=1"], &["a=>z"]]).unwrap(), ["a=1", "z=>a"]);
    assert_eq!(merge(&[&["a=1", "a=>a"]]).unwrap(), ["a=1"]);
    assert!(matches!(merge(&[&["b=>a"]]), Err(Error::Hardlink { .. })));
    assert!(matches!(merge(&[&["a/", "b=>a"]]), Err(Error::Hardlink { .. })));
}

#[test]
fn kinds_replace_each_other() {
    assert_eq!(merge(&[&["a/", "a/b=1"], &["a=2"]]).unwrap(), ["a=2"]);
    assert_eq!(merge(&[&["a=1"], &["a/", "a/b=2"]]).unwrap(), ["a/", "a/b=2"]);
    assert_eq!(merge(&[&["lib->usr/lib"], &["lib/x=2"]]).unwrap(), ["lib/", "lib/x=2"]);
}

#[test]
fn paths_that_leave_the_tree_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..4].copy_from_slice(b"../x");
    header.set_size(0);
    header.set_mode(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let tar = [header.as_bytes(), &[0; 1024][..]].concat();
    let layer = Layer { blob: store.put(&tar).unwrap(), encoding: Encoding::Plain, diff_id: DiffId(Digest::of(&tar)) };
    let error = Tree::default().apply(&store, &layer, &mut |_, _| Ok(0)).unwrap_err();
    assert!(matches!(error, Error::Layer { .. }), "{error}");
}

#[test]
fn a_layer_that_is_cut_off_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let whole = layer(&store, &["a=some text"]);
    let tar = &store.read(&whole.blob).unwrap()[..600];
    let cut = Layer { blob: store.put(tar).unwrap(), encoding: Encoding::Plain, diff_id: DiffId(Digest::of(tar)) };
    let read = &mut |_: &Entry, reader: &mut dyn Read| io::copy(reader, &mut io::sink());
    assert!(matches!(Tree::default().apply(&store, &cut, read), Err(Error::Layer { .. })));
}

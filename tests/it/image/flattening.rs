//! The flattened root file system, held against what clients make of the same layers.

use super::{single, write};
use crate::support::handmade::{self, GREETING, Item, name, native};
use crate::support::judge;
use crate::support::podman::Podman;
use remint::digest::Digest;
use remint::image::{Assembly, Encoding, Image, assemble, name_images};
use remint::recipe::Config;
use remint::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

#[test]
fn the_flattened_tree_is_what_gnu_tar_unpacks() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let archive = write(&store, &[single(&store, "tree", Encoding::Zstd)], "tar", &dir.path().join("tree.tar"));
    let mut listing = Vec::new();
    for entry in tar::Archive::new(fs::File::open(&archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        let path = entry.path().unwrap().display().to_string();
        if path == "etc/greeting" {
            entry.read_to_string(&mut text).unwrap();
        }
        listing.push((path, entry.header().entry_type(), text));
    }
    let paths: Vec<&str> = listing.iter().map(|(path, _, _)| path.trim_end_matches('/')).collect();
    let expected = [
        "bin",
        "etc",
        "var",
        "var/lib",
        "var/lib/dpkg",
        "bin/greet",
        "etc/first",
        "etc/greeting",
        "etc/noise",
        "etc/same",
        "greet",
        "var/lib/dpkg/status",
    ];
    assert_eq!(paths, expected);
    assert_eq!(listing[7].2, GREETING);
    assert_eq!(listing[9].1, tar::EntryType::Link);

    let Some(gnu_tar) = judge::find("tar") else { return };
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    judge::run(
        gnu_tar,
        ["--no-same-owner".as_ref(), "-xf".as_ref(), archive.as_os_str(), "-C".as_ref(), root.as_os_str()],
    );
    assert_eq!(fs::read_to_string(root.join("etc/greeting")).unwrap(), GREETING);
    assert!(!root.join("etc/hidden").exists());
}

/// An image whose layers hide, replace and link what is below them.
fn tangled(store: &Store) -> Image {
    let deep = "deep/".to_owned() + &"a-long-name/".repeat(20);
    let deep_file = format!("{deep}file");
    let lower = handmade::tar(&[
        Item::Directory("d/"),
        Item::File("d/x", 0o644, b"hidden"),
        Item::File("d/y", 0o4755, b"set-uid"),
        Item::Directory("e/"),
        Item::File("e/z", 0o644, b"hidden by its directory"),
        Item::Directory("e/below/"),
        Item::File("f", 0o644, b"becomes a directory"),
        Item::Directory("g/"),
        Item::File("g/h", 0o644, b"its directory becomes a file"),
        Item::File("old", 0o644, b"two names, one is replaced"),
        Item::Hardlink("kept", "old"),
        Item::File("one", 0o644, b"three names"),
        Item::Hardlink("three", "one"),
        Item::Hardlink("two", "one"),
        Item::Symlink("link", "d"),
        Item::Directory(&deep),
        Item::File(&deep_file, 0o644, b"deep"),
    ]);
    let upper = handmade::tar(&[
        Item::File("d/.wh.x", 0o644, b""),
        Item::Directory("e/"),
        Item::File("e/new", 0o644, b"new"),
        Item::File("e/.wh..wh..opq", 0o644, b""),
        Item::Directory("f/"),
        Item::File("f/inside", 0o644, b"inside"),
        Item::File("g", 0o644, b"was a directory"),
        Item::File("old", 0o600, b"new content"),
        Item::File(".wh.one", 0o644, b""),
        Item::File("empty", 0o644, b""),
    ]);
    image_of(store, "tangled", &[lower, upper])
}

/// An image of some layers that runs nothing.
fn image_of(store: &Store, text: &str, tars: &[Vec<u8>]) -> Image {
    let layers: Vec<_> = tars.iter().map(|tar| handmade::layer(store, tar, Encoding::Gzip, "by hand")).collect();
    let name = name(text);
    let config = Config { cmd: Some(vec!["/none".to_owned()]), ..Config::default() };
    let assembly = Assembly { name: &name, platform: native(), base: None, config: &config, layers: &layers, epoch: 0 };
    let one = assemble(store, &assembly).unwrap();
    let image = Image::join(store, name.clone(), vec![one]).unwrap();
    name_images(store, std::slice::from_ref(&image)).unwrap();
    image
}

/// Numbers that are the same every time (Marsaglia, "Xorshift RNGs").
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// A path of one to three names, each of few, so that layers meet.
    fn path(&mut self) -> String {
        let depth = 1 + self.below(3);
        let names: Vec<&str> = (0..depth).map(|_| ["a", "b", "c", "a-"][self.below(4)]).collect();
        names.join("/")
    }

    /// A layer whose entries do not contradict each other: each path once, and below directories of its own only.
    fn layer(&mut self) -> Vec<u8> {
        // By path: a directory is `None`, anything else what it is.
        let mut entries: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for _ in 0..12 {
            let path = self.path();
            let above: Vec<&str> = path.match_indices('/').map(|(at, _)| &path[..at]).collect();
            let what = (self.below(8) > 1).then(|| self.below(6));
            let free = above.iter().all(|above| matches!(entries.get(*above), None | Some(None)));
            if free && !entries.contains_key(&path) {
                entries.extend(above.into_iter().map(|above| (above.to_owned(), None)));
                entries.insert(path, what);
            }
        }
        let mut texts: Vec<(String, Option<usize>, String)> = Vec::new();
        let mut file = None;
        let mut opaque = BTreeSet::new();
        for (path, mut what) in entries {
            let (parent, name) = path.rsplit_once('/').map_or((String::new(), &*path), |(p, n)| (format!("{p}/"), n));
            match what {
                Some(1) if parent.is_empty() || !opaque.insert(parent.clone()) => what = Some(4),
                Some(2) if file.is_none() => what = Some(3),
                _ => {}
            }
            let text = match what {
                Some(0) => format!("{parent}.wh.{name}"),
                Some(1) => format!("{parent}.wh..wh..opq"),
                Some(2) => file.clone().unwrap_or_default(),
                _ => format!("{path} {}", self.below(1000)),
            };
            if what.is_some_and(|what| what > 3) {
                file = Some(path.clone());
            }
            texts.push((path, what, text));
        }
        let items: Vec<Item<'_>> = texts
            .iter()
            .map(|(path, what, text)| match what {
                None => Item::Directory(path),
                Some(0 | 1) => Item::File(text, 0o644, b""),
                Some(2) => Item::Hardlink(path, text),
                Some(3) => Item::Symlink(path, text),
                Some(_) => Item::File(path, 0o644, text.as_bytes()),
            })
            .collect();
        handmade::tar(&items)
    }
}

/// What a tar holds, by path: kind, mode, owner, and content or target; a hard link is what it points to.
fn tree(archive: &Path) -> BTreeMap<String, String> {
    let mut tree: BTreeMap<String, String> = BTreeMap::new();
    for entry in tar::Archive::new(fs::File::open(archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
        let target = entry.link_name().unwrap().map(|target| target.display().to_string());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let kind = header.entry_type();
        let what = match (kind, target) {
            (tar::EntryType::Link, Some(target)) => tree[&target].clone(),
            (_, target) => format!(
                "{kind:?} {:o} {}:{} {target:?} {}",
                header.mode().unwrap() & 0o7777,
                header.uid().unwrap(),
                header.gid().unwrap(),
                Digest::of(&content)
            ),
        };
        assert!(tree.insert(path, what).is_none(), "a path is there twice");
    }
    tree.remove("");
    tree
}

#[test]
fn the_flattened_tree_is_what_podman_exports() {
    let dir = tempfile::tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let store = handmade::store(dir.path());
    let mut random = Random(1);
    let mut images = vec![tangled(&store)];
    images.extend((0..4).map(|number| {
        let tars: Vec<Vec<u8>> = (0..6).map(|_| random.layer()).collect();
        image_of(&store, &format!("random{number}"), &tars)
    }));
    let archive = write(&store, &images, "docker-archive", &dir.path().join("docker.tar"));
    podman.run(&["load", "--input", archive.to_str().unwrap()]);
    for image in &images {
        let reference = format!("localhost/{}:latest", image.name);
        let id = podman.run(&["create", "--pull", "never", "--network", "none", &reference]);
        let theirs = dir.path().join("theirs.tar");
        podman.run(&["export", "--output", theirs.to_str().unwrap(), id.trim()]);
        let ours = write(&store, std::slice::from_ref(image), "tar", &dir.path().join("ours.tar"));
        let (ours, theirs) = (tree(&ours), tree(&theirs));
        assert!(ours.len() > 4, "{ours:#?}");
        for path in ours.keys().chain(theirs.keys()) {
            assert_eq!(ours.get(path), theirs.get(path), "`{path}` of {} in ours and in theirs", image.name);
        }
    }
}

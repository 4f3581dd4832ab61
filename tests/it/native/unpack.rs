//! Packages unpacked into memory, by the plainest means: `dpkg-deb` and the tar crate.

use rayon::prelude::*;
use remint::layer::{Entry, Kind};
use remint::native::{Output, Package, Root};
use remint::oci::TreePath;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tree in memory.
#[derive(Clone, Default)]
pub(crate) struct Unpacked(pub(crate) BTreeMap<TreePath, (Entry, Vec<u8>)>);

impl Root for Unpacked {
    fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path).map(|(entry, _)| entry)
    }

    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self
            .0
            .get(path)
            .filter(|(entry, _)| matches!(entry.kind, Kind::File { .. }))
            .map(|(_, content)| content.clone()))
    }

    fn under<'s>(&'s self, directory: &str) -> Box<dyn Iterator<Item = &'s Entry> + 's> {
        if directory.is_empty() {
            return Box::new(self.0.values().map(|(entry, _)| entry));
        }
        let (from, to) = (format!("{directory}/"), format!("{directory}0"));
        let range =
            self.0.range::<str, _>((std::ops::Bound::Included(from.as_str()), std::ops::Bound::Excluded(to.as_str())));
        Box::new(range.map(|(_, (entry, _))| entry))
    }
}

impl Unpacked {
    /// Unpacks package files, in the order of names.
    pub(crate) fn from_debs(debs: &[PathBuf]) -> (Self, Vec<Package>) {
        let mut tree = Self::default();
        let mut packages: Vec<Package> = Vec::new();
        // A few at a time, all cores at once: a large set would not fit into memory twice.
        for debs in debs.chunks(16) {
            let archives: Vec<_> =
                debs.par_iter().map(|deb| (tarfile("--ctrl-tarfile", deb), tarfile("--fsys-tarfile", deb))).collect();
            packages.extend(archives.iter().map(|(control, files)| tree.add(control, files)));
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        (tree, packages)
    }

    fn add(&mut self, control_archive: &[u8], files: &[u8]) -> Package {
        let mut control = BTreeMap::new();
        for entry in tar::Archive::new(control_archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
            if entry.header().entry_type().is_file() {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                control.insert(name, content);
            }
        }
        let mut paths = Vec::new();
        for entry in tar::Archive::new(files).entries().unwrap() {
            let mut entry = entry.unwrap();
            let shipped = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let shipped = format!("/{}", shipped.trim_start_matches("./").trim_end_matches('/'));
            paths.push(if shipped == "/" { "/.".to_owned() } else { shipped.clone() });
            let Ok(path) = TreePath::parse(&merged(&shipped, entry.header().entry_type().is_dir())) else { continue };
            let link = entry.link_name_bytes().map(|name| String::from_utf8(name.into_owned()).unwrap());
            let header = entry.header().clone();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let kind = match header.entry_type() {
                kind if kind.is_dir() => Kind::Directory,
                kind if kind.is_symlink() => Kind::Symlink { target: link.unwrap() },
                kind if kind.is_hard_link() => {
                    Kind::Hardlink { target: TreePath::parse(&merged(&link.unwrap(), false)).unwrap() }
                }
                _ => Kind::File { size: content.len() as u64 },
            };
            if kind == Kind::Directory && self.0.contains_key(&path) {
                continue;
            }
            let mut made = Entry::directory(path.clone(), header.mode().unwrap() & 0o7777);
            made.kind = kind;
            made.uid = u32::try_from(header.uid().unwrap()).unwrap();
            made.gid = u32::try_from(header.gid().unwrap()).unwrap();
            self.0.insert(path, (made, content));
        }
        let text = String::from_utf8(control["control"].clone()).unwrap();
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap().to_owned();
        Package { name: field("Package"), version: field("Version"), arch: field("Architecture"), control, paths }
    }

    /// The tree after what configuring changed, where the tree before it is still needed.
    pub(crate) fn with(&self, output: &Output) -> Self {
        self.clone().configured(output)
    }

    /// The tree after what configuring changed.
    pub(crate) fn configured(self, output: &Output) -> Self {
        let mut tree = self;
        for path in &output.removed {
            tree.0.remove(path);
        }
        for (from, to) in &output.moved {
            if let Some((mut entry, content)) = tree.0.remove(from) {
                entry.path = to.clone();
                tree.0.insert(to.clone(), (entry, content));
            }
        }
        for (entry, content) in &output.entries {
            tree.0.insert(entry.path.clone(), (entry.clone(), content.clone()));
        }
        tree
    }
}

fn tarfile(how: &str, deb: &Path) -> Vec<u8> {
    let output = Command::new("dpkg-deb").arg(how).arg(deb).output().unwrap();
    assert!(output.status.success(), "dpkg-deb {how} {}", deb.display());
    output.stdout
}

/// A shipped path on a system with a merged `/usr`.
fn merged(path: &str, directory: bool) -> String {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let aliased = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"].contains(&first);
    if aliased && (directory || !rest.is_empty()) { format!("usr/{path}") } else { path.to_owned() }
}

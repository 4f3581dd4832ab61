//! Two trees, path by path: everything but the bytes of files.

use super::class::Class;
use super::content;
use super::fingerprint::Fingerprint;
use super::listing::{Listed, Listing};
use super::model::{Change, Field, Finding, PathDifference};
use super::tree::{Path, Tree, shown};
use crate::layer::SeenKind;
use crate::oci::time::format_rfc3339;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A tree with the listings that it was made of.
pub(super) struct Grown<'a> {
    pub(super) tree: Tree,
    pub(super) listings: &'a [Arc<Listing>],
}

/// A difference, and which files' contents must be read to explain it.
pub(super) struct Found {
    pub(super) difference: PathDifference,
    /// The differing contents: of an inode of the first tree, and one of the second.
    pub(super) contents: Option<(usize, usize)>,
}

impl Grown<'_> {
    fn entry(&self, inode: usize) -> Option<&Listed> {
        self.tree.entry(inode, self.listings)
    }

    fn layer(&self, inode: usize) -> usize {
        self.tree.inodes[inode].layer + 1
    }

    /// The content of the file that is shown so, unless it is empty.
    fn content(&self, path: &str) -> Option<&[Fingerprint]> {
        let node = self.tree.nodes.get(path.strip_prefix('/')?.as_bytes())?;
        let entry = self.entry(node.inode)?;
        (entry.size() > 0).then_some(&entry.content)
    }
}

/// Compares two trees.
pub(super) fn compare(a: &Grown<'_>, b: &Grown<'_>) -> Vec<Found> {
    let mut paths: BTreeSet<&Path> = a.tree.nodes.keys().collect();
    paths.extend(b.tree.nodes.keys());
    let (names_a, names_b) = (a.tree.first_names(), b.tree.first_names());
    let mut found = Vec::new();
    for path in paths {
        let sides = (a.tree.nodes.get(path), b.tree.nodes.get(path));
        let (change, findings, contents) = match (sides.0.map(|node| node.inode), sides.1.map(|node| node.inode)) {
            (Some(in_a), Some(in_b)) => {
                let (mut findings, differ) = both(a.entry(in_a), b.entry(in_b));
                // A name of a file that has several: which other name is the file's first?
                if names_a[in_a] != names_b[in_b] && [a, b].iter().zip([in_a, in_b]).all(|(side, it)| is_file(side, it))
                {
                    let name = |first: Option<&[u8]>| match first {
                        Some(first) if *first != **path => format!("the same file as {}", shown(first)),
                        _ => "a file of its own".to_owned(),
                    };
                    findings
                        .push(Finding::new(Field::Link, Class::Link).values(name(names_a[in_a]), name(names_b[in_b])));
                }
                (Change::Changed, findings, differ.then_some((in_a, in_b)))
            }
            // The root's own entry is no file of anyone's, and a directory without an entry follows from what is below it.
            (Some(alone), None) if path.is_empty() || a.entry(alone).is_none() => continue,
            (None, Some(alone)) if path.is_empty() || b.entry(alone).is_none() => continue,
            (Some(_), None) => (Change::Removed, vec![alone(path, Class::Missing)], None),
            (None, _) => (Change::Added, vec![alone(path, Class::Additional)], None),
        };
        if findings.is_empty() && contents.is_none() {
            continue;
        }
        let difference = PathDifference {
            path: shown(path),
            change,
            layer_a: sides.0.map(|node| a.layer(node.inode)),
            layer_b: sides.1.map(|node| b.layer(node.inode)),
            findings,
        };
        found.push(Found { difference, contents });
    }
    pair_moved(&mut found, a, b);
    found
}

fn is_file(side: &Grown<'_>, inode: usize) -> bool {
    side.entry(inode).is_some_and(|entry| matches!(entry.seen.kind, SeenKind::File(_)))
}

/// What is on one side only.
fn alone(path: &[u8], class: Class) -> Finding {
    let class = content::by_path(&String::from_utf8_lossy(path)).unwrap_or(class);
    Finding::new(Field::Presence, class)
}

/// Two entries of one path; says, too, whether their contents differ.
fn both(a: Option<&Listed>, b: Option<&Listed>) -> (Vec<Finding>, bool) {
    let mut findings = Vec::new();
    let (kind_a, kind_b) = (kind(a), kind(b));
    if std::mem::discriminant(kind_a) != std::mem::discriminant(kind_b) {
        findings.push(Finding::new(Field::Type, Class::Type).values(kind_name(kind_a), kind_name(kind_b)));
        return (findings, false);
    }
    let mut differ = false;
    let bytes = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match (kind_a, kind_b) {
        (SeenKind::File(_), SeenKind::File(_)) => differ = a.map(|a| &a.content) != b.map(|b| &b.content),
        (SeenKind::Symlink(to_a), SeenKind::Symlink(to_b)) if to_a != to_b => {
            findings.push(Finding::new(Field::Link, Class::Link).values(bytes(to_a), bytes(to_b)));
        }
        (SeenKind::CharDevice(major_a, minor_a), SeenKind::CharDevice(major_b, minor_b))
        | (SeenKind::BlockDevice(major_a, minor_a), SeenKind::BlockDevice(major_b, minor_b))
            if (major_a, minor_a) != (major_b, minor_b) =>
        {
            let values = (format!("{major_a}:{minor_a}"), format!("{major_b}:{minor_b}"));
            findings.push(Finding::new(Field::Device, Class::Type).values(values.0, values.1));
        }
        _ => {}
    }
    let (mode_a, mode_b) = (mode(a), mode(b));
    // Linux has one mode for symbolic links; what archives say differs by who made them.
    if mode_a != mode_b && !matches!(kind_a, SeenKind::Symlink(_)) {
        let values = (format!("{mode_a:04o}"), format!("{mode_b:04o}"));
        findings.push(Finding::new(Field::Mode, Class::Mode).values(values.0, values.1));
    }
    let owner = |entry: Option<&Listed>| entry.map_or((0, 0), |entry| (entry.seen.uid, entry.seen.gid));
    let (owner_a, owner_b) = (owner(a), owner(b));
    if owner_a != owner_b {
        let text = |(uid, gid): (u64, u64)| format!("{uid}:{gid}");
        findings.push(Finding::new(Field::Owner, Class::Owner).values(text(owner_a), text(owner_b)));
    }
    if let (Some(a), Some(b)) = (a, b) {
        let (time_a, time_b) = ((a.seen.mtime, a.seen.nanos), (b.seen.mtime, b.seen.nanos));
        if time_a != time_b {
            findings.push(Finding::new(Field::Mtime, Class::Mtime).values(time(time_a), time(time_b)));
        }
    }
    let xattrs = |entry: Option<&Listed>| entry.map_or(vec![], |entry| entry.seen.xattrs.clone());
    let (xattrs_a, xattrs_b) = (xattrs(a), xattrs(b));
    if xattrs_a != xattrs_b {
        findings.push(Finding::new(Field::Xattrs, Class::Xattrs).values(attributes(&xattrs_a), attributes(&xattrs_b)));
    }
    (findings, differ)
}

fn kind(entry: Option<&Listed>) -> &SeenKind {
    entry.map_or(&SeenKind::Directory, |entry| &entry.seen.kind)
}

fn mode(entry: Option<&Listed>) -> u32 {
    entry.map_or(0o755, |entry| entry.seen.mode)
}

fn kind_name(kind: &SeenKind) -> &'static str {
    match kind {
        SeenKind::Directory => "directory",
        SeenKind::File(_) | SeenKind::Hardlink(_) => "file",
        SeenKind::Symlink(_) => "symbolic link",
        SeenKind::Fifo => "named pipe",
        SeenKind::CharDevice(..) => "character device",
        SeenKind::BlockDevice(..) => "block device",
    }
}

/// A time with its fraction, where it has one.
pub(in crate::verify) fn time((seconds, nanos): (i64, u32)) -> String {
    let text = match u64::try_from(seconds) {
        // Beyond the year 9999 there is no such form.
        Ok(seconds) if seconds < 253_402_300_800 => format_rfc3339(seconds),
        _ => format!("@{seconds}"),
    };
    match nanos {
        0 => text,
        _ => format!("{}.{nanos:09}{}", text.trim_end_matches('Z'), if text.ends_with('Z') { "Z" } else { "" }),
    }
}

fn attributes(all: &[(Vec<u8>, Vec<u8>)]) -> String {
    let text = |bytes: &[u8]| {
        bytes.iter().take(80).flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect()
    };
    let one = |(name, value): &(Vec<u8>, Vec<u8>)| -> String {
        let (name, value): (String, String) = (text(name), text(value));
        format!("{name}={value}")
    };
    if all.is_empty() { "none".to_owned() } else { all.iter().map(one).collect::<Vec<_>>().join(" ") }
}

/// Finds files that are on one side only and have the content of one that is on the other only: the same file under another name.
fn pair_moved(found: &mut [Found], a: &Grown<'_>, b: &Grown<'_>) {
    let mut gone: BTreeMap<&[Fingerprint], Vec<usize>> = BTreeMap::new();
    for (at, one) in found.iter().enumerate().filter(|(_, one)| one.difference.change == Change::Removed) {
        if let Some(content) = a.content(&one.difference.path) {
            gone.entry(content).or_default().push(at);
        }
    }
    for at in 0..found.len() {
        let new = &found[at].difference;
        if new.change != Change::Added {
            continue;
        }
        let Some(old) = b.content(&new.path).and_then(|content| gone.get_mut(content)?.pop()) else { continue };
        let (from, to) = (found[old].difference.path.clone(), new.path.clone());
        let class = content::words(&from, &to).filter(|class| *class != Class::Content);
        for (at, name, other) in [(old, "the same content is now at", &to), (at, "the same content was at", &from)] {
            let finding = &mut found[at].difference.findings[0];
            finding.note = Some(format!("{name} {other}"));
            if matches!(finding.class, Class::Missing | Class::Additional) {
                finding.class = class.unwrap_or(finding.class);
            }
        }
    }
}

//! Compares a tree in memory with one on disk, path by path: kind, mode, owner, link, size, content.

use super::unpack::Unpacked;
use globset::{Glob, GlobMatcher};
use rayon::prelude::*;
use remint::layer::{Entry, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// The differences that are as they should be, each with its reason.
pub(crate) struct Allowed(Vec<GlobMatcher>);

impl Allowed {
    /// Reads the list that stands beside this file: a glob, blanks, the reason.
    pub(crate) fn load() -> Self {
        let lines = include_str!("allowed.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            lines
                .map(|line| {
                    let (glob, reason) = line.split_once(' ').expect("a glob and a reason");
                    assert!(!reason.trim().is_empty(), "`{glob}` has no reason");
                    globset::GlobBuilder::new(glob)
                        .literal_separator(true)
                        .build()
                        .map(|g: Glob| g.compile_matcher())
                        .unwrap()
                })
                .collect(),
        )
    }

    fn has(&self, path: &str) -> bool {
        self.0.iter().any(|glob| glob.is_match(path))
    }
}

/// One path's facts, and a file's bytes.
#[derive(PartialEq, Eq)]
struct Facts {
    kind: String,
    mode: u32,
    owner: (String, String),
    content: Vec<u8>,
}

/// How the numbers of users and groups are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// As they are.
    Exact,
    /// By the names that each side's own files give them. Where many packages add accounts, the numbers come of the order in which apt
    /// configures, which it does not promise; ours is by dependencies and names.
    Named,
}

/// The names that a tree gives to the numbers of users and of groups.
struct Names([BTreeMap<u32, String>; 2]);

impl Names {
    fn of(ids: Ids, passwd: &[u8], group: &[u8]) -> Self {
        let read = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            let line = |line: &str| {
                let mut fields = line.split(':');
                Some((fields.clone().nth(2)?.parse().ok()?, fields.next()?.to_owned()))
            };
            text.lines().filter(|_| ids == Ids::Named).filter_map(line).collect()
        };
        Self([read(passwd), read(group)])
    }

    fn owner(&self, uid: u32, gid: u32) -> (String, String) {
        let name = |which: usize, id: u32| self.0[which].get(&id).cloned().unwrap_or_else(|| id.to_string());
        (name(0, uid), name(1, gid))
    }

    /// passwd(5) and group(5) with names for numbers, without the order of their lines.
    fn named(&self, path: &str, content: &[u8]) -> Vec<u8> {
        let numbers: &[(usize, usize)] = if path == "etc/passwd" { &[(2, 0), (3, 1)] } else { &[(2, 1)] };
        let line = |line: &str| {
            let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
            for (field, which) in numbers {
                if let Some(name) = fields.get(*field).and_then(|id| self.0[*which].get(&id.parse().ok()?)) {
                    fields[*field].clone_from(name);
                }
            }
            fields.join(":") + "\n"
        };
        sorted(&String::from_utf8_lossy(content).lines().map(line).collect::<String>(), "\n")
    }
}

/// Every difference that is not allowed, one line each.
pub(crate) fn trees(ours: &Unpacked, theirs: &Path, allowed: &Allowed, set: &str) -> Vec<String> {
    trees_with(ours, theirs, allowed, set, Ids::Exact)
}

/// The same, with a choice how numbers are compared.
pub(crate) fn trees_with(ours: &Unpacked, theirs: &Path, allowed: &Allowed, set: &str, ids: Ids) -> Vec<String> {
    let mut paths = Vec::new();
    walk(theirs, "", &mut paths);
    let file = |path: &str| std::fs::read(theirs.join(path)).unwrap_or_default();
    let real_names = Names::of(ids, &file("etc/passwd"), &file("etc/group"));
    let mine = |path: &str| ours.0.get(path).map(|(_, content)| content.clone()).unwrap_or_default();
    let our_names = Names::of(ids, &mine("etc/passwd"), &mine("etc/group"));
    let one = |path: &String| {
        if allowed.has(path) {
            return Vec::new();
        }
        let mut real = of_file(theirs, path, &real_names);
        // The hash link of a certificate that was made at random for this host's name.
        if real.kind == "link to ssl-cert-snakeoil.pem" {
            return Vec::new();
        }
        let Some((entry, content)) = ours.0.get(path.as_str()) else {
            let Facts { kind, mode, owner, content } = real;
            return vec![format!("missing  {path} ({kind} {mode:o} {owner:?} {})", excerpt(&content))];
        };
        let mut mine = of_entry(ours, entry, content, &our_names);
        if ids == Ids::Named && ["etc/passwd", "etc/group"].contains(&path.as_str()) {
            mine.content = our_names.named(path, &mine.content);
            real.content = real_names.named(path, &real.content);
        }
        dump(set, path, &mine, &real);
        differences(path, &mine, &real)
    };
    let mut report: Vec<String> = paths.par_iter().flat_map_iter(one).collect();
    let known: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
    for (path, (entry, _)) in &ours.0 {
        if !known.contains(path.as_str()) && !allowed.has(path.as_str()) {
            report.push(format!("too much {path} ({:?})", entry.kind));
        }
    }
    report
}

/// Every difference of some paths, which both trees have to have.
pub(crate) fn paths(ours: &Unpacked, theirs: &Path, paths: &[&str]) -> Vec<String> {
    let numbers = Names::of(Ids::Exact, b"", b"");
    let mut report = Vec::new();
    for path in paths {
        match ours.0.get(*path) {
            Some((entry, content)) => {
                let (ours, real) = (of_entry(ours, entry, content, &numbers), of_file(theirs, path, &numbers));
                report.extend(differences(path, &ours, &real));
            }
            None => report.push(format!("missing  {path}")),
        }
    }
    report
}

fn differences(path: &str, ours: &Facts, real: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    if ours.kind != real.kind {
        found.push(format!("kind     {path}: {} instead of {}", ours.kind, real.kind));
    }
    if ours.mode != real.mode && !real.kind.starts_with("link") {
        found.push(format!("mode     {path}: {:o} instead of {:o}", ours.mode, real.mode));
    }
    if ours.owner != real.owner {
        found.push(format!("owner    {path}: {:?} instead of {:?}", ours.owner, real.owner));
    }
    if ours.content == real.content {
        return found;
    }
    let (ours, real) = (comparable(path, &ours.content), comparable(path, &real.content));
    if ours != real {
        let at = ours.iter().zip(&real).position(|(a, b)| a != b).unwrap_or(ours.len().min(real.len()));
        let from = at.saturating_sub(40);
        let shown = |bytes: &[u8]| excerpt(bytes.get(from..bytes.len().min(at + 60)).unwrap_or_default());
        found.push(format!(
            "content  {path} at {at} of {} and {}:\n    ours: {}\n    real: {}",
            ours.len(),
            real.len(),
            shown(&ours),
            shown(&real)
        ));
    }
    found
}

/// A file's bytes without what may differ in an allowed way: the day in shadow, and orders that come of the order in which
/// packages were unpacked or
/// configured (bookworm's `/etc/shells`: when the root was merged; systemd before passwd).
fn comparable(path: &str, content: &[u8]) -> Vec<u8> {
    let text = || String::from_utf8_lossy(content).into_owned();
    match path {
        "etc/shadow" => {
            let day = |line: &str| {
                let mut fields: Vec<_> = line.split(':').collect();
                if let Some(day) = fields.get_mut(2) {
                    *day = "DAY";
                }
                fields.join(":") + "\n"
            };
            sorted(&text().lines().map(day).collect::<String>(), "\n")
        }
        "var/lib/apt/extended_states" => sorted(&text(), "\n\n"),
        "etc/gshadow"
        | "var/lib/dpkg/triggers/File"
        | "var/lib/dpkg/statoverride"
        | "etc/shells"
        | "var/lib/ucf/hashfile"
        | "var/lib/ucf/registry" => sorted(&text(), "\n"),
        "etc/ssl/certs/java/cacerts" => java_store(content).unwrap_or_else(|| content.to_vec()),
        _ => content.to_vec(),
    }
}

/// A Java trust store without the times, in the order of names, and without the digest over all that.
fn java_store(mut store: &[u8]) -> Option<Vec<u8>> {
    let mut take = |length: usize| {
        let (head, rest) = store.split_at_checked(length)?;
        store = rest;
        Some(head.to_vec())
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte));
    let head = take(12)?;
    let mut entries = Vec::new();
    for _ in 0..number(&head[8..]) {
        take(4)?;
        let length = number(&take(2)?);
        let alias = take(length)?;
        take(8)?;
        let length = number(&take(2)?);
        take(length)?;
        let length = number(&take(4)?);
        entries.push([alias, take(length)?].concat());
    }
    entries.sort();
    Some(entries.concat())
}

fn sorted(text: &str, separator: &str) -> Vec<u8> {
    let mut parts: Vec<_> = text.split(separator).map(str::trim).collect();
    parts.sort_unstable();
    parts.join(separator).into_bytes()
}

fn of_entry(tree: &Unpacked, entry: &Entry, content: &[u8], names: &Names) -> Facts {
    if let Kind::Hardlink { target } = &entry.kind {
        let (entry, content) = &tree.0[target];
        return of_entry(tree, entry, content, names);
    }
    let kind = match &entry.kind {
        Kind::Directory => "directory".to_owned(),
        Kind::Symlink { target } => format!("link to {target}"),
        Kind::File { .. } => "file".to_owned(),
        other => format!("{other:?}"),
    };
    Facts { kind, mode: entry.mode, owner: names.owner(entry.uid, entry.gid), content: content.to_vec() }
}

/// Every path beneath a root.
fn walk(root: &Path, at: &str, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(at)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            walk(root, &path, into);
        }
        into.push(path);
    }
}

fn of_file(root: &Path, path: &str, names: &Names) -> Facts {
    let place = root.join(path);
    let meta = place.symlink_metadata().unwrap();
    let kind = meta.file_type();
    let mut content = Vec::new();
    let word = if kind.is_symlink() {
        format!("link to {}", std::fs::read_link(place).unwrap().display())
    } else if kind.is_dir() {
        "directory".to_owned()
    } else if kind.is_file() {
        content = std::fs::read(place).unwrap();
        "file".to_owned()
    } else {
        format!("special{}", u8::from(kind.is_fifo()))
    };
    Facts { kind: word, mode: meta.mode() & 0o7777, owner: names.owner(meta.uid(), meta.gid()), content }
}

fn excerpt(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(120)].escape_ascii().to_string()
}

/// Writes both sides of a file that differs, where `REMINT_TEST_DUMP` says, for people who look for the reason.
#[expect(clippy::disallowed_methods, reason = "a tool for people who work on a failing test")]
fn dump(set: &str, path: &str, ours: &Facts, real: &Facts) {
    let Some(place) = std::env::var_os("REMINT_TEST_DUMP") else { return };
    if comparable(path, &ours.content) == comparable(path, &real.content) {
        return;
    }
    let place = Path::new(&place).join(set);
    std::fs::create_dir_all(&place).unwrap();
    let name = path.replace('/', "_");
    std::fs::write(place.join(format!("{name}.ours")), &ours.content).unwrap();
    std::fs::write(place.join(format!("{name}.real")), &real.content).unwrap();
}

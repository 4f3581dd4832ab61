//! Compares a tree in memory with one on disk, path by path: kind, mode, owner, link, size, content.

use super::unpack::Unpacked;
use globset::{Glob, GlobMatcher};
use remint::layer::{Entry, Kind};
use std::collections::BTreeMap;
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
    owner: (u32, u32),
    content: Vec<u8>,
}

/// Every difference that is not allowed, one line each.
pub(crate) fn trees(ours: &Unpacked, theirs: &Path, allowed: &Allowed, set: &str) -> Vec<String> {
    let mut real = BTreeMap::new();
    walk(theirs, "", &mut real);
    let mut report = Vec::new();
    for (path, facts) in &real {
        // The hash link of a certificate that was made at random for this host's name.
        if allowed.has(path) || facts.kind == "link to ssl-cert-snakeoil.pem" {
            continue;
        }
        match ours.0.get(path.as_str()) {
            None => report.push(format!(
                "missing  {path} ({} {:o} {:?} {})",
                facts.kind,
                facts.mode,
                facts.owner,
                excerpt(&facts.content)
            )),
            Some((entry, content)) => {
                let mine = of_entry(ours, entry, content);
                report.extend(differences(path, &mine, facts));
                dump(set, path, &mine, facts);
            }
        }
    }
    for (path, (entry, _)) in &ours.0 {
        if !real.contains_key(path.as_str()) && !allowed.has(path.as_str()) {
            report.push(format!("too much {path} ({:?})", entry.kind));
        }
    }
    report
}

/// Every difference of some paths, which both trees have to have.
pub(crate) fn paths(ours: &Unpacked, theirs: &Path, paths: &[&str]) -> Vec<String> {
    let mut report = Vec::new();
    for path in paths {
        match ours.0.get(*path) {
            Some((entry, content)) => {
                report.extend(differences(path, &of_entry(ours, entry, content), &of_file(&theirs.join(path))));
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
        "etc/gshadow" | "var/lib/dpkg/triggers/File" | "var/lib/dpkg/statoverride" | "etc/shells" => {
            sorted(&text(), "\n")
        }
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

fn of_entry(tree: &Unpacked, entry: &Entry, content: &[u8]) -> Facts {
    if let Kind::Hardlink { target } = &entry.kind {
        let (entry, content) = &tree.0[target];
        return of_entry(tree, entry, content);
    }
    let kind = match &entry.kind {
        Kind::Directory => "directory".to_owned(),
        Kind::Symlink { target } => format!("link to {target}"),
        Kind::File { .. } => "file".to_owned(),
        other => format!("{other:?}"),
    };
    Facts { kind, mode: entry.mode, owner: (entry.uid, entry.gid), content: content.to_vec() }
}

fn walk(root: &Path, at: &str, into: &mut BTreeMap<String, Facts>) {
    for entry in std::fs::read_dir(root.join(at)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        let facts = of_file(&entry.path());
        if facts.kind == "directory" {
            walk(root, &path, into);
        }
        into.insert(path, facts);
    }
}

fn of_file(path: &Path) -> Facts {
    let meta = path.symlink_metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let kind = meta.file_type();
    let mut content = Vec::new();
    let word = if kind.is_symlink() {
        format!("link to {}", std::fs::read_link(path).unwrap().display())
    } else if kind.is_dir() {
        "directory".to_owned()
    } else if kind.is_file() {
        content = std::fs::read(path).unwrap();
        "file".to_owned()
    } else {
        format!("special{}", u8::from(kind.is_fifo()))
    };
    Facts { kind: word, mode: meta.mode() & 0o7777, owner: (meta.uid(), meta.gid()), content }
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

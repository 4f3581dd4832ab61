//! `status`: the stanza of every installed package as dpkg writes it (dpkg `lib/dpkg/{parse,dump,fields}.c`).

use super::super::control::{Stanza, stanzas};
use super::super::tree::Tree;
use super::super::{Error, Package};
use super::md5;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The fields that dpkg knows, in the order it writes them. All others follow in the order of the package.
const FIELDS: [&str; 27] = [
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Config-Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
    "Triggers-Pending",
];

/// The fields that are relations between packages and are written anew in one form.
const RELATIONS: [&str; 9] =
    ["Replaces", "Provides", "Depends", "Pre-Depends", "Recommends", "Suggests", "Breaks", "Conflicts", "Enhances"];

/// Stanzas by name and architecture: the order of the file (dpkg's `pkg_sorter_by_nonambig_name_arch`).
pub(super) struct Status(BTreeMap<(String, String), String>);

impl Status {
    /// Reads a status file; stanzas stay as they are.
    pub(super) fn parse(text: &str) -> Self {
        let field = |stanza: &str, name: &str| {
            stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
        };
        Self(stanzas(text).map(|s| ((field(s, "Package"), field(s, "Architecture")), s.to_owned())).collect())
    }

    /// Adds a package, or replaces it at another version.
    pub(super) fn add(&mut self, tree: &Tree<'_>, package: &Package, stanza: &Stanza) -> Result<(), Error> {
        let mut out = String::new();
        for known in FIELDS {
            match known {
                "Status" => out.push_str("Status: install ok installed\n"),
                "Conffiles" => out.push_str(&conffiles(tree, package)?),
                _ => {
                    if let Some(value) = stanza.get(known) {
                        out.push_str(&line(known, value));
                    }
                }
            }
        }
        for (name, value) in &stanza.0 {
            if !FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name)) && !value.is_empty() {
                let _ = writeln!(out, "{name}: {value}");
            }
        }
        out.truncate(out.trim_end().len());
        self.0.insert((package.name.clone(), package.arch.clone()), out);
        Ok(())
    }

    /// Whether a package of that name is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.of(name).is_some()
    }

    /// The fields of a package.
    pub(super) fn stanza(&self, name: &str) -> Option<Stanza> {
        Stanza::parse(self.of(name)?).ok()
    }

    /// Every name.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.keys().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        self.0.values().fold(String::new(), |text, stanza| text + stanza + "\n\n")
    }

    fn of(&self, name: &str) -> Option<&String> {
        self.0
            .range((name.to_owned(), String::new())..)
            .next()
            .filter(|((n, _), _)| n == name)
            .map(|(_, stanza)| stanza)
    }
}

/// One field's line in dpkg's form.
fn line(name: &str, value: &str) -> String {
    match name {
        "Essential" | "Protected" if value != "yes" => String::new(),
        "Multi-Arch" if value == "no" => String::new(),
        "Version" => format!("Version: {}\n", plain_version(value)),
        _ if value.is_empty() => String::new(),
        _ if RELATIONS.contains(&name) => format!("{name}: {}\n", relations(value)),
        _ => format!("{name}: {value}\n"),
    }
}

/// `Conffiles`: each file that the user may change with the MD5 it was shipped with (dpkg's `w_conffiles`).
fn conffiles(tree: &Tree<'_>, package: &Package) -> Result<String, Error> {
    let Some(list) = package.control.get("conffiles") else { return Ok(String::new()) };
    let mut out = String::new();
    for line in String::from_utf8_lossy(list).lines() {
        let line = line.trim_end();
        // A file that an upgrade takes away was never installed, so it has no digest.
        if let Some(path) = line.strip_prefix("remove-on-upgrade ") {
            let _ = writeln!(out, " {} newconffile remove-on-upgrade", path.trim());
        }
        let Some(path) = line.strip_prefix('/').map(|_| line) else { continue };
        if let Some(content) = tree.read(path)? {
            let _ = writeln!(out, " {path} {}", md5(&content));
        }
    }
    Ok(if out.is_empty() { out } else { format!("Conffiles:\n{out}") })
}

/// Relations with dpkg's spacing: `a (>= 1) | b, c:any` (dpkg's `varbufdependency`).
fn relations(value: &str) -> String {
    let one = |alternative: &str| {
        let alternative = alternative.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((name, rest)) = alternative.split_once('(') else { return alternative };
        let rest = rest.trim_end().trim_end_matches(')').trim();
        let at = rest.find(|c: char| !matches!(c, '<' | '>' | '=')).unwrap_or(rest.len());
        let (operator, version) = rest.split_at(at);
        let operator = match operator {
            "<" => "<=",
            ">" => ">=",
            other => other,
        };
        format!("{} ({operator} {})", name.trim(), plain_version(version.trim()))
    };
    let groups = value.split(',').map(str::trim).filter(|group| !group.is_empty());
    groups.map(|group| group.split('|').map(one).collect::<Vec<_>>().join(" | ")).collect::<Vec<_>>().join(", ")
}

/// A version without an epoch of 0 that it does not need (dpkg's `vdew_nonambig`).
fn plain_version(version: &str) -> &str {
    version.strip_prefix("0:").filter(|rest| !rest.contains(':')).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Mem;
    use super::*;

    fn package(control: &str, conffiles: Option<&str>) -> Package {
        let mut members = BTreeMap::from([("control".to_owned(), control.as_bytes().to_vec())]);
        members.extend(conffiles.map(|text| ("conffiles".to_owned(), text.as_bytes().to_vec())));
        let get = |field: &str| Stanza::parse(control).unwrap().get(field).unwrap_or_default().to_owned();
        Package {
            name: get("Package"),
            version: get("Version"),
            arch: get("Architecture"),
            control: members,
            paths: Vec::new(),
        }
    }

    #[test]
    fn a_stanza_has_dpkgs_order_and_form() {
        let root = Mem::new().file("etc/b.conf", b"x\n");
        let tree = Tree::new(&root);
        let mut status =
            Status::parse("Package: c\nArchitecture: all\nVersion: 1\n\nPackage: a\nArchitecture: all\nVersion: 1\n");
        let control = "Package: b\nVersion: 0:1-1\nArchitecture: amd64\nMaintainer: M <m@x>\nHomepage: h\nDepends: x(>=1)|y,z:any  ( > 2 )\nMulti-Arch: no\nDescription: d\n more\n";
        let package = package(control, Some("/etc/b.conf\n"));
        status.add(&tree, &package, &package.stanza().unwrap()).unwrap();
        assert_eq!(
            status.text(),
            "Package: a\nArchitecture: all\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nMaintainer: M <m@x>\nArchitecture: amd64\n\
             Version: 1-1\nDepends: x (>= 1) | y, z:any (>= 2)\nConffiles:\n /etc/b.conf 401b30e3b8b5d629635a5c613cdb7919\n\
             Description: d\n more\nHomepage: h\n\nPackage: c\nArchitecture: all\nVersion: 1\n\n"
        );
        assert!(status.has("b") && !status.has("bb"));
        assert_eq!(status.stanza("b").unwrap().get("Version").unwrap(), "1-1");
    }
}

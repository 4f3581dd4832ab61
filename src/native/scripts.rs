//! The table of maintainer scripts that were read: what each does, and what no step does for it (`scripts.txt`).
//!
//! A script is known by the digest of its text without comments, blank lines, the parts that debhelper generated, and the names of the
//! architecture, so that one line holds for all of them. The parts of debhelper's programs that are known here need no entry: the tools
//! they call are native steps.

use super::ScriptRead;
use super::abi;
use super::alternatives::{Call, Install};
use super::script::Script;
use crate::digest::Digest;
use crate::oci::Arch;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The table's text.
const TABLE: &str = include_str!("scripts.txt");

/// What was found out about one script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// The digests of the texts that were read, each with the version it came with.
    pub(super) texts: Vec<(String, String)>,
    /// The deeds, one a line.
    pub(super) deeds: Vec<String>,
    /// Why it has no effect in an image, or what a step leaves out on purpose.
    pub(super) notes: Vec<String>,
}

/// Readings by package and script.
pub(super) struct Table(BTreeMap<(String, String), Vec<Reading>>);

/// How a script is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Nothing but calls that are native steps: needs no reading.
    Plain,
    /// It was read.
    Read(Reading),
    /// It was read at other versions and is another text now; the newest reading holds for what it did then.
    Changed(Reading, String),
    /// It was never read; its digest.
    Unread(String),
}

impl Coverage {
    /// What it means for the image that the script's text is not one that was read; `None` where it is.
    pub(super) fn gap(&self) -> Option<String> {
        match self {
            Self::Plain | Self::Read(_) => None,
            Self::Changed(reading, digest) => {
                let version = reading.texts.last().map_or("", |(_, version)| version);
                Some(format!(
                    "it changed since it was read in version {version} (digest {digest}): what it did then is done, what is new \
                     in it is not"
                ))
            }
            Self::Unread(digest) => Some(format!(
                "it was never read (digest {digest}): what it does itself, beyond debhelper's parts and the tools it calls, is \
                 not done"
            )),
        }
    }

    /// The reading that says what to do, if there is one.
    pub(super) fn reading(self) -> Option<Reading> {
        match self {
            Self::Plain | Self::Unread(_) => None,
            Self::Read(reading) | Self::Changed(reading, _) => Some(reading),
        }
    }
}

/// Commands that do nothing to an image, or whose effect a step brings about.
const HARMLESS: [&str; 31] = [
    ".",
    ":",
    "[",
    "break",
    "case",
    "cd",
    "command",
    "continue",
    "db_capb",
    "db_go",
    "db_input",
    "db_stop",
    "db_version",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "dpkg-maintscript-helper",
    "echo",
    "exit",
    "export",
    "false",
    "invoke-rc.d",
    "local",
    "return",
    "set",
    "shift",
    "systemctl",
    "systemd-sysusers",
    "test",
    "true",
    "update-alternatives",
    "which",
];

/// debhelper's programs whose parts of scripts are native steps, or have no effect: menus were the package menu's, and byte-code is left
/// out on purpose.
const DEBHELPER: [&str; 12] = [
    "dh_installalternatives",
    "dh_installdeb",
    "dh_installinit",
    "dh_installmenu",
    "dh_installsystemd",
    "dh_installsystemduser",
    "dh_installsysusers",
    "dh_installtmpfiles",
    "dh_python3",
    "dh_runit",
    "dh_systemd_enable",
    "dh_systemd_start",
];

impl Table {
    /// The table that is compiled in, which is parsed once.
    pub(super) fn get() -> &'static Self {
        static READ: LazyLock<Table> = LazyLock::new(|| Table::parse(TABLE).0);
        &READ
    }

    /// Parses a table, and gives the lines that are not in its form.
    ///
    /// ```text
    /// package NAME
    /// script KIND DIGEST@VERSION…     one reading of one script
    ///   nothing WHY                   it has no effect
    ///   note WHY                      left out on purpose
    ///   DEED                          see `deeds`; `missing WHAT` is one
    /// ```
    fn parse(text: &str) -> (Self, Vec<String>) {
        let mut table: BTreeMap<(String, String), Vec<Reading>> = BTreeMap::new();
        let mut wrong = Vec::new();
        let mut package = String::new();
        let mut current: Option<(String, String)> = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word == "package" {
                rest.clone_into(&mut package);
                current = None;
                continue;
            }
            if word == "script" {
                let mut rest = rest.split_whitespace();
                let key = (package.clone(), rest.next().unwrap_or_default().to_owned());
                let texts =
                    rest.filter_map(|text| text.split_once('@')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
                table.entry(key.clone()).or_default().push(Reading { texts, ..Reading::default() });
                current = Some(key);
                continue;
            }
            let Some(reading) = current.as_ref().and_then(|key| table.get_mut(key)?.last_mut()) else {
                wrong.push(line.to_owned());
                continue;
            };
            match word {
                "nothing" | "note" => reading.notes.push(rest.to_owned()),
                _ => reading.deeds.push(line.to_owned()),
            }
        }
        (Self(table), wrong)
    }

    /// How a script of a package is covered.
    pub(super) fn coverage(&self, package: &str, kind: &str, text: &str, arch: Arch) -> Coverage {
        let body = body(text, arch);
        let digest = digest(&body);
        let readings = self.0.get(&(package.to_owned(), kind.to_owned()));
        if let Some(reading) =
            readings.into_iter().flatten().find(|reading| reading.texts.iter().any(|(d, _)| *d == digest))
        {
            return Coverage::Read(reading.clone());
        }
        if plain(&body) {
            return Coverage::Plain;
        }
        match readings.and_then(|readings| readings.last()) {
            Some(reading) => Coverage::Changed(reading.clone(), digest),
            None => Coverage::Unread(digest),
        }
    }

    /// Every reading as a line of the documentation.
    pub(super) fn rows(&self) -> Vec<ScriptRead> {
        let rows = self.0.iter().flat_map(|((package, script), readings)| {
            readings.iter().map(move |reading| {
                let behind = |word: &str| {
                    let found =
                        reading.deeds.iter().filter_map(|deed| deed.split_once(word).map(|(_, rest)| rest.to_owned()));
                    found.collect::<Vec<_>>()
                };
                let (steps, missing) = (behind("step "), behind("missing "));
                ScriptRead {
                    package: package.clone(),
                    script: script.clone(),
                    versions: reading.texts.iter().map(|(_, version)| version.clone()).collect(),
                    deeds: reading.deeds.len() - steps.len() - missing.len(),
                    steps,
                    notes: reading.notes.clone(),
                    missing,
                }
            })
        });
        rows.collect()
    }

    /// Every reading, for the tests.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&(String, String), &Reading)> {
        self.0.iter().flat_map(|(key, readings)| readings.iter().map(move |reading| (key, reading)))
    }
}

/// Whether the steps do what a program of debhelper, named with its version, puts into scripts.
fn known(program: &str) -> bool {
    let name = program.split(['/', ' ']).next().unwrap_or_default();
    DEBHELPER.contains(&name)
}

/// A script without comments, blank lines, indentation and debhelper's parts, and with placeholders for the architecture.
fn body(text: &str, arch: Arch) -> String {
    let mut body = String::new();
    let mut generated = false;
    for line in text.lines() {
        generated |= line.strip_prefix("# Automatically added by ").is_some_and(known);
        let line_of_ours = !generated;
        generated &= !line.starts_with("# End automatically added section");
        let line = line.trim();
        if line_of_ours && !line.is_empty() && !line.starts_with('#') && !line.starts_with("dpkg-maintscript-helper ") {
            body.push_str(
                &line
                    .replace(abi::triplet(arch), "{triplet}")
                    .replace(&format!(":{}", arch.debian()), ":{arch}")
                    .replace(&format!("-openjdk-{}", arch.debian()), "-openjdk-{arch}"),
            );
            body.push('\n');
        }
    }
    body
}

/// The twelve digits that name a body.
fn digest(body: &str) -> String {
    Digest::of(body.as_bytes()).short()
}

/// Whether a body is nothing but harmless commands with constant words where it matters.
fn plain(body: &str) -> bool {
    let script = Script::parse(body);
    let harmless = |words: &Vec<String>| {
        HARMLESS.contains(&words[0].as_str())
            || script.functions.contains(&words[0]) && words[0] != "update-alternatives"
    };
    let known = |words: &Vec<String>| words[0] != "update-alternatives" || Install::parse(&words[1..]) != Call::Unknown;
    script.commands.iter().all(|words| harmless(words) && known(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_form() {
        let (table, wrong) = Table::parse(TABLE);
        assert_eq!(wrong, Vec::<String>::new());
        for ((package, kind), reading) in table.all() {
            assert!(["preinst", "postinst", "config"].contains(&kind.as_str()), "{package} {kind}");
            assert!(!reading.texts.is_empty(), "{package} {kind} has no digest");
            assert!(!(reading.deeds.is_empty() && reading.notes.is_empty()), "{package} {kind} says nothing");
        }
    }

    #[test]
    fn a_script_is_known_by_what_it_does() {
        let (table, _) = Table::parse("package a\nscript postinst 2a@1\n  dir 0755 root:root /x\n");
        let of = |text: &str| table.coverage("a", "postinst", text, Arch::Amd64);
        assert_eq!(
            of("#!/bin/sh\nset -e\nif [ -x /y ]; then\n  update-alternatives --install /a a /b 5\nfi\n"),
            Coverage::Plain
        );
        assert!(matches!(of("rm -rf /x\n"), Coverage::Changed(..)));
        assert!(matches!(of("update-alternatives --install $1 a /b 5\n"), Coverage::Changed(..)));
        let one = "# Automatically added by dh_installinit/1\nrm y\n# End automatically added section\nf /usr/lib/x86_64-linux-gnu x:amd64\n";
        let two = "# c\n\n  f /usr/lib/aarch64-linux-gnu x:arm64\n";
        assert_eq!(digest(&body(one, Arch::Amd64)), digest(&body(two, Arch::Arm64)));
        assert!(matches!(table.coverage("b", "config", one, Arch::Amd64), Coverage::Unread(_)));
        let part = |by: &str| format!("# Automatically added by {by}\nrm y\n# End automatically added section\n");
        assert_eq!(table.coverage("b", "postinst", &part("dh_runit/2.16"), Arch::Amd64), Coverage::Plain);
        assert!(matches!(table.coverage("b", "postinst", &part("dh_new/1"), Arch::Amd64), Coverage::Unread(_)));
    }
}

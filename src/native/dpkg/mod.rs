//! dpkg's database: `status`, `info/*`, diversions, stat overrides, triggers (dpkg 1.21 and 1.22, `lib/dpkg`).
//!
//! What lower layers recorded stays; new packages are added, as if dpkg had installed them next.

mod diversions;
mod info;
mod status;
mod triggers;

pub(super) use diversions::Diversion;

use super::control::Stanza;
use super::tree::Tree;
use super::{Error, Package};
use crate::oci::Arch;
use diversions::Diversions;
use status::Status;
use std::collections::BTreeMap;
use triggers::Triggers;

/// The database while packages are added to it.
pub(super) struct Database {
    status: Status,
    diversions: Diversions,
    overrides: Vec<String>,
    triggers: Triggers,
}

/// Where the database is.
pub(super) const ADMIN: &str = "var/lib/dpkg";

impl Database {
    /// Reads what lower layers recorded.
    pub(super) fn load(tree: &Tree<'_>) -> Result<Self, Error> {
        let text = |name: &str| tree.text(&format!("{ADMIN}/{name}")).map(Option::unwrap_or_default);
        Ok(Self {
            status: Status::parse(&text("status")?),
            diversions: Diversions::parse(&text("diversions")?),
            overrides: text("statoverride")?.lines().map(str::to_owned).collect(),
            triggers: Triggers::load(tree)?,
        })
    }

    /// Records a package as installed: its stanza, its `info` files and the triggers it is interested in. Says its name among the files.
    pub(super) fn install(&mut self, tree: &mut Tree<'_>, package: &Package) -> Result<String, Error> {
        let stanza = package.stanza()?;
        self.status.add(tree, package, &stanza)?;
        info::write(tree, package, &stanza)?;
        self.triggers.add(package, &stanza);
        Ok(info_name(package, stanza.get("Multi-Arch")))
    }

    /// Whether a package of that name is installed, for any architecture, here or in a lower layer.
    pub(super) fn has(&self, name: &str) -> bool {
        self.status.has(name)
    }

    /// What is recorded of an installed package.
    pub(super) fn stanza(&self, name: &str) -> Option<Stanza> {
        self.status.stanza(name)
    }

    /// The names of the packages that are installed, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.status.names()
    }

    /// Adds a diversion, as `dpkg-divert --add --no-rename` does; one of the same path is replaced.
    pub(super) fn divert(&mut self, diversion: Diversion) {
        self.diversions.add(diversion);
    }

    /// Takes a diversion away.
    pub(super) fn undivert(&mut self, from: &str) {
        self.diversions.remove(from);
    }

    /// Records a stat override, as `dpkg-statoverride --add` does; one of the same path is replaced.
    pub(super) fn stat_override(&mut self, user: &str, group: &str, mode: u32, path: &str) {
        self.overrides.retain(|line| line.splitn(4, ' ').nth(3) != Some(path));
        self.overrides.push(format!("{user} {group} {mode:o} {path}"));
    }

    /// Writes the database.
    ///
    /// ```text
    /// var/lib/dpkg/status              every installed package's stanza, sorted by name and architecture
    /// var/lib/dpkg/info/<name>.<kind>  per package: list, md5sums, conffiles, scripts, …
    /// var/lib/dpkg/diversions          three lines each: from, to, package; in the order of dpkg's hash table
    /// var/lib/dpkg/statoverride        one line each, only where there are some
    /// var/lib/dpkg/triggers/           File: path and package; <name>: the packages interested
    /// var/lib/dpkg/{updates,parts,alternatives}/, lock, lock-frontend, arch
    /// ```
    pub(super) fn write(&self, tree: &mut Tree<'_>, arch: Arch) {
        for directory in ["alternatives", "info", "parts", "triggers", "updates"] {
            tree.directory(&format!("{ADMIN}/{directory}"), 0o755);
        }
        tree.file(&format!("{ADMIN}/status"), 0o644, self.status.text());
        tree.file(&format!("{ADMIN}/info/format"), 0o644, "1\n");
        tree.file(&format!("{ADMIN}/arch"), 0o644, format!("{}\n", arch.debian()));
        tree.file(&format!("{ADMIN}/diversions"), 0o644, self.diversions.text());
        if !self.overrides.is_empty() {
            tree.file(&format!("{ADMIN}/statoverride"), 0o644, self.overrides.join("\n") + "\n");
        }
        tree.file(&format!("{ADMIN}/lock"), 0o640, "");
        tree.file(&format!("{ADMIN}/lock-frontend"), 0o640, "");
        self.triggers.write(tree);
    }
}

/// What an `info` file of a package begins with: the name, with the architecture where several can be installed side by side
/// (dpkg's `pkgbin_name_needs_arch` with database format 1: Multi-Arch: same).
fn info_name(package: &Package, multi_arch: Option<&str>) -> String {
    if multi_arch == Some("same") { format!("{}:{}", package.name, package.arch) } else { package.name.clone() }
}

/// The relations between paths and their lower-case MD5, which dpkg's formats are made of.
fn md5(bytes: &[u8]) -> String {
    use md5::{Digest as _, Md5};
    use std::fmt::Write as _;
    Md5::digest(bytes).iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Counts how often each thing is asked for, keeping the first order: dpkg's lists have no repetition.
fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

type Named = BTreeMap<String, Vec<String>>;

//! What the packages' maintainer scripts would have left behind, made without running them.
//!
//! Debian configures a package by running its scripts as root on the machine itself. Here each thing that those scripts do to an
//! image's files is a native step: a module that names the package and the version whose script it was read from. So a layer can be
//! configured for any architecture, by a plain user, without a process, and comes out the same each time.
//!
//! Invariants: the output is decided by the input alone; nothing of the host is read; everything that is made has the constant
//! mtime; a script that no step covers is reported ([`Output::uncovered`]) and never passed over.

mod abi;
mod accounts;
mod alternatives;
mod apache;
mod apt;
mod ca;
mod control;
mod debconf;
mod deeds;
mod dpkg;
mod exim;
mod forecast;
mod ldconfig;
mod locales;
mod order;
mod pam;
mod php;
mod postgresql;
mod runit;
mod script;
mod scripts;
mod shells;
mod skeleton;
mod stage;
mod steps;
mod systemd;
mod sysv;
#[cfg(test)]
mod testing;
mod tmpfiles;
mod tree;
mod ucf;

use crate::layer::Entry;
use crate::oci::{Arch, TreePath};
use crate::recipe::{AccountName, User};
use std::collections::{BTreeMap, BTreeSet};

pub use accounts::AccountError;
pub use forecast::{forecast, listed};

/// The image's files as the steps see them: the lower layers and this layer's unpacked packages in one tree, the later over the earlier.
///
/// Paths are relative and canonical: on an image with a merged `/usr` nothing stands under `bin/`, which is a link.
pub trait Root: Sync {
    /// What stands at a path; links are not followed.
    fn get(&self, path: &str) -> Option<&Entry>;
    /// The bytes of a file; `None` where none is. Links are not followed.
    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>>;
    /// The bytes of a file from an offset on, as many as there are up to a length; else as [`Root::read`].
    fn read_part(&self, path: &str, offset: u64, length: usize) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.read(path)?.map(|whole| part(&whole, offset, length).to_vec()))
    }
    /// Everything beneath a directory, at any depth, in byte order; `""` is the root.
    fn under<'s>(&'s self, directory: &str) -> Box<dyn Iterator<Item = &'s Entry> + 's>;
}

/// What there is of some bytes from an offset on, up to a length.
fn part(whole: &[u8], offset: u64, length: usize) -> &[u8] {
    let rest = usize::try_from(offset).ok().and_then(|offset| whole.get(offset..)).unwrap_or_default();
    &rest[..rest.len().min(length)]
}

/// A package that this layer unpacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, which may be `all`.
    pub arch: String,
    /// The members of its control archive by name: `control`, `md5sums`, `postinst`, ….
    pub control: BTreeMap<String, Vec<u8>>,
    /// The paths it ships, in the archive's order, as `dpkg -L` shows them: `/.`, `/bin`, `/bin/ls`.
    pub paths: Vec<String>,
}

/// What a layer is configured from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// For which architecture.
    pub arch: Arch,
    /// The files.
    pub root: &'a dyn Root,
    /// What is new in this layer, sorted by name.
    pub packages: &'a [Package],
    /// The names that the user asked for; the others came because something depends on them.
    pub requested: &'a BTreeSet<String>,
    /// The users that the recipe adds.
    pub users: &'a BTreeMap<AccountName, User>,
    /// The groups that the recipe adds.
    pub groups: &'a BTreeMap<AccountName, u32>,
}

/// What configuring changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// What is new or takes the place of something, parents included where they are new; in byte order, content behind it.
    pub entries: Vec<(Entry, Vec<u8>)>,
    /// What is taken away.
    pub removed: BTreeSet<TreePath>,
    /// Package files that diversions give another name, from and to.
    pub moved: BTreeMap<TreePath, TreePath>,
    /// The scripts that no step covers, in the order of packages.
    pub uncovered: Vec<Uncovered>,
}

/// A maintainer script that no native step covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// The package.
    pub package: String,
    /// The script: `preinst`, `postinst`, `config`.
    pub script: String,
    /// What is missing, for people.
    pub why: String,
}

/// Why a layer cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the image cannot be read.
    #[error("cannot read `/{path}` of the image")]
    Read {
        /// Which.
        path: TreePath,
        /// Why.
        source: std::io::Error,
    },
    /// A file that should be text is not UTF-8.
    #[error("`/{path}` of the image is not UTF-8 text")]
    NotText {
        /// Which.
        path: String,
    },
    /// A package without a control file, or with one that cannot be read.
    #[error("package `{package}` has no valid control file: {why}")]
    Control {
        /// Which.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// A user or a group cannot be made.
    #[error("cannot make the users and groups of the layer")]
    Account(#[from] AccountError),
}

/// What was found when a maintainer script was read: one line of the table of coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRead {
    /// The package.
    pub package: String,
    /// The script: `preinst`, `config`, `postinst`.
    pub script: String,
    /// The versions it was read in; others with the same text count as read too.
    pub versions: Vec<String>,
    /// How many deeds the steps do for it.
    pub deeds: usize,
    /// The native steps it calls, by name.
    pub steps: Vec<String>,
    /// Why it has no effect, or what is left out on purpose.
    pub notes: Vec<String>,
    /// What no step does.
    pub missing: Vec<String>,
}

/// Every maintainer script that was read, in the order of packages.
#[must_use]
pub fn scripts_read() -> Vec<ScriptRead> {
    scripts::Table::get().rows()
}

/// Makes what the maintainer scripts of a layer's new packages would have left behind.
pub fn configure(input: &Input<'_>) -> Result<Output, Error> {
    stage::run(input)
}

/// Adds a recipe's users and groups to those of an image, and changes nothing else.
pub fn add_accounts(
    root: &dyn Root,
    users: &BTreeMap<AccountName, User>,
    groups: &BTreeMap<AccountName, u32>,
) -> Result<Output, Error> {
    accounts::add(tree::Tree::new(root), users, groups)
}

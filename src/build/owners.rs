//! Whose a file is where several packages have it: that of the package that replaces the other (Debian policy 7.6).

use super::error::Error;
use super::packages::Member;
use super::place::resolve;
use super::view::View;
use crate::layer::Entry;
use crate::native::{self, Package, Root};
use crate::oci::TreePath;
use crate::source::debian::{Dependency, Relation, Stanza, Version};
use std::collections::BTreeMap;

/// Where dpkg keeps the list of each package's paths.
const LISTS: &str = "var/lib/dpkg/info";

/// Where dpkg keeps the installed packages' stanzas.
const STATUS: &str = "var/lib/dpkg/status";

/// Where dpkg keeps paths that stand under another name: the path, the other, and the package whose own file keeps the path.
const DIVERSIONS: &str = "var/lib/dpkg/diversions";

/// Decides among the packages of one layer; the loser's file goes, and so does its path in the loser's list.
pub(super) fn within(members: &mut [Member]) -> Result<(), Error> {
    let mut owners: BTreeMap<TreePath, usize> = BTreeMap::new();
    for at in 0..members.len() {
        let member = &members[at];
        let places: Vec<TreePath> =
            member.index.entries().iter().map(|indexed| member.place(&indexed.entry.path)).collect();
        for path in places {
            let Some(&other) = owners.get(&path) else {
                owners.insert(path, at);
                continue;
            };
            let (first, second) = (Known::of(&members[other].package), Known::of(&members[at].package));
            let (winner, loser) = if second.replaces(&first)? {
                (at, other)
            } else if first.replaces(&second)? {
                (other, at)
            } else {
                return Err(Error::Conflict { path, first: first.name, second: second.name });
            };
            members[loser].lose(&path);
            owners.insert(path, winner);
        }
    }
    Ok(())
}

/// Decides between the layer's packages and those below it. Gives the lists of packages below that lost a path, as they are now.
///
/// What lies below and is no package's, a copied file say, is covered, as by any higher layer.
pub(super) fn below(
    members: &mut [Member],
    below: &BTreeMap<TreePath, Entry>,
    view: &View<'_>,
) -> Result<BTreeMap<TreePath, Vec<u8>>, Error> {
    let shared: Vec<(usize, TreePath)> = members
        .iter()
        .enumerate()
        .flat_map(|(at, member)| member.kept().map(move |path| (at, path)))
        .filter(|(_, path)| below.get(path).is_some_and(|entry| !entry.is_directory()))
        .collect();
    if shared.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = Installed::read(view, below)?;
    let mut lists = BTreeMap::new();
    for (at, path) in shared {
        let package = members[at].package.clone();
        if found.diverted(&path).is_some_and(|by| by != package.name) {
            // It stands under another name, by the step that looks after diversions.
            continue;
        }
        let Some(list) = found.owner(&path) else { continue };
        let (new, old) = (Known::of(&package), found.known(list));
        if new.replaces(&old)? {
            let text = lists.entry(list.path.clone()).or_insert_with(|| list.lines.clone());
            text.retain(|line| found.place(line).as_ref() != Some(&path));
        } else if old.replaces(&new)? {
            members[at].lose(&path);
        } else {
            return Err(Error::Conflict { path, first: old.name, second: new.name });
        }
    }
    Ok(lists.into_iter().map(|(path, lines)| (path, (lines.join("\n") + "\n").into_bytes())).collect())
}

/// What a package is called, which version it has, and what it replaces.
struct Known {
    name: String,
    version: String,
    control: String,
}

impl Known {
    fn of(package: &Package) -> Self {
        let control = package.control.get("control").map_or(&[][..], Vec::as_slice);
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            control: String::from_utf8_lossy(control).into_owned(),
        }
    }

    fn replaces(&self, other: &Known) -> Result<bool, Error> {
        let Ok(stanza) = Stanza::parse(&self.control) else { return Ok(false) };
        let Some(field) = stanza.get("Replaces") else { return Ok(false) };
        let malformed = |source| Error::Control { package: self.name.clone(), source };
        let all = Dependency::parse_list(field).map_err(malformed)?;
        let version = Version::parse(&other.version).ok();
        // Without a version that can be read, a bound does not hold.
        let holds = |bound: &Relation| version.as_ref().is_some_and(|version| bound.holds(version));
        let mut atoms = all.iter().flat_map(|dependency| &dependency.alternatives);
        Ok(atoms.any(|atom| atom.name == other.name && atom.relation.as_ref().is_none_or(holds)))
    }
}

/// What dpkg's database says of the layers below.
struct Installed<'a> {
    below: &'a BTreeMap<TreePath, Entry>,
    lists: Vec<List>,
    status: String,
    diversions: Vec<String>,
}

/// The paths of an installed package.
struct List {
    path: TreePath,
    package: String,
    lines: Vec<String>,
}

impl<'a> Installed<'a> {
    fn read(view: &View<'_>, below: &'a BTreeMap<TreePath, Entry>) -> Result<Self, Error> {
        let text = |path: &TreePath| -> Result<String, Error> {
            let read = |source| Error::native(path.as_str())(native::Error::Read { path: path.clone(), source });
            let bytes = view.read(path.as_str()).map_err(read)?.unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let mut lists = Vec::new();
        for path in below.keys().filter(|path| path.parent().is_some_and(|parent| parent.as_str() == LISTS)) {
            let Some(name) = path.name().strip_suffix(".list") else { continue };
            let package = name.split(':').next().unwrap_or(name).to_owned();
            lists.push(List { path: path.clone(), package, lines: text(path)?.lines().map(str::to_owned).collect() });
        }
        let diversions = text(&TreePath::parse(DIVERSIONS)?)?.lines().map(str::to_owned).collect();
        Ok(Self { below, lists, status: text(&TreePath::parse(STATUS)?)?, diversions })
    }

    /// The package that diverts a path.
    fn diverted(&self, path: &TreePath) -> Option<&str> {
        let mut all = self.diversions.chunks_exact(3);
        all.find(|of| self.place(&of[0]).as_ref() == Some(path)).map(|of| of[2].as_str())
    }

    fn owner(&self, path: &TreePath) -> Option<&List> {
        self.lists.iter().find(|list| list.lines.iter().any(|line| self.place(line).as_ref() == Some(path)))
    }

    /// What the database says of a list's package.
    fn known(&self, list: &List) -> Known {
        let is_it = |stanza: &&str| stanza.lines().any(|line| line.strip_prefix("Package: ") == Some(&list.package));
        let control = self.status.split("\n\n").find(is_it).unwrap_or_default().trim_start_matches('\n');
        let version = control.lines().find_map(|line| line.strip_prefix("Version: ")).unwrap_or_default();
        Known { name: list.package.clone(), version: version.to_owned(), control: control.to_owned() }
    }

    /// Where a path of a list really is.
    fn place(&self, line: &str) -> Option<TreePath> {
        let path = TreePath::parse(line.trim_start_matches('/')).ok()?;
        resolve(&path, &|path: &str| self.below.get(path)).ok()
    }
}

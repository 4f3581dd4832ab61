//! The part of a universe that a closure has reached: names and releases by number, their relations parsed once.

use super::InstalledPackage;
use super::error::Error;
use super::mention::Mention;
use super::provides::Provider;
use super::release::{Alternative, Kind, Need, Origin, Release};
use super::universe::Universe;
use crate::source::debian::{ArchQualifier, Atom, Dependency, DependencyError, Stanza};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A name that packages have or relations speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameId(u32);

/// One package of a name in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReleaseId(u32);

impl ReleaseId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl NameId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn at(index: usize) -> Self {
        Self(narrow(index))
    }
}

/// How a relation writes a name: apt keeps each of these as a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spelling {
    /// `name`
    Plain,
    /// `name:any`, which only `Multi-Arch: allowed` packages answer to.
    Any,
    /// `name:native` and `name:amd64` on amd64.
    Own,
    /// `name:i386` on amd64: nobody answers to it.
    Foreign,
}

/// What is known of a name.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) spelling: Spelling,
    /// The newest first.
    pub(super) releases: Vec<ReleaseId>,
    pub(super) installed: Option<ReleaseId>,
    pub(super) essential: bool,
    /// `Protected: yes`, which apt calls Important.
    pub(super) important: bool,
    pub(super) providers: Option<Rc<[Provider]>>,
    mention: Option<Mention>,
}

/// The names and releases reached so far.
pub(super) struct Graph<'a> {
    pub(super) universe: &'a Universe<'a>,
    installed: BTreeMap<&'a str, &'a InstalledPackage>,
    numbers: BTreeMap<(&'a str, Spelling), NameId>,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) releases: Vec<Release<'a>>,
    /// Releases by the archive's place, so that one stanza is one release whoever leads to it.
    pub(super) placed: BTreeMap<(usize, usize), ReleaseId>,
    /// The first relation that cannot be read; what follows it is not a result.
    pub(super) fault: Option<Error>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(universe: &'a Universe<'a>, installed: &'a [InstalledPackage]) -> Self {
        let mut graph = Self {
            universe,
            installed: installed
                .iter()
                .filter(|p| p.arch == universe.arch() || p.arch == "all")
                .map(|p| (p.name.as_str(), p))
                .collect(),
            numbers: BTreeMap::new(),
            nodes: Vec::new(),
            releases: Vec::new(),
            placed: BTreeMap::new(),
            fault: None,
        };
        let names: Vec<&str> = graph.installed.keys().copied().collect();
        for name in names {
            graph.name(name, Spelling::Plain);
        }
        graph
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, name: NameId) -> &Node<'a> {
        &self.nodes[name.index()]
    }

    pub(super) fn release(&self, release: ReleaseId) -> &Release<'a> {
        &self.releases[release.index()]
    }

    /// The number of a name; its releases are read when it comes up for the first time.
    pub(super) fn name(&mut self, name: &'a str, spelling: Spelling) -> NameId {
        if let Some(id) = self.numbers.get(&(name, spelling)) {
            return *id;
        }
        let id = NameId(narrow(self.nodes.len()));
        self.numbers.insert((name, spelling), id);
        self.nodes.push(Node {
            name,
            spelling,
            releases: Vec::new(),
            installed: None,
            essential: false,
            important: false,
            providers: None,
            mention: None,
        });
        if spelling == Spelling::Plain {
            self.read_releases(id, name);
        }
        id
    }

    fn read_releases(&mut self, id: NameId, name: &'a str) {
        let universe = self.universe;
        // apt cannot do without itself (apt.conf(5), pkgCacheGen::ForceEssential).
        let (mut essential, mut important) = (name == "apt", name == "apt");
        let mut found: Vec<Release<'a>> = Vec::new();
        for at in universe.named(name) {
            essential |= at.package.essential();
            important |= at.package.protected();
            let version = at.package.version();
            // The same file in two suites is one release. Of different files with one version the first source's is the candidate.
            let is_same = |other: &Release<'_>| match &other.origin {
                Origin::Archive(old) => other.version == version && old.package.sha256() == at.package.sha256(),
                Origin::Installed(..) => false,
            };
            if !found.iter().any(is_same) {
                found.push(Release::new(id, version, Origin::Archive(at)));
            }
        }
        let installed = self.installed.get(name).copied();
        if let Some(package) = installed {
            let stanza = self.control(package);
            essential |= stanza.get("Essential") == Some("yes");
            important |= stanza.get("Protected") == Some("yes");
            if !found.iter().any(|other| other.version == package.version) {
                found.push(Release::new(id, package.version.clone(), Origin::Installed(package, stanza)));
            }
        }
        found.sort_by(|a, b| b.version.cmp(&a.version));
        let mut ids = Vec::with_capacity(found.len());
        for release in found {
            let number = ReleaseId(narrow(self.releases.len()));
            if let Origin::Archive(at) = &release.origin {
                self.placed.insert((at.source, at.place), number);
            }
            if installed.is_some_and(|package| package.version == release.version) {
                self.nodes[id.index()].installed.get_or_insert(number);
            }
            self.releases.push(release);
            ids.push(number);
        }
        let node = &mut self.nodes[id.index()];
        (node.releases, node.essential, node.important) = (ids, essential, important);
    }

    fn control(&mut self, package: &'a InstalledPackage) -> Stanza<'a> {
        // A stanza without fields is no stanza, but a package without relations is a package.
        let text =
            if package.control.trim_ascii().is_empty() { "Status: install ok installed" } else { &package.control };
        Stanza::parse(text).unwrap_or_else(|source| {
            let fault = Error::Control { package: package.name.clone(), source };
            self.fault.get_or_insert(fault);
            Stanza::parse("Status: install ok installed").expect("one field is a stanza")
        })
    }

    /// Where the indices mention a name first; searched once.
    pub(super) fn mention(&mut self, name: NameId) -> Mention {
        let universe = self.universe;
        let node = &mut self.nodes[name.index()];
        *node.mention.get_or_insert_with(|| universe.first_mention(node.name))
    }

    /// Pre-Depends, Depends, Conflicts and Breaks of a release, in this order, which is apt's.
    pub(super) fn needs(&mut self, release: ReleaseId) -> Rc<[Need]> {
        if let Some(needs) = &self.release(release).needs {
            return Rc::clone(needs);
        }
        let mut list = Vec::new();
        let bare = self.is_bare(release);
        for kind in [Kind::PreDepends, Kind::Depends, Kind::Conflicts, Kind::Breaks] {
            if bare && !kind.is_negative() {
                continue;
            }
            let parsed = self.release(release).origin.relations(kind);
            self.add_needs(release, kind, parsed, &mut list);
        }
        let needs: Rc<[Need]> = list.into();
        self.releases[release.index()].needs = Some(Rc::clone(&needs));
        needs
    }

    /// Whether a release is what is installed, and was installed without what it depends on.
    fn is_bare(&self, release: ReleaseId) -> bool {
        let node = self.node(self.release(release).name);
        node.installed == Some(release) && self.installed.get(node.name).is_some_and(|package| package.bare)
    }

    /// Recommends and Suggests of a release; they are not kept, since only the sweep and the scores look at them.
    pub(super) fn wishes(&mut self, release: ReleaseId) -> Vec<Need> {
        let mut list = Vec::new();
        for kind in [Kind::Recommends, Kind::Suggests] {
            let parsed = self.release(release).origin.relations(kind);
            self.add_needs(release, kind, parsed, &mut list);
        }
        list
    }

    fn add_needs(
        &mut self,
        release: ReleaseId,
        kind: Kind,
        parsed: Result<Vec<Dependency<'a>>, DependencyError>,
        list: &mut Vec<Need>,
    ) {
        let of = self.release(release).name;
        let parsed = parsed.unwrap_or_else(|source| {
            let package = self.node(of).name.to_owned();
            self.fault.get_or_insert(Error::Relation { package, field: kind.field(), source });
            Vec::new()
        });
        for dependency in parsed {
            let alternatives: Box<[Alternative]> =
                dependency.alternatives.into_iter().map(|atom| self.alternative(atom)).collect();
            if kind.is_negative() {
                // Bars have no meaning in Conflicts: apt takes each member by itself.
                let single =
                    alternatives.into_vec().into_iter().map(|one| Need { kind, of, alternatives: Box::new([one]) });
                list.extend(single);
            } else {
                list.push(Need { kind, of, alternatives });
            }
        }
    }

    fn alternative(&mut self, atom: Atom<'a>) -> Alternative {
        let spelling = match atom.arch {
            None => Spelling::Plain,
            Some(ArchQualifier::Any) => Spelling::Any,
            Some(ArchQualifier::Native) => Spelling::Own,
            Some(ArchQualifier::Arch(arch)) if arch == self.universe.arch() => Spelling::Own,
            Some(ArchQualifier::Arch(_)) => Spelling::Foreign,
        };
        Alternative { target: self.name(atom.name, spelling), bound: atom.relation }
    }
}

/// Names and releases are fewer than the bytes of the indices, which are below 4 GiB each.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("a closure reaches fewer than 2³² names")
}

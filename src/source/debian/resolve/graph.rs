//! The part of a universe that a closure has reached: names and releases by number, their relations parsed once.

use super::InstalledPackage;
use super::error::Error;
use super::mention::Mention;
use super::universe::{PackageRef, Universe};
use crate::source::debian::{
    ArchQualifier, Atom, Dependency, DependencyError, MultiArch, Op, Relation, Stanza, Version,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A name that packages have or relations speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameId(u32);

/// One package of a name in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReleaseId(u32);

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
    providers: Option<Rc<[Provider]>>,
    mention: Option<Option<Mention>>,
}

/// A release that answers to another name.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) owner: NameId,
    pub(super) release: ReleaseId,
    pub(super) version: Option<Version>,
}

/// Where a release comes from.
pub(super) enum Origin<'a> {
    Archive(PackageRef<'a>),
    Installed(&'a InstalledPackage, Stanza<'a>),
}

/// One package in one version.
pub(super) struct Release<'a> {
    pub(super) name: NameId,
    pub(super) version: Version,
    /// 1 required … 5 extra; 0 if it has none.
    pub(super) priority: u8,
    pub(super) multi_arch: MultiArch,
    pub(super) origin: Origin<'a>,
    needs: Option<Rc<[Need]>>,
    provides: Option<Rc<[NameId]>>,
}

/// What kind of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    PreDepends,
    Depends,
    Conflicts,
    Breaks,
    Recommends,
    Suggests,
}

impl Kind {
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Self::Conflicts | Self::Breaks)
    }

    pub(super) fn field(self) -> &'static str {
        match self {
            Self::PreDepends => "Pre-Depends",
            Self::Depends => "Depends",
            Self::Conflicts => "Conflicts",
            Self::Breaks => "Breaks",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
        }
    }
}

/// One member of a relation field, in terms of the graph.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) kind: Kind,
    /// Whose relation it is.
    pub(super) of: NameId,
    pub(super) alternatives: Box<[Alternative]>,
}

/// One alternative of a [`Need`].
#[derive(Debug, Clone)]
pub(super) struct Alternative {
    pub(super) target: NameId,
    pub(super) bound: Option<Relation>,
}

impl Alternative {
    /// Whether a version lies within the bound; a name that is provided without a version lies within none.
    pub(super) fn holds(&self, version: Option<&Version>) -> bool {
        self.bound.as_ref().is_none_or(|bound| version.is_some_and(|version| bound.holds(version)))
    }
}

/// The names and releases reached so far.
pub(super) struct Graph<'a> {
    pub(super) universe: &'a Universe<'a>,
    installed: BTreeMap<&'a str, &'a InstalledPackage>,
    numbers: BTreeMap<(&'a str, Spelling), NameId>,
    nodes: Vec<Node<'a>>,
    releases: Vec<Release<'a>>,
    /// Releases by the archive's place, so that one stanza is one release whoever leads to it.
    placed: BTreeMap<(usize, usize), ReleaseId>,
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
        &self.releases[release.0 as usize]
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
            // Among equal versions the first source's is the one that is fetched.
            if !found.iter().any(|other| other.version == version) {
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
                self.nodes[id.index()].installed = Some(number);
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
    pub(super) fn mention(&mut self, name: NameId) -> Option<Mention> {
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
        for kind in [Kind::PreDepends, Kind::Depends, Kind::Conflicts, Kind::Breaks] {
            let parsed = self.release(release).origin.relations(kind);
            self.add_needs(release, kind, parsed, &mut list);
        }
        let needs: Rc<[Need]> = list.into();
        self.releases[release.0 as usize].needs = Some(Rc::clone(&needs));
        needs
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

    /// Who answers to a name besides the packages of that name, the last mentioned first, as apt lists them.
    pub(super) fn providers(&mut self, name: NameId) -> Rc<[Provider]> {
        if let Some(providers) = &self.node(name).providers {
            return Rc::clone(providers);
        }
        let (text, spelling) = (self.node(name).name, self.node(name).spelling);
        let mut list = Vec::new();
        if matches!(spelling, Spelling::Any | Spelling::Own) {
            let real = self.name(text, Spelling::Plain);
            for release in self.node(real).releases.clone() {
                let allowed = self.release(release).multi_arch == MultiArch::Allowed;
                if spelling == Spelling::Own || allowed {
                    let version = Some(self.release(release).version.clone());
                    list.push(Provider { owner: real, release, version });
                }
            }
        }
        if spelling != Spelling::Foreign {
            let universe = self.universe;
            for (at, member) in universe.providers(text) {
                let owner = self.name(at.package.name(), Spelling::Plain);
                // An equal version of an earlier source stands for this one.
                if let Some(release) = self.placed.get(&(at.source, at.place)).copied() {
                    self.add_provider(owner, release, member, spelling, &mut list);
                }
            }
            let installed: Vec<ReleaseId> = self.nodes.iter().filter_map(|node| node.installed).collect();
            for release in installed {
                let Origin::Installed(_, stanza) = &self.release(release).origin else { continue };
                let (owner, provides) = (self.release(release).name, stanza.get("Provides").unwrap_or_default());
                for member in provides.split(',').map(str::trim_ascii).filter(|m| super::universe::bare_name(m) == text)
                {
                    self.add_provider(owner, release, member, spelling, &mut list);
                }
            }
        }
        list.reverse();
        let providers: Rc<[Provider]> = list.into();
        self.nodes[name.index()].providers = Some(Rc::clone(&providers));
        providers
    }

    fn add_provider(
        &mut self,
        owner: NameId,
        release: ReleaseId,
        member: &'a str,
        spelling: Spelling,
        list: &mut Vec<Provider>,
    ) {
        let atom = match Atom::parse(member) {
            Ok(atom) => atom,
            Err(source) => {
                let package = self.node(owner).name.to_owned();
                self.fault.get_or_insert(Error::Relation { package, field: "Provides", source });
                return;
            }
        };
        let answers = match (spelling, atom.arch) {
            (Spelling::Plain | Spelling::Own, None) | (Spelling::Any, Some(ArchQualifier::Any)) => true,
            (Spelling::Any, None) => self.release(release).multi_arch == MultiArch::Allowed,
            (Spelling::Plain | Spelling::Own, Some(ArchQualifier::Arch(arch))) => arch == self.universe.arch(),
            _ => false,
        };
        let version = match atom.relation {
            None => None,
            Some(Relation { op: Op::Equal, version }) => Some(version),
            // apt ignores what is provided in more than one version.
            Some(_) => return,
        };
        // A package that provides its own name in its own version says nothing new.
        let itself = spelling == Spelling::Plain
            && self.node(owner).name == atom.name
            && version.as_ref().is_none_or(|v| v.as_str() == self.release(release).version.as_str());
        if answers && !itself {
            list.push(Provider { owner, release, version });
        }
    }

    /// The names that a release answers to besides its own.
    pub(super) fn provides(&mut self, release: ReleaseId) -> Rc<[NameId]> {
        if let Some(names) = &self.release(release).provides {
            return Rc::clone(names);
        }
        let owner = self.node(self.release(release).name).name;
        let allowed = self.release(release).multi_arch == MultiArch::Allowed;
        let mut list = Vec::new();
        let text = self.release(release).origin.provides_text();
        for member in text.split(',').map(str::trim_ascii).filter(|m| !m.is_empty()) {
            let name = super::universe::bare_name(member);
            list.extend([Spelling::Plain, Spelling::Own].map(|spelling| self.name(name, spelling)));
            if allowed || member[name.len()..].starts_with(":any") {
                list.push(self.name(name, Spelling::Any));
            }
        }
        list.push(self.name(owner, Spelling::Own));
        if allowed {
            list.push(self.name(owner, Spelling::Any));
        }
        let names: Rc<[NameId]> = list.into();
        self.releases[release.0 as usize].provides = Some(Rc::clone(&names));
        names
    }
}

impl<'a> Release<'a> {
    fn new(name: NameId, version: Version, origin: Origin<'a>) -> Self {
        let (priority, multi_arch) = match &origin {
            Origin::Archive(at) => (priority(at.package.priority()), at.package.multi_arch()),
            Origin::Installed(package, stanza) => {
                let multi_arch = match stanza.get("Multi-Arch") {
                    Some("same") => MultiArch::Same,
                    Some("foreign") => MultiArch::Foreign,
                    Some("allowed") => MultiArch::Allowed,
                    _ => MultiArch::No,
                };
                let _ = package;
                (priority(stanza.get("Priority").unwrap_or_default()), multi_arch)
            }
        };
        Self { name, version, priority, multi_arch, origin, needs: None, provides: None }
    }
}

impl<'a> Origin<'a> {
    fn relations(&self, kind: Kind) -> Result<Vec<Dependency<'a>>, DependencyError> {
        match (self, kind) {
            (Self::Archive(at), Kind::PreDepends) => at.package.pre_depends(),
            (Self::Archive(at), Kind::Depends) => at.package.depends(),
            (Self::Archive(at), Kind::Conflicts) => at.package.conflicts(),
            (Self::Archive(at), Kind::Breaks) => at.package.breaks(),
            (Self::Archive(at), Kind::Recommends | Kind::Suggests) => {
                let stanza = Stanza::parse(at.package.stanza()).ok();
                Dependency::parse_list(stanza.and_then(|s| s.get(kind.field())).unwrap_or_default())
            }
            (Self::Installed(_, stanza), _) => Dependency::parse_list(stanza.get(kind.field()).unwrap_or_default()),
        }
    }

    fn provides_text(&self) -> &'a str {
        match self {
            Self::Archive(at) => at.package.provides_text(),
            Self::Installed(_, stanza) => stanza.get("Provides").unwrap_or_default(),
        }
    }

    /// The name and the version of the source package.
    pub(super) fn source(&self) -> (&str, &str) {
        match self {
            Self::Archive(at) => at.package.source(),
            Self::Installed(package, stanza) => {
                match stanza.get("Source").map(|s| s.split_once('(').unwrap_or((s, ""))) {
                    None => (&package.name, package.version.as_str()),
                    Some((name, "")) => (name.trim_ascii(), package.version.as_str()),
                    Some((name, version)) => (name.trim_ascii(), version.trim_end_matches(')').trim_ascii()),
                }
            }
        }
    }
}

/// The number that apt gives a priority.
fn priority(text: &str) -> u8 {
    match text {
        "" => 0,
        "required" => 1,
        "important" => 2,
        "standard" => 3,
        "optional" => 4,
        _ => 5,
    }
}

/// Names and releases are fewer than the bytes of the indices, which are below 4 GiB each.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("a closure reaches fewer than 2³² names")
}

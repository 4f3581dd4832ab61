//! One package in one version, and its relations in terms of the graph.

use super::InstalledPackage;
use super::graph::NameId;
use super::universe::PackageRef;
use crate::source::debian::{Dependency, DependencyError, MultiArch, Relation, Stanza, Version};
use std::rc::Rc;

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
    pub(super) needs: Option<Rc<[Need]>>,
    pub(super) provides: Option<Rc<[NameId]>>,
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

impl<'a> Release<'a> {
    pub(super) fn new(name: NameId, version: Version, origin: Origin<'a>) -> Self {
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
    pub(super) fn relations(&self, kind: Kind) -> Result<Vec<Dependency<'a>>, DependencyError> {
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

    pub(super) fn provides_text(&self) -> &'a str {
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

//! Every package of several indices under one roof: looked up by name, and by the names that they provide.

use super::mention::Mention;
use crate::source::debian::{Package, PackagesIndex};

/// One index and where it comes from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The suite, for messages: `trixie-security`.
    pub suite: &'a str,
    /// The component, for messages: `main`.
    pub component: &'a str,
    /// Its packages.
    pub index: &'a PackagesIndex,
}

/// The packages of one architecture that an archive's suites and components offer.
///
/// Building it looks at no relation but the names in Provides; everything else is parsed when a closure reaches it.
/// The order of the sources is a tie-break, as it is for apt: among equal versions the first source's package is taken.
pub struct Universe<'a> {
    sources: Vec<Source<'a>>,
    arch: &'a str,
    /// Sorted by name, then by source and place.
    provided: Vec<Provided<'a>>,
}

/// A package of a universe and where it stands in it; cheap to copy.
#[derive(Clone, Copy)]
pub struct PackageRef<'a> {
    /// Which source, in the order given to [`Universe::new`].
    pub source: usize,
    /// Which package of that source's index.
    pub place: usize,
    /// The package.
    pub package: Package<'a>,
}

/// A name that a package provides.
#[derive(Clone, Copy)]
pub(super) struct Provided<'a> {
    /// The provided name, without an architecture.
    pub(super) name: &'a str,
    /// The whole member of the Provides field.
    pub(super) text: &'a str,
    source: u32,
    place: u32,
}

impl<'a> Universe<'a> {
    /// Joins the indices of one architecture (`amd64`), in the order in which the suites and components were written.
    #[must_use]
    pub fn new(arch: &'a str, sources: Vec<Source<'a>>) -> Self {
        let mut provided = Vec::new();
        for (source, Source { index, .. }) in (0..).zip(&sources) {
            for (place, package) in (0..).zip(index.iter()) {
                let members = package.provides_text().split(',').map(str::trim_ascii).filter(|text| !text.is_empty());
                provided.extend(members.map(|text| Provided { name: bare_name(text), text, source, place }));
            }
        }
        // Stable: equal names stay in the order of the sources.
        provided.sort_by_key(|p| p.name);
        Self { sources, arch, provided }
    }

    /// The architecture.
    #[must_use]
    pub fn arch(&self) -> &'a str {
        self.arch
    }

    /// The sources in the order given.
    #[must_use]
    pub fn sources(&self) -> &[Source<'a>] {
        &self.sources
    }

    /// Every package of a name, in the order of the sources.
    pub fn named(&self, name: &str) -> impl Iterator<Item = PackageRef<'a>> {
        let in_source = |(source, Source { index, .. }): (usize, &Source<'a>)| {
            let index: &'a PackagesIndex = index;
            let places = index.places(name);
            places.filter_map(move |place| Some(PackageRef { source, place, package: index.get(place)? }))
        };
        self.sources.iter().enumerate().flat_map(in_source)
    }

    /// The package at a place, as a [`PackageRef`] names it.
    #[must_use]
    pub fn at(&self, source: usize, place: usize) -> Option<PackageRef<'a>> {
        let index: &'a PackagesIndex = self.sources.get(source)?.index;
        Some(PackageRef { source, place, package: index.get(place)? })
    }

    /// The names of all packages that any source calls Essential, sorted.
    #[must_use]
    pub fn essential(&self) -> Vec<&'a str> {
        let all = self.sources.iter().flat_map(|s| s.index.iter());
        let mut names: Vec<&str> = all.filter(Package::essential).map(|p| p.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Who provides a name, in the order of the sources; the package's own name is not listed.
    pub(super) fn providers(&self, name: &str) -> impl Iterator<Item = (PackageRef<'a>, &'a str)> {
        let start = self.provided.partition_point(|p| p.name < name);
        let count = self.provided[start..].partition_point(|p| p.name == name);
        self.provided[start..start + count].iter().filter_map(|p| {
            let (source, place) = (p.source as usize, p.place as usize);
            let index: &'a PackagesIndex = self.sources[source].index;
            Some((PackageRef { source, place, package: index.get(place)? }, p.text))
        })
    }

    /// Where apt, reading the indices in order, meets a name for the first time.
    pub(super) fn first_mention(&self, name: &str) -> Mention {
        let mut sources = self.sources.iter().enumerate();
        sources.find_map(|(source, s)| Mention::find(source, s.index, name)).unwrap_or(Mention::NEVER)
    }

    /// The name that was probably meant: the closest of those within a third of the length; the first in order among the closest.
    #[must_use]
    pub fn closest_name(&self, name: &str) -> Option<&'a str> {
        // Names are short; a text that is none has no neighbour, and must not cost its length times 70,000.
        if name.len() > 64 {
            return None;
        }
        let most = (name.len() / 3).clamp(1, 4);
        let mut best: Option<(usize, &str)> = None;
        for source in &self.sources {
            for other in source.index.names().filter(|other| other.len().abs_diff(name.len()) <= most) {
                let distance = strsim::osa_distance(name, other);
                if distance <= most && best.is_none_or(|old| (distance, other) < old) {
                    best = Some((distance, other));
                }
            }
        }
        best.map(|(_, name)| name)
    }
}

/// The name at the start of a member of a relation field.
pub(super) fn bare_name(text: &str) -> &str {
    let end = text.find(|c: char| c == ':' || c == '(' || c == '|' || c.is_ascii_whitespace());
    &text[..end.unwrap_or(text.len())]
}

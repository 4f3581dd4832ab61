//! The closure that apt would choose: what `apt-get install --no-install-recommends` adds to an empty system, or to a base.
//!
//! Many sets of packages satisfy a request; users expect apt's. So this room follows apt 2.6's internal solver step by step rather than
//! solving the constraints anew: `mark` walks the relations depth first, `solutions` orders alternatives and providers,
//! `conflict` puts away what stands in the way, `repair` with `score` settles what is left broken, and `sweep` drops the remains.
//! The judge is apt itself, over the same indices (`tests/it/closure.rs`).
//!
//! The result depends on the indices in the order of their suites and components, on what is installed, and on what is wanted as a set;
//! nothing else. One architecture at a time: `all` and the image's own.

mod conflict;
mod dead_end;
mod error;
mod explain;
mod graph;
mod mark;
mod mention;
mod needs;
mod provides;
mod release;
mod repair;
mod score;
mod solutions;
mod state;
mod sweep;
mod tell;
mod universe;
mod upgrade;
mod wanted;

#[cfg(test)]
mod tests;

pub use error::{Chain, Clash, Error};
pub use universe::{PackageRef, Source, Universe};

use super::Version;
use crate::recipe::PackageRequest;
use graph::NameId;
use mark::Mark;
use release::Origin;
use state::{Mode, Solver};
use std::collections::BTreeSet;

/// What an image asks of an archive.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The packages; their order has no effect.
    pub wanted: Vec<PackageRequest>,
    /// Whether every package that is Essential is wanted too.
    pub essential: bool,
    /// Whether what the wanted packages need comes with them.
    pub dependencies: bool,
    /// What the base has.
    pub installed: Vec<InstalledPackage>,
}

/// A package that the base has.
#[derive(Debug, Clone)]
pub struct InstalledPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its architecture; packages of other architectures than the universe's, and than `all`, are passed over.
    pub arch: String,
    /// Its control fields, of which the relations, Multi-Arch, Essential, Protected, Priority and Source are read. It may be
    /// empty if the universe has this version: the universe's fields are taken then in any case.
    pub control: String,
    /// Whether it was installed on purpose without what it depends on, so that this is not made up for.
    pub bare: bool,
}

/// Finds what has to be installed for a request, sorted by name: only what the base has not, or has in another version.
///
/// A package of the base that has to be upgraded is in the result in its new version; if one would have to be removed it is an error.
pub fn resolve<'u>(universe: &Universe<'u>, request: &Request) -> Result<Vec<PackageRef<'u>>, Error> {
    let mut solver = Solver::new(universe, &request.installed);
    let wanted = solver.wanted(request)?;
    for release in &wanted {
        solver.choose(*release);
    }
    if request.dependencies {
        let names: Vec<NameId> = wanted.iter().map(|release| solver.owner(*release)).collect();
        for name in &names {
            solver.mark_install(*name, Mark::user(true));
        }
        let asked: BTreeSet<NameId> = names.into_iter().collect();
        let repaired = solver.repair(&asked);
        solver.fault()?;
        if !repaired {
            return Err(solver.explain(&wanted));
        }
        solver.sweep();
        if !solver.broken().is_empty() {
            return Err(solver.explain(&wanted));
        }
    }
    solver.fault()?;
    solver.result().map(|places| places.into_iter().filter_map(|(source, place)| universe.at(source, place)).collect())
}

impl Solver<'_> {
    /// Ends the work if a relation could not be read.
    fn fault(&mut self) -> Result<(), Error> {
        self.graph.fault.take().map_or(Ok(()), Err)
    }

    /// Takes a release that the user named as the candidate, and marks it without what it needs.
    fn choose(&mut self, release: graph::ReleaseId) {
        let name = self.owner(release);
        if self.state(name).candidate != Some(release) {
            self.set_candidate_silently(name, Some(release));
            self.update(name);
        }
        self.state_mut(name).protected = true;
        self.mark_install(name, Mark::user(false));
    }

    /// Where the packages to install stand in the universe, sorted by name.
    fn result(&self) -> Result<Vec<(usize, usize)>, Error> {
        let mut removed: Vec<String> = Vec::new();
        let mut chosen: Vec<(&str, (usize, usize))> = Vec::new();
        for name in self.names() {
            let (node, state) = (self.graph.node(name), self.state(name));
            match state.install.map(|release| &self.release(release).origin) {
                Some(Origin::Archive(at)) if state.mode == Mode::Install => {
                    chosen.push((node.name, (at.source, at.place)));
                }
                None if node.installed.is_some() => removed.push(node.name.to_owned()),
                _ => {}
            }
        }
        if !removed.is_empty() {
            removed.sort_unstable();
            return Err(Error::Removes { packages: removed });
        }
        chosen.sort_unstable();
        Ok(chosen.into_iter().map(|(_, at)| at).collect())
    }
}

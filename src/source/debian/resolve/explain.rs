//! Finds out, after the fact, why a closure failed, so that the message names the relation that matters.

use super::error::{Chain, Clash, Error};
use super::graph::{NameId, ReleaseId};
use super::release::{Alternative, Kind, Need};
use super::state::{Solver, View};
use std::collections::BTreeSet;

/// How deep the search goes; beyond that a chain explains nothing.
pub(super) const DEEPEST: usize = 60;

impl Solver<'_> {
    /// Why the wanted releases cannot be installed. The solver is as the failed attempt left it.
    pub(super) fn explain(&mut self, wanted: &[ReleaseId]) -> Error {
        let mut seen = BTreeSet::new();
        for release in wanted {
            let mut steps = Vec::new();
            if let Some(offers) = self.dead_end(*release, &mut steps, &mut seen) {
                let wanted = self.full_name(self.owner(*release));
                return Error::Unsatisfiable { chain: Chain { wanted, steps }, offers };
            }
        }
        let mut broken = self.broken();
        // The package that was asked for knows best why it is broken.
        broken.sort_by_key(|name| self.state(*name).auto);
        for name in &broken {
            if let Some(error) = self.clash(*name) {
                return error;
            }
        }
        let name = broken.first().copied().or_else(|| wanted.first().map(|release| self.owner(*release)));
        let chain = name.map(|name| self.chain_with_open_need(name)).unwrap_or_default();
        Error::Stuck { chain }
    }

    /// The two packages that exclude each other behind a broken one.
    fn clash(&mut self, name: NameId) -> Option<Error> {
        let release = self.state(name).install?;
        let need = self.unsatisfied(release, View::Install)?;
        if need.kind.is_negative() {
            let other = self.hit_by(&need)?;
            return Some(self.conflict(name, &need, other));
        }
        let mut seen = BTreeSet::new();
        self.clash_below(&need, &mut seen, 0)
    }

    fn clash_below(&mut self, need: &Need, seen: &mut BTreeSet<ReleaseId>, depth: usize) -> Option<Error> {
        for alternative in &need.alternatives {
            for target in self.newest_targets(alternative) {
                if depth > DEEPEST || !seen.insert(target) {
                    continue;
                }
                let owner = self.owner(target);
                if self.state(owner).install.is_none() && self.state(owner).because.is_none() {
                    self.state_mut(owner).because = Some(need.of);
                }
                let needs = self.needs(target);
                for below in needs.iter() {
                    if self.is_satisfied(below, View::Install) {
                        continue;
                    }
                    if below.kind.is_negative() {
                        if let Some(other) = self.hit_by(below) {
                            return Some(self.conflict(owner, below, other));
                        }
                    } else if let Some(error) = self.clash_below(below, seen, depth + 1) {
                        return Some(error);
                    }
                }
                if let Some((other, below)) = self.excluded_by(target) {
                    return Some(self.conflict(other, &below, owner));
                }
            }
        }
        None
    }

    /// The package that will be installed and that a Conflicts or Breaks hits.
    fn hit_by(&mut self, need: &Need) -> Option<NameId> {
        let alternative = need.alternatives.first()?;
        let names: Vec<NameId> =
            self.names().filter(|name| self.state(*name).install.is_some() && *name != need.of).collect();
        names.into_iter().find(|name| {
            let Some(release) = self.state(*name).install else { return false };
            self.answers(release, alternative)
        })
    }

    /// The package that will be installed and excludes a release.
    fn excluded_by(&mut self, release: ReleaseId) -> Option<(NameId, Need)> {
        let owner = self.owner(release);
        let names: Vec<NameId> =
            self.names().filter(|name| self.state(*name).install.is_some() && *name != owner).collect();
        for name in names {
            let Some(installed) = self.state(name).install else { continue };
            let needs = self.needs(installed);
            let negative = needs.iter().filter(|need| need.kind.is_negative());
            for need in negative {
                if need.alternatives.iter().any(|alternative| self.answers(release, alternative)) {
                    return Some((name, need.clone()));
                }
            }
        }
        None
    }

    pub(super) fn answers(&mut self, release: ReleaseId, alternative: &Alternative) -> bool {
        let owner = self.owner(release);
        if owner == alternative.target && alternative.holds(Some(&self.release(release).version)) {
            return true;
        }
        self.providers(alternative.target).iter().any(|p| p.release == release && alternative.holds(p.version.as_ref()))
    }

    fn conflict(&mut self, left: NameId, need: &Need, right: NameId) -> Error {
        let verb = if need.kind == Kind::Breaks { "breaks" } else { "conflicts with" };
        let clash = Clash {
            left: self.full_name(left),
            relation: format!("{verb} `{}`", self.describe(need)),
            right: self.full_name(right),
            left_chain: self.chain(left),
            right_chain: self.chain(right),
        };
        Error::Conflict { clash: Box::new(clash) }
    }
}

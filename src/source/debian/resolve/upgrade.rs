//! The part of a repair that brings candidates in: apt's `DoUpgrade` (apt-pkg/algorithms.cc).

use super::graph::NameId;
use super::mark::{DEEPEST, Mark};
use super::release::Need;
use super::repair::Repair;
use super::state::{Mode, View};
use std::collections::BTreeSet;

impl Repair<'_, '_> {
    /// An installed package that was to be upgraded and is held back is tried once more.
    pub(super) fn try_again(&mut self, name: NameId, before: &BTreeSet<NameId>) {
        let state = self.solver.state(name);
        let held = state.candidate != state.install && self.solver.current(name).is_some() && state.install.is_some();
        if !held || !before.contains(&name) || state.protected || self.spent.contains(&name) {
            return;
        }
        self.spent.insert(name);
        let broken = self.solver.broken().len();
        self.solver.mark_install(name, Mark::auto(false, 0));
        if self.solver.is_broken(name) || broken < self.solver.broken().len() {
            self.solver.mark_keep(name, 0);
        }
    }

    /// Marks the candidate of a package, and of what it needs, if that repairs it.
    pub(super) fn upgrade(&mut self, name: NameId, depth: usize) -> bool {
        let state = self.solver.state(name);
        let newer = state.candidate.is_some() && state.candidate != self.solver.current(name);
        if depth > DEEPEST || !newer || self.asked.contains(&name) || !self.spent.insert(name) {
            return false;
        }
        let kept = self.solver.state(name).mode == Mode::Keep;
        if !self.solver.mark_install(name, Mark::auto(false, 0)) {
            return false;
        }
        let Some(release) = self.solver.state(name).install else { return false };
        let needs = self.solver.needs(release);
        for need in needs.iter() {
            if self.upgrade_for(need, depth) {
                continue;
            }
            if kept {
                self.solver.mark_keep(name, 0);
            } else {
                self.solver.mark_delete(name, 0);
            }
            return false;
        }
        true
    }

    fn upgrade_for(&mut self, need: &Need, depth: usize) -> bool {
        let mut good = true;
        for alternative in &need.alternatives {
            if self.solver.is_satisfied(need, View::Install) {
                return good;
            }
            let other = self.likely_target(need, alternative.target);
            if self.solver.state(other).protected {
                good = false;
            } else if self.solver.hits(need, alternative, View::Candidate) != need.kind.is_negative() {
                if self.upgrade(other, depth + 1) {
                    return true;
                }
                good = false;
            } else if need.kind.is_negative() {
                // The next round deals with conflicts.
                return good;
            } else {
                good = false;
            }
        }
        good
    }

    /// The package that a relation's target most likely stands for: the first other one that provides it, if no package has the name.
    fn likely_target(&mut self, need: &Need, target: NameId) -> NameId {
        if !self.solver.graph.node(target).releases.is_empty() {
            return target;
        }
        let providers = self.solver.providers(target);
        self.scores.resize(self.solver.names().count(), 0);
        providers.iter().map(|p| p.owner).find(|owner| *owner != need.of).unwrap_or(target)
    }
}

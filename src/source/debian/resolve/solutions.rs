//! Which releases could satisfy a relation, in the order in which apt tries them.

use super::graph::{NameId, ReleaseId};
use super::release::{Alternative, Need};
use super::state::{Mode, Solver, View};
use crate::source::debian::MultiArch;
use std::cmp::Ordering;

impl Solver<'_> {
    /// The candidates that hit a relation, in order of preference: alternatives as written, and within one alternative by
    /// `prefer`; names of which a release is installed come first. Names that may not be installed are left out.
    pub(super) fn solutions(&mut self, need: &Need, view: View) -> Vec<ReleaseId> {
        let (mut upgrades, mut new) = (Vec::new(), Vec::new());
        for alternative in &need.alternatives {
            let mut found = self.targets(need, alternative, view);
            found.sort_by(|a, b| self.prefer(*a, *b, alternative.target));
            for release in found {
                let list = if self.current(self.owner(release)).is_some() { &mut upgrades } else { &mut new };
                list.push(release);
            }
        }
        upgrades.append(&mut new);
        upgrades.dedup();
        self.drop_forbidden(need, &mut upgrades);
        upgrades
    }

    /// The only release that satisfies a relation, among candidates and what is installed; `None` if there are several.
    pub(super) fn only_solution(&mut self, need: &Need) -> Option<ReleaseId> {
        let mut found = Vec::new();
        for alternative in &need.alternatives {
            found.extend(self.targets(need, alternative, View::Candidate));
            found.extend(self.targets(need, alternative, View::Now));
        }
        found.sort_unstable();
        found.dedup();
        self.drop_forbidden(need, &mut found);
        (found.len() == 1).then(|| found[0])
    }

    fn drop_forbidden(&self, need: &Need, releases: &mut Vec<ReleaseId>) {
        if need.kind.is_negative() {
            return;
        }
        releases.retain(|release| {
            let name = self.owner(*release);
            let state = self.state(name);
            let gone = state.mode == Mode::Delete || (state.mode == Mode::Keep && self.current(name).is_none());
            !(state.protected && gone)
        });
    }

    /// The candidates, or the installed releases, that one alternative hits: the name's own, then those that provide it.
    fn targets(&mut self, need: &Need, alternative: &Alternative, view: View) -> Vec<ReleaseId> {
        let (target, negative) = (alternative.target, need.kind.is_negative());
        // A relation that no candidate could satisfy when it was last refreshed is not looked at again.
        if view == View::Candidate && !self.hits(need, alternative, View::Candidate) {
            return Vec::new();
        }
        let pick = |solver: &Self, name: NameId| match view {
            View::Candidate => solver.state(name).candidate,
            View::Now | View::Install => solver.current(name),
        };
        let mut found = Vec::new();
        if let Some(release) = pick(self, target)
            && !(negative && target == need.of)
            && alternative.holds(Some(&self.release(release).version))
        {
            found.push(release);
        }
        for provider in self.providers(target).iter() {
            if !(negative && provider.owner == need.of)
                && pick(self, provider.owner) == Some(provider.release)
                && alternative.holds(provider.version.as_ref())
            {
                found.push(provider.release);
            }
        }
        found
    }

    /// Which of two releases that answer to a target apt takes first.
    ///
    /// In this order (apt-pkg/depcache.cc, `CompareProviders`): protected; installed; the target's own name before who provides it; essential;
    /// important; the more important priority; and, since there has to be an end, the name that the indices mention later.
    fn prefer(&mut self, a: ReleaseId, b: ReleaseId, target: NameId) -> Ordering {
        let (left, right) = (self.owner(a), self.owner(b));
        let by_kind = self.rank(a, target).cmp(&self.rank(b, target));
        if left == right || by_kind.is_ne() {
            return by_kind;
        }
        self.graph.mention(right).cmp(&self.graph.mention(left))
    }

    /// What decides before the order of mention does; the least comes first.
    fn rank(&self, release: ReleaseId, target: NameId) -> ([bool; 6], u8) {
        let (name, installed) = (self.owner(release), self.current(self.owner(release)).is_some());
        let (node, release) = (self.graph.node(name), self.release(release));
        let same = release.multi_arch == MultiArch::Same && installed;
        let good = [self.state(name).protected, same, installed, name == target, node.essential, node.important];
        (good.map(|good| !good), release.priority)
    }
}

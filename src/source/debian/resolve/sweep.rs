//! What nothing needs any more is not installed: the remains of alternatives that were tried and given up.
//!
//! As apt's `MarkRequired` and `Sweep` (apt-pkg/depcache.cc), with the correction of `DoAutomaticRemove` (apt-private): what is reachable
//! from what the user named, what is installed and what is essential stays. Recommends and Suggests do not install
//! anything, but they keep.

use super::graph::{NameId, ReleaseId};
use super::mark::Mark;
use super::release::Need;
use super::state::{Mode, Solver};
use crate::source::debian::Version;
use std::collections::{BTreeMap, BTreeSet};

impl Solver<'_> {
    /// Unmarks new packages that are out of reach.
    pub(super) fn sweep(&mut self) {
        let new: Vec<NameId> = self.names().filter(|name| self.is_garbage_if_unreached(*name)).collect();
        // Most closures have no remains, and Depends alone shows it.
        let reached = self.reach(false);
        if new.iter().all(|name| reached.contains(name)) {
            return;
        }
        let reached = self.reach(true);
        let mut removed: Vec<NameId> = new.into_iter().filter(|name| !reached.contains(name)).collect();
        for name in &removed {
            self.mark_delete(*name, 0);
        }
        // A package that stays although nothing reaches it, as one that could not be deleted, may need one that went.
        while !self.broken().is_empty() {
            let Some(back) = removed.iter().position(|name| self.is_needed(*name)) else { return };
            let name = removed.remove(back);
            self.mark_install(name, Mark::auto(false, 0));
        }
    }

    fn is_garbage_if_unreached(&self, name: NameId) -> bool {
        self.state(name).mode == Mode::Install && self.current(name).is_none()
    }

    fn is_needed(&mut self, name: NameId) -> bool {
        let Some(candidate) = self.state(name).candidate else { return false };
        let mut targets: BTreeSet<NameId> = self.graph.provides(candidate).iter().copied().collect();
        self.catch_up();
        targets.insert(name);
        let names: Vec<NameId> = self.names().collect();
        names.into_iter().any(|parent| {
            let Some(release) = self.state(parent).install else { return false };
            let needs = self.needs(release);
            needs
                .iter()
                .filter(|need| !need.kind.is_negative())
                .any(|need| need.alternatives.iter().any(|a| targets.contains(&a.target)))
        })
    }

    /// The names that can be reached; with `wishes`, over Recommends and Suggests too.
    fn reach(&mut self, wishes: bool) -> BTreeSet<NameId> {
        let is_root = |name: &NameId| {
            let (state, node) = (self.state(*name), self.graph.node(*name));
            state.install.is_some() && (!state.auto || node.essential || node.important)
        };
        let mut stack: Vec<NameId> = self.names().filter(is_root).collect();
        let mut reached: BTreeSet<NameId> = stack.iter().copied().collect();
        while let Some(name) = stack.pop() {
            let Some(release) = self.state(name).install else { continue };
            let mut needs: Vec<Need> =
                self.needs(release).iter().filter(|need| !need.kind.is_negative()).cloned().collect();
            if wishes {
                needs.extend(self.wishes(release));
            }
            for need in &needs {
                for owner in self.keeps(need) {
                    if reached.insert(owner) {
                        stack.push(owner);
                    }
                }
            }
        }
        reached
    }

    /// What a relation keeps: every installed release that any alternative hits; of one source package only its newest version.
    fn keeps(&mut self, need: &Need) -> Vec<NameId> {
        let mut kept = Vec::new();
        for alternative in &need.alternatives {
            let mut hits: Vec<ReleaseId> = Vec::new();
            if let Some(release) = self.state(alternative.target).install {
                hits.extend(alternative.holds(Some(&self.release(release).version)).then_some(release));
            }
            for provider in self.providers(alternative.target).iter() {
                if self.state(provider.owner).install == Some(provider.release)
                    && alternative.holds(provider.version.as_ref())
                {
                    hits.push(provider.release);
                }
            }
            let mut newest: BTreeMap<&str, Option<Version>> = BTreeMap::new();
            for hit in &hits {
                let (source, version) = self.release(*hit).origin.source();
                let slot = newest.entry(source).or_default();
                *slot = std::mem::take(slot).max(Version::parse(version).ok());
            }
            let is_newest = |hit: &&ReleaseId| {
                let (source, version) = self.release(**hit).origin.source();
                newest.get(source).is_some_and(|newest| *newest == Version::parse(version).ok())
            };
            kept.extend(hits.iter().filter(is_newest).map(|hit| self.owner(*hit)));
        }
        kept
    }
}

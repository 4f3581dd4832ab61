//! What is decided about each name so far, and whether a relation is satisfied by it.
//!
//! The model is apt's (apt-pkg/depcache.cc): every name has a candidate, and a release to install, which at first is the installed one.
//! apt caches for each relation whether *candidates* could satisfy it, and refreshes that only when the state of a name that it speaks of
//! is updated; a candidate that is discarded in between still counts for relations that were not refreshed. Closures depend on it, so each
//! name here keeps the times at which its candidate changed, and each target the time at which relations to it were refreshed.

use super::InstalledPackage;
use super::graph::{Graph, NameId, ReleaseId};
use super::provides::Provider;
use super::release::{Alternative, Need, Release};
use super::universe::Universe;
use std::rc::Rc;

/// What is to happen to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Keep,
    Install,
    Delete,
}

/// What is decided about a name.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The release that would be installed.
    pub(super) candidate: Option<ReleaseId>,
    /// The release that will be there.
    pub(super) install: Option<ReleaseId>,
    pub(super) mode: Mode,
    /// Nobody but the user may change it.
    pub(super) protected: bool,
    /// Nobody asked for it by name.
    pub(super) auto: bool,
    /// For whom it was marked: for messages.
    pub(super) because: Option<NameId>,
    first_candidate: Option<ReleaseId>,
    changes: Vec<(u32, Option<ReleaseId>)>,
    refreshed: u32,
}

/// A closure in the making.
pub(super) struct Solver<'a> {
    pub(super) graph: Graph<'a>,
    states: Vec<State>,
    clock: u32,
}

/// Which of a name's releases a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// What is installed now.
    Now,
    /// What will be installed.
    Install,
    /// What could be installed, as of the relation's last refresh.
    Candidate,
}

impl<'a> Solver<'a> {
    pub(super) fn new(universe: &'a Universe<'a>, installed: &'a [InstalledPackage]) -> Self {
        let mut solver = Self { graph: Graph::new(universe, installed), states: Vec::new(), clock: 0 };
        solver.catch_up();
        solver
    }

    /// Every name that was reached.
    pub(super) fn names(&self) -> impl Iterator<Item = NameId> + use<> {
        (0..self.states.len()).map(NameId::at)
    }

    pub(super) fn state(&self, name: NameId) -> &State {
        &self.states[name.index()]
    }

    pub(super) fn state_mut(&mut self, name: NameId) -> &mut State {
        &mut self.states[name.index()]
    }

    pub(super) fn current(&self, name: NameId) -> Option<ReleaseId> {
        self.graph.node(name).installed
    }

    pub(super) fn release(&self, release: ReleaseId) -> &Release<'a> {
        self.graph.release(release)
    }

    pub(super) fn owner(&self, release: ReleaseId) -> NameId {
        self.graph.release(release).name
    }

    pub(super) fn needs(&mut self, release: ReleaseId) -> Rc<[Need]> {
        let needs = self.graph.needs(release);
        self.catch_up();
        needs
    }

    pub(super) fn wishes(&mut self, release: ReleaseId) -> Vec<Need> {
        let wishes = self.graph.wishes(release);
        self.catch_up();
        wishes
    }

    pub(super) fn providers(&mut self, name: NameId) -> Rc<[Provider]> {
        let providers = self.graph.providers(name);
        self.catch_up();
        providers
    }

    /// Whether it is, or will be, a package that was not there before: neither installed nor without a candidate.
    pub(super) fn is_new(&self, name: NameId) -> bool {
        self.current(name).is_none() || self.state(name).candidate.is_none()
    }

    /// Gives the names that the graph has met since the last time their first state.
    pub(super) fn catch_up(&mut self) {
        for index in self.states.len()..self.graph.len() {
            let node = self.graph.node(NameId::at(index));
            let (installed, newest) = (node.installed, node.releases.first().copied());
            // The newest release, which is the installed one if that is newer than the archive's.
            let candidate = newest;
            self.states.push(State {
                candidate,
                install: installed,
                mode: Mode::Keep,
                protected: false,
                auto: false,
                because: None,
                first_candidate: candidate,
                changes: Vec::new(),
                refreshed: 0,
            });
        }
    }

    /// Changes the candidate without telling anyone.
    pub(super) fn set_candidate_silently(&mut self, name: NameId, candidate: Option<ReleaseId>) {
        self.clock += 1;
        let clock = self.clock;
        let state = self.state_mut(name);
        state.candidate = candidate;
        state.changes.push((clock, candidate));
    }

    /// Refreshes every relation to the name and to what its installed and candidate releases provide.
    pub(super) fn update(&mut self, name: NameId) {
        self.clock += 1;
        let clock = self.clock;
        self.state_mut(name).refreshed = clock;
        let (current, candidate) = (self.current(name), self.state(name).candidate);
        for release in [current, candidate.filter(|c| current != Some(*c))].into_iter().flatten() {
            let provided = self.graph.provides(release);
            self.catch_up();
            for target in provided.iter() {
                self.state_mut(*target).refreshed = clock;
            }
        }
    }

    fn seen(&self, view: View, name: NameId, at: u32) -> Option<ReleaseId> {
        let state = self.state(name);
        match view {
            View::Now => self.current(name),
            View::Install => state.install,
            View::Candidate => {
                let known = state.changes.iter().rev().find(|(time, _)| *time <= at);
                known.map_or(state.first_candidate, |(_, candidate)| *candidate)
            }
        }
    }

    /// Whether an alternative hits a release: for Depends this is good, for Conflicts bad. A package never conflicts with itself.
    pub(super) fn hits(&mut self, need: &Need, alternative: &Alternative, view: View) -> bool {
        let (target, negative) = (alternative.target, need.kind.is_negative());
        let at = self.state(target).refreshed;
        if !(negative && target == need.of)
            && let Some(release) = self.seen(view, target, at)
            && alternative.holds(Some(&self.release(release).version))
        {
            return true;
        }
        self.providers(target).iter().any(|provider| {
            !(negative && provider.owner == need.of)
                && self.seen(view, provider.owner, at) == Some(provider.release)
                && alternative.holds(provider.version.as_ref())
        })
    }

    /// Whether a relation is as it has to be: one alternative hit, or, for Conflicts and Breaks, none.
    pub(super) fn is_satisfied(&mut self, need: &Need, view: View) -> bool {
        need.alternatives.iter().any(|alternative| self.hits(need, alternative, view)) != need.kind.is_negative()
    }

    /// Whether what will be installed of a name has a relation that is not satisfied.
    pub(super) fn is_broken(&mut self, name: NameId) -> bool {
        self.state(name).install.is_some_and(|release| self.unsatisfied(release, View::Install).is_some())
    }

    /// Whether what is installed of a name has a relation that is not satisfied now.
    pub(super) fn was_broken(&mut self, name: NameId) -> bool {
        self.current(name).is_some_and(|release| self.unsatisfied(release, View::Now).is_some())
    }

    /// The first relation of a release that is not satisfied.
    pub(super) fn unsatisfied(&mut self, release: ReleaseId, view: View) -> Option<Need> {
        let needs = self.needs(release);
        needs.iter().find(|need| !self.is_satisfied(need, view)).cloned()
    }

    /// The names that are broken.
    pub(super) fn broken(&mut self) -> Vec<NameId> {
        let names: Vec<NameId> = self.names().filter(|name| self.state(*name).install.is_some()).collect();
        names.into_iter().filter(|name| self.is_broken(*name)).collect()
    }
}

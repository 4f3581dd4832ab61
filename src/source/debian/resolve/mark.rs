//! Marking: a package is to be installed with everything that it needs, kept, or deleted.
//!
//! The walk is depth first, as apt's (apt-pkg/depcache.cc, `MarkInstall`): a package is marked first, then what conflicts with it is put
//! away, then its relations are satisfied one by one, Pre-Depends before Depends, each by the first solution that can itself be
//! marked. What fails is unmarked, but what was marked for it stays; [`super::sweep`] removes that at the end.

use super::graph::{NameId, ReleaseId};
use super::release::Need;
use super::state::{Mode, Solver};

/// How deep relations are followed. No closure that apt judges is 40 deep; apt itself stops at 3,000, which a thread of 2 MiB would not bear.
pub(super) const DEEPEST: usize = 400;

/// How a package is to be marked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// With what it needs.
    pub(super) with_needs: bool,
    /// Because the user named it.
    pub(super) from_user: bool,
    /// How many packages deep the walk is.
    pub(super) depth: usize,
}

impl Mark {
    pub(super) fn user(with_needs: bool) -> Self {
        Self { with_needs, from_user: true, depth: 0 }
    }

    pub(super) fn auto(with_needs: bool, depth: usize) -> Self {
        Self { with_needs, from_user: false, depth }
    }
}

impl Solver<'_> {
    /// Whether a package's mode may be changed.
    pub(super) fn may_change(&self, name: NameId, mode: Mode, from_user: bool, depth: usize) -> bool {
        let (node, state) = (self.graph.node(name), self.state(name));
        if depth > DEEPEST || node.releases.is_empty() {
            return false;
        }
        let kept = mode == Mode::Delete && (node.essential || node.important);
        from_user || state.mode == mode || !(state.protected || kept)
    }

    /// Leaves a package as it is installed, or as it is not.
    pub(super) fn mark_keep(&mut self, name: NameId, depth: usize) -> bool {
        if !self.may_change(name, Mode::Keep, false, depth) {
            return false;
        }
        if self.state(name).mode != Mode::Keep {
            let current = self.current(name);
            let state = self.state_mut(name);
            (state.mode, state.install) = (Mode::Keep, current);
            self.update(name);
        }
        true
    }

    /// Takes a package away.
    pub(super) fn mark_delete(&mut self, name: NameId, depth: usize) -> bool {
        if !self.may_change(name, Mode::Delete, false, depth) {
            return false;
        }
        if self.state(name).mode == Mode::Delete || self.state(name).install.is_none() {
            return true;
        }
        if !self.may_delete(name) {
            return false;
        }
        let mode = if self.current(name).is_none() { Mode::Keep } else { Mode::Delete };
        let state = self.state_mut(name);
        (state.mode, state.install) = (mode, None);
        self.update(name);
        true
    }

    /// What the user asked for is not taken away.
    pub(super) fn may_delete(&self, name: NameId) -> bool {
        let state = self.state(name);
        !(self.current(name).is_none() && state.install.is_some() && !state.auto)
    }

    /// Marks a package; false if it cannot be installed, which leaves it unmarked unless the user named it.
    pub(super) fn mark_install(&mut self, name: NameId, mark: Mark) -> bool {
        let (current, state) = (self.current(name), self.state(name));
        let only_protects =
            state.protected && state.mode == Mode::Keep && state.candidate.is_some() && state.candidate == current;
        if !only_protects && !self.may_change(name, Mode::Install, mark.from_user, mark.depth) {
            return false;
        }
        let Some(candidate) = self.state(name).candidate else { return false };
        let protected = self.state(name).protected;
        if !protected && !self.is_broken(name) {
            if current == Some(candidate) {
                return self.state(name).install.is_some() || self.mark_keep(name, mark.depth + 1);
            }
            if self.state(name).mode == Mode::Install {
                return true;
            }
        }
        if mark.with_needs && !self.candidates_suffice(name) {
            return false;
        }
        if mark.from_user {
            self.enter(name, true);
        }
        let fail_early = !protected && !mark.from_user;
        let mut work = Work::default();
        let mut failed = false;
        if mark.with_needs {
            let (install, remove) = self.open_needs(name, candidate);
            work.install = install;
            if !self.put_away_conflicts(name, &remove, mark, &mut work) {
                if fail_early {
                    return false;
                }
                failed = true;
            }
            self.add_dependents_to_upgrade(name, candidate, &mut work);
        }
        if !mark.from_user {
            self.enter(name, false);
        }
        if !mark.with_needs {
            return !failed;
        }
        // While its needs are being marked nobody may unmark it.
        self.state_mut(name).protected = true;
        let good = self.mark_needs(name, candidate, protected, mark, &work);
        if !protected {
            self.state_mut(name).protected = false;
        }
        if !good && fail_early {
            self.discard(name);
        }
        good && !failed
    }

    fn mark_needs(&mut self, name: NameId, candidate: ReleaseId, protected: bool, mark: Mark, work: &Work) -> bool {
        let fail_early = !protected && !mark.from_user;
        self.upgrade_siblings(name, candidate, mark.depth);
        let mut good = self.upgrade_or_remove(&work.upgrade, protected, mark);
        if !good && fail_early {
            return false;
        }
        good &= self.install_needs(name, &work.install, protected, mark);
        if !good && fail_early {
            return false;
        }
        for other in &work.remove_later {
            if !self.mark_delete(*other, mark.depth) {
                good = false;
                if fail_early {
                    break;
                }
            }
        }
        good
    }

    /// Sets the state of a package that is marked.
    fn enter(&mut self, name: NameId, from_user: bool) {
        let (current, new) = (self.current(name), self.is_new(name));
        let state = self.state_mut(name);
        if state.protected && state.install == state.candidate {
            return;
        }
        state.install = state.candidate;
        state.mode = if state.candidate == current { Mode::Keep } else { Mode::Install };
        if from_user {
            state.auto = false;
        } else if new {
            state.auto = true;
        }
        self.update(name);
    }

    /// Undoes a mark, and the candidate with it: it will not be tried again.
    fn discard(&mut self, name: NameId) {
        let current = self.current(name);
        let state = self.state_mut(name);
        if state.mode == Mode::Keep && state.install == state.candidate && state.candidate == current {
            return;
        }
        (state.mode, state.install) = (Mode::Keep, current);
        self.update(name);
        self.discard_candidate(name);
    }

    pub(super) fn discard_candidate(&mut self, name: NameId) {
        let install = self.state(name).install;
        self.set_candidate_silently(name, install);
    }
}

/// What a mark has to do besides marking.
#[derive(Default)]
pub(super) struct Work {
    pub(super) install: Vec<Need>,
    pub(super) upgrade: Vec<NameId>,
    pub(super) remove_later: Vec<NameId>,
}

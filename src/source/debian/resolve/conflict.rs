//! What a mark does to the packages that stand in its way: they are kept out, upgraded, or removed.

use super::graph::{NameId, ReleaseId};
use super::mark::{Mark, Work};
use super::release::Need;
use super::state::{Mode, Solver, View};

impl Solver<'_> {
    /// Keeps out what the package conflicts with; of what is installed, it notes what to upgrade and what to remove.
    pub(super) fn put_away_conflicts(&mut self, name: NameId, needs: &[Need], mark: Mark, work: &mut Work) -> bool {
        let protected = self.state(name).protected;
        let stop_early = !protected && !mark.from_user;
        let mut good = true;
        let mut bad_candidates = Vec::new();
        for need in needs {
            for release in self.solutions(need, View::Candidate) {
                let other = self.owner(release);
                if self.state(other).candidate != Some(release) {
                    continue;
                }
                if self.current(other) == Some(release) {
                    if !self.remove_soon(other, protected, mark.depth, work) {
                        good = false;
                    }
                } else if self.state(other).mode == Mode::Install && !self.mark_keep(other, mark.depth) {
                    good = false;
                } else if protected {
                    self.discard_candidate(other);
                    if self.current(other).is_none() {
                        self.state_mut(other).protected = true;
                    }
                } else {
                    bad_candidates.push(other);
                }
                if !good && stop_early {
                    return false;
                }
            }
            for release in self.solutions(need, View::Now) {
                let other = self.owner(release);
                let candidate = self.state(other).candidate;
                if candidate.is_some() && candidate != Some(release) && !bad_candidates.contains(&other) {
                    work.upgrade.push(other);
                } else if candidate != self.current(other) && !self.remove_soon(other, protected, mark.depth, work) {
                    good = false;
                    if stop_early {
                        return false;
                    }
                }
            }
        }
        good
    }

    fn remove_soon(&mut self, other: NameId, protected: bool, depth: usize, work: &mut Work) -> bool {
        let gone = self.state(other).mode == Mode::Delete;
        if !protected {
            if !gone {
                if !self.may_change(other, Mode::Delete, false, depth) || !self.may_delete(other) {
                    return false;
                }
                work.remove_later.push(other);
            }
            return true;
        }
        if !gone && !self.mark_delete(other, depth + 1) {
            return false;
        }
        self.discard_candidate(other);
        self.state_mut(other).protected = true;
        true
    }

    /// Installed packages that the installed release satisfied and the new one does not.
    pub(super) fn add_dependents_to_upgrade(&mut self, name: NameId, release: ReleaseId, work: &mut Work) {
        let Some(current) = self.current(name) else { return };
        let (old, new) = (self.release(current).version.clone(), self.release(release).version.clone());
        let names: Vec<NameId> = self.names().collect();
        for parent in names {
            let Some(installed) = self.current(parent) else { continue };
            if self.state(parent).mode == Mode::Install || work.upgrade.contains(&parent) {
                continue;
            }
            let needs = self.needs(installed);
            let alternatives = needs.iter().filter(|need| !need.kind.is_negative()).flat_map(|need| &need.alternatives);
            if alternatives.filter(|a| a.target == name).any(|a| a.holds(Some(&old)) && !a.holds(Some(&new))) {
                work.upgrade.push(parent);
            }
        }
    }

    /// Installed packages built from the same source are upgraded together.
    pub(super) fn upgrade_siblings(&mut self, name: NameId, release: ReleaseId, depth: usize) {
        let source = self.release(release).origin.source();
        let is_sibling = |other: &NameId| {
            let state = self.state(*other);
            let Some(candidate) = state.candidate.filter(|_| *other != name) else { return false };
            self.current(*other).is_some_and(|current| current != candidate)
                && !(state.mode == Mode::Install && state.install == Some(candidate))
                && self.release(candidate).origin.source() == source
        };
        let mut siblings: Vec<NameId> = self.names().filter(is_sibling).collect();
        siblings.sort_by_cached_key(|other| self.graph.mention(*other));
        for with_needs in [false, true] {
            for other in &siblings {
                self.mark_install(*other, Mark::auto(with_needs, depth + 1));
            }
        }
    }

    pub(super) fn upgrade_or_remove(&mut self, upgrade: &[NameId], protected: bool, mark: Mark) -> bool {
        let mut good = true;
        for other in upgrade {
            let ready =
                self.state(*other).mode == Mode::Install || self.mark_install(*other, Mark::auto(true, mark.depth + 1));
            if ready {
                continue;
            }
            if !self.mark_delete(*other, mark.depth + 1) {
                good = false;
                if !protected && !mark.from_user {
                    break;
                }
            } else if protected {
                self.state_mut(*other).protected = true;
            }
        }
        good
    }
}

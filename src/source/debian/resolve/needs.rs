//! The relations of a package that is being marked: which are open, whether they can be satisfied, and by what.

use super::graph::{NameId, ReleaseId};
use super::mark::Mark;
use super::release::Need;
use super::state::{Mode, Solver, View};

impl Solver<'_> {
    /// Whether each relation could be satisfied by some candidate; if not the candidate is discarded.
    pub(super) fn candidates_suffice(&mut self, name: NameId) -> bool {
        let (current, candidate) = (self.current(name), self.state(name).candidate);
        let Some(release) = candidate.filter(|release| Some(*release) != current) else { return true };
        let needs = self.needs(release);
        for need in needs.iter().filter(|need| !need.kind.is_negative()) {
            if self.is_satisfied(need, View::Install) || self.is_satisfied(need, View::Candidate) {
                continue;
            }
            if !self.state(name).protected {
                self.set_candidate_silently(name, current);
                if current.is_some() {
                    self.update(name);
                }
                let state = self.state_mut(name);
                if state.mode != Mode::Delete {
                    state.mode = Mode::Keep;
                }
            }
            return false;
        }
        true
    }

    /// The relations that are not satisfied, or all of them if the package is protected: those to install and those to put away.
    pub(super) fn open_needs(&mut self, name: NameId, release: ReleaseId) -> (Vec<Need>, Vec<Need>) {
        let protected = self.state(name).protected;
        let needs = self.needs(release);
        let open = needs.iter().filter(|need| protected || !self.is_satisfied(need, View::Install));
        open.cloned().partition(|need| !need.kind.is_negative())
    }

    /// Satisfies relations in order.
    pub(super) fn install_needs(&mut self, name: NameId, needs: &[Need], protected: bool, mark: Mark) -> bool {
        let depth = mark.depth + 1;
        let mut good = true;
        for need in needs {
            if self.is_satisfied(need, View::Install) {
                // What a protected package cannot do without is protected too.
                if protected && !self.protect_only_solution(need, depth) {
                    good = false;
                }
                continue;
            }
            let solutions = self.solutions(need, View::Candidate);
            let alone = solutions.len() == 1;
            let mut found = false;
            for release in solutions {
                let other = self.owner(release);
                if self.state(other).candidate != Some(release) {
                    continue;
                }
                if self.state(other).install.is_none() {
                    self.state_mut(other).because = Some(name);
                }
                if protected && alone {
                    if !self.mark_install(other, Mark::auto(false, depth)) {
                        continue;
                    }
                    self.state_mut(other).protected = true;
                }
                if self.mark_install(other, Mark::auto(true, depth)) {
                    found = true;
                    break;
                }
            }
            if !found {
                good = false;
                if !protected && !mark.from_user {
                    break;
                }
            }
        }
        good
    }

    fn protect_only_solution(&mut self, need: &Need, depth: usize) -> bool {
        let Some(release) = self.only_solution(need) else { return true };
        let other = self.owner(release);
        if self.state(other).protected {
            return true;
        }
        self.state_mut(other).protected = true;
        self.mark_install(other, Mark::auto(true, depth))
    }
}

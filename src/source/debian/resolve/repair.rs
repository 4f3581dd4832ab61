//! What is done when marking has left packages broken: the heavier package stays, the lighter one gives way.
//!
//! The procedure is apt's (apt-pkg/algorithms.cc, `pkgProblemResolver::ResolveInternal`): up to twenty rounds over all packages, the heaviest
//! first; each broken one is kept out, upgraded or removed, or has what it conflicts with removed.

use super::graph::{NameId, ReleaseId};
use super::mark::Mark;
use super::release::{Kind, Need};
use super::score::Scores;
use super::state::{Mode, Solver, View};
use std::collections::BTreeSet;

/// How many rounds are made at most.
const ROUNDS: usize = 20;

/// One repair under way.
pub(super) struct Repair<'s, 'a> {
    pub(super) solver: &'s mut Solver<'a>,
    pub(super) asked: &'s BTreeSet<NameId>,
    pub(super) scores: Scores,
    /// Names that were upgraded to repair another; none is twice.
    pub(super) spent: BTreeSet<NameId>,
    round: usize,
    change: bool,
}

/// How a group of alternatives ends if nothing was found for it.
#[derive(PartialEq)]
enum Otherwise {
    Remove,
    Keep,
}

/// What comes of one alternative.
enum Turn {
    /// The next alternative, or the next relation.
    Next,
    /// The package was changed; its other relations are for the next round.
    Done,
}

impl Solver<'_> {
    /// Repairs what is broken; true if nothing is any more.
    pub(super) fn repair(&mut self, asked: &BTreeSet<NameId>) -> bool {
        if self.broken().is_empty() {
            return true;
        }
        let before = self.upgrade_broken();
        let order = self.in_table_order();
        let scores = self.scores(&order, asked);
        let mut order: Vec<NameId> = order;
        order.sort_by_key(|name| std::cmp::Reverse(scores[name.index()]));
        let mut repair = Repair { solver: self, asked, scores, spent: BTreeSet::new(), round: 0, change: true };
        while repair.change && repair.round < ROUNDS {
            repair.change = false;
            for name in &order {
                repair.investigate(*name, &before);
            }
            repair.round += 1;
        }
        let broken = !self.broken().is_empty();
        for name in self.names() {
            let new = self.is_new(name) && self.state(name).mode == Mode::Install;
            if new && !before.contains(&name) {
                self.state_mut(name).auto = true;
            }
        }
        !broken
    }

    /// Upgrades what is installed and broken; returns what is marked then.
    fn upgrade_broken(&mut self) -> BTreeSet<NameId> {
        loop {
            let mut again = false;
            let mut marked = BTreeSet::new();
            let names: Vec<NameId> = self.names().collect();
            for name in names {
                if self.state(name).mode == Mode::Install {
                    marked.insert(name);
                } else if self.is_broken(name) {
                    self.mark_install(name, Mark::auto(false, 0));
                    again |= self.state(name).mode == Mode::Install;
                }
            }
            if !again {
                return marked;
            }
        }
    }
}

impl Repair<'_, '_> {
    fn investigate(&mut self, name: NameId, before: &BTreeSet<NameId>) {
        self.try_again(name, before);
        let Some(release) = self.solver.state(name).install else { return };
        if !self.solver.is_broken(name) {
            return;
        }
        let mut kills: Vec<(NameId, Need)> = Vec::new();
        let needs = self.solver.needs(release);
        for need in needs.iter() {
            if let Turn::Done = self.group(name, need, &mut kills) {
                break;
            }
        }
        if self.solver.state(name).install.is_some() {
            self.apply(name, &kills);
        }
    }

    /// One relation of a broken package.
    fn group(&mut self, name: NameId, need: &Need, kills: &mut Vec<(NameId, Need)>) -> Turn {
        let several = need.alternatives.len() > 1;
        let killed = kills.len();
        let mut otherwise = Otherwise::Remove;
        for index in 0..need.alternatives.len() {
            if self.solver.is_satisfied(need, View::Install) {
                return Turn::Next;
            }
            let done = self.alternative(name, need, index, kills, &mut otherwise);
            if let (Turn::Done, false) = (done, several) {
                return Turn::Done;
            }
        }
        if several && killed == kills.len() {
            if otherwise == Otherwise::Keep {
                self.solver.mark_keep(name, 0);
                self.change = true;
            } else if !self.solver.state(name).protected {
                self.solver.mark_delete(name, 0);
                self.change = true;
            }
        }
        Turn::Next
    }

    fn alternative(
        &mut self,
        name: NameId,
        need: &Need,
        index: usize,
        kills: &mut Vec<(NameId, Need)>,
        otherwise: &mut Otherwise,
    ) -> Turn {
        let (negative, several) = (need.kind.is_negative(), need.alternatives.len() > 1);
        let targets = self.all_targets(need, index);
        let protected = self.solver.state(name).protected;
        if targets.is_empty() && !protected && !negative && !self.solver.was_broken(name) {
            if !several {
                self.change = true;
                self.solver.mark_keep(name, 0);
            }
            return if several { Turn::Next } else { Turn::Done };
        }
        let mut done = Turn::Next;
        for release in &targets {
            let other = self.solver.owner(*release);
            if negative && self.solver.state(other).install != Some(*release) {
                continue;
            }
            let now = self.solver.hits(need, &need.alternatives[index], View::Now);
            let lighter = self.scores[name.index()] <= self.scores[other.index()];
            if lighter || (!now && !negative) {
                if self.solver.state(name).protected {
                    if self.upgrade(other, 0) {
                        self.scores[other.index()] = self.scores[other.index()].min(self.scores[name.index()]);
                        break;
                    }
                    continue;
                }
                self.give_way(name, other, need.alternatives[index].target, several, otherwise);
                self.change = true;
                done = Turn::Done;
                break;
            }
            if need.kind == Kind::Breaks && self.solver.is_satisfied(need, View::Candidate) {
                self.solver.mark_install(other, Mark::auto(false, 0));
                continue;
            }
            let state = self.solver.state(other);
            if state.protected && state.mode != Mode::Delete {
                continue;
            }
            kills.push((other, need.clone()));
            if !negative {
                break;
            }
        }
        if targets.is_empty() && !negative && !protected {
            let marked = self.solver.state(name).mode == Mode::Install;
            self.solver.mark_keep(name, 0);
            if self.solver.is_broken(name) {
                if !several {
                    self.solver.mark_delete(name, 0);
                }
            } else {
                self.hold_back(name, several && marked, otherwise);
            }
            self.change = true;
            done = Turn::Done;
        }
        done
    }

    /// The broken package is kept out, upgraded or removed, rather than changing the other.
    fn give_way(&mut self, name: NameId, other: NameId, target: NameId, several: bool, otherwise: &mut Otherwise) {
        let marked = self.solver.state(name).mode == Mode::Install;
        self.solver.mark_keep(name, 0);
        if !self.solver.is_broken(name) {
            self.hold_back(name, several && marked, otherwise);
            return;
        }
        if self.upgrade(name, 0) {
            return;
        }
        if !several {
            self.solver.mark_delete(name, 0);
            if self.round > 1 && self.scores[other.index()] > self.scores[name.index()] {
                self.scores[name.index()] = self.scores[other.index()];
            }
            return;
        }
        let state = self.solver.state(target);
        if self.solver.current(target).is_none() && state.mode != Mode::Delete && state.candidate.is_some() {
            let broken = self.solver.broken().len();
            self.solver.mark_install(target, Mark::auto(true, 1));
            if self.solver.is_broken(target) || self.solver.broken().len() > broken {
                self.solver.mark_delete(target, 1);
            }
        }
    }

    fn hold_back(&mut self, name: NameId, restore: bool, otherwise: &mut Otherwise) {
        *otherwise = Otherwise::Keep;
        if restore {
            self.solver.mark_install(name, Mark::auto(false, 0));
        }
    }

    fn apply(&mut self, name: NameId, kills: &[(NameId, Need)]) {
        for (other, need) in kills {
            let found = if self.solver.is_satisfied(need, View::Now) {
                self.solver.mark_keep(*other, 0)
            } else {
                need.kind.is_negative() && self.solver.mark_delete(*other, 0)
            };
            if (!found || self.round > 1) && self.scores[name.index()] > self.scores[other.index()] {
                self.scores[other.index()] = self.scores[name.index()];
                self.change = true;
            }
            self.change |= found;
        }
    }

    /// Every release, candidate or not, that one alternative hits: the name's own, the newest first, then those that provide it.
    fn all_targets(&mut self, need: &Need, index: usize) -> Vec<ReleaseId> {
        let (alternative, negative) = (&need.alternatives[index], need.kind.is_negative());
        let mut found = Vec::new();
        if !(negative && alternative.target == need.of) {
            let own = self.solver.graph.node(alternative.target).releases.iter().copied();
            found.extend(own.filter(|release| alternative.holds(Some(&self.solver.release(*release).version))));
        }
        let providers = self.solver.providers(alternative.target);
        let hits =
            providers.iter().filter(|p| !(negative && p.owner == need.of) && alternative.holds(p.version.as_ref()));
        found.extend(hits.map(|p| p.release));
        // Names that came up just now weigh nothing yet.
        self.scores.resize(self.solver.names().count(), 0);
        found
    }
}

//! How much each package weighs when two cannot both be had.
//!
//! apt's points (apt-pkg/algorithms.cc, `pkgProblemResolver::MakeScores`, with the defaults of apt.conf(5)): the priority, what depends
//! on the package, then once the weight of those that depend on it, then what it provides; and on top what the user named and what is essential.

use super::graph::NameId;
use super::release::{Kind, Need, Origin};
use super::state::Solver;
use std::collections::BTreeSet;

/// Points by number of a name.
pub(super) type Scores = Vec<i64>;

/// By [`super::graph::Release::priority`]: none, required, important, standard, optional, extra.
const PRIORITY: [i64; 6] = [0, 3, 2, 1, -1, -2];

impl Solver<'_> {
    /// Weighs every name; `asked` are those that the user named.
    pub(super) fn scores(&mut self, order: &[NameId], asked: &BTreeSet<NameId>) -> Scores {
        let mut scores = vec![0; self.names().count()];
        let mut dependents: Vec<(NameId, NameId)> = Vec::new();
        for name in order {
            let Some(release) = self.state(*name).install else { continue };
            let node = self.graph.node(*name);
            let essential = if node.essential || node.important { 100 } else { 0 };
            let offered = |release| matches!(self.release(release).origin, Origin::Archive(_));
            let candidate = self.state(*name).candidate;
            let there = i64::from(self.current(*name).is_some() && candidate.is_some_and(offered));
            // What the archive has no more is of no importance.
            let priority = if offered(release) { PRIORITY[usize::from(self.release(release).priority)] } else { -2 };
            scores[name.index()] += essential + there + priority;
            let mut needs = self.needs(release).to_vec();
            needs.extend(self.wishes(release).into_iter().filter(|need| need.kind == Kind::Recommends));
            for need in &needs {
                if !need.kind.is_negative() {
                    dependents.extend(need.alternatives.iter().map(|a| (a.target, *name)));
                }
                self.score_targets(need, &mut scores);
            }
        }
        scores.resize(self.names().count(), 0);
        let old = scores.clone();
        for (target, parent) in dependents {
            if self.state(target).install.is_some() && old[parent.index()] > 0 {
                scores[target.index()] += old[parent.index()];
            }
        }
        for name in order {
            let transfer = (scores[name.index()] - old[name.index()]).abs();
            if transfer != 0 {
                let owners: BTreeSet<NameId> = self
                    .providers(*name)
                    .iter()
                    .map(|p| (p.owner, p.release))
                    .filter(|(owner, release)| self.state(*owner).install == Some(*release))
                    .map(|(owner, _)| owner)
                    .collect();
                scores.resize(self.names().count(), 0);
                for owner in owners {
                    scores[owner.index()] += transfer;
                }
            }
        }
        for name in self.names() {
            let node = self.graph.node(name);
            scores[name.index()] += if asked.contains(&name) { 10_000 } else { 0 };
            scores[name.index()] += if node.essential || node.important { 5_000 } else { 0 };
        }
        scores
    }

    fn score_targets(&mut self, need: &Need, scores: &mut Scores) {
        let (negative, points) = (need.kind.is_negative(), if need.kind.is_negative() { -1 } else { 1 });
        for alternative in &need.alternatives {
            let target = alternative.target;
            let providers = self.providers(target);
            scores.resize(self.names().count(), 0);
            if !(negative && target == need.of) {
                let installed = self.state(target).install;
                let holds = installed.is_some_and(|release| alternative.holds(Some(&self.release(release).version)));
                if alternative.bound.is_some() && !holds {
                    continue;
                }
                scores[target.index()] += points;
            }
            let owners: BTreeSet<NameId> = providers
                .iter()
                .filter(|p| !(negative && p.owner == need.of))
                .filter(|p| self.state(p.owner).install == Some(p.release) && alternative.holds(p.version.as_ref()))
                .map(|p| p.owner)
                .collect();
            for owner in owners {
                scores[owner.index()] += points;
            }
        }
    }

    /// All names in the order of apt's hash table, in which it looks at packages (apt-pkg/pkgcache.cc, `sHash`).
    pub(super) fn in_table_order(&self) -> Vec<NameId> {
        let bucket = |name: &str| {
            let hash = name
                .bytes()
                .fold(5381_u32, |hash, b| hash.wrapping_mul(33).wrapping_add(u32::from(b.to_ascii_lowercase())));
            hash % 196_613
        };
        let mut order: Vec<NameId> = self.names().collect();
        order.sort_by_cached_key(|name| {
            let name = self.graph.node(*name).name;
            (bucket(name), name.len(), name)
        });
        order
    }
}

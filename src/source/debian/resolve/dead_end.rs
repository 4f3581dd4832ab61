//! Finds the relation that no package of the archive satisfies, whatever else is chosen.

use super::explain::DEEPEST;
use super::graph::ReleaseId;
use super::release::Alternative;
use super::state::Solver;
use std::collections::BTreeSet;

impl Solver<'_> {
    /// The relations from a release to one that nothing in the archive satisfies, and what there is instead.
    pub(super) fn dead_end(
        &mut self,
        release: ReleaseId,
        steps: &mut Vec<(String, String)>,
        seen: &mut BTreeSet<ReleaseId>,
    ) -> Option<String> {
        if steps.len() >= DEEPEST || !seen.insert(release) {
            return None;
        }
        let name = self.full_name(self.owner(release));
        let needs = self.needs(release);
        for need in needs.iter().filter(|need| !need.kind.is_negative()) {
            steps.push((name.clone(), self.describe(need)));
            let mut last = None;
            let mut open = true;
            for alternative in &need.alternatives {
                let targets = self.newest_targets(alternative);
                if targets.is_empty() {
                    last = Some(self.offers(alternative));
                }
                for target in targets {
                    let length = steps.len();
                    match self.dead_end(target, steps, seen) {
                        // Of several ways that all fail, the first is told in full.
                        Some(offers) if last.is_none() => last = Some(offers),
                        Some(_) => steps.truncate(length),
                        None => open = false,
                    }
                }
            }
            match last {
                Some(offers) if open => return Some(offers),
                _ => {
                    let keep = steps.iter().rposition(|(package, _)| *package == name).unwrap_or(0);
                    steps.truncate(keep);
                }
            }
        }
        None
    }

    /// The newest releases that an alternative hits, whatever was discarded on the way.
    pub(super) fn newest_targets(&mut self, alternative: &Alternative) -> Vec<ReleaseId> {
        let own = self.graph.node(alternative.target).releases.first().copied();
        let mut found: Vec<ReleaseId> =
            own.into_iter().filter(|r| alternative.holds(Some(&self.release(*r).version))).collect();
        for provider in self.providers(alternative.target).iter() {
            let newest = self.graph.node(provider.owner).releases.first() == Some(&provider.release);
            if newest && alternative.holds(provider.version.as_ref()) {
                found.push(provider.release);
            }
        }
        found
    }

    /// What there is of a name that is not what is needed.
    pub(super) fn offers(&mut self, alternative: &Alternative) -> String {
        let name = self.full_name(alternative.target);
        let releases = self.graph.node(alternative.target).releases.clone();
        let labels: Vec<String> = releases.iter().take(4).map(|release| self.label(*release)).collect();
        if !labels.is_empty() {
            return format!("there is `{name}` {}", labels.join(", "));
        }
        let provided: Vec<String> = self
            .providers(alternative.target)
            .iter()
            .take(4)
            .map(|p| match &p.version {
                None => format!("`{}` without a version", self.graph.node(p.owner).name),
                Some(version) => format!("`{}` as {version}", self.graph.node(p.owner).name),
            })
            .collect();
        if provided.is_empty() {
            let arch = self.graph.universe.arch();
            format!("there is no `{name}` for {arch}")
        } else {
            format!("`{name}` is only provided by {}", provided.join(", "))
        }
    }
}

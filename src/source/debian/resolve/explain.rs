//! Finds out, after the fact, why a closure failed, so that the message names the relation that matters.

use super::error::{Chain, Error};
use super::graph::{Alternative, Kind, NameId, Need, ReleaseId, Spelling};
use super::state::{Solver, View};
use std::collections::BTreeSet;

/// How deep the search goes; beyond that a chain explains nothing.
const DEEPEST: usize = 60;

impl Solver<'_> {
    /// Why the wanted releases cannot be installed. The solver is as the failed attempt left it.
    pub(super) fn explain(&mut self, wanted: &[ReleaseId]) -> Error {
        let mut seen = BTreeSet::new();
        for release in wanted {
            let mut steps = Vec::new();
            if let Some(offers) = self.dead_end(*release, &mut steps, &mut seen) {
                let wanted = self.full_name(self.owner(*release));
                return Error::Unsatisfiable { chain: Chain { wanted, steps }, offers };
            }
        }
        let mut broken = self.broken();
        // The package that was asked for knows best why it is broken.
        broken.sort_by_key(|name| self.state(*name).auto);
        for name in &broken {
            if let Some(error) = self.clash(*name) {
                return error;
            }
        }
        let name = broken.first().copied().or_else(|| wanted.first().map(|release| self.owner(*release)));
        let chain = name.map(|name| self.chain_with_open_need(name)).unwrap_or_default();
        Error::Stuck { chain }
    }

    /// The relations from a release to one that nothing in the archive satisfies, and what there is instead.
    fn dead_end(
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
    fn newest_targets(&mut self, alternative: &Alternative) -> Vec<ReleaseId> {
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
    fn offers(&mut self, alternative: &Alternative) -> String {
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

    /// The two packages that exclude each other behind a broken one.
    fn clash(&mut self, name: NameId) -> Option<Error> {
        let release = self.state(name).install?;
        let need = self.unsatisfied(release, View::Install)?;
        if need.kind.is_negative() {
            let other = self.hit_by(&need)?;
            return Some(self.conflict(name, &need, other));
        }
        let mut seen = BTreeSet::new();
        self.clash_below(&need, &mut seen, 0)
    }

    fn clash_below(&mut self, need: &Need, seen: &mut BTreeSet<ReleaseId>, depth: usize) -> Option<Error> {
        for alternative in &need.alternatives {
            for target in self.newest_targets(alternative) {
                if depth > DEEPEST || !seen.insert(target) {
                    continue;
                }
                let owner = self.owner(target);
                if self.state(owner).install.is_none() && self.state(owner).because.is_none() {
                    self.state_mut(owner).because = Some(need.of);
                }
                let needs = self.needs(target);
                for below in needs.iter() {
                    if self.is_satisfied(below, View::Install) {
                        continue;
                    }
                    if below.kind.is_negative() {
                        if let Some(other) = self.hit_by(below) {
                            return Some(self.conflict(owner, below, other));
                        }
                    } else if let Some(error) = self.clash_below(below, seen, depth + 1) {
                        return Some(error);
                    }
                }
                if let Some((other, below)) = self.excluded_by(target) {
                    return Some(self.conflict(other, &below, owner));
                }
            }
        }
        None
    }

    /// The package that will be installed and that a Conflicts or Breaks hits.
    fn hit_by(&mut self, need: &Need) -> Option<NameId> {
        let alternative = need.alternatives.first()?;
        let names: Vec<NameId> =
            self.names().filter(|name| self.state(*name).install.is_some() && *name != need.of).collect();
        names.into_iter().find(|name| {
            let Some(release) = self.state(*name).install else { return false };
            self.answers(release, alternative)
        })
    }

    /// The package that will be installed and excludes a release.
    fn excluded_by(&mut self, release: ReleaseId) -> Option<(NameId, Need)> {
        let owner = self.owner(release);
        let names: Vec<NameId> =
            self.names().filter(|name| self.state(*name).install.is_some() && *name != owner).collect();
        for name in names {
            let Some(installed) = self.state(name).install else { continue };
            let needs = self.needs(installed);
            let negative = needs.iter().filter(|need| need.kind.is_negative());
            for need in negative {
                if need.alternatives.iter().any(|alternative| self.answers(release, alternative)) {
                    return Some((name, need.clone()));
                }
            }
        }
        None
    }

    fn answers(&mut self, release: ReleaseId, alternative: &Alternative) -> bool {
        let owner = self.owner(release);
        if owner == alternative.target && alternative.holds(Some(&self.release(release).version)) {
            return true;
        }
        self.providers(alternative.target).iter().any(|p| p.release == release && alternative.holds(p.version.as_ref()))
    }

    fn conflict(&mut self, left: NameId, need: &Need, right: NameId) -> Error {
        let verb = if need.kind == Kind::Breaks { "breaks" } else { "conflicts with" };
        Error::Conflict {
            left: self.full_name(left),
            relation: format!("{verb} `{}`", self.describe(need)),
            right: self.full_name(right),
            left_chain: self.chain(left),
            right_chain: self.chain(right),
        }
    }

    /// Why a package was marked.
    fn chain(&mut self, name: NameId) -> Chain {
        let mut steps = Vec::new();
        let (mut at, mut seen) = (name, BTreeSet::new());
        while let Some(parent) = self.state(at).because.filter(|_| seen.insert(at) && steps.len() < DEEPEST) {
            let relation = self.relation_between(parent, at);
            steps.push((self.full_name(parent), relation));
            at = parent;
        }
        steps.reverse();
        Chain { wanted: self.full_name(at), steps }
    }

    fn chain_with_open_need(&mut self, name: NameId) -> Chain {
        let mut chain = self.chain(name);
        let release = self.state(name).install.or(self.graph.node(name).releases.first().copied());
        if let Some(need) = release.and_then(|release| self.unsatisfied(release, View::Install)) {
            let text = self.describe(&need);
            chain.steps.push((self.full_name(name), text));
        }
        chain
    }

    /// The relation of one package that the other satisfies, as text.
    fn relation_between(&mut self, parent: NameId, child: NameId) -> String {
        let release = self.state(parent).install.or(self.graph.node(parent).releases.first().copied());
        let answer = self.state(child).install.or(self.graph.node(child).releases.first().copied());
        if let (Some(release), Some(answer)) = (release, answer) {
            let needs = self.needs(release);
            for need in needs.iter().filter(|need| !need.kind.is_negative()) {
                if need.alternatives.iter().any(|alternative| self.answers(answer, alternative)) {
                    return self.describe(need);
                }
            }
        }
        self.full_name(child)
    }

    fn describe(&self, need: &Need) -> String {
        let alternatives = need.alternatives.iter().map(|alternative| {
            let name = self.full_name(alternative.target);
            alternative.bound.as_ref().map_or(name.clone(), |bound| format!("{name} ({bound})"))
        });
        alternatives.collect::<Vec<_>>().join(" | ")
    }

    fn full_name(&self, name: NameId) -> String {
        let node = self.graph.node(name);
        match node.spelling {
            Spelling::Plain => node.name.to_owned(),
            Spelling::Any => format!("{}:any", node.name),
            Spelling::Own => format!("{}:{}", node.name, self.graph.universe.arch()),
            Spelling::Foreign => format!("{} of another architecture", node.name),
        }
    }
}

//! Names, relations and chains in words.

use super::error::Chain;
use super::explain::DEEPEST;
use super::graph::{NameId, Spelling};
use super::release::Need;
use super::state::{Solver, View};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// Why a package was marked.
    pub(super) fn chain(&mut self, name: NameId) -> Chain {
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

    pub(super) fn chain_with_open_need(&mut self, name: NameId) -> Chain {
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

    pub(super) fn describe(&self, need: &Need) -> String {
        let alternatives = need.alternatives.iter().map(|alternative| {
            let name = self.full_name(alternative.target);
            alternative.bound.as_ref().map_or(name.clone(), |bound| format!("{name} ({bound})"))
        });
        alternatives.collect::<Vec<_>>().join(" | ")
    }

    pub(super) fn full_name(&self, name: NameId) -> String {
        let node = self.graph.node(name);
        match node.spelling {
            Spelling::Plain => node.name.to_owned(),
            Spelling::Any => format!("{}:any", node.name),
            Spelling::Own => format!("{}:{}", node.name, self.graph.universe.arch()),
            Spelling::Foreign => format!("{} of another architecture", node.name),
        }
    }
}

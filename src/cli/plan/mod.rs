//! Pictures of a plan: a tree for the terminal, JSON, dot, and an SVG of our own.
//!
//! Invariants: a [`Graph`] has no cycle; every picture is decided by the graph alone, in the order in which its nodes were given.

mod dot;
mod fold;
mod json;
mod layout;
mod ordering;
mod svg;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

/// An action of a plan, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What edges call it; unique.
    pub id: String,
    /// What it does: `unpack libc6 2.41-12 (amd64)`.
    pub label: String,
    /// The kind of action, one word: `unpack`.
    pub kind: String,
    /// Its key, if it is known already.
    pub key: Option<String>,
    /// The images that it is for.
    pub images: Vec<String>,
    /// Whether its result is there.
    pub state: State,
    /// Whether it is one of many alike, which may be drawn as one.
    pub folds: bool,
}

/// Whether an action's result is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Cached,
    /// It would be made.
    ToDo,
}

/// Why nodes and edges are no graph of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two nodes have one id.
    #[error("two actions are called `{id}`")]
    Twice {
        /// The id.
        id: String,
    },
    /// An edge names a node that is not there.
    #[error("an edge names the action `{id}`, which is not in the plan")]
    Unknown {
        /// The id.
        id: String,
    },
    /// Some actions wait for each other.
    #[error("the action `{id}` waits for itself")]
    Cycle {
        /// The id of one of them.
        id: String,
    },
}

/// The actions of a plan and what each takes from which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Shown>,
    /// For each node, those whose results it takes; ascending, without repetition.
    inputs: Vec<Vec<usize>>,
    /// For each node, those that take its result; ascending, without repetition.
    users: Vec<Vec<usize>>,
    /// All nodes, each behind its inputs.
    order: Vec<usize>,
}

/// A node and how many actions it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    node: Node,
    /// How many actions.
    members: usize,
    /// How many of them are to do.
    to_do: usize,
    /// The labels of all of them, if there are several.
    labels: Vec<String>,
}

impl Graph {
    /// Makes a graph of nodes and of edges `(from, to)`: `to` takes the result of `from`.
    pub fn new(nodes: Vec<Node>, edges: &[(String, String)]) -> Result<Self, GraphError> {
        let mut places = BTreeMap::new();
        for (place, node) in nodes.iter().enumerate() {
            if places.insert(node.id.as_str(), place).is_some() {
                return Err(GraphError::Twice { id: node.id.clone() });
            }
        }
        let place =
            |id: &String| places.get(id.as_str()).copied().ok_or_else(|| GraphError::Unknown { id: id.clone() });
        let edges = edges.iter().map(|(from, to)| Ok((place(from)?, place(to)?))).collect::<Result<_, _>>()?;
        Self::of(nodes.into_iter().map(Shown::one).collect(), &edges)
    }

    fn of(nodes: Vec<Shown>, edges: &BTreeSet<(usize, usize)>) -> Result<Self, GraphError> {
        let mut inputs = vec![Vec::new(); nodes.len()];
        let mut users = vec![Vec::new(); nodes.len()];
        for &(from, to) in edges {
            inputs[to].push(from);
            users[from].push(to);
        }
        // Kahn's algorithm, the first node first wherever there is a choice.
        let mut waits: Vec<usize> = inputs.iter().map(Vec::len).collect();
        let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&node| waits[node] == 0).collect();
        let mut order = Vec::with_capacity(nodes.len());
        while let Some(node) = ready.pop_first() {
            order.push(node);
            for &user in &users[node] {
                waits[user] -= 1;
                if waits[user] == 0 {
                    ready.insert(user);
                }
            }
        }
        if let Some(stuck) = waits.iter().position(|&waits| waits > 0) {
            return Err(GraphError::Cycle { id: nodes[stuck].node.id.clone() });
        }
        Ok(Self { nodes, inputs, users, order })
    }

    /// The same graph with actions that are alike drawn as one: those of one kind, for the same images, whose results go to
    /// the same places, where there are at least three of them.
    #[must_use]
    pub fn folded(&self) -> Self {
        fold::fold(self)
    }

    /// A tree for the terminal: under each image what it is made of.
    #[must_use]
    pub fn tree(&self) -> String {
        tree::draw(self)
    }

    /// One JSON object: `{"nodes": [{"id", "label", "kind", "key", "images", "state", "actions"}], "edges": [[from, to]]}`.
    #[must_use]
    pub fn json(&self) -> String {
        json::draw(self)
    }

    /// Graphviz's language.
    #[must_use]
    pub fn dot(&self) -> String {
        dot::draw(self)
    }

    /// A picture that stands by itself: no script, no font, light or dark as the reader's system is.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    /// What it comes to: `148 actions: 120 cached, 28 to do`.
    #[must_use]
    pub fn summary(&self) -> String {
        let members: usize = self.nodes.iter().map(|shown| shown.members).sum();
        let to_do: usize = self.nodes.iter().map(|shown| shown.to_do).sum();
        let actions = super::amount::count(members as u64, "action");
        format!("{actions}: {} cached, {to_do} to do", members - to_do)
    }

    /// The nodes whose results nothing takes: the images.
    fn sinks(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|&node| self.users[node].is_empty())
    }
}

impl Shown {
    fn one(node: Node) -> Self {
        let to_do = usize::from(node.state == State::ToDo);
        Self { node, members: 1, to_do, labels: Vec::new() }
    }

    /// Its state in words, for people.
    fn state(&self) -> String {
        match self.to_do {
            0 => "cached".to_owned(),
            all if all == self.members => "to do".to_owned(),
            some => format!("{some} of {} to do", self.members),
        }
    }
}

#[cfg(test)]
mod sample;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_graph_is_refused() {
        let node = |id: &str| sample::node(id, "work", State::ToDo);
        let edges =
            |edges: &[(&str, &str)]| edges.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>();
        let graph =
            |ids: &[&str], list: &[(&str, &str)]| Graph::new(ids.iter().map(|id| node(id)).collect(), &edges(list));
        let id = || "a".to_owned();
        assert_eq!(graph(&["a", "a"], &[]), Err(GraphError::Twice { id: id() }));
        assert_eq!(graph(&["b"], &[("b", "a")]), Err(GraphError::Unknown { id: id() }));
        assert_eq!(graph(&["a"], &[("a", "a")]), Err(GraphError::Cycle { id: id() }));
        assert_eq!(graph(&["c", "a", "b"], &[("a", "b"), ("b", "a"), ("c", "a")]), Err(GraphError::Cycle { id: id() }));
        assert_eq!(graph(&[], &[]).unwrap().summary(), "0 actions: 0 cached, 0 to do");
        assert_eq!(graph(&["b", "a"], &[("a", "b"), ("a", "b")]).unwrap().order, [1, 0]);
    }

    #[test]
    fn every_picture_of_an_empty_plan_is_one() {
        let graph = Graph::new(Vec::new(), &[]).unwrap();
        for picture in [graph.tree(), graph.json(), graph.dot(), graph.svg()] {
            assert!(!picture.is_empty());
        }
    }
}

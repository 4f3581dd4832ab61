//! Draws actions that are alike as one.

use super::{Graph, Shown, State};
use std::collections::{BTreeMap, BTreeSet};

/// Fewer actions than this stay apart.
const FEWEST: usize = 3;

/// What actions that are alike have in common: the kind, the images, and where their results go.
type Likeness<'a> = (&'a str, &'a [String], BTreeSet<usize>);

pub(super) fn fold(graph: &Graph) -> Graph {
    // From the images down, by height: what is alike has users that are alike, so it has one height, and by the time a height
    // is looked at, everything above it is settled.
    let mut height = vec![0; graph.nodes.len()];
    let mut levels: Vec<Vec<usize>> = Vec::new();
    for &node in graph.order.iter().rev() {
        height[node] = graph.users[node].iter().map(|&user| height[user] + 1).max().unwrap_or(0);
        levels.resize(levels.len().max(height[node] + 1), Vec::new());
        levels[height[node]].push(node);
    }
    // Each node's representative: the first of those that it is drawn as one with.
    let mut drawn: Vec<usize> = (0..graph.nodes.len()).collect();
    for level in levels {
        let mut alike: BTreeMap<Likeness<'_>, Vec<usize>> = BTreeMap::new();
        for node in level {
            let shown = &graph.nodes[node].node;
            let users: BTreeSet<usize> = graph.users[node].iter().map(|&user| drawn[user]).collect();
            if shown.folds && !users.is_empty() {
                alike.entry((&shown.kind, &shown.images, users)).or_default().push(node);
            }
        }
        for group in alike.into_values().filter(|group| group.len() >= FEWEST) {
            let first = group.iter().copied().min().unwrap_or_default();
            for node in group {
                drawn[node] = first;
            }
        }
    }
    join(graph, &drawn)
}

fn join(graph: &Graph, drawn: &[usize]) -> Graph {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, &first) in drawn.iter().enumerate() {
        groups.entry(first).or_default().push(node);
    }
    let mut places = vec![0; drawn.len()];
    for (place, members) in groups.values().enumerate() {
        for &member in members {
            places[member] = place;
        }
    }
    let edges = (0..drawn.len())
        .flat_map(|node| graph.users[node].iter().map(move |&user| (node, user)))
        .map(|(from, to)| (places[from], places[to]))
        .collect();
    let nodes = groups.into_values().map(|members| shown(graph, &members)).collect();
    Graph::of(nodes, &edges).expect("what is alike has one height, so joining it closes no cycle")
}

fn shown(graph: &Graph, members: &[usize]) -> Shown {
    let first = &graph.nodes[members[0]];
    if members.len() == 1 {
        return first.clone();
    }
    let to_do = members.iter().map(|&member| graph.nodes[member].to_do).sum();
    let mut node = first.node.clone();
    node.label = format!("{} × {}", node.kind, members.len());
    node.key = None;
    node.state = if to_do == 0 { State::Cached } else { State::ToDo };
    let labels = members.iter().map(|&member| graph.nodes[member].node.label.clone()).collect();
    Shown { node, members: members.len(), to_do, labels }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn unpacks_of_one_layer_become_one_and_layers_stay() {
        let graph = sample::images(2, 20);
        let folded = graph.folded();
        assert_eq!(folded.summary(), graph.summary(), "no action is lost");
        let labels: Vec<_> = folded.nodes.iter().map(|shown| shown.node.label.as_str()).collect();
        assert_eq!(labels.iter().filter(|label| **label == "unpack × 20").count(), 2, "{labels:?}");
        assert_eq!(labels.iter().filter(|label| **label == "fetch × 20").count(), 2, "chains fold too: {labels:?}");
        assert!(labels.contains(&"layer 1 of image0"), "{labels:?}");
        assert!(folded.nodes.iter().any(|shown| shown.state() == "10 of 20 to do"));
        assert_eq!(folded.folded(), folded);
    }

    #[test]
    fn two_are_not_many() {
        let graph = sample::images(1, 2);
        assert_eq!(graph.folded(), graph);
    }
}

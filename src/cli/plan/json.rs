//! The plan for machines.

use super::{Graph, State};
use serde_json::json;

pub(super) fn draw(graph: &Graph) -> String {
    let node = |shown: &super::Shown| {
        let node = &shown.node;
        let state = if node.state == State::Cached { "cached" } else { "to-do" };
        json!({
            "id": node.id, "label": node.label, "kind": node.kind, "key": node.key, "images": node.images,
            "state": state, "actions": shown.members,
        })
    };
    let id = |place: usize| &graph.nodes[place].node.id;
    let edges: Vec<_> = graph
        .users
        .iter()
        .enumerate()
        .flat_map(|(from, users)| users.iter().map(move |&to| [id(from), id(to)]))
        .collect();
    let nodes: Vec<_> = graph.nodes.iter().map(node).collect();
    format!("{:#}\n", json!({ "nodes": nodes, "edges": edges }))
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn edges_name_nodes() {
        let value: serde_json::Value = serde_json::from_str(&sample::images(1, 1).json()).unwrap();
        let nodes = value["nodes"].as_array().unwrap();
        let edges = value["edges"].as_array().unwrap();
        assert_eq!((nodes.len(), edges.len()), (8, 8));
        for end in edges.iter().flat_map(|edge| edge.as_array().unwrap()) {
            assert!(nodes.iter().any(|node| node["id"] == *end), "{end}");
        }
        assert_eq!(nodes[0]["state"], "cached");
    }
}

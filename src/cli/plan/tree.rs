//! The plan as a tree for the terminal.

use super::Graph;
use std::fmt::Write as _;

pub(super) fn draw(graph: &Graph) -> String {
    let mut text = String::new();
    let mut drawn = vec![false; graph.nodes.len()];
    // What is still to be drawn, the next one last: the node, what stands left of it, and what stands left of its inputs.
    let mut waiting: Vec<(usize, String, String)> = Vec::new();
    for image in graph.sinks() {
        waiting.push((image, String::new(), String::new()));
        while let Some((node, before, below)) = waiting.pop() {
            let shown = &graph.nodes[node];
            let inputs = &graph.inputs[node];
            let again = drawn[node] && !inputs.is_empty();
            let mark = if again { ", above" } else { "" };
            let _ = writeln!(text, "{before}{} ({}{mark})", shown.node.label, shown.state());
            if again {
                continue;
            }
            drawn[node] = true;
            for (index, &input) in inputs.iter().enumerate().rev() {
                let (branch, trunk) = if index + 1 == inputs.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                waiting.push((input, format!("{below}{branch}"), format!("{below}{trunk}")));
            }
        }
    }
    text + &graph.summary() + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn what_is_shared_is_drawn_once() {
        let expected = "\
image image0 linux/amd64 (cached)
├─ compress layer 1 of image0 (cached)
│  └─ layer 1 of image0 (cached)
│     ├─ unpack × 4 (2 of 4 to do)
│     │  └─ fetch × 4 (cached)
│     └─ configure image0 (cached)
│        └─ unpack × 4 (2 of 4 to do, above)
└─ compress layer 2 of image0 (cached)
   └─ copy app for image0 (cached)
image image1 linux/amd64 (to do)
├─ compress layer 1 of image0 (cached, above)
├─ compress layer 1 of image1 (to do)
│  └─ layer 1 of image1 (to do)
│     ├─ compress layer 1 of image0 (cached, above)
│     ├─ unpack × 4 (2 of 4 to do)
│     │  └─ fetch × 4 (cached)
│     └─ configure image1 (to do)
│        └─ unpack × 4 (2 of 4 to do, above)
└─ compress layer 2 of image1 (to do)
   └─ copy app for image1 (to do)
28 actions: 18 cached, 10 to do
";
        let tree = sample::images(2, 4).folded().tree();
        assert_eq!(tree, expected, "\n{tree}");
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let count = 2000;
        let nodes = (0..count).map(|i| sample::node(&i.to_string(), "work", super::super::State::ToDo)).collect();
        let edges: Vec<_> = (1..count).map(|i| ((i - 1).to_string(), i.to_string())).collect();
        let graph = super::Graph::new(nodes, &edges).unwrap();
        assert_eq!(graph.tree().lines().count(), count + 1);
        assert!(graph.svg().len() > count);
    }
}

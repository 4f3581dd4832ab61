//! The plan in Graphviz's language.

use super::{Graph, State};
use std::fmt::Write as _;

pub(super) fn draw(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\", fontsize=11, height=0.3];\n",
    );
    for (place, shown) in graph.nodes.iter().enumerate() {
        let style = if shown.node.state == State::Cached { "dashed" } else { "bold" };
        let tooltip = quoted(&format!("{}: {}", shown.node.kind, shown.state()));
        let _ = writeln!(text, "  n{place} [label={}, style={style}, tooltip={tooltip}];", quoted(&shown.node.label));
    }
    for (from, users) in graph.users.iter().enumerate() {
        for to in users {
            let _ = writeln!(text, "  n{from} -> n{to};");
        }
    }
    text + "}\n"
}

/// A quoted string of the language (graphviz.org, "DOT Language": ID).
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn labels_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"; b\\\n"), r#""a\"; b\\""#);
        let dot = sample::images(1, 1).dot();
        assert!(
            dot.contains(
                "  n0 [label=\"fetch libpackage0 1.0-0 (amd64)\", style=dashed, tooltip=\"fetch: cached\"];\n"
            ),
            "{dot}"
        );
        assert!(dot.contains("  n0 -> n1;\n"), "{dot}");
    }
}

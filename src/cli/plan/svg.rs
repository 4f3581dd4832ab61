//! The plan as a picture that stands by itself.
//!
//! Drawn with what every browser has: no script, no font from elsewhere, colours by the reader's light or dark setting, the
//! whole label and key as a tooltip, and the edges of the action under the pointer brought out by the style sheet alone.

use super::layout::{Layout, layout};
use super::{Graph, Shown, State};
use crate::cli::table::truncate;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// The height of a node's box in pixels.
const BOX: f64 = 24.0;
/// The space around the picture.
const MARGIN: f64 = 24.0;
/// The space above it for the heading and the legend.
const HEAD: f64 = 84.0;
/// The space between two columns.
const GAP: f64 = 72.0;
/// The mean width of a character of the font, measured generously: fonts differ.
const CHARACTER: f64 = 6.7;
/// Labels longer than this many cells are cut; the tooltip has the whole.
const LABEL: usize = 44;
/// At most this many of the actions that are drawn as one are named in its tooltip.
const NAMED: usize = 30;
/// Hues of the kinds, in the order in which they appear; more kinds than hues share them.
const HUES: [u16; 8] = [212, 152, 28, 268, 340, 52, 186, 0];

pub(super) fn draw(graph: &Graph) -> String {
    let layout = layout(graph);
    let kinds = kinds(graph);
    let frame = Frame::new(graph, &layout, &kinds);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" role=\"img\">\n",
        frame.width, frame.height
    );
    let _ = writeln!(svg, "<title>{}</title>", escaped(&graph.summary()));
    style(&mut svg, graph, &kinds);
    svg += "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n";
    legend(&mut svg, graph, &kinds);
    svg += "<g class=\"edges\">\n";
    for ((from, to), bends) in &layout.bends {
        let points = frame.route(&layout, *from, *to, bends);
        let _ = writeln!(svg, "<path class=\"e{from} e{to}\" d=\"{points}\"/>");
    }
    svg += "</g>\n";
    for (place, shown) in graph.nodes.iter().enumerate() {
        let hue = kinds.iter().position(|kind| *kind == shown.node.kind).unwrap_or(0);
        frame.node(&mut svg, &layout, place, shown, hue);
    }
    svg + "</svg>\n"
}

/// The kinds of the actions, in the order in which work is done.
fn kinds(graph: &Graph) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for &node in &graph.order {
        let kind = graph.nodes[node].node.kind.as_str();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// Where the columns are, in pixels.
struct Frame {
    left: Vec<f64>,
    breadth: Vec<f64>,
    width: f64,
    height: f64,
}

impl Frame {
    fn new(graph: &Graph, layout: &Layout, kinds: &[&str]) -> Self {
        let mut breadth = vec![0.0_f64; layout.columns];
        for (node, &column) in layout.column.iter().enumerate() {
            breadth[column] = breadth[column].max(text_width(&label(&graph.nodes[node])) + 26.0);
        }
        let mut left = Vec::with_capacity(layout.columns);
        let mut at = MARGIN;
        for breadth in &breadth {
            left.push(at);
            at += breadth + GAP;
        }
        let legend = legend_places(kinds).last().map_or(0.0, |(_, end)| *end);
        let drawn = if layout.columns == 0 { MARGIN } else { at - GAP };
        let bottom = layout.height.iter().copied().fold(0.0, f64::max);
        let width = drawn.max(legend).max(MARGIN + text_width(&graph.summary()) * 1.4) + MARGIN;
        Self { left, breadth, width, height: HEAD + bottom + BOX + MARGIN }
    }

    /// The height of an item's middle.
    fn middle(layout: &Layout, item: usize) -> f64 {
        HEAD + BOX / 2.0 + layout.height[item]
    }

    /// An edge as a smooth path: level where it leaves, where it passes a column, and where it arrives.
    fn route(&self, layout: &Layout, from: usize, to: usize, bends: &[(usize, usize)]) -> String {
        let column = layout.column[from];
        let mut x = self.left[column] + self.breadth[column];
        let mut y = Self::middle(layout, from);
        let mut path = format!("M{x:.1} {y:.1}");
        let end = (self.left[layout.column[to]], Self::middle(layout, to));
        let passed = bends.iter().map(|&(column, item)| {
            let at = Self::middle(layout, item);
            (self.left[column], at, Some(self.left[column] + self.breadth[column]))
        });
        for (next, at, through) in passed.chain([(end.0, end.1, None)]) {
            let half = f64::midpoint(x, next);
            let _ = write!(path, "C{half:.1} {y:.1} {half:.1} {at:.1} {next:.1} {at:.1}");
            (x, y) = (next, at);
            if let Some(through) = through {
                let _ = write!(path, "H{through:.1}");
                x = through;
            }
        }
        path
    }

    fn node(&self, svg: &mut String, layout: &Layout, place: usize, shown: &Shown, hue: usize) {
        let column = layout.column[place];
        let (x, y) = (self.left[column], Self::middle(layout, place) - BOX / 2.0);
        let state = if shown.node.state == State::Cached { "cached" } else { "todo" };
        let _ = writeln!(svg, "<g id=\"n{place}\" class=\"h{hue} {state}\" transform=\"translate({x:.1} {y:.1})\">");
        let _ = writeln!(svg, "<title>{}</title>", escaped(&tooltip(shown)));
        let breadth = self.breadth[column];
        if shown.members > 1 {
            // A second sheet behind the first one says that there are several.
            let _ =
                writeln!(svg, "<rect class=\"box\" x=\"3\" y=\"3\" width=\"{breadth:.1}\" height=\"{BOX}\" rx=\"5\"/>");
        }
        let _ = writeln!(svg, "<rect class=\"box\" width=\"{breadth:.1}\" height=\"{BOX}\" rx=\"5\"/>");
        let _ =
            writeln!(svg, "<path class=\"stripe\" d=\"M5 0H6V{BOX}H5A5 5 0 0 1 0 {}V5A5 5 0 0 1 5 0Z\"/>", BOX - 5.0);
        let _ = writeln!(svg, "<text x=\"14\" y=\"16\">{}</text>\n</g>", escaped(&label(shown)));
    }
}

fn label(shown: &Shown) -> String {
    let label = truncate(&shown.node.label, LABEL);
    let part = shown.to_do > 0 && shown.to_do < shown.members;
    if part { format!("{label} ({})", shown.state()) } else { label }
}

fn tooltip(shown: &Shown) -> String {
    let node = &shown.node;
    let mut text = format!("{}\n{}", node.label, shown.state());
    if !node.images.is_empty() {
        let _ = write!(text, "\nfor {}", node.images.join(", "));
    }
    if let Some(key) = &node.key {
        let _ = write!(text, "\n{key}");
    }
    for label in shown.labels.iter().take(NAMED) {
        let _ = write!(text, "\n  {label}");
    }
    if shown.labels.len() > NAMED {
        let _ = write!(text, "\n  and {} more", shown.labels.len() - NAMED);
    }
    text
}

fn text_width(text: &str) -> f64 {
    super::layout::float(text.width()) * CHARACTER
}

fn style(svg: &mut String, graph: &Graph, kinds: &[&str]) {
    *svg += "<style>\n\
        svg{--page:#fff;--ink:#1c2530;--dim:#66717e;--line:#c3cad2;--hot:#1c2530;--box:#fff;--edge:#d5dae0;--s:62%;--l:48%;--t:94%}\n\
        @media(prefers-color-scheme:dark){svg{--page:#14181d;--ink:#e8edf2;--dim:#93a0ad;--line:#3d4753;--hot:#fff;--box:#1b2127;\
        --edge:#39424c;--s:58%;--l:60%;--t:20%}}\n\
        .page{fill:var(--page)}\n\
        text{font:12px system-ui,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"DejaVu Sans\",sans-serif;fill:var(--ink)}\n\
        .head{font-size:16px;font-weight:600}.note,.cached text{fill:var(--dim)}\n\
        .edges path{fill:none;stroke:var(--edge);stroke-width:1.2}\n\
        .box{fill:var(--box);stroke:var(--line)}\n\
        .todo .box{fill:hsl(var(--h) var(--s) var(--t));stroke:hsl(var(--h) var(--s) var(--l))}\n\
        .cached .box{stroke-dasharray:3 2}\n\
        .stripe{fill:hsl(var(--h) var(--s) var(--l))}.cached .stripe{opacity:.45}\n\
        g:hover>.box{stroke:var(--hot);stroke-width:1.5}\n";
    for (index, _) in kinds.iter().enumerate() {
        let _ = writeln!(svg, ".h{index}{{--h:{}}}", HUES[index % HUES.len()]);
    }
    for place in 0..graph.nodes.len() {
        let _ = writeln!(svg, "svg:has(#n{place}:hover) .e{place}{{stroke:var(--hot);stroke-width:1.8}}");
    }
    *svg += "</style>\n";
}

/// Where each kind of the legend begins and ends.
fn legend_places(kinds: &[&str]) -> Vec<(f64, f64)> {
    let mut at = MARGIN;
    kinds
        .iter()
        .chain(&["to do", "cached"])
        .map(|word| {
            let begin = at;
            at += 22.0 + text_width(word) + 16.0;
            (begin, at)
        })
        .collect()
}

fn legend(svg: &mut String, graph: &Graph, kinds: &[&str]) {
    let _ = writeln!(svg, "<text class=\"head\" x=\"{MARGIN}\" y=\"36\">{}</text>", escaped(&graph.summary()));
    for (index, (word, (x, _))) in kinds.iter().chain(&["to do", "cached"]).zip(legend_places(kinds)).enumerate() {
        let class = match index.checked_sub(kinds.len()) {
            None => format!("h{index}"),
            Some(0) => "h0 todo".to_owned(),
            Some(_) => "h0 cached".to_owned(),
        };
        let mark = if index < kinds.len() {
            "<rect class=\"stripe\" width=\"14\" height=\"14\" rx=\"3\"/>"
        } else {
            "<rect class=\"box\" width=\"14\" height=\"14\" rx=\"3\"/>"
        };
        let _ = writeln!(
            svg,
            "<g class=\"{class}\" transform=\"translate({x:.1} 52)\">{mark}<text class=\"note\" x=\"20\" y=\"11\">{}</text></g>",
            escaped(word)
        );
    }
}

/// Text as XML takes it: what markup could be made of is written as references, what XML forbids is left out
/// (XML 1.0, section 2.2).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_picture_is_decided_by_the_graph() {
        let graph = sample::images(3, 12);
        assert_eq!(graph.svg(), graph.clone().svg());
        assert_ne!(graph.svg(), graph.folded().svg());
    }

    #[test]
    fn it_stands_by_itself() {
        let svg = sample::images(2, 5).folded().svg();
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        for foreign in ["<script", "href", "url(", "@import", "NaN", "inf"] {
            assert!(!svg.contains(foreign), "{foreign}");
        }
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(svg.contains("unpack × 5 (3 of 5 to do)"));
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<a & \"b\">\u{1}\u{ffff}é\n"), "&lt;a &amp; &quot;b&quot;&gt;é\n");
    }
}

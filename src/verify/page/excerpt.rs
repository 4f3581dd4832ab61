//! The differing place itself: text as a unified diff with the differing words marked, bytes as two hex dumps side by side.

use super::markup::{Markup, attribute};
use crate::verify::diff::Excerpt;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What the two sides are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) a: &'static str,
    pub(super) b: &'static str,
}

/// Shows an excerpt of something called `name`.
pub(super) fn excerpt(markup: &mut Markup, excerpt: &Excerpt, name: &str, sides: Sides) {
    match excerpt {
        Excerpt::Text(lines) => text(markup, lines, name),
        Excerpt::Hex { a, b } => hex(markup, (a, b), name, sides),
    }
}

fn scroller(markup: &mut Markup, label: &str) {
    let label = attribute(label);
    markup.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"").raw(&label).raw("\">");
}

fn text(markup: &mut Markup, lines: &[String], name: &str) {
    scroller(markup, &format!("differing lines of {name}"));
    markup.raw("<pre class=\"lines\"><code>");
    let mut at = 0;
    while at < lines.len() {
        let run = |mark: char, from: usize| lines[from..].iter().take_while(|line| line.starts_with(mark)).count();
        let (removed, added) = (run('-', at), run('+', at + run('-', at)));
        if removed == 0 && added == 0 {
            let class = match lines[at].chars().next() {
                Some('@') => "hunk",
                _ => "kept",
            };
            markup.raw("<span class=\"").raw(class).raw("\">").text(&lines[at]).raw("\n</span>");
            at += 1;
            continue;
        }
        // As many lines against as many are one against one, and what differs within them can be marked.
        let (old, new) = (&lines[at..at + removed], &lines[at + removed..at + removed + added]);
        for (mine, theirs, class) in [(old, new, "del"), (new, old, "ins")] {
            for (number, line) in mine.iter().enumerate() {
                let other = theirs.get(number).filter(|_| removed == added);
                markup.raw("<span class=\"").raw(class).raw("\">");
                words(markup, line, other.map(String::as_str));
                // Inside, so that a block is one line and a copied text keeps its lines.
                markup.raw("\n</span>");
            }
        }
        at += removed + added;
    }
    markup.raw("</code></pre></div>");
}

/// A line, with the words marked that are not in the other one.
fn words(markup: &mut Markup, line: &str, other: Option<&str>) {
    let (sign, line) = line.split_at(1);
    let Some(other) = other.and_then(|other| other.get(1..)) else {
        markup.text(sign).text(line);
        return;
    };
    markup.text(sign);
    let (mine, theirs) = (parts(line), parts(other));
    for op in capture_diff_slices(Algorithm::Myers, &mine, &theirs) {
        let text = mine[op.old_range()].concat();
        match op {
            DiffOp::Equal { .. } => markup.text(&text),
            _ if text.is_empty() => markup,
            _ => markup.element("mark", "x", &text),
        };
    }
}

/// Words, and what stands between them.
fn parts(line: &str) -> Vec<&str> {
    let word = |c: char| c.is_alphanumeric();
    let mut all = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = if word(first) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        all.push(&rest[..end]);
        rest = &rest[end..];
    }
    all
}

fn hex(markup: &mut Markup, (a, b): (&[String], &[String]), name: &str, sides: Sides) {
    markup.raw("<div class=\"hex\">");
    for (side, mine, theirs) in [(sides.a, a, b), (sides.b, b, a)] {
        markup.raw("<figure>").element("figcaption", "side", side);
        scroller(markup, &format!("bytes of {name}, {side}"));
        markup.raw("<pre><code>");
        for (number, line) in mine.iter().enumerate() {
            dumped(markup, line, theirs.get(number).map_or("", String::as_str));
        }
        if mine.is_empty() {
            markup.element("span", "hunk", "it ends before this");
        }
        markup.raw("</code></pre></div></figure>");
    }
    markup.raw("</div>");
}

/// A line of a hex dump, `00000010  68 65 …  |he…|`, with the bytes marked that the other has not.
fn dumped(markup: &mut Markup, line: &str, other: &str) {
    let Some((place, bytes, text)) = columns(line) else {
        markup.text(line).raw("\n");
        return;
    };
    let (_, other_bytes, _) = columns(other).unwrap_or_default();
    let differs: Vec<bool> =
        bytes.iter().enumerate().map(|(number, byte)| other_bytes.get(number) != Some(byte)).collect();
    markup.element("span", "place", place).raw("  ");
    for (number, differs) in (0..16).zip(differs.iter().map(Some).chain(std::iter::repeat(None))) {
        let gap = if number == 8 {
            "  "
        } else if number > 0 {
            " "
        } else {
            ""
        };
        markup.raw(gap);
        match (bytes.get(number), differs) {
            (Some(byte), Some(true)) => markup.element("mark", "x", byte),
            (Some(byte), _) => markup.text(byte),
            (None, _) => markup.raw("  "),
        };
    }
    markup.raw("  <span class=\"chars\">");
    for (number, c) in text.chars().enumerate() {
        let c = c.to_string();
        if differs.get(number) == Some(&true) {
            markup.element("mark", "x", &c)
        } else {
            markup.text(&c)
        };
    }
    markup.raw("</span>\n");
}

/// Takes a line of a dump apart: the place, the bytes, their text.
fn columns(line: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (place, rest) = line.split_once("  ")?;
    // The text may have bars itself, the bytes have none.
    let (bytes, text) = rest.split_once("  |")?;
    Some((place, bytes.split_whitespace().collect(), text.strip_suffix('|')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: Sides = Sides { a: "a", b: "b" };

    fn shown(one: &Excerpt) -> String {
        let mut markup = Markup::default();
        excerpt(&mut markup, one, "/x", SIDES);
        markup.finish()
    }

    #[test]
    fn what_differs_in_a_line_is_marked() {
        let lines = ["@@ -1,2 +1,2 @@", " one", "-built <1> é", "+built <22> é"].map(str::to_owned);
        let html = shown(&Excerpt::Text(lines.to_vec()));
        assert!(html.contains("<span class=\"del\">-built &lt;<mark class=\"x\">1</mark>&gt; é\n</span>"), "{html}");
        assert!(html.contains("<span class=\"ins\">+built &lt;<mark class=\"x\">22</mark>&gt; é\n</span>"), "{html}");
    }

    #[test]
    fn differing_bytes_are_marked_on_both_sides() {
        let a = vec!["00000000  68 7c 6c                                         |h|l|".to_owned()];
        let b = vec!["00000000  68 7c                                            |h||".to_owned()];
        let html = shown(&Excerpt::Hex { a, b });
        assert!(html.contains("68 7c <mark class=\"x\">6c</mark>"), "{html}");
        assert!(html.contains("<span class=\"chars\">h|<mark class=\"x\">l</mark></span>"), "{html}");
        assert!(html.contains("<span class=\"chars\">h|</span>"), "{html}");
    }
}

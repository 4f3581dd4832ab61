//! A picture of an image: its layers as parts of a bar, as wide as they are large, filled by how they compare.

use super::markup::{Markup, attribute};

/// How a part of a bar is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fill {
    /// The same bytes.
    Same,
    /// The same files, written or packed otherwise.
    Files,
    /// Something else.
    Different,
}

impl Fill {
    pub(super) const ALL: [Self; 3] = [Self::Same, Self::Files, Self::Different];

    /// The class of its colours.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Files => "files",
            Self::Different => "different",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Same => "identical",
            Self::Files => "the same files",
            Self::Different => "different",
        }
    }
}

/// A part of a bar.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) fill: Fill,
    /// In bytes; `None`: not known.
    pub(super) size: Option<u64>,
    /// What it is, for whoever points at it.
    pub(super) title: String,
}

/// A bar of at most this many parts; what is beyond is one part more.
const PARTS: usize = 60;

/// The narrowest part, in thousandths of the bar.
const NARROWEST: u64 = 24;

/// Draws a bar.
pub(super) fn bar(markup: &mut Markup, parts: &[Part]) {
    let tally: Vec<String> = Fill::ALL
        .into_iter()
        .filter_map(|fill| {
            let number = parts.iter().filter(|part| part.fill == fill).count();
            (number > 0).then(|| format!("{number} {}", fill.label()))
        })
        .collect();
    let label = format!("{}: {}", super::amount::count(parts.len(), "layer"), tally.join(", "));
    markup.raw("<svg class=\"bar\" role=\"img\" aria-label=\"").raw(&attribute(&label)).raw("\">");
    let shown = &parts[..parts.len().min(PARTS)];
    let mut at = 0;
    for (part, width) in shown.iter().zip(widths(shown)) {
        let place = format!("<rect class=\"{}\" x=\"{}%\" width=\"{}%\"", part.fill.class(), tenth(at), tenth(width));
        markup.raw(&place).raw(" height=\"100%\"><title>").text(&part.title).raw("</title></rect>");
        at += width;
    }
    markup.raw("</svg>");
}

/// The meaning of the fills, for those that are used.
pub(super) fn legend(markup: &mut Markup, used: &[Fill]) {
    markup.raw("<ul class=\"legend\" aria-label=\"legend\">");
    for fill in Fill::ALL.into_iter().filter(|fill| used.contains(fill)) {
        let class = fill.class();
        markup.raw("<li><svg class=\"key\" aria-hidden=\"true\"><rect class=\"").raw(class);
        markup.raw("\" width=\"100%\" height=\"100%\"/></svg>").text(fill.label()).raw("</li>");
    }
    markup.raw("</ul>");
}

/// The widths of parts in thousandths, together 1000: by size, but none too narrow to be seen; equal where a size is not known.
fn widths(parts: &[Part]) -> Vec<u64> {
    let count = parts.len() as u64;
    let known: Option<Vec<u64>> = parts.iter().map(|part| part.size).collect();
    let sizes = known.unwrap_or_else(|| vec![1; parts.len()]);
    let total: u128 = sizes.iter().map(|&size| u128::from(size)).sum::<u128>().max(1);
    let narrowest = NARROWEST.min(1000 / count.max(1));
    let free = u128::from(1000 - narrowest * count);
    let share = |size: u64| u64::try_from(u128::from(size) * free / total).unwrap_or_default();
    let mut widths: Vec<u64> = sizes.iter().map(|&size| narrowest + share(size)).collect();
    let rest = 1000 - widths.iter().sum::<u64>();
    if let Some(widest) = (0..widths.len()).max_by_key(|&at| widths[at]) {
        widths[widest] += rest;
    }
    widths
}

fn tenth(thousandths: u64) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_seen_and_the_bar_is_full() {
        let part = |size| Part { fill: Fill::Same, size, title: String::new() };
        for sizes in [vec![Some(1), Some(1_000_000_000)], vec![Some(0); 3], vec![None, Some(5)], vec![Some(7); 60]] {
            let parts: Vec<Part> = sizes.into_iter().map(part).collect();
            let widths = widths(&parts);
            assert_eq!(widths.iter().sum::<u64>(), 1000, "{widths:?}");
            assert!(widths.iter().all(|&width| width >= NARROWEST.min(1000 / 60)), "{widths:?}");
        }
        assert_eq!(widths(&[]), [0; 0]);
    }
}

//! The first differences of an image with their causes and cures, as lines for people.

use crate::verify::diff::{Change, Class, Finding, LayerSide, PathDifference, PlatformComparison, plain, step_of};

/// At most this many differing paths are told, the first in byte order.
const PATHS: usize = 3;

/// At most this many findings of one path are told.
const FINDINGS: usize = 4;

/// At most this many lines of a differing place are shown.
const EXCERPT: usize = 12;

/// The lines of an image's comparison: documents, then the first differing paths, with the cures where these are of use.
pub(super) fn comparison(one: &PlatformComparison, cures: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told = if cures { Vec::new() } else { Class::ALL.to_vec() };
    for file in one.files.iter().take(PATHS) {
        lines.push(format!("{}  {}", plain(&file.path), place(one, file)));
        lines.extend(told_once(&file.findings, &mut told));
    }
    if one.files.len() > PATHS {
        let left = one.files.len() - PATHS;
        lines.push(format!("and {left} more differing path{}", if left == 1 { "" } else { "s" }));
    }
    lines
}

/// The lines of what differs at one path.
pub(super) fn findings(all: &[Finding]) -> Vec<String> {
    told_once(all, &mut Vec::new())
}

/// Findings, with the cure of each class where it is met first.
fn told_once(all: &[Finding], told: &mut Vec<Class>) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in all.iter().take(FINDINGS) {
        lines.push(format!("  {}", finding.line()));
        lines.extend(finding.excerpt_lines().into_iter().take(EXCERPT).map(|line| format!("    {line}")));
        if !told.contains(&finding.class) {
            told.push(finding.class);
            lines.push(format!("    cure: {}", finding.class.cure()));
        }
    }
    lines
}

/// Which layers wrote a path, and what made these.
fn place(one: &PlatformComparison, file: &PathDifference) -> String {
    let side = |number: Option<usize>, of_a: bool| -> Option<&LayerSide> {
        let mut all = one.layers.iter().filter_map(|pair| if of_a { pair.a.as_ref() } else { pair.b.as_ref() });
        all.find(|side| Some(side.number) == number)
    };
    let layer = |side: &LayerSide| {
        let step = side.created_by.as_deref().map_or(String::new(), |by| format!(" ({})", plain(step_of(by))));
        format!("layer {}{step}", side.number)
    };
    match (file.change, side(file.layer_a, true), side(file.layer_b, false)) {
        (Change::Removed, Some(a), _) => format!("not found any more: {}", layer(a)),
        (Change::Added, _, Some(b)) => format!("not expected: {}", layer(b)),
        (_, a, b) => b.or(a).map(layer).unwrap_or_default(),
    }
}

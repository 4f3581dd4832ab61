//! Two texts: a unified diff, and the cause of each changed line.
//!
//! A text may be all line ends, and a line all words. So only changed regions of few lines are held as lists, and of the others what
//! is shown.

use super::lines::{Changed, Lines, common_end};
use super::words::{Classify, LONG, same_words, shortened};
use super::{Explaining, accounts, first_difference, words};
use crate::verify::diff::class::Class;
use crate::verify::diff::model::Excerpt;
use crate::verify::diff::sums::{Sums, histogram};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};
use std::collections::BTreeMap;

/// Changed regions of more lines are not aligned, only compared line by line.
const ALIGNED: usize = 4000;

/// How many lines of the diff are shown.
const LINES: usize = 40;

/// How many changed lines are asked for their cause.
const ASKED: usize = 2000;

/// In a longer line, only what differs is asked for its cause, with so many bytes in front of it and behind it.
const AROUND: usize = 256;

/// The text that bytes are, if they are text: UTF-8 without control characters that no text has.
pub(super) fn of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.bytes().any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))).then_some(text)
}

/// Compares two texts of a name.
pub(super) fn compare(explaining: &mut Explaining<'_>, name: &str, a: &str, b: &str) {
    let changed = Changed::of(a, b);
    let ops = align(&changed);
    let mut causes = Causes::default();
    if written(a).eq(written(b)) {
        causes.notes.push("only empty lines, or the end of the last line".to_owned());
    } else if reordered(a, b) {
        causes.classes.push(Class::Order);
    } else {
        causes.ask(explaining, accounts::classify(name).unwrap_or(words::classify), &ops, &changed);
    }
    let Causes { mut classes, notes } = causes;
    if classes.is_empty() {
        classes.push(Class::Content);
    }
    let value = |lines: Lines<'_>| lines.iter().find(|line| !line.is_empty()).map(shortened).unwrap_or_default();
    let mut first = Some((notes, Excerpt::Text(unified(&changed, &ops))));
    for class in classes {
        let mut finding = explaining.found(class);
        finding.offset = Some(first_difference(a.as_bytes(), b.as_bytes()));
        if let Some((notes, excerpt)) = first.take() {
            finding = finding.values(value(changed.a), value(changed.b));
            finding.note = (!notes.is_empty()).then(|| notes.join("; "));
            finding.excerpt = Some(excerpt);
        }
        explaining.findings.push(finding);
    }
}

/// Two texts' unified diff alone.
pub(super) fn excerpt(a: &str, b: &str) -> Excerpt {
    let changed = Changed::of(a, b);
    Excerpt::Text(unified(&changed, &align(&changed)))
}

/// Which changed lines became which, counted from the first of them.
fn align(changed: &Changed<'_>) -> Vec<DiffOp> {
    let (old_len, new_len) = (changed.a.count, changed.b.count);
    if old_len.max(new_len) > ALIGNED {
        return vec![DiffOp::Replace { old_index: 0, old_len, new_index: 0, new_len }];
    }
    // Numbers are compared faster than lines.
    let mut numbers = BTreeMap::new();
    let mut number = |line| {
        let next = numbers.len();
        *numbers.entry(line).or_insert(next)
    };
    let old: Vec<usize> = changed.a.iter().map(&mut number).collect();
    let new: Vec<usize> = changed.b.iter().map(&mut number).collect();
    capture_diff_slices(Algorithm::Myers, &old, &new)
}

/// Whether two texts have the same lines in another order. Empty ones have no place of their own, but are counted; and the last line
/// may lack its end, and gain it where it comes to stand elsewhere.
fn reordered(a: &str, b: &str) -> bool {
    let (a, b) = (without_end(a), without_end(b));
    a.len() == b.len()
        && histogram(a.as_bytes()) == histogram(b.as_bytes())
        && Sums::of(a.as_bytes(), b.as_bytes()).same(a.split('\n'), b.split('\n'))
}

fn without_end(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// The lines that are not empty.
fn written(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.is_empty())
}

/// What changed lines say.
#[derive(Debug, Default)]
struct Causes {
    classes: Vec<Class>,
    /// What was not looked at.
    notes: Vec<String>,
}

impl Causes {
    /// Asks each changed line, beside the one in its place, for its cause.
    fn ask(&mut self, explaining: &Explaining<'_>, classify: Classify, ops: &[DiffOp], changed: &Changed<'_>) {
        let (mut asked, mut cut) = (0, false);
        // Operations go from the first line to the last.
        let (mut lines_a, mut lines_b) = (changed.a.iter(), changed.b.iter());
        for op in ops {
            let (old, new) = (op.old_range().len(), op.new_range().len());
            let (of_a, of_b) = (lines_a.by_ref().take(old), lines_b.by_ref().take(new));
            if matches!(op, DiffOp::Replace { .. }) && old == new {
                for (old, new) in of_a.zip(of_b) {
                    asked += 1;
                    if asked <= ASKED {
                        let (classes, whole) = causes_of(old, new, explaining, classify);
                        self.add(&classes);
                        cut |= !whole;
                    }
                }
                continue;
            }
            of_a.chain(of_b).for_each(drop);
            if !matches!(op, DiffOp::Equal { .. }) {
                self.add(&[Class::Content]);
                if old.max(new) > ALIGNED {
                    self.notes.push(format!("{old} and {new} changed lines, too many to tell which became which"));
                }
            }
        }
        if asked > ASKED {
            self.notes.push(format!("of {asked} changed lines the first {ASKED} are asked for their cause"));
        }
        if cut {
            self.notes
                .push(format!("of long lines {LONG} bytes from the first difference on are asked for their cause"));
        }
        // What is explained comes first.
        self.classes.sort_by_key(|class| *class == Class::Content);
    }

    fn add(&mut self, classes: &[Class]) {
        for class in classes {
            if !self.classes.contains(class) {
                self.classes.push(*class);
            }
        }
    }
}

/// The causes of a difference between two lines, and whether all that differs was looked at.
fn causes_of(a: &str, b: &str, explaining: &Explaining<'_>, classify: Classify) -> (Vec<Class>, bool) {
    if a.len().max(b.len()) <= LONG {
        return (classify(a, b, explaining.hints), true);
    }
    if same_words(a, b) {
        return (vec![Class::Order], true);
    }
    let common = usize::try_from(first_difference(a.as_bytes(), b.as_bytes())).unwrap_or(usize::MAX);
    let start = boundary(a, common.saturating_sub(AROUND));
    let (a, b) = (&a[start..], &b[start..]);
    let most = a.len().min(b.len()) - (common - start);
    let end = common_end(a.as_bytes(), b.as_bytes()).min(most).saturating_sub(AROUND);
    let whole = a.len().max(b.len()) - end <= LONG;
    let part = |text: &str| boundary(text, (text.len() - end).min(LONG));
    // A part of a line has no fields.
    (words::classify(&a[..part(a)], &b[..part(b)], explaining.hints), whole)
}

/// The last place between two characters that is not behind this one.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}

/// A unified diff of the changed lines, shortened.
fn unified(changed: &Changed<'_>, ops: &[DiffOp]) -> Vec<String> {
    let context = changed.context.len();
    // Regions that are not aligned are one, of which only the beginning is shown.
    let held = |lines: Lines<'_>| if lines.count > ALIGNED { LINES } else { lines.count };
    let [a, b] = [changed.a, changed.b].map(|lines| -> Vec<&str> {
        let around = (changed.context.iter().copied(), changed.after.iter().copied());
        around.0.chain(lines.iter().take(held(lines))).chain(around.1).collect()
    });
    // With the common lines around them, the changes get their context.
    let mut ops: Vec<DiffOp> = ops.iter().map(|op| shifted(op, context)).collect();
    let (old_index, new_index) = (context + changed.a.count, context + changed.b.count);
    ops.insert(0, DiffOp::Equal { old_index: 0, new_index: 0, len: context });
    ops.push(DiffOp::Equal { old_index, new_index, len: changed.after.len() });
    ops.retain(|op| op.old_range().len() + op.new_range().len() > 0);
    let above = changed.before - context;
    let mut lines = Vec::new();
    for group in group_diff_ops(ops, 2) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (old, new) = (first.old_range().start, first.new_range().start);
        let lengths = (last.old_range().end - old, last.new_range().end - new);
        lines.push(format!("@@ -{},{} +{},{} @@", above + old + 1, lengths.0, above + new + 1, lengths.1));
        for op in group {
            let mut part = |all: &[&str], range: std::ops::Range<usize>, mark: char| {
                let part = all.iter().take(range.end).skip(range.start).take(LINES);
                lines.extend(part.map(|line| format!("{mark}{}", shortened(line))));
            };
            match op {
                DiffOp::Equal { .. } => part(&a, op.old_range(), ' '),
                _ => {
                    part(&a, op.old_range(), '-');
                    part(&b, op.new_range(), '+');
                }
            }
        }
        if lines.len() > LINES {
            lines.truncate(LINES);
            lines.push("…".to_owned());
            break;
        }
    }
    lines
}

fn shifted(op: &DiffOp, by: usize) -> DiffOp {
    match *op {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + by, new_index: new_index + by, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + by, old_len, new_index: new_index + by }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + by, new_index: new_index + by, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            DiffOp::Replace { old_index: old_index + by, old_len, new_index: new_index + by, new_len }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::diff::content::Hints;
    use crate::verify::diff::model::Finding;

    fn found(a: &str, b: &str) -> Vec<Finding> {
        let hints = Hints::default();
        let mut explaining = Explaining::new(&hints);
        compare(&mut explaining, "", a, b);
        explaining.findings
    }

    #[test]
    fn each_line_is_asked_for_its_cause() {
        let a = "one\nbuilt 2026-01-01\nby alice\nfour\nx\nend\n";
        let b = "one\nbuilt 2027-01-01\nby bob\nfour\ny z\nend\n";
        let found = found(a, b);
        let classes: Vec<Class> = found.iter().map(|finding| finding.class).collect();
        assert_eq!(classes, [Class::Timestamp, Class::User, Class::Content]);
        let Some(Excerpt::Text(lines)) = &found[0].excerpt else { panic!("{found:?}") };
        assert!(lines.contains(&"-built 2026-01-01".to_owned()) && lines.contains(&"+y z".to_owned()), "{lines:?}");
        assert_eq!(found[0].offset, Some(13));
    }

    #[test]
    fn the_same_lines_in_another_order_are_order() {
        assert_eq!(found("a\nb\nc\n", "c\nb\na\n")[0].class, Class::Order);
        assert_eq!(found("a\nb\nc", "c\na\nb")[0].class, Class::Order);
    }

    #[test]
    fn what_is_in_its_place_is_not_order() {
        for (a, b) in [("abc\n", "abc"), ("a\nb\n", "a\n\nb\n"), ("a\n\nb\n", "a\nb\n\n"), ("\n\na\n", "a\n")] {
            let found = found(a, b);
            assert_eq!(found[0].class, Class::Content, "{a:?} {b:?}");
            assert_eq!(found[0].note.as_deref(), Some("only empty lines, or the end of the last line"), "{a:?} {b:?}");
        }
        assert_eq!(found("a\nb\n", "b\n\na\n")[0].class, Class::Content);
        assert_eq!(found("a\nb", "b\na\n")[0].class, Class::Order);
    }
}

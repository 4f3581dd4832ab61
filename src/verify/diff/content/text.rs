//! Two texts: a unified diff, and the cause of each changed line.

use super::words::{classify, shortened};
use super::{Explaining, first_difference};
use crate::verify::diff::class::Class;
use crate::verify::diff::model::Excerpt;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// Changed regions of more lines are not aligned, only compared line by line.
const ALIGNED: usize = 4000;

/// How many lines of the diff are shown.
const LINES: usize = 40;

/// How many changed lines are asked for their cause.
const ASKED: usize = 2000;

/// The text that bytes are, if they are text: UTF-8 without control characters that no text has.
pub(super) fn of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.bytes().any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))).then_some(text)
}

/// Compares two texts.
pub(super) fn compare(explaining: &mut Explaining<'_>, a: &str, b: &str) {
    let offset = first_difference(a.as_bytes(), b.as_bytes());
    let (whole_a, whole_b) = (a, b);
    // Behind the last line's end there is no further line.
    let (a, b) = a.strip_suffix('\n').zip(b.strip_suffix('\n')).unwrap_or((a, b));
    let (lines_a, lines_b): (Vec<&str>, Vec<&str>) = (a.split('\n').collect(), b.split('\n').collect());
    let before = lines_a.iter().zip(&lines_b).take_while(|(a, b)| a == b).count();
    let most = lines_a.len().min(lines_b.len()) - before;
    let after = lines_a.iter().rev().zip(lines_b.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (changed_a, changed_b) = (&lines_a[before..lines_a.len() - after], &lines_b[before..lines_b.len() - after]);
    let mut classes = Vec::new();
    let ops = if changed_a.len().max(changed_b.len()) > ALIGNED {
        let (old_len, new_len) = (changed_a.len(), changed_b.len());
        vec![DiffOp::Replace { old_index: 0, old_len, new_index: 0, new_len }]
    } else {
        capture_diff_slices(Algorithm::Myers, changed_a, changed_b)
    };
    let mut note = None;
    if reordered(whole_a, whole_b) {
        classes.push(Class::Order);
    } else if written(whole_a).eq(written(whole_b)) {
        note = Some("only empty lines, or the end of the last line");
    } else {
        causes(explaining, &ops, changed_a, changed_b, &mut classes);
    }
    if classes.is_empty() {
        classes.push(Class::Content);
    }
    let excerpt = unified(&lines_a, &lines_b, before, &ops);
    let value =
        |lines: &[&str]| lines.iter().find(|line| !line.is_empty()).map(|line| shortened(line)).unwrap_or_default();
    let (value_a, value_b) = (value(changed_a), value(changed_b));
    for (at, class) in classes.into_iter().enumerate() {
        let mut finding = explaining.found(class);
        finding.offset = Some(offset);
        if at == 0 {
            finding.note = note.map(str::to_owned);
            finding = finding.values(value_a.clone(), value_b.clone());
            finding.excerpt = Some(Excerpt::Text(excerpt.clone()));
        }
        explaining.findings.push(finding);
    }
}

/// Whether two texts have the same lines in another order. Empty ones have no place of their own, but are counted; and the last line
/// may lack its end, and gain it where it comes to stand elsewhere.
fn reordered(a: &str, b: &str) -> bool {
    let sorted = |text| {
        let mut lines: Vec<&str> = str::split(without_end(text), '\n').collect();
        lines.sort_unstable();
        lines
    };
    !written(a).eq(written(b)) && sorted(a) == sorted(b)
}

fn without_end(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// The lines that are not empty.
fn written(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.is_empty())
}

/// Asks each changed line, beside the one in its place, for its cause.
fn causes(explaining: &Explaining<'_>, ops: &[DiffOp], a: &[&str], b: &[&str], classes: &mut Vec<Class>) {
    let mut asked = 0;
    let mut add = |class: Class| {
        if !classes.contains(&class) {
            classes.push(class);
        }
    };
    for op in ops {
        let (old, new) = (&a[op.old_range()], &b[op.new_range()]);
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Replace { .. } if old.len() == new.len() => {
                for (old, new) in old.iter().zip(new) {
                    asked += 1;
                    if asked <= ASKED {
                        classify(old, new, explaining.hints).into_iter().for_each(&mut add);
                    }
                }
            }
            _ => add(Class::Content),
        }
    }
    // What is explained comes first.
    classes.sort_by_key(|class| *class == Class::Content);
}

/// A unified diff of the changed lines, shortened; `ops` begin behind the common lines.
fn unified(a: &[&str], b: &[&str], before: usize, ops: &[DiffOp]) -> Vec<String> {
    let shift = |op: &DiffOp| match *op {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + before, new_index: new_index + before, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + before, old_len, new_index: new_index + before }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + before, new_index: new_index + before, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            DiffOp::Replace { old_index: old_index + before, old_len, new_index: new_index + before, new_len }
        }
    };
    // With the common lines around them, the changes get their context.
    let mut all = vec![DiffOp::Equal { old_index: 0, new_index: 0, len: before }];
    all.extend(ops.iter().map(shift));
    let (old_index, new_index) = all.last().map_or((0, 0), |op| (op.old_range().end, op.new_range().end));
    all.push(DiffOp::Equal { old_index, new_index, len: a.len() - old_index });
    all.retain(|op| op.old_range().len() + op.new_range().len() > 0);
    let mut lines = Vec::new();
    for group in group_diff_ops(all, 2) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (old, new) = (first.old_range().start, first.new_range().start);
        let lengths = (last.old_range().end - old, last.new_range().end - new);
        lines.push(format!("@@ -{},{} +{},{} @@", old + 1, lengths.0, new + 1, lengths.1));
        for op in group {
            let mut part = |all: &[&str], mark: char| {
                lines.extend(all.iter().take(LINES).map(|line| format!("{mark}{}", shortened(line))));
            };
            match op {
                DiffOp::Equal { .. } => part(&a[op.old_range()], ' '),
                _ => {
                    part(&a[op.old_range()], '-');
                    part(&b[op.new_range()], '+');
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::diff::content::Hints;
    use crate::verify::diff::model::Finding;

    fn found(a: &str, b: &str) -> Vec<Finding> {
        let hints = Hints::default();
        let mut explaining = Explaining { hints: &hints, findings: vec![], within: vec![], from: 0 };
        compare(&mut explaining, a, b);
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

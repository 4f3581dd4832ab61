//! JSON documents, value by value.

use super::{Explaining, first_difference, text};
use crate::verify::diff::class::Class;
use crate::verify::diff::document::{differing, text as shown};
use crate::verify::diff::model::{Excerpt, Field, Finding};
use serde_json::Value;

/// A larger document is compared as text, in bytes.
const LARGEST: usize = 4 << 20;

/// Compares two documents; `false`: they are none, or only scalars.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let document = |bytes: &[u8]| -> Option<Value> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let fits = bytes.len() <= LARGEST && matches!(first, Some(b'{' | b'['));
        fits.then(|| serde_json::from_slice(bytes).ok())?
    };
    let (Some(value_a), Some(value_b)) = (document(a), document(b)) else { return false };
    let offset = Some(first_difference(a, b));
    let found = differing(&value_a, &value_b);
    if found.is_empty() {
        let plain = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
        let (class, note) = if plain(a) == plain(b) {
            (Class::Encoder, "the same values, with other white space")
        } else {
            (Class::Order, "the same values, with keys in another order or in another spelling")
        };
        explaining.add(Finding { offset, ..Finding::new(Field::Content, class).note(note) });
        return true;
    }
    // Lines are shown as lines; the values say what they mean.
    let before = explaining.findings.len();
    if let (Some(a), Some(b)) = (text::of(a), text::of(b)) {
        text::compare(explaining, a, b);
    }
    let excerpt: Option<Excerpt> = explaining.findings.drain(before..).find_map(|finding| finding.excerpt);
    for (at, differing) in found.iter().enumerate() {
        let class = differing.class().unwrap_or(match (differing.a, differing.b) {
            (None, _) => Class::Additional,
            (_, None) => Class::Missing,
            _ => Class::Content,
        });
        let finding = Finding::new(Field::Content, class).values(shown(differing.a), shown(differing.b));
        let finding = finding.within(&[format!("JSON ${}", pointer(&differing.path))]);
        let excerpt = if at == 0 { excerpt.clone() } else { None };
        explaining.add(Finding { offset: offset.filter(|_| at == 0), excerpt, ..finding });
    }
    true
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|part| format!(".{part}")).collect()
}

//! `SQLite` databases (its file format, 1.3 "The Database Header").

use super::{Explaining, binary, first_difference};
use crate::verify::diff::class::Class;

/// Compares two databases; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let begins = |bytes: &[u8]| bytes.len() >= 100 && bytes.starts_with(b"SQLite format 3\0");
    if !begins(a) || !begins(b) {
        return false;
    }
    // The file change counter, the version for which it is valid, and the version of the library that wrote last.
    let without_counters = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[24..28].fill(0);
        bytes[92..100].fill(0);
        bytes
    };
    let before = explaining.findings.len();
    let (plain_a, plain_b) = (without_counters(a), without_counters(b));
    let note = if plain_a == plain_b {
        binary::compare(explaining, a, b, Some(Class::DatabaseCounter));
        "only the counters in the database's header".to_owned()
    } else {
        binary::compare(explaining, &plain_a, &plain_b, None);
        // 1 stands for 65,536.
        let size = match u64::from(u16::from_be_bytes([a[16], a[17]])) {
            0 => 4096,
            1 => 65_536,
            size => size,
        };
        format!("in page {} of the database", first_difference(&plain_a, &plain_b) / size + 1)
    };
    if let Some(finding) = explaining.findings.get_mut(before) {
        finding.note = Some(finding.note.take().map_or(note.clone(), |more| format!("{note}; {more}")));
    }
    true
}

//! Compiled Python (PEP 552; before 3.7 without flags).

use super::place::compiled_python;
use super::{Explaining, binary};
use crate::verify::diff::class::Class;
use crate::verify::diff::paths::time;

/// Compares two compiled modules; `false`: they are none by name and by how they begin.
pub(super) fn compare(explaining: &mut Explaining<'_>, name: &str, a: &[u8], b: &[u8]) -> bool {
    let python = |bytes: &[u8]| bytes.len() >= 16 && bytes[2..4] == *b"\r\n";
    if !compiled_python(name) || !python(a) || !python(b) {
        return false;
    }
    let field = |bytes: &[u8], at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let before = explaining.findings.len();
    binary::compare(explaining, a, b, Some(Class::Bytecode));
    let note = if field(a, 0) != field(b, 0) {
        "compiled by another version of Python".to_owned()
    } else if field(a, 4) != field(b, 4) {
        "one says when its source was changed, the other what its hash is".to_owned()
    } else if field(a, 4) == 0 && field(a, 8) != field(b, 8) {
        let when = |bytes: &[u8]| time((field(bytes, 8).into(), 0));
        format!("its header says when the source was changed: {} and {}", when(a), when(b))
    } else if a[8..16] != b[8..16] {
        "its header has another hash or size of the source".to_owned()
    } else {
        "its code differs: a constant, a path, or the order or sharing of objects".to_owned()
    };
    if let Some(finding) = explaining.findings.get_mut(before) {
        finding.note = Some(note);
    }
    true
}

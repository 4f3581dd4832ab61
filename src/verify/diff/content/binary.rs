//! Two byte strings without a known form: hex windows, and what the first difference looks like.

use super::words::classify;
use super::{Explaining, first_difference};
use crate::oci::time::format_rfc3339;
use crate::verify::diff::class::Class;
use crate::verify::diff::model::Excerpt;

/// How many lines of sixteen bytes are shown.
const LINES: usize = 4;

/// A run of text around a difference is looked at up to this many bytes in each direction.
const RUN: usize = 512;

/// Compares two byte strings; `class` is said where nothing better shows.
pub(super) fn compare(explaining: &mut Explaining<'_>, a: &[u8], b: &[u8], class: Option<Class>) {
    let offset = first_difference(a, b);
    // Both are in memory.
    let at = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut notes = Vec::new();
    let mut found = class;
    if found.is_none() {
        let classes =
            runs(a, b, at).map(|(run_a, run_b)| classify(&run_a, &run_b, explaining.hints)).unwrap_or_default();
        found = classes.into_iter().find(|class| *class != Class::Content);
    }
    if found.is_none()
        && let Some(note) = epoch(a, b, at)
    {
        notes.push(note);
        found = Some(Class::Timestamp);
    }
    if a.len() != b.len() {
        notes.push(format!("{} and {} bytes", a.len(), b.len()));
    }
    // Parts of a file are counted from their own beginning.
    let base = if explaining.within.is_empty() { explaining.from } else { 0 };
    let mut finding = explaining.found(found.unwrap_or(Class::Content));
    finding.offset = Some(offset);
    finding.note = (!notes.is_empty()).then(|| notes.join("; "));
    finding.excerpt = Some(Excerpt::Hex { a: window(a, at, base), b: window(b, at, base) });
    explaining.findings.push(finding);
}

/// The text around a place of both, where both have some.
fn runs(a: &[u8], b: &[u8], at: usize) -> Option<(String, String)> {
    let printable = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e);
    let run = |bytes: &[u8]| -> Option<String> {
        let at = at.min(bytes.len());
        let before = bytes[at.saturating_sub(RUN)..at].iter().rev().take_while(|byte| printable(byte)).count();
        let after = bytes[at..bytes.len().min(at + RUN)].iter().take_while(|byte| printable(byte)).count();
        let run = &bytes[at - before..at + after];
        (run.len() >= 4).then(|| String::from_utf8_lossy(run).into_owned())
    };
    let (run_a, run_b) = (run(a)?, run(b)?);
    (run_a != run_b).then_some((run_a, run_b))
}

/// Whether a number in which the first difference lies is a time in both: seconds since 1970, in 32 or 64 bits, in either order
/// of bytes, aligned to four bytes. Two builds of one thing are rarely more than two years apart.
fn epoch(a: &[u8], b: &[u8], at: usize) -> Option<String> {
    let start = at / 4 * 4;
    let time = |seconds: u64| (1_262_304_000..2_208_988_800).contains(&seconds); // 2010 to 2040
    let near = |one: u64, other: u64| one.abs_diff(other) < 2 * 366 * 86_400 && one != other;
    let word = |bytes: &[u8], start: usize| -> Option<[u8; 4]> { bytes.get(start..start + 4)?.try_into().ok() };
    let (word_a, word_b) = (word(a, start)?, word(b, start)?);
    // Letters make numbers in that range too.
    let letters = |word: [u8; 4]| word.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    if letters(word_a) && letters(word_b) {
        return None;
    }
    let orders = [
        ("little-endian", u32::from_le_bytes(word_a), u32::from_le_bytes(word_b), start + 4),
        ("big-endian", u32::from_be_bytes(word_a), u32::from_be_bytes(word_b), start.wrapping_sub(4)),
    ];
    orders.into_iter().find_map(|(order, one, other, upper)| {
        let (one, other) = (u64::from(one), u64::from(other));
        if !(time(one) && time(other) && near(one, other)) {
            return None;
        }
        // The upper half of a 64-bit number is zero for as long as anyone lives.
        let wide = upper % 8 == if order == "big-endian" { 0 } else { 4 } && word(a, upper) == Some([0; 4]);
        let bits = if wide { 64 } else { 32 };
        Some(format!(
            "{bits} bits, {order}, as seconds since 1970: {} and {}",
            format_rfc3339(one),
            format_rfc3339(other)
        ))
    })
}

/// Some lines of a hex dump around a place, in bytes that stand at `base` in their file.
fn window(bytes: &[u8], at: usize, base: u64) -> Vec<String> {
    let start = (at / 16).saturating_sub(1) * 16;
    let rest = bytes.get(start..).unwrap_or_default();
    let line = |(number, line): (usize, &[u8])| {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            line.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { byte.into() } else { '.' }).collect();
        format!("{:08x}  {:<47}  |{text}|", base + (start + 16 * number) as u64, hex.join(" "))
    };
    rest.chunks(16).take(LINES).enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::diff::content::Hints;
    use crate::verify::diff::model::Finding;

    fn found(a: &[u8], b: &[u8]) -> Finding {
        let hints = Hints::default();
        let mut explaining = Explaining { hints: &hints, findings: vec![], within: vec![], from: 0 };
        compare(&mut explaining, a, b, None);
        explaining.findings.remove(0)
    }

    #[test]
    fn times_are_found_in_either_order_and_width() {
        let (one, other) = (1_795_418_213_u32, 1_795_518_999_u32);
        let around = |number: &[u8]| [&[0xff; 16][..], number, &[0xee; 16]].concat();
        let words: [[Vec<u8>; 2]; 4] = [
            [one.to_le_bytes().to_vec(), other.to_le_bytes().to_vec()],
            [one.to_be_bytes().to_vec(), other.to_be_bytes().to_vec()],
            [u64::from(one).to_le_bytes().to_vec(), u64::from(other).to_le_bytes().to_vec()],
            [u64::from(one).to_be_bytes().to_vec(), u64::from(other).to_be_bytes().to_vec()],
        ];
        for (case, expected) in words.iter().zip(["32 bits, lit", "32 bits, big", "64 bits, lit", "64 bits, big"]) {
            let finding = found(&around(&case[0]), &around(&case[1]));
            assert_eq!(finding.class, Class::Timestamp);
            assert!(finding.note.as_ref().unwrap().starts_with(expected), "{finding:?}");
        }
        assert_eq!(found(&around(&[1, 2, 3, 4]), &around(&[1, 2, 3, 5])).class, Class::Content);
    }

    #[test]
    fn text_between_bytes_is_read() {
        let finding = found(b"\0\0/tmp/a.1/main.c\0\xff", b"\0\0/tmp/b.2/main.c\0\xff");
        assert_eq!((finding.class, finding.offset), (Class::BuildPath, Some(7)));
        let Some(Excerpt::Hex { a, .. }) = &finding.excerpt else { panic!("{finding:?}") };
        assert_eq!(a[0], "00000000  00 00 2f 74 6d 70 2f 61 2e 31 2f 6d 61 69 6e 2e  |../tmp/a.1/main.|");
    }
}

//! Two byte strings without a known form: hex windows, and what the first difference looks like.

use super::words::classify;
use super::{Explaining, first_difference, text};
use crate::oci::time::format_rfc3339;
use crate::verify::diff::class::Class;
use crate::verify::diff::model::Excerpt;

/// How many lines of sixteen bytes are shown.
const LINES: usize = 4;

/// A run of text around a difference is looked at up to this many bytes in each direction.
const RUN: usize = 512;

/// Compares two byte strings; a `class` that is known already is not asked for.
pub(super) fn compare(explaining: &mut Explaining<'_>, a: &[u8], b: &[u8], class: Option<Class>) {
    compare_from(explaining, a, b, first_difference(a, b), class);
}

/// The same, where the first difference that counts is at `offset`.
pub(super) fn compare_from(explaining: &mut Explaining<'_>, a: &[u8], b: &[u8], offset: u64, class: Option<Class>) {
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
        && let Some(note) = epoch(a, b)
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

/// Bytes that are compared at once.
const BLOCK: usize = 4096;

/// How many bytes in front of a number and behind it tell what it stands among.
const AROUND: usize = 32;

/// Whether numbers that are times are all that differs, and nothing but that explains it.
///
/// A third of all numbers of 32 bits are seconds of the years 2010 to 2040, so that being one says nothing. Asked for is that every
/// differing byte lies in such a number: seconds since 1970, in 32 or 64 bits, all in one order of bytes, aligned to four; that both
/// sides' numbers are less than two years apart, as two builds of one thing are; that they differ in two bytes at least, as two moments
/// do which are more than minutes apart and a flipped bit does not; that none is a word of text; and that a number of 32 bits stands
/// among bytes of a structure, of which few differ from each other, and not in noise or code. In 64 bits the upper half is zero, which
/// chance does not make. Two moments that differ in one byte are believed only among bytes of the simplest structure.
fn epoch(a: &[u8], b: &[u8]) -> Option<String> {
    // Where one side is a text from end to end, it is a text that broke.
    if a.len() != b.len() || [a, b].iter().any(|bytes| text::of(bytes).is_some()) {
        return None;
    }
    // Whole blocks that are the same are passed over: files are large, and differences few.
    let blocks = || a.chunks(BLOCK).zip(b.chunks(BLOCK)).enumerate().filter(|(_, (a, b))| a != b);
    let words = || {
        blocks().flat_map(|(block, (a, b))| {
            let words = a.chunks(4).zip(b.chunks(4)).enumerate();
            words.filter(|(_, (a, b))| a != b).map(move |(word, _)| block * BLOCK + word * 4)
        })
    };
    [Order::Little, Order::Big].into_iter().find_map(|order| {
        let mut times = words().map(|start| Times::read(a, b, start, order));
        let first = times.next()??;
        let mut more = 0_u64;
        for next in times {
            next?;
            more += 1;
        }
        Some(if more == 0 { first.told() } else { format!("{}; and {more} more of these", first.told()) })
    })
}

/// How the bytes of a number stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// Two times at one place, in seconds since 1970.
struct Times {
    one: u64,
    other: u64,
    order: Order,
    /// Whether they have 64 bits.
    wide: bool,
}

impl Times {
    /// The times in the word that begins here, if they are believed to be such.
    fn read(a: &[u8], b: &[u8], start: usize, order: Order) -> Option<Self> {
        let time = |seconds: u64| (1_262_304_000..2_208_988_800).contains(&seconds); // 2010 to 2040
        let word = |bytes: &[u8], start: usize| -> Option<[u8; 4]> {
            bytes.get(start..start.checked_add(4)?)?.try_into().ok()
        };
        let value = |bytes: [u8; 4]| match order {
            Order::Little => u64::from(u32::from_le_bytes(bytes)),
            Order::Big => u64::from(u32::from_be_bytes(bytes)),
        };
        let (bytes_a, bytes_b) = (word(a, start)?, word(b, start)?);
        let (one, other) = (value(bytes_a), value(bytes_b));
        let apart = one.abs_diff(other);
        if !(time(one) && time(other) && apart < 2 * 366 * 86_400) || spelled(a, b, start) {
            return None;
        }
        // The upper half of a 64-bit number is zero for as long as anyone lives.
        let (upper, place) = match order {
            Order::Little => (start + 4, 4),
            Order::Big => (start.wrapping_sub(4), 0),
        };
        let wide = upper % 8 == place && [a, b].iter().all(|bytes| word(bytes, upper) == Some([0; 4]));
        // Of the bytes around them, this part may differ from all others.
        let part = match (bytes_a.iter().zip(&bytes_b).filter(|(a, b)| a != b).count(), wide) {
            (1, _) if apart > 0xff => return None,
            (1, false) => 4,
            (1, true) | (_, false) => 2,
            (_, true) => 1,
        };
        let varied = distinct(a, start).max(distinct(b, start));
        (varied.0 * part <= varied.1).then_some(Self { one, other, order, wide })
    }

    fn told(&self) -> String {
        let bits = if self.wide { 64 } else { 32 };
        let order = if self.order == Order::Little { "little" } else { "big" };
        let (one, other) = (format_rfc3339(self.one), format_rfc3339(self.other));
        format!("{bits} bits, {order}-endian, as seconds since 1970: {one} and {other}")
    }
}

/// Whether the first difference in a word lies in text: in three letters or more on both sides, or in a longer text on one of them.
fn spelled(a: &[u8], b: &[u8], start: usize) -> bool {
    let at = start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count();
    let run = |bytes: &[u8], most: usize, fits: fn(&u8) -> bool| {
        let before = bytes[..at].iter().rev().take(most).take_while(|byte| fits(byte)).count();
        let after = bytes[at..].iter().take(most).take_while(|byte| fits(byte)).count();
        if after > 0 { before + after } else { 0 }
    };
    let letters = |bytes| run(bytes, 3, u8::is_ascii_alphabetic) >= 3;
    let text = |bytes| run(bytes, 8, |byte| matches!(byte, b'\t' | b'\n' | 0x20..=0x7e)) >= 8;
    letters(a) && letters(b) || text(a) || text(b)
}

/// How many different bytes stand around a word, and of how many; more than half of them in noise.
fn distinct(bytes: &[u8], start: usize) -> (usize, usize) {
    let before = &bytes[start.saturating_sub(AROUND)..start];
    let after = &bytes[start + 4..bytes.len().min(start + 4 + AROUND)];
    let mut seen = [false; 256];
    before.iter().chain(after).for_each(|&byte| seen[usize::from(byte)] = true);
    (seen.into_iter().filter(|&seen| seen).count(), before.len() + after.len())
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
        let mut explaining = Explaining::new(&hints);
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

    /// Marsaglia's xorshift64.
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn noise_and_words_are_no_times() {
        let mut state = 0x9e37_79b9_0000_0011;
        let mut times = 0;
        for _ in 0..3000 {
            let size = 20 + usize::try_from(random(&mut state) % 3000).unwrap();
            let a: Vec<u8> = (0..size).map(|_| random(&mut state).to_le_bytes()[3]).collect();
            let mut b = a.clone();
            b[usize::try_from(random(&mut state)).unwrap() % size] ^= 1 << (random(&mut state) % 8);
            times += u32::from(found(&a, &b).class == Class::Timestamp);
        }
        assert!(times < 30, "{times} of 3000 flipped bits");
        for (a, b) in [("red", "rad"), ("code", "cods"), ("blue", "glue"), ("time", "tide"), ("kernel", "kennel")] {
            for shift in 0..8 {
                let word = |text: &str| [&vec![0; 16 + shift][..], text.as_bytes(), &[0; 30]].concat();
                assert_ne!(found(&word(a), &word(b)).class, Class::Timestamp, "{a} {b} {shift}");
            }
        }
    }

    #[test]
    fn a_text_that_breaks_is_no_time() {
        assert_eq!(found(b"one\n", b"o\xeee\n").class, Class::Content);
        let text = |text: &[u8]| [&[0; 8][..], text, &[0; 200]].concat();
        let a = text(b"sort by time, newest first; see also -c");
        for at in 8..8 + 39 {
            for bit in 0..8 {
                let mut b = a.clone();
                b[at] ^= 1 << bit;
                assert_ne!(found(&a, &b).class, Class::Timestamp, "{at} {bit}");
            }
        }
    }

    #[test]
    fn a_time_must_explain_all_that_differs() {
        let (one, other) = (1_795_418_213_u32.to_le_bytes(), 1_795_518_999_u32.to_le_bytes());
        let fields = |numbers: [[u8; 4]; 2], last: u8| {
            [&[0xff; 16][..], &numbers[0], &[0xff; 16], &numbers[1], &[last; 16]].concat()
        };
        let two = found(&fields([one, other], 0xee), &fields([other, one], 0xee));
        assert_eq!(two.class, Class::Timestamp);
        assert!(two.note.as_ref().unwrap().ends_with("; and 1 more of these"), "{two:?}");
        assert_eq!(found(&fields([one, one], 0xee), &fields([other, one], 0xed)).class, Class::Content);
        assert_eq!(found(&fields([one, one], 0xee), &fields([other, one], 0xee)[..50]).class, Class::Content);
    }
}

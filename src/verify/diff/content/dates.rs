//! Dates and times in text, in the forms that programs write them.
//!
//! Found are runs of pieces: `2026-11-23T07:16:53Z`, `2026/11/23`, `Mon Nov 23 07:16:53 UTC 2026`, `Mon, 23 Nov 2026 07:16:53
//! +0000`, `Nov 23 2026`, `23/Nov/2026:07:16:53`, `07:16:53`, `20261123T071653`, and seconds or milliseconds since 1970.

/// What stands for a date in a masked text: a control character, so that no text has it by itself.
const MARK: char = '\u{1}';

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const ZONES: [&str; 10] = ["Z", "UTC", "GMT", "CET", "CEST", "EST", "EDT", "PST", "PDT", "BST"];

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Enough by itself.
    Whole,
    Month,
    /// A year, or a day of a month: with a month's name it is a date.
    Number,
    /// A weekday, a zone: only together with more.
    Part,
}

/// Puts a mark in place of each date; gives the dates too.
pub(super) fn masked(text: &str) -> (String, Vec<&str>) {
    let bytes = text.as_bytes();
    let (mut out, mut dates) = (String::with_capacity(text.len()), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let boundary = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if let Some(length) = boundary.then(|| run(bytes, at)).flatten() {
            dates.push(&text[at..at + length]);
            out.push(MARK);
            at += length;
        } else {
            let next = rest.chars().next().unwrap_or_default();
            out.push(next);
            at += next.len_utf8();
        }
    }
    (out, dates)
}

/// The length of the date that begins here.
fn run(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut end, mut enough) = (start, false);
    let (mut month, mut number) = (false, false);
    let mut at = start;
    // A date has no more pieces than weekday, day, month, year, time, half of day and zone.
    for _ in 0..8 {
        let Some((length, piece)) = piece(&bytes[at..], at == start) else { break };
        match piece {
            Piece::Whole => enough = true,
            Piece::Month => month = true,
            Piece::Number => number = true,
            Piece::Part => {}
        }
        enough |= month && number;
        at += length;
        // A zone with nothing in front of it, or a number behind a whole date, is no part of it.
        if enough || piece != Piece::Number {
            end = at;
        }
        let separators = bytes[at..].iter().take(3).take_while(|byte| b" ,/:-_T".contains(byte)).count();
        at += separators;
    }
    enough.then_some(end - start)
}

fn piece(bytes: &[u8], first: bool) -> Option<(usize, Piece)> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return word(bytes, first);
    }
    let number: u64 = std::str::from_utf8(&bytes[..digits.min(18)]).ok()?.parse().ok()?;
    let rest = &bytes[digits..];
    if digits <= 2 && rest.first() == Some(&b':') {
        two(&rest[1..]).filter(|&minutes| minutes < 60 && number < 24)?;
        let mut length = digits + 3;
        if bytes.get(length) == Some(&b':') && two(&bytes[length + 1..]).is_some_and(|seconds| seconds < 61) {
            length += 3 + fraction(&bytes[length + 3..]);
        }
        return ends(&bytes[length..]).then_some((length, Piece::Whole));
    }
    let year = |number: u64| (1970..2100).contains(&number);
    if digits == 4 && year(number) {
        if let Some(length) = rest.first().filter(|byte| b"-/.".contains(byte)).and_then(|_| month_and_day(rest)) {
            return ends(&rest[length..]).then_some((digits + length, Piece::Whole));
        }
        return ends(rest).then_some((digits, Piece::Number));
    }
    let whole = match digits {
        8 => year(number / 10_000) && (1..13).contains(&(number / 100 % 100)) && (1..32).contains(&(number % 100)),
        10 => (1_000_000_000..2_200_000_000).contains(&number),
        13 => (1_000_000_000_000..2_200_000_000_000).contains(&number),
        14 => year(number / 10_000_000_000) && (1..13).contains(&(number / 100_000_000 % 100)),
        _ => false,
    };
    if whole {
        let length = digits + if digits == 10 { fraction(rest) } else { 0 };
        return ends(&bytes[length..]).then_some((length, Piece::Whole));
    }
    let day = digits <= 2 && (1..32).contains(&number);
    let time = digits == 6 && !first && number / 10_000 < 24;
    ((day || time) && ends(rest)).then_some((digits, if day { Piece::Number } else { Piece::Part }))
}

/// The length of `-MM-DD` in any of its separators.
fn month_and_day(rest: &[u8]) -> Option<usize> {
    let separator = *rest.first()?;
    let month = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let day_at = 1 + month + 1;
    let day = rest.get(day_at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fits = (1..=2).contains(&month) && (1..=2).contains(&day) && rest[day_at - 1] == separator;
    fits.then_some(day_at + day)
}

/// A month, a weekday or a zone.
fn word(bytes: &[u8], first: bool) -> Option<(usize, Piece)> {
    if !first && matches!(bytes, [b'+' | b'-', ..]) {
        let hours = bytes[1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
        return (matches!(hours, 4 | 5) && ends(&bytes[1 + hours..])).then_some((1 + hours, Piece::Part));
    }
    let letters = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = std::str::from_utf8(&bytes[..letters]).ok()?;
    if !first && ZONES.contains(&word) {
        return ends(&bytes[letters..]).then_some((letters, Piece::Part));
    }
    let lower = word.to_ascii_lowercase();
    let named = |names: &[&str]| letters >= 3 && names.iter().any(|name| *name == lower || name[..3] == *lower);
    let piece = if named(&MONTHS) {
        Piece::Month
    } else if named(&DAYS) {
        Piece::Part
    } else {
        return (!first && matches!(word, "AM" | "PM")).then_some((letters, Piece::Part));
    };
    ends(&bytes[letters..]).then_some((letters, piece))
}

fn two(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => Some((tens - b'0') * 10 + ones - b'0'),
        _ => None,
    }
}

/// The length of `.123`.
fn fraction(bytes: &[u8]) -> usize {
    match bytes {
        [b'.' | b',', rest @ ..] => match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => 0,
            digits => digits + 1,
        },
        _ => 0,
    }
}

/// Whether a piece may end here: no digit, and no letter but those that stand between or behind date and time.
fn ends(rest: &[u8]) -> bool {
    match rest {
        [b'T' | b'Z', next, ..] => !next.is_ascii_alphabetic(),
        [] | [b'T' | b'Z'] => true,
        [next, ..] => !next.is_ascii_alphanumeric(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_form_are_found() {
        for date in [
            "2026-11-23T07:16:53Z",
            "2026-11-23T07:16:53.123456+01:00",
            "2026-11-23 07:16:53 +0000",
            "2026-11-23",
            "2026/11/23",
            "2026.11.23",
            "Mon Nov 23 07:16:53 2026",
            "Mon Nov 23 07:16:53 UTC 2026",
            "Mon, 23 Nov 2026 07:16:53 +0000",
            "Monday, November 23, 2026 07:16 AM",
            "Nov 23 2026",
            "23 Nov 2026",
            "23/Nov/2026:07:16:53 +0000",
            "07:16:53",
            "20261123",
            "20261123T071653Z",
            "20261123-071653",
            "20261123071653",
            "1795418213",
            "1795418213.25",
            "1795418213123",
        ] {
            let text = format!("built <{date}> by x");
            assert_eq!(masked(&text), ("built <\u{1}> by x".to_owned(), vec![date]));
        }
    }

    #[test]
    fn other_numbers_and_words_are_left() {
        for text in
            ["1.2.3", "version 2026", "123456", "10 files", "we may go", "a1795418213", "17954182131", "x86_64", "€ 5"]
        {
            assert_eq!(masked(text).0, text);
        }
    }
}

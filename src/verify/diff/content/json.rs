//! JSON documents, value by value.

use super::{Explaining, first_difference, text};
use crate::oci::json_weight;
use crate::verify::diff::class::Class;
use crate::verify::diff::document::{differing, text as shown};
use crate::verify::diff::model::{Field, Finding};
use crate::verify::diff::sums::Sums;
use serde_json::Value;

/// A larger document is compared as text, in bytes.
const LARGEST: usize = 4 << 20;

/// So is one that would take more memory as values, in bytes.
const HEAVIEST: u64 = 40 << 20;

/// Compares two documents; `false`: they are none, or only scalars.
pub(super) fn compare(explaining: &mut Explaining<'_>, name: &str, a: &[u8], b: &[u8]) -> bool {
    let begins = |bytes: &[u8]| matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]);
    if !begins(a) || !begins(b) {
        return false;
    }
    if [a, b].iter().any(|bytes| bytes.len() > LARGEST || json_weight(bytes) > HEAVIEST) {
        return as_text(explaining, name, a, b);
    }
    let document = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(value_a), Some(value_b)) = (document(a), document(b)) else { return false };
    let offset = Some(first_difference(a, b));
    let found = differing(&value_a, &value_b, |_| false);
    if found.is_empty() {
        let (class, note) = alike(a, b);
        explaining.add(Finding { offset, ..Finding::new(Field::Content, class).note(note) });
        return true;
    }
    // Lines are shown as lines; the values say what they mean.
    let excerpt = text::of(a).zip(text::of(b)).map(|(a, b)| text::excerpt(a, b));
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

/// Compares two documents, or what begins like such, as texts, and says so; `false`: they are none.
fn as_text(explaining: &mut Explaining<'_>, name: &str, a: &[u8], b: &[u8]) -> bool {
    let (Some(a), Some(b)) = (text::of(a), text::of(b)) else { return false };
    let before = explaining.findings.len();
    text::compare(explaining, name, a, b);
    if let Some(finding) = explaining.findings.get_mut(before) {
        finding.also("too large to be compared as JSON, value by value: compared as text");
    }
    true
}

/// What differs between two documents whose values a parser takes for the same.
///
/// A parser keeps a number to some 16 digits and, of two keys of one name, the last: what it drops is other content all the same.
fn alike(a: &[u8], b: &[u8]) -> (Class, &'static str) {
    if Tokens(a).eq(Tokens(b)) {
        (Class::Encoder, "the same values, with other white space or in another spelling")
    } else if Sums::of(a, b).same(Tokens(a), Tokens(b)) {
        (Class::Order, "the same values, with keys in another order")
    } else {
        (Class::Content, "numbers that differ behind the digits that parsers keep, or a key that is there twice")
    }
}

/// The parts of a valid document (RFC 8259): punctuation, texts without their escapes, numbers and names as they mean it.
struct Tokens<'a>(&'a [u8]);

impl Iterator for Tokens<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.0.trim_ascii_start();
        let first = *rest.first()?;
        let length = match first {
            b'"' => {
                let mut escaped = false;
                let end = rest[1..].iter().position(|&byte| {
                    let end = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    end
                });
                end.map_or(rest.len(), |end| end + 2)
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ => rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"{}[]:,\"".contains(byte)).count(),
        };
        let (token, rest) = rest.split_at(length);
        self.0 = rest;
        let token = String::from_utf8_lossy(token);
        Some(match first {
            b'"' => serde_json::from_str::<String>(&token).map_or(token.into_owned(), |text| format!("\"{text}")),
            b'-' | b'0'..=b'9' => decimal(&token),
            _ => token.into_owned(),
        })
    }
}

/// A number in one spelling, of all its digits: `1.50e3` and `1500` are `15e2`.
fn decimal(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    let zeros = all.len() - all.trim_end_matches('0').len();
    let shift = i128::try_from(zeros).unwrap_or_default() - i128::try_from(fraction.len()).unwrap_or_default();
    match exponent.parse::<i64>() {
        _ if significant.is_empty() => format!("{sign}0"),
        Ok(exponent) => format!("{sign}{significant}e{}", i128::from(exponent) + shift),
        // An exponent beyond all bounds is only itself.
        Err(_) => format!("{sign}{significant}e{exponent}+{shift}"),
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|part| format!(".{part}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parsers_drop_is_no_order() {
        for (a, b, class) in [
            (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#, Class::Order),
            (r#"{"a": 1}"#, r#"{"a":1}"#, Class::Encoder),
            (r#"{"a": "\u0062\""}"#, r#"{"a": "b\u0022"}"#, Class::Encoder),
            ("[1.50e3, -0.0]", "[1500.0, -0.00]", Class::Encoder),
            ("[0.12345678901234567890123]", "[0.12345678901234567890124]", Class::Content),
            ("[123456789012345678901234]", "[123456789012345678901235]", Class::Content),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#, Class::Content),
        ] {
            let hints = crate::verify::diff::Hints::default();
            let mut explaining = Explaining::new(&hints);
            assert!(compare(&mut explaining, "", a.as_bytes(), b.as_bytes()), "{a}");
            assert_eq!(explaining.findings[0].class, class, "{a} {b}");
        }
    }
}

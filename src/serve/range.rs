//! Which part of a blob is wanted (RFC 9110, section 14): one range of bytes.

/// What a `Range` field asks of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranged {
    /// All of it: the field is not one that is heeded, and "a server MAY ignore the Range header field".
    Whole,
    /// A part of it.
    Part(Range),
    /// Bytes that it does not have.
    Beyond,
}

/// A part of a blob; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Its first byte.
    pub start: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl Ranged {
    /// Reads the value of a `Range` field for a blob of a size.
    #[must_use]
    pub fn parse(text: &str, size: u64) -> Self {
        // Several ranges would need a body of several parts, which no client of a registry asks for.
        let Some((unit, set)) = text.trim().split_once('=') else { return Self::Whole };
        if !unit.eq_ignore_ascii_case("bytes") {
            return Self::Whole;
        }
        let Some((first, last)) = set.trim().split_once('-') else { return Self::Whole };
        let (Ok(first), Ok(last)) = (number(first), number(last)) else { return Self::Whole };
        let range = match (first, last) {
            (None, None) => return Self::Whole,
            (Some(first), Some(last)) if last < first => return Self::Whole,
            (Some(first), last) => {
                let end = last.map_or(size, |last| last.saturating_add(1).min(size));
                Range { start: first, length: end.saturating_sub(first) }
            }
            (None, Some(most)) => {
                let length = most.min(size);
                Range { start: size - length, length }
            }
        };
        if range.length == 0 { Self::Beyond } else { Self::Part(range) }
    }
}

/// A number of decimal digits, if there is one; what is larger than any size is as good as the largest.
fn number(text: &str) -> Result<Option<u64>, ()> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(());
    }
    Ok((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_heeded() {
        let part = |start, length| Ranged::Part(Range { start, length });
        for (text, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-9", part(0, 10)),
            ("Bytes = 2-5".trim(), Ranged::Whole),
            ("BYTES=2-5", part(2, 4)),
            ("bytes=2-", part(2, 8)),
            ("bytes=9-99999999999999999999999", part(9, 1)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-30", part(0, 10)),
            ("bytes=10-", Ranged::Beyond),
            ("bytes=10-20", Ranged::Beyond),
            ("bytes=99999999999999999999999-", Ranged::Beyond),
            ("bytes=-0", Ranged::Beyond),
            ("bytes=5-4", Ranged::Whole),
            ("bytes=0-1,3-4", Ranged::Whole),
            ("bytes=-", Ranged::Whole),
            ("bytes=+1-2", Ranged::Whole),
            ("bytes=1--2", Ranged::Whole),
            ("bytes", Ranged::Whole),
            ("lines=1-2", Ranged::Whole),
            ("", Ranged::Whole),
        ] {
            assert_eq!(Ranged::parse(text, 10), expected, "{text}");
        }
        for text in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(Ranged::parse(text, 0), Ranged::Beyond, "{text}");
        }
    }
}

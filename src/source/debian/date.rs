//! Dates as Release files write them.

use crate::oci::time::{days, format_rfc3339};

/// Parses `Sat, 12 Sep 2026 07:55:41 UTC` to seconds since 1970 (RFC 5322, section 3.3, in the form that deb-archive tools write).
///
/// The zone is one of the names of UTC; the day of the week may be missing and is not compared with the date.
pub(super) fn parse(text: &str) -> Option<u64> {
    let mut words = text.split_ascii_whitespace().peekable();
    if let Some(day) = words.peek().and_then(|word| word.strip_suffix(',')) {
        if !["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day) {
            return None;
        }
        words.next();
    }
    let day = number(words.next()?, 1, 2)?;
    let month = words.next()?;
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names.iter().position(|name| *name == month)? as u64 + 1;
    let year = number(words.next()?, 4, 4)?;
    let mut clock = words.next()?.split(':').map(|part| number(part, 1, 2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let zone = words.next()?;
    if clock.next().is_some() || words.next().is_some() || !["UTC", "GMT", "Z", "+0000"].contains(&zone) {
        return None;
    }
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    // Whatever was out of range does not come back the same.
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    (format_rfc3339(seconds) == text).then_some(seconds)
}

fn number(text: &str, least: usize, most: usize) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (least..=most).contains(&text.len());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_archives_are_read() {
        for (text, time, shown) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0, "1970-01-01T00:00:00Z"),
            ("Sat, 12 Sep 2026 07:55:41 UTC", 1_789_199_741, "2026-09-12T07:55:41Z"),
            ("Sat, 12 Sep 2026  7:55:41 +0000", 1_789_199_741, "2026-09-12T07:55:41Z"),
            ("29 Feb 2000 23:59:59 GMT", 951_868_799, "2000-02-29T23:59:59Z"),
            ("Mon, 1 Mar 2100 00:00:00 Z", 4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text), Some(time), "{text}");
            assert_eq!(format_rfc3339(time), shown);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "Sat, 12 Sep 2026 07:55:41",
            "Sat, 12 Sep 2026 07:55:41 CET",
            "Sat, 12 Sep 2026 07:55:41 +0200",
            "Sat, 12 Sep 26 07:55:41 UTC",
            "29 Feb 2026 00:00:00 UTC",
            "31 Apr 2026 00:00:00 UTC",
            "0 Apr 2026 00:00:00 UTC",
            "1 Apr 2026 24:00:00 UTC",
            "1 Apr 2026 00:60:00 UTC",
            "1 Apr 9999999999999999999 00:00:00 UTC",
            "1 Apr 2026 00:00:00:00 UTC",
            "1 Apr 1969 00:00:00 UTC",
            "Foo, 1 Apr 2026 00:00:00 UTC",
            "1 Apr 2026 00:00:00 UTC UTC",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

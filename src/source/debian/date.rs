//! Dates as Release files write them.

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
    let valid = (1..=days_of(year, month)).contains(&day) && year >= 1970 && hour < 24 && minute < 60 && second < 60;
    if !valid || clock.next().is_some() || words.next().is_some() || !["UTC", "GMT", "Z", "+0000"].contains(&zone) {
        return None;
    }
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let before_year = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let before_month: u64 = (1..month).map(|month| days_of(year, month)).sum();
    Some((before_year + before_month + day - 1) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Shows seconds since 1970 as `2026-09-12T07:55:41Z`.
pub(super) fn show(time: u64) -> String {
    let (mut days, clock) = (time / 86_400, time % 86_400);
    let mut year = 1970;
    while year < 9999 {
        let length = if days_of(year, 2) == 29 { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z", days + 1, clock / 3600, clock / 60 % 60, clock % 60)
}

fn number(text: &str, least: usize, most: usize) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (least..=most).contains(&text.len());
    digits.then(|| text.parse().ok())?
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            assert_eq!(show(time), shown);
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
            "1 Apr 2026 00:00:00:00 UTC",
            "1 Apr 1969 00:00:00 UTC",
            "Foo, 1 Apr 2026 00:00:00 UTC",
            "1 Apr 2026 00:00:00 UTC UTC",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(show(u64::MAX).starts_with("9999"));
    }

    proptest! {
        #[test]
        fn shown_dates_are_ordered(a in 0..4_102_444_800u64, b in 0..4_102_444_800u64) {
            prop_assert_eq!(a.cmp(&b), show(a).cmp(&show(b)));
        }
    }
}

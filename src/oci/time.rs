//! Dates as OCI writes them, RFC 3339 in UTC, and as mail and HTTP write them, RFC 5322: whole seconds.

/// Writes seconds since 1970 as `2026-09-12T07:55:41Z` (RFC 3339, 5.6).
#[must_use]
pub fn format_rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Reads what [`format_rfc3339`] writes; `None` for anything else, so that a date has one spelling.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let days = days(number(0..4)?, number(5..7)?, number(8..10)?)?;
    let seconds = days * 86_400 + number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    // Whatever was out of range or out of place does not come back the same.
    (format_rfc3339(seconds) == text).then_some(seconds)
}

/// Parses `Sat, 12 Sep 2026 07:55:41 UTC` to seconds since 1970 (RFC 5322, section 3.3, in the form that Release files and HTTP have).
///
/// The zone is one of the names of UTC; the day of the week may be missing and is not compared with the date.
#[must_use]
pub fn parse_rfc5322(text: &str) -> Option<u64> {
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

/// Days since 1970 of a date of the Gregorian calendar; `None` before 1970 or for a month that is none.
#[must_use]
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || year < 1970 {
        return None;
    }
    // Years are counted from March, so that the leap day is a year's last: the days before each month then follow one formula.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    (before + day).checked_sub(719_469)
}

/// The date of a day since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // 400 years have 146,097 days; counting from 1 March of the year 0 makes every cycle alike.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_calendar() {
        // Checked against `date --utc --date=@N`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (315_532_801, "1980-01-01T00:00:01Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format_rfc3339(seconds), text);
            assert_eq!(parse_rfc3339(text), Some(seconds));
        }
        for day in 0..80_000 {
            let text = format_rfc3339(day * 86_400);
            assert_eq!(parse_rfc3339(&text), Some(day * 86_400), "{text}");
        }
        for wrong in
            ["", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01 00:00:00Z"]
        {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_of_mail_are_read() {
        for (text, time, shown) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0, "1970-01-01T00:00:00Z"),
            ("Sat, 12 Sep 2026 07:55:41 UTC", 1_789_199_741, "2026-09-12T07:55:41Z"),
            ("Sat, 12 Sep 2026  7:55:41 +0000", 1_789_199_741, "2026-09-12T07:55:41Z"),
            ("29 Feb 2000 23:59:59 GMT", 951_868_799, "2000-02-29T23:59:59Z"),
            ("Mon, 1 Mar 2100 00:00:00 Z", 4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(parse_rfc5322(text), Some(time), "{text}");
            assert_eq!(format_rfc3339(time), shown);
        }
    }

    #[test]
    fn what_is_no_date_of_mail_is_refused() {
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
            assert_eq!(parse_rfc5322(text), None, "{text}");
        }
    }
}

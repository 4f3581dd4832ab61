//! The pause that a server asks for.

use std::time::Duration;
use ureq::http::{HeaderMap, HeaderName, header};

/// The pause that a server asks for, in seconds or up to a date (RFC 9110, section 10.2.3). Such a date is the server's, so it is counted
/// from the server's own time (section 6.6.1); without that, it asks for nothing.
#[must_use]
pub fn pause_asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (seconds_of(asked)?, seconds_of(text(header::DATE)?)?);
    Some(Duration::from_secs(until.saturating_sub(now)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since a day long past (RFC 9110, section 5.6.7; the obsolete forms are not read).
fn seconds_of(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
    let mut words = date.strip_suffix(" GMT")?.split(' ').skip(1);
    let day = u64::from(words.next()?.parse::<u8>().ok()?);
    let month = words.next()?;
    let month = (0..).zip(MONTHS).find_map(|(at, name)| (name == month).then_some(at))?;
    let year = u64::from(words.next()?.parse::<u16>().ok()?);
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u8>().ok().map(u64::from));
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    // Years are counted from March, so that the leap day is a year's last.
    let year = if month > 9 { year.checked_sub(1)? } else { year };
    let days: u64 = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some(days * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, date.parse().unwrap());
        }
        pause_asked(&headers).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_obeyed() {
        assert_eq!(asked(" 7 ", None), Some(7));
        for (until, now, seconds) in [
            ("Sun, 06 Nov 1994 08:50:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 30),
            ("Thu, 29 Feb 2024 00:00:00 GMT", "Wed, 28 Feb 2024 23:59:59 GMT", 1),
            ("Fri, 01 Mar 2024 00:00:00 GMT", "Wed, 28 Feb 2024 00:00:00 GMT", 2 * 86_400),
            ("Fri, 01 Jan 2027 00:00:01 GMT", "Thu, 31 Dec 2026 23:59:00 GMT", 61),
            ("Sun, 06 Nov 1994 08:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ] {
            assert_eq!(asked(until, Some(now)), Some(seconds), "{until}");
        }
    }

    #[test]
    fn what_is_neither_asks_for_nothing() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(asked(date, None), None);
        for wrong in [
            "",
            "-1",
            "soon",
            "1.5",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Xyz 1994 08:49:37 GMT",
            "Sunday, GMT",
            " GMT",
        ] {
            assert_eq!(asked(wrong, Some(date)), None, "{wrong}");
        }
        assert_eq!(asked("Sun, 06 Nov 65535 08:49:37 GMT", Some("Sat, 06 Jan 0 08:49:37 GMT")), None);
    }
}

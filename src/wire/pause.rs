//! The pause that a server asks for.

use crate::oci::time::parse_rfc5322;
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
    let (until, now) = (parse_rfc5322(asked)?, parse_rfc5322(text(header::DATE)?)?);
    Some(Duration::from_secs(until.saturating_sub(now)))
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
    }
}

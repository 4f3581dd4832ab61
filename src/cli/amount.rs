//! Sizes and durations, each written in one way everywhere.

use std::time::Duration;

/// Writes a number of bytes in decimal units with three significant digits: `999 B`, `1.20 kB`, `45.3 MB`.
///
/// Decimal, as apt, registries and network rates have it.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut scale = 1000_u128;
    // 999,500 bytes are shown as 1.00 MB: the unit is chosen for the rounded number.
    while u128::from(bytes) * 1000 >= scale * 999_500 && unit + 1 < UNITS.len() {
        scale *= 1000;
        unit += 1;
    }
    let hundredths = (u128::from(bytes) * 100 + scale / 2) / scale;
    let tenths = (u128::from(bytes) * 10 + scale / 2) / scale;
    let whole = (u128::from(bytes) + scale / 2) / scale;
    let name = UNITS[unit];
    if hundredths < 1000 {
        format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
    } else if tenths < 1000 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{whole} {name}")
    }
}

/// Writes a duration by its size: `0.4 ms`, `87 ms`, `1.2 s`, `2m 05s`, `1h 02m`.
#[must_use]
pub fn duration(time: Duration) -> String {
    let micros = time.as_micros();
    if micros < 9_950 {
        let tenths = (micros + 50) / 100;
        return format!("{}.{} ms", tenths / 10, tenths % 10);
    }
    if micros < 999_500 {
        return format!("{} ms", (micros + 500) / 1000);
    }
    let tenths = (micros + 50_000) / 100_000;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (micros + 500_000) / 1_000_000;
    if seconds < 3600 {
        return format!("{}m {:02}s", seconds / 60, seconds % 60);
    }
    let minutes = (seconds + 30) / 60;
    format!("{}h {:02}m", minutes / 60, minutes % 60)
}

/// Reads a size: `10GB`, `1.5 GiB`, `800000`; decimal units as [`size`] writes them, and binary ones.
pub fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("b", 1),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
    ];
    scaled(text, &UNITS).ok_or_else(|| "expected a size such as `500MB`, `10GB` or `2.5GiB`".to_owned())
}

/// Reads an age: `45s`, `30m`, `12h`, `30d`, `2w`.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];
    let seconds = scaled(text, &UNITS).ok_or_else(|| "expected an age such as `12h`, `30d` or `2w`".to_owned())?;
    Ok(Duration::from_secs(seconds))
}

/// A number, whole or with up to three decimal places, times its unit, in whatever case.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if part.is_empty() || part.len() > 3 || whole.is_empty() {
        return None;
    }
    let thousandths = whole.parse::<u128>().ok()?.checked_mul(1000)? + format!("{part:0<3}").parse::<u128>().ok()?;
    u64::try_from(thousandths.checked_mul(u128::from(*factor))? / 1000).ok()
}

/// Writes a count with its noun, in the plural by `s` where it is not one: `1 action`, `12 actions`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (1234, "1.23 kB"),
            (9_994, "9.99 kB"),
            (9_995, "10.0 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (45_300_000, "45.3 MB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn durations_change_their_unit() {
        let cases = [
            (0, "0.0 ms"),
            (440, "0.4 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (999_499, "999 ms"),
            (999_500, "1.0 s"),
            (1_250_000, "1.3 s"),
            (59_949_999, "59.9 s"),
            (59_950_000, "1m 00s"),
            (125_000_000, "2m 05s"),
            (3_599_499_999, "59m 59s"),
            (3_599_500_000, "1h 00m"),
            (3_725_000_000, "1h 02m"),
        ];
        for (micros, text) in cases {
            assert_eq!(duration(Duration::from_micros(micros)), text, "{micros}");
        }
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn sizes_and_ages_are_read() {
        let cases = [("0", 0), ("800000", 800_000), ("1.5kB", 1500), ("10GB", 10_000_000_000), ("2.5 GiB", 5 << 29)];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_age("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(parse_age("1.5h"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "GB", "-1", "1.", ".5", "1.2345kB", "10 XB", "1e9", "99999999999999999999999", "20000000TB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "30", "d", "30y", "-3d"] {
            assert!(parse_age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([count(0, "file"), count(1, "file"), count(2, "file")], ["0 files", "1 file", "2 files"]);
    }
}

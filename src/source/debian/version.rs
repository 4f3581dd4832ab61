//! Package versions, compared exactly as dpkg compares them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version `[epoch:]upstream[-revision]` (deb-version(7)).
///
/// Order and equality are dpkg's, not the text's: `1.0`, `0:1.0`, `1.00` and `1.0-0` are equal. Two versions that have to be the same
/// bytes, as in a lock, are compared by [`Version::as_str`].
#[derive(Clone)]
pub struct Version {
    text: Box<str>,
    epoch: u32,
    /// Where the upstream version begins.
    start: usize,
    /// Where the upstream version ends: at the last hyphen, or at the end of the text.
    end: usize,
}

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {why}")]
pub struct VersionError {
    /// The text, cut to a length that fits a message.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The longest version that is accepted, in bytes; the longest in Debian has fewer than 100.
const LONGEST: usize = 1024;

impl Version {
    /// Parses a version; surrounding white space is not accepted.
    ///
    /// As dpkg does, it takes an upstream version that begins with a letter, which policy advises against. Characters that
    /// deb-version(7) does not list are refused, where dpkg only warns.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let (epoch, start, end) =
            split(text).map_err(|why| VersionError { text: text.chars().take(80).collect(), why })?;
        Ok(Self { text: text.into(), epoch, start, end })
    }

    /// The version as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The epoch; 0 if none was written.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The upstream version.
    #[must_use]
    pub fn upstream(&self) -> &str {
        &self.text[self.start..self.end]
    }

    /// The Debian revision; empty for a native package.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.text.get(self.end + 1..).unwrap_or("")
    }
}

/// Checks that a text is a version without keeping it.
pub(super) fn is_version(text: &str) -> bool {
    split(text).is_ok()
}

/// Finds the epoch and the bounds of the upstream version.
fn split(text: &str) -> Result<(u32, usize, usize), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST {
        return Err("it is longer than 1024 bytes");
    }
    let (epoch, start) = match text.find(':') {
        None => (0, 0),
        Some(0) => return Err("the epoch is empty"),
        Some(colon) => {
            let epoch = &text[..colon];
            if !epoch.bytes().all(|b| b.is_ascii_digit()) {
                return Err("the epoch is not a number");
            }
            // dpkg keeps the epoch in a C int.
            let epoch = epoch.parse().ok().filter(|epoch| *epoch <= 0x7fff_ffff).ok_or("the epoch is too big")?;
            (epoch, colon + 1)
        }
    };
    let end = text[start..].rfind('-').map_or(text.len(), |dash| start + dash);
    if end == start {
        return Err("the upstream version is empty");
    }
    if end + 1 == text.len() {
        return Err("the revision is empty");
    }
    // It would be an option to many a program.
    if text[start..].starts_with('-') {
        return Err("the upstream version begins with `-`");
    }
    let upstream = |b: u8| b.is_ascii_alphanumeric() || b".-+~:".contains(&b);
    let revision = |b: u8| b.is_ascii_alphanumeric() || b".+~".contains(&b);
    if !text.as_bytes()[start..end].iter().copied().all(upstream) {
        return Err("the upstream version may hold letters, digits and `.` `-` `+` `~` `:`");
    }
    if !text.as_bytes()[end..].iter().skip(1).copied().all(revision) {
        return Err("the revision may hold letters, digits and `.` `+` `~`");
    }
    Ok((epoch, start, end))
}

/// Compares an upstream version or a revision with another.
///
/// The algorithm of deb-version(7), "Sorting algorithm": runs of non-digits, in which `~` sorts before everything, even the end,
/// and letters before all other characters, alternate with runs of digits, which compare as numbers of any size.
fn compare_part(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (weight(a), weight(b));
            if x != y {
                return x.cmp(&y);
            }
            // Equal weights: both are the same non-digit, or neither is a non-digit.
            if x == 0 {
                break;
            }
            (a, b) = (&a[1..], &b[1..]);
        }
        let (x, y) = (take_number(&mut a), take_number(&mut b));
        let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The rank of the first character among non-digits; a digit and the end rank alike.
fn weight(text: &[u8]) -> i32 {
    match text.first() {
        None => 0,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

/// Takes the leading digits away and returns them without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    let zeros = number.iter().take_while(|b| **b == b'0').count();
    &number[zeros..]
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream().as_bytes(), other.upstream().as_bytes()))
            .then_with(|| compare_part(self.revision().as_bytes(), other.revision().as_bytes()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn the_parts_are_found() {
        let v = version("2:1.2-3-4+b1");
        assert_eq!((v.epoch(), v.upstream(), v.revision()), (2, "1.2-3", "4+b1"));
        let v = version("20230311");
        assert_eq!((v.epoch(), v.upstream(), v.revision()), (0, "20230311", ""));
        let v = version("1:2:3");
        assert_eq!((v.epoch(), v.upstream(), v.revision()), (1, "2:3", ""));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            ":1",
            "a:1",
            "1:",
            "-1",
            "1-",
            "1 2",
            "1_2",
            "1/2",
            "2147483648:1",
            "1-2:3",
            "1\u{e9}",
            "1:-1",
            "--1",
            "1:-1-1",
        ] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
        assert!(Version::parse(&"1".repeat(LONGEST + 1)).is_err());
    }

    /// The examples of deb-version(7), and what trips naive implementations.
    #[test]
    fn the_order_is_dpkgs() {
        let ascending =
            ["~~", "~~a", "~", "1~~", "1~", "1", "1a", "1+", "1.0~rc1", "1.0", "1.0+b1", "1.1", "1.10", "1:0"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [("1.0", "1.0-0"), ("1.0", "0:1.0"), ("1.00", "1.0"), ("1.0-00", "1.0"), ("1.", "1.0")] {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
        assert!(
            version("99999999999999999999999999999999999999998") < version("99999999999999999999999999999999999999999")
        );
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "[0-3a.~+]{1,6}(-[0-1a~]{1,3})?", b in "[0-3a.~+]{1,6}(-[0-1a~]{1,3})?", c in "[0-3a.~+]{1,6}") {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Version::parse(&text);
        }
    }
}

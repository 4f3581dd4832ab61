//! Keyrings: which keys may sign, from OpenPGP certificates under remint's own policy.

use super::certificate::{Certificate, certificates};
use super::{armor, packet};
use std::fmt;
use std::str::FromStr;

/// The fingerprint of a certificate's primary key, in upper-case hex digits as Debian publishes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Box<str>);

/// Certificates whose signatures are trusted.
#[derive(Debug)]
pub struct Keyring {
    certificates: Vec<Certificate>,
}

/// Why bytes are no keyring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// They are not OpenPGP certificates.
    #[error("it is not an OpenPGP keyring: {why}")]
    Form {
        /// What is wrong with them.
        why: &'static str,
    },
    /// No certificate has a key that may sign.
    #[error("no key in it may sign: {why}")]
    Useless {
        /// Each certificate with its reason, divided by `; `.
        why: String,
    },
}

/// A text that is no fingerprint: expected 40 or 64 upper-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fingerprint: expected 40 or 64 upper-case hex digits")]
pub struct FingerprintError(String);

/// The largest keyring that is read, in bytes.
const LARGEST: usize = 16 << 20;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// Debian's archive keys, as `keys/README.md` lists them.
const DEBIAN: &[&str] = &[
    include_str!("../../../keys/bullseye-automatic.asc"),
    include_str!("../../../keys/bullseye-security-automatic.asc"),
    include_str!("../../../keys/bullseye-stable.asc"),
    include_str!("../../../keys/bookworm-automatic.asc"),
    include_str!("../../../keys/bookworm-security-automatic.asc"),
    include_str!("../../../keys/bookworm-stable.asc"),
    include_str!("../../../keys/trixie-automatic.asc"),
    include_str!("../../../keys/trixie-security-automatic.asc"),
    include_str!("../../../keys/trixie-stable.asc"),
];

impl Keyring {
    /// Debian's archive keys, which remint ships.
    #[must_use]
    pub fn debian() -> Self {
        Self::parse(DEBIAN.concat().as_bytes()).expect("a test reads the keys that are shipped")
    }

    /// Reads certificates, binary or armoured; text around armoured blocks is skipped.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        let form = |why| KeyringError::Form { why };
        if bytes.len() > LARGEST {
            return Err(form("it is larger than 16 MiB"));
        }
        let packets = match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(BEGIN) => dearmor(text).map_err(form)?,
            _ => bytes.to_vec(),
        };
        let certificates = certificates(&packet::split(&packets).map_err(form)?).map_err(form)?;
        if !certificates.iter().any(Certificate::can_sign) {
            let why = certificates.iter().map(Certificate::to_string).collect::<Vec<_>>().join("; ");
            return Err(KeyringError::Useless { why });
        }
        Ok(Self { certificates })
    }

    /// Every certificate's fingerprint and user names, in the order of the keyring.
    pub fn keys(&self) -> impl Iterator<Item = (&Fingerprint, &[String])> {
        self.certificates.iter().map(|certificate| (&certificate.fingerprint, &certificate.users[..]))
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// Joins the packets of every armoured block of a text.
fn dearmor(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut packets = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == BEGIN {
            packets.extend(armor::decode(&mut lines, END)?);
        }
    }
    Ok(packets)
}

impl Fingerprint {
    /// The fingerprint of the bytes that a key says are its own.
    pub(super) fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Self(digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect::<String>().into())
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        if digits && matches!(text.len(), 40 | 64) {
            Ok(Self(text.into()))
        } else {
            Err(FingerprintError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of keys/README.md is what people compare with Debian's publications: it has to be what is shipped.
    #[test]
    fn the_shipped_keys_are_those_that_the_readme_lists() {
        let readme = include_str!("../../../keys/README.md");
        let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
        let mut listed = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['`', ' '])).collect();
            let [file, fingerprint, user, expiry] = cells[..] else { panic!("{row}") };
            assert!(DEBIAN.len() > listed.len(), "{file}");
            listed.push((fingerprint.replace(' ', ""), user.to_owned(), expiry.to_owned()));
        }
        let shipped = Keyring::debian();
        let shipped: Vec<_> = shipped
            .certificates()
            .iter()
            .map(|c| {
                let expiry = c.expires().map(crate::oci::time::format_rfc3339).unwrap();
                (c.fingerprint.to_string(), c.users[0].replace(['<', '>'], ""), expiry[..10].to_owned())
            })
            .collect();
        assert_eq!(shipped.len(), 9);
        assert_eq!(shipped, listed);
    }

    #[test]
    fn what_is_no_keyring_is_refused() {
        for bytes in [&b""[..], b"hello", &[0xff, 0xff], &[0x98, 200, 4], BEGIN.as_bytes()] {
            assert!(Keyring::parse(bytes).is_err(), "{bytes:?}");
        }
        let good = DEBIAN[5].as_bytes();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.to_vec();
            bad[at] ^= 4;
            // Whatever is flipped, the fingerprint is not that of the shipped key, or nothing came in.
            if let Ok(keyring) = Keyring::parse(&bad) {
                let names: Vec<_> = keyring.keys().map(|(fingerprint, _)| fingerprint.to_string()).collect();
                assert_eq!(names, ["4D64FEC119C2029067D6E791F8D2585B8783D481"], "byte {at}");
            }
        }
    }

    #[test]
    fn fingerprints_have_one_spelling() {
        let text = "4D64FEC119C2029067D6E791F8D2585B8783D481";
        assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), text);
        assert!(text.to_lowercase().parse::<Fingerprint>().is_err() && text[1..].parse::<Fingerprint>().is_err());
    }
}

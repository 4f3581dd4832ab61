//! Clearsigned messages: a text with its signatures behind it (RFC 9580, section 7).

use super::armor;
use pgp::crypto::hash::HashAlgorithm;

const BEGIN_TEXT: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";

/// The largest message that is read, in bytes; Debian's largest has 200 kB.
const LARGEST: usize = 64 << 20;

/// A clearsigned message, taken apart; nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clearsigned {
    /// The text, and nothing that is not covered by the signatures: lines without their escapes and the white space at
    /// their ends, each ended by `\n`.
    pub(super) text: String,
    /// The hash algorithms that the header announces; a signature with another does not count.
    pub(super) hashes: Vec<HashAlgorithm>,
    /// The signature packets.
    pub(super) packets: Vec<u8>,
}

impl Clearsigned {
    /// Takes a message apart that is nothing but one message: no byte stands before it or behind it.
    ///
    /// This framing is where forgers try: text that a parser reads but the verifier skips. So whatever could be read in two
    /// ways is refused: a second message, lines that begin with `-` without an escape, unknown headers, stray control characters.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LARGEST {
            return Err("it is larger than 64 MiB");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let text = text.strip_suffix('\n').ok_or("it does not end with a line break")?;
        if text.bytes().any(|b| b < b' ' && !matches!(b, b'\n' | b'\r' | b'\t')) {
            return Err("it has a control character");
        }
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        if lines.next() != Some(BEGIN_TEXT) {
            return Err("it does not begin with a signed message");
        }
        let hashes = hashes(&mut lines)?;
        let text = unescape(&mut lines)?;
        let packets = armor::decode(&mut lines, END_SIGNATURE)?;
        if lines.next().is_some() {
            return Err("something stands behind the signature");
        }
        Ok(Self { text, hashes, packets })
    }
}

/// Reads the headers of the text: `Hash` and nothing else.
fn hashes<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<HashAlgorithm>, &'static str> {
    let mut hashes = Vec::new();
    loop {
        match lines.next() {
            None => return Err("it ends within its headers"),
            Some("") => return Ok(hashes),
            Some(line) => {
                let names = line.strip_prefix("Hash: ").ok_or("it has a header other than `Hash`")?;
                for name in names.split(',') {
                    hashes.push(hash(name.trim_ascii()).ok_or("it announces a hash algorithm that is not known")?);
                }
                if hashes.len() > 16 {
                    return Err("it announces more than 16 hash algorithms");
                }
            }
        }
    }
}

/// The algorithm of a name, which is written in one way (RFC 9580, section 9.5).
fn hash(name: &str) -> Option<HashAlgorithm> {
    Some(match name {
        "SHA256" => HashAlgorithm::Sha256,
        "SHA384" => HashAlgorithm::Sha384,
        "SHA512" => HashAlgorithm::Sha512,
        "SHA3-256" => HashAlgorithm::Sha3_256,
        "SHA3-512" => HashAlgorithm::Sha3_512,
        // These may be announced beside a strong one, but do not count.
        "SHA224" => HashAlgorithm::Sha224,
        "SHA1" => HashAlgorithm::Sha1,
        "RIPEMD160" => HashAlgorithm::Ripemd160,
        "MD5" => HashAlgorithm::Md5,
        _ => return None,
    })
}

/// Reads the text up to and with the line where the signatures begin.
fn unescape<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<String, &'static str> {
    let mut text = String::new();
    for line in lines {
        if line == BEGIN_SIGNATURE {
            return Ok(text);
        }
        let line = match line.strip_prefix("- ") {
            Some(escaped) => escaped,
            None if line.starts_with('-') => return Err("a line begins with `-` and is not escaped"),
            None => line,
        };
        if line.trim_end_matches('\r').contains('\r') {
            return Err("a line has a carriage return within");
        }
        // White space at the end of a line is not covered by the signatures.
        text.push_str(line.trim_end_matches([' ', '\t', '\r']));
        text.push('\n');
    }
    Err("it has no signature")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256, SHA512\n\na \t\n- -b\n\n- From\nc\n-----BEGIN PGP SIGNATURE-----\n\nZm9v\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn only_what_is_signed_comes_out() {
        let message = Clearsigned::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(message.text, "a\n-b\n\nFrom\nc\n");
        assert_eq!(message.hashes, [HashAlgorithm::Sha256, HashAlgorithm::Sha512]);
        assert_eq!(message.packets, b"foo");
        assert_eq!(Clearsigned::parse(GOOD.replace('\n', "\r\n").as_bytes()).unwrap(), message);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (from, to) in [
            ("-----BEGIN PGP SIGNED", "x\n-----BEGIN PGP SIGNED"),
            ("-----BEGIN PGP SIGNED", "\n-----BEGIN PGP SIGNED"),
            ("-----END PGP SIGNATURE-----\n", "-----END PGP SIGNATURE-----\n\n"),
            ("-----END PGP SIGNATURE-----\n", "-----END PGP SIGNATURE-----\nx: y\n"),
            ("-----END PGP SIGNATURE-----\n", "-----END PGP SIGNATURE-----"),
            ("-----END PGP SIGNATURE-----\n", ""),
            ("Hash:", "NotDashEscaped: x\nHash:"),
            ("Hash:", "hash:"),
            ("SHA256", "sha256"),
            ("SHA256", "SHA257"),
            ("SHA256", ""),
            ("\n\na", "\n \na"),
            ("\nc\n", "\n-c\n"),
            ("\nc\n", "\n-----BEGIN PGP SIGNED MESSAGE-----\n"),
            ("\nc\n", "\nc\rd\n"),
            ("\nc\n", "\nc\0\n"),
            ("\nc\n", "\n-----BEGIN PGP SIGNATURE----- \n"),
        ] {
            let bad = GOOD.replace(from, to);
            assert_ne!(bad, GOOD);
            assert!(Clearsigned::parse(bad.as_bytes()).is_err(), "{to:?}");
        }
        assert!(Clearsigned::parse(GOOD.repeat(2).as_bytes()).is_err(), "doubled");
        assert!(Clearsigned::parse(b"").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Clearsigned::parse(&bytes);
            let _ = Clearsigned::parse(&bytes[..at]);
        }
    }
}

//! The hash of a certificate's subject, by which OpenSSL finds it in a directory (OpenSSL 3, `X509_NAME_hash_ex`, `x509_name_canon`).
//!
//! SHA-1 over the name's canonical encoding, its first four bytes as a little-endian number. Canonical is: each set of attributes with
//! every text as UTF-8, ASCII letters in lower case, white space at both ends gone and that within made one blank.

use sha1::{Digest as _, Sha1};

/// The tags of DER that matter here.
const INTEGER: u8 = 0x02;
const UTF8: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// The DER of the certificate in a PEM file; `None`: there is not exactly one.
pub(super) fn single(pem: &[u8]) -> Option<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let text = std::str::from_utf8(pem).ok()?;
    let mut parts = text.split(BEGIN).skip(1);
    let (Some(part), None) = (parts.next(), parts.next()) else { return None };
    base64(part.split("-----END CERTIFICATE-----").next()?)
}

/// The hash of a certificate's subject; `None`: it is not a certificate.
pub(super) fn subject_hash(certificate: &[u8]) -> Option<u32> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // version?, serial, signature, issuer, validity, subject (RFC 5280, 4.1)
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
        let (found, _, behind) = element(rest)?;
        if found != tag {
            return None;
        }
        rest = behind;
    }
    let (_, subject, _) = element(rest)?;
    let digest = Sha1::digest(canonical(subject)?);
    Some(u32::from_le_bytes(digest.get(..4)?.try_into().ok()?))
}

/// A name's canonical encoding: the sets without the sequence around them.
fn canonical(mut name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while !name.is_empty() {
        let (tag, mut set, rest) = element(name)?;
        if tag != SET {
            return None;
        }
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let (_, attribute, behind) = element(set)?;
            let (_, kind, value) = element(attribute)?;
            let kind = wrapped(0x06, kind);
            let (tag, value, _) = element(value)?;
            let value =
                text(tag, value).map_or_else(|| wrapped(tag, value), |text| wrapped(UTF8, folded(&text).as_bytes()));
            attributes.push(wrapped(SEQUENCE, &[kind, value].concat()));
            set = behind;
        }
        // DER sorts the members of a set by their encoding (X.690, 11.6).
        attributes.sort_unstable();
        out.extend(wrapped(SET, &attributes.concat()));
        name = rest;
    }
    Some(out)
}

/// The text of the kinds of string that are made canonical; `None`: another kind.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    let wide = |size: usize| value.chunks(size).map(|unit| unit.iter().fold(0, |c, byte| c << 8 | u32::from(*byte)));
    match tag {
        UTF8 => String::from_utf8(value.to_vec()).ok(),
        // PrintableString, T61String (read as Latin-1), IA5String, VisibleString
        0x13 | 0x14 | 0x16 | 0x1a => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        // BMPString, UniversalString
        0x1e => wide(2).map(char::from_u32).collect(),
        0x1c => wide(4).map(char::from_u32).collect(),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

/// The first element: its tag, its content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(count)?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// An element with its tag and length in front.
fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match content.len() {
        0..0x80 => out.push(length[length.len() - 1]),
        _ => {
            // At most eight bytes of length.
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            out.extend(significant);
        }
    }
    out.extend(content);
    out
}

/// Base64 with line ends (RFC 4648).
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_as_openssl_does() {
        assert_eq!(folded("  GlobalSign \t Root  CÄ "), "globalsign root cÄ");
        assert_eq!(text(0x1e, &[0, b'a', 1, 0x53]).unwrap(), "aœ");
    }

    #[test]
    fn what_is_no_certificate_has_no_hash() {
        assert_eq!(subject_hash(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(subject_hash(b""), None);
        assert_eq!(single(b"-----BEGIN CERTIFICATE-----\n@\n-----END CERTIFICATE-----\n"), None);
        assert_eq!(base64("aGFs\nbG8=").unwrap(), b"hallo");
        assert_eq!(wrapped(4, &[7; 200])[..3], [4, 0x81, 200]);
    }
}

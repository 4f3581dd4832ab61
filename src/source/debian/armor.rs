//! ASCII armour: OpenPGP packets as text (RFC 9580, section 6).

/// The most base64 characters of one line.
const LONGEST_LINE: usize = 76;

/// Reads the rest of an armoured block behind its `-----BEGIN …-----` line, up to and with its end line.
///
/// Stricter than GnuPG, which skips what is not base64: every line has to be whole. The checksum may be missing, as
/// RFC 9580 advises; a wrong one is refused.
pub(super) fn decode<'a>(lines: &mut impl Iterator<Item = &'a str>, end: &str) -> Result<Vec<u8>, &'static str> {
    loop {
        match lines.next() {
            None => return Err("the armour ends within its headers"),
            Some("") => break,
            Some(header) if header.split_once(": ").is_some_and(|(key, _)| is_header_key(key)) => {}
            Some(_) => return Err("an armour header is not `Key: value`"),
        }
    }
    let mut text = Vec::new();
    let mut checksum = None;
    loop {
        let Some(line) = lines.next() else { return Err("the armour has no end") };
        if line == end {
            break;
        }
        if checksum.is_some() {
            return Err("the armour goes on behind its checksum");
        }
        if let Some(sum) = line.strip_prefix('=') {
            checksum = Some(base64(sum.as_bytes()).filter(|sum| sum.len() == 3).ok_or("the checksum is not base64")?);
        } else if line.is_empty() || line.len() > LONGEST_LINE || text.last() == Some(&b'=') {
            return Err("a line of the armour is empty, too long, or stands behind the padding");
        } else {
            text.extend_from_slice(line.as_bytes());
        }
    }
    let bytes = base64(&text).ok_or("the armour is not base64")?;
    if checksum.is_some_and(|sum| sum != crc24(&bytes)) {
        return Err("the checksum does not match");
    }
    Ok(bytes)
}

/// Whether a text can be the key of an armour header.
pub(super) fn is_header_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Decodes canonical base64 with padding (RFC 4648, section 4).
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut groups = text.chunks_exact(4).peekable();
    while let Some(group) = groups.next() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && groups.peek().is_some()) {
            return None;
        }
        let mut bits = 0u32;
        for digit in &group[..4 - padding] {
            bits = bits << 6 | sextet(*digit)?;
        }
        bits <<= 6 * padding;
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (kept, rest) = decoded.split_at(3 - padding);
        if rest.iter().any(|b| *b != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// The checksum of armour (RFC 9580, section 6.1.1).
fn crc24(bytes: &[u8]) -> [u8; 3] {
    let mut crc = 0x00b7_04ce_u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    let [_, sum @ ..] = crc.to_be_bytes();
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<u8>, &'static str> {
        decode(&mut text.split('\n'), "END")
    }

    #[test]
    fn armour_is_read_strictly() {
        // The vectors of RFC 4648, section 10.
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9v\nYmFy", "foobar")] {
            assert_eq!(read(&format!("Version: 1\n\n{text}\nEND")).unwrap(), bytes.as_bytes());
        }
        assert_eq!(crc24(b"123456789"), [0x21, 0xcf, 0x02]);
        assert!(read("\nZm9v\n=AAAA\nEND").is_err(), "a wrong checksum");
        for text in [
            "",
            "\nZm9v",
            "Zm9v\nEND",
            "\nZh==\nEND",
            "\nZg=a\nEND",
            "\nZg==\nZg==\nEND",
            "\nZm9\nEND",
            "\nZm9v\n\nEND",
            "\nZm-v\nEND",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Za-z0-9=+/\n:-]{0,60}") {
            let _ = read(&format!("\n{text}\nEND"));
        }
    }
}

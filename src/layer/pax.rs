//! Records of a pax extended header, written and read.
//!
//! Source: POSIX.1-2017, pax, "pax Extended Header": `<length> <key>=<value>\n`, the length in decimal and counting itself.

/// Records to write; the caller pushes them in byte order of their keys.
#[derive(Default)]
pub(super) struct Records(Vec<u8>);

impl Records {
    /// Adds a record whose key is the parts together.
    pub(super) fn push(&mut self, key: &[&str], value: &[u8]) {
        let rest = 3 + key.iter().map(|part| part.len()).sum::<usize>() + value.len();
        // The digits of the length count too, and can carry it over to one digit more.
        let mut length = rest + digits(rest);
        length = rest + digits(length);
        self.0.extend_from_slice(length.to_string().as_bytes());
        self.0.push(b' ');
        for part in key {
            self.0.extend_from_slice(part.as_bytes());
        }
        self.0.push(b'=');
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }

    /// Gives the number back if that many octal digits hold it; else adds a record and gives back 0.
    pub(super) fn octal_or(&mut self, key: &str, value: u64, digits: u32) -> u64 {
        if value >> (3 * digits) == 0 {
            return value;
        }
        self.push(&[key], value.to_string().as_bytes());
        0
    }

    /// The header's content; empty: no header is needed.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// A key and its value.
pub(super) type Record<'a> = (&'a [u8], &'a [u8]);

/// Takes records apart, whatever bytes the values have.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, &'static str> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().take(8).position(|&byte| byte == b' ').ok_or("a pax record has no length")?;
        let length: usize = std::str::from_utf8(&bytes[..space])
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or("a pax record's length is no number")?;
        if length <= space || length > bytes.len() || bytes[length - 1] != b'\n' {
            return Err("a pax record's length is wrong");
        }
        let record = &bytes[space + 1..length.max(space + 2) - 1];
        let equals = record.iter().position(|&byte| byte == b'=').ok_or("a pax record has no value")?;
        records.push((&record[..equals], &record[equals + 1..]));
        bytes = &bytes[length..];
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_counts_itself() {
        for size in (0..2000).chain([9_980, 9_981, 9_982, 9_983, 99_990, 99_991]) {
            let mut records = Records::default();
            let value = vec![b'\n'; size];
            records.push(&["k", "ey"], &value);
            records.push(&["z"], b"");
            let bytes = records.into_bytes();
            assert_eq!(parse(&bytes), Ok(vec![(&b"key"[..], &value[..]), (b"z", b"")]), "{size}");
        }
    }

    #[test]
    fn damaged_records_are_refused() {
        for bytes in [
            &b"6 k=v"[..],
            b"5 k=v\n",
            b"7 k=v\n",
            b"x k=v\n",
            b"+6 k=v\n",
            b"6k=v\n\n",
            b"4 k\n",
            b"0 ",
            b"2 ",
            b"2 \n",
            b"3 \n",
        ] {
            assert!(parse(bytes).is_err(), "{:?}", bytes.escape_ascii().to_string());
        }
    }
}

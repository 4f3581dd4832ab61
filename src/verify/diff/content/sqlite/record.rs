//! Records: the values of a row (`SQLite` file format, 2.1 "Record Format").

/// A blob is shown up to so many bytes.
const BLOB: usize = 64;

/// At most so many columns; `SQLite` itself takes 32,767.
const COLUMNS: usize = 2000;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Blob(&'a [u8]),
    Text(&'a [u8]),
}

/// Reads a number of variable length (1.6, "B-tree Pages"): one to nine bytes, seven bits each, the highest first; the ninth has eight.
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut value = 0_u64;
    for length in 0..8 {
        let byte = *bytes.get(at.checked_add(length)?)?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value.cast_signed(), length + 1));
        }
    }
    let last = *bytes.get(at.checked_add(8)?)?;
    Some(((value << 8 | u64::from(last)).cast_signed(), 9))
}

/// The values of a record; `None` where it is none.
pub(super) fn values(record: &[u8]) -> Option<Vec<Value<'_>>> {
    let (header, length) = varint(record, 0)?;
    let header = usize::try_from(header).ok().filter(|&header| header <= record.len())?;
    let (mut at, mut body) = (length, header);
    let mut values = Vec::new();
    while at < header && values.len() < COLUMNS {
        let (kind, length) = varint(record, at)?;
        at += length;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            kind if kind >= 12 => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = record.get(body..body.checked_add(size)?)?;
        body += size;
        values.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            8 | 9 => Value::Integer(kind - 8),
            kind if kind % 2 == 0 => Value::Blob(bytes),
            _ => Value::Text(bytes),
        });
    }
    Some(values)
}

/// A number of one to eight bytes, the highest first, with a sign.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |value, byte| value << 8 | i64::from(*byte))
}

/// A record as text, a line a value.
pub(super) fn text(record: &[u8]) -> Option<String> {
    let line = |value: &Value<'_>| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().take(BLOB).map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'{}", if bytes.len() > BLOB { "…" } else { "" })
        }
    };
    Some(values(record)?.iter().map(line).collect::<Vec<_>>().join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_read() {
        // Header of 7 bytes; NULL, one byte, 1, a text of two, a blob of one, two bytes.
        let record = [&[7, 0, 1, 9, 17, 14, 2][..], &[0xff], b"hi", &[0xab], &[0x01, 0x00]].concat();
        assert_eq!(text(&record).unwrap(), "NULL\n-1\n1\nhi\nx'ab'\n256\n");
        assert_eq!(values(&record[..8]), None);
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((-1, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
    }
}

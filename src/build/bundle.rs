//! Several named byte strings in one blob, so that what belongs together is one file of the store.
//!
//! ```text
//! "remint bundle 1\n", then a part each, sorted by name: length of the name, name, length of the bytes (both 8 bytes,
//! little-endian), bytes
//! ```

use std::collections::BTreeMap;

const MAGIC: &[u8] = b"remint bundle 1\n";

/// Named byte strings.
pub(super) type Parts = BTreeMap<String, Vec<u8>>;

/// Writes the parts one after the other.
pub(super) fn encode(parts: &Parts) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for (name, bytes) in parts {
        out.extend_from_slice(&(name.len() as u64).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// Reads the parts; `None` for anything that [`encode`] does not write.
pub(super) fn decode(bytes: &[u8]) -> Option<Parts> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut parts = Parts::new();
    while !rest.is_empty() {
        let name = String::from_utf8(take(&mut rest)?.to_vec()).ok()?;
        let bytes = take(&mut rest)?.to_vec();
        parts.insert(name, bytes);
    }
    Some(parts)
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<8>()?;
    let (bytes, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_back_and_damage_is_no_panic() {
        let parts = Parts::from([("a".into(), vec![]), ("control/postinst".into(), vec![0, 255, 10])]);
        let bytes = encode(&parts);
        assert_eq!(decode(&bytes), Some(parts));
        for cut in 0..bytes.len() {
            let whole = decode(&bytes[..cut]);
            assert!(whole.is_none_or(|parts| parts.len() < 2), "{cut}");
        }
        let mut absurd = MAGIC.to_vec();
        absurd.extend_from_slice(&u64::MAX.to_le_bytes());
        assert!(decode(&absurd).is_none());
    }
}

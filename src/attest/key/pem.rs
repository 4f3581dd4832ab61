//! The first block of a PEM text (RFC 7468).

use super::KeyError;

/// The longest text that is read, in bytes; a key of ours has 250.
pub(super) const LIMIT: usize = 64 << 10;

/// Finds the first block of a text and gives its label and itself, with its two lines of dashes. What stands before it is explanation
/// (RFC 7468, 2).
pub(super) fn block<'a>(
    bytes: &'a [u8],
    what: &'static str,
    label: &'static str,
) -> Result<(&'a str, &'a str), KeyError> {
    if bytes.len() > LIMIT {
        return Err(KeyError::TooLong { what, limit: LIMIT });
    }
    let not_pem = || KeyError::NotPem { what, label };
    let text = std::str::from_utf8(bytes).map_err(|_| not_pem())?;
    let text = &text[text.find("-----BEGIN ").ok_or_else(not_pem)?..];
    let (found, rest) = text["-----BEGIN ".len()..].split_once("-----").ok_or_else(not_pem)?;
    // A label is short and of capitals; anything else may be part of a key that somebody broke up.
    if found.len() > 64 || !found.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') {
        return Err(not_pem());
    }
    let end = format!("-----END {found}-----");
    let length = rest.find(&end).ok_or_else(not_pem)? + end.len();
    Ok((found, &text[..text.len() - rest.len() + length]))
}

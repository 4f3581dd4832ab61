//! How much memory a JSON document takes once it is parsed, told before it is.

/// What a member of an object takes in memory, an element of a list, and so on, in bytes: nodes of maps have room for eleven members and
/// may be half full, lists grow to twice their size, and no allocation is smaller than two words.
const OBJECT: u64 = 640;
const MEMBER: u64 = 150;
const LIST: u64 = 144;
const ELEMENT: u64 = 96;
const QUOTE: u64 = 20;

/// An upper bound, in bytes, of the memory that a document takes as a [`serde_json::Value`].
///
/// A document of 4 MiB that is a list of small objects takes some hundred times that, so documents of others are weighed before
/// they are parsed.
#[must_use]
pub fn json_weight(document: &[u8]) -> u64 {
    let (mut weight, mut text, mut escaped) = (document.len() as u64, false, false);
    for &byte in document {
        if text {
            text = byte != b'"' || escaped;
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        weight += match byte {
            b'{' => OBJECT,
            b':' => MEMBER,
            b'[' => LIST,
            b',' => ELEMENT,
            b'"' => {
                (text, escaped) = (true, false);
                2 * QUOTE
            }
            _ => 0,
        };
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_text_weighs_what_it_is_long() {
        assert_eq!(json_weight(b"17"), 2);
        assert_eq!(json_weight(br#""{[:,\"{\\""#), 11 + 2 * QUOTE);
        assert_eq!(json_weight(br#"{"a":[1,"\\"]}"#), 14 + OBJECT + MEMBER + LIST + ELEMENT + 4 * QUOTE);
    }
}

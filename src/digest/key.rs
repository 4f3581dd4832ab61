//! Stable hashing of structured data into action keys.

use super::{Digest, Hasher};
use std::fmt;
use std::str::FromStr;

/// The name of an action: the digest of everything that decides its result, and of nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionKey(pub Digest);

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for ActionKey {
    type Err = super::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Hashes fields into an [`ActionKey`].
///
/// The encoding is remint's own and for ever: each field is a tag byte for its type, the length of its name and the name, then
/// its value; lengths and integers are 8 bytes, little-endian; lists say how many elements follow. So no two different
/// sequences of fields have the same bytes: `{"ab": "cd"}` is not `{"a": "bcd"}`, and an empty list is not an absent field.
pub struct KeyHasher {
    hasher: Hasher,
    /// Bytes that are not hashed yet: fields are short, and a hash likes its bytes in long pieces.
    pending: Vec<u8>,
}

/// How many bytes may be pending.
const PENDING: usize = 4 << 10;

/// The first bytes of every key: what the key is for, so that no digest from elsewhere can be one.
const DOMAIN: &str = "remint action key 1";

impl KeyHasher {
    /// Starts the key of an action of a kind.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        let mut key = Self { hasher: Hasher::new(), pending: Vec::with_capacity(PENDING) };
        key.sized(DOMAIN.as_bytes());
        key.sized(kind.as_bytes());
        key
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.field(b't', name).sized(value.as_bytes());
        self
    }

    /// Adds bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) -> &mut Self {
        self.field(b'b', name).sized(value);
        self
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.field(b'n', name).put(&value.to_le_bytes());
        self
    }

    /// Adds a yes or no.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.field(b'f', name).put(&[u8::from(value)]);
        self
    }

    /// Adds a digest.
    pub fn digest(&mut self, name: &str, value: &Digest) -> &mut Self {
        self.field(b'd', name).put(value.as_bytes());
        self
    }

    /// Adds the key of an action whose result is an input.
    pub fn key(&mut self, name: &str, value: &ActionKey) -> &mut Self {
        self.field(b'k', name).put(value.0.as_bytes());
        self
    }

    /// Says that `count` elements follow, each with fields of its own.
    pub fn list(&mut self, name: &str, count: usize) -> &mut Self {
        self.field(b'l', name).put(&(count as u64).to_le_bytes());
        self
    }

    /// Names everything that was added.
    #[must_use]
    pub fn finish(mut self) -> ActionKey {
        self.hasher.update(&self.pending);
        ActionKey(self.hasher.finish())
    }

    fn field(&mut self, tag: u8, name: &str) -> &mut Self {
        self.put(&[tag]);
        self.sized(name.as_bytes());
        self
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u64).to_le_bytes());
        self.put(bytes);
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > PENDING {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        if bytes.len() < PENDING {
            self.pending.extend_from_slice(bytes);
        } else {
            self.hasher.update(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(fields: &[(&str, &str)]) -> ActionKey {
        let mut key = KeyHasher::new("test");
        for (name, value) in fields {
            key.text(name, value);
        }
        key.finish()
    }

    #[test]
    fn no_two_sequences_of_fields_collide() {
        let keys = [
            texts(&[]),
            texts(&[("", "")]),
            texts(&[("ab", "cd")]),
            texts(&[("a", "bcd")]),
            texts(&[("abcd", "")]),
            texts(&[("a", "b"), ("c", "d")]),
            texts(&[("c", "d"), ("a", "b")]),
            KeyHasher::new("tes").finish(),
            {
                let mut key = KeyHasher::new("test");
                key.bytes("ab", b"cd");
                key.finish()
            },
            {
                let mut key = KeyHasher::new("test");
                key.list("ab", 0);
                key.finish()
            },
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn values_of_any_length_are_hashed_where_they_stand() {
        for length in [0, 1, PENDING - 100, PENDING - 1, PENDING, PENDING + 1, 3 * PENDING] {
            let (value, mut key, mut plain) = (vec![b'x'; length], KeyHasher::new("test"), Vec::new());
            let sized = |plain: &mut Vec<u8>, bytes: &[u8]| {
                plain.extend((bytes.len() as u64).to_le_bytes());
                plain.extend(bytes);
            };
            sized(&mut plain, DOMAIN.as_bytes());
            sized(&mut plain, b"test");
            for name in ["a", "b", "c"] {
                key.bytes(name, &value);
                plain.push(b'b');
                sized(&mut plain, name.as_bytes());
                sized(&mut plain, &value);
            }
            assert_eq!(key.finish().0, Digest::of(&plain), "{length}");
        }
    }

    /// A golden key: the encoding outlives versions of this tool, so this value never changes.
    #[test]
    fn the_encoding_is_pinned() {
        let mut key = KeyHasher::new("golden");
        key.text("text", "value")
            .bytes("bytes", &[0, 255])
            .number("number", 7)
            .flag("flag", true)
            .digest("digest", &Digest::of(b""))
            .list("list", 2);
        let inner = key.finish();
        let mut key = KeyHasher::new("golden");
        key.key("key", &inner);
        assert_eq!(key.finish().to_string(), "sha256:c81a5c0757764030b587a9f75a0a045b387d0dfde88b131c42bb1202d00bc1ee");
    }
}

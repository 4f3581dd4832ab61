//! Whether two sequences have the same parts in another order, told without keeping or sorting the parts.
//!
//! The parts' hashes are added up, which no order changes: a multiset hash (Clarke, Devadas, van Dijk, Gassend, Suh: "Incremental
//! Multiset Hash Functions and Their Application to Memory Integrity Checking", 2003). Sums of 128 bits can be steered by who knows the
//! hashes of what to add (Wagner: "A Generalized Birthday Problem", 2002), so these have a key that both sequences together make:
//! each choice of parts changes all hashes.

use std::io::{self, Write};

/// Makes the hashes of two sequences' parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums([u8; 32]);

/// Parts added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    count: u64,
    total: u128,
}

/// Makes the key.
#[derive(Debug, Default)]
pub(super) struct Key(blake3::Hasher);

impl Sums {
    /// For the parts of these two wholes.
    pub(super) fn of(a: &[u8], b: &[u8]) -> Self {
        let mut key = Key::default();
        key.0.update(&(a.len() as u64).to_le_bytes()).update(a).update(b);
        key.done()
    }

    /// Adds up a sequence.
    pub(super) fn sum<T: AsRef<[u8]>>(self, parts: impl IntoIterator<Item = T>) -> Sum {
        parts.into_iter().fold(Sum { count: 0, total: 0 }, |sum, part| {
            let hash = *blake3::keyed_hash(&self.0, part.as_ref()).as_bytes();
            let (low, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
            Sum { count: sum.count + 1, total: sum.total.wrapping_add(u128::from_le_bytes(*low)) }
        })
    }

    /// Whether two sequences have the same parts.
    pub(super) fn same<T: AsRef<[u8]>>(self, a: impl IntoIterator<Item = T>, b: impl IntoIterator<Item = T>) -> bool {
        self.sum(a) == self.sum(b)
    }
}

impl Key {
    /// The hashes that it makes.
    pub(super) fn done(self) -> Sums {
        Sums(*self.0.finalize().as_bytes())
    }
}

impl Write for Key {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How often each byte occurs: what is only put in another order has the same.
pub(super) fn histogram(bytes: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_is_free() {
        let sums = Sums::of(b"one", b"two");
        assert!(sums.same(["a", "b", "b"], ["b", "a", "b"]));
        for (a, b) in [(&["a", "b"][..], &["a", "a"][..]), (&["a"], &["a", ""]), (&["ab"], &["a", "b"]), (&[], &[""])] {
            assert!(!sums.same(a, b), "{a:?} {b:?}");
        }
        // Another whole, other hashes.
        assert_ne!(sums.sum(["a"]), Sums::of(b"on", b"etwo").sum(["a"]));
    }
}

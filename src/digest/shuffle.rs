//! An order that a seed decides, for runs that show that no order matters.

use super::Hasher;

/// A seed that puts anything with a name at a place of its own.
///
/// The same seed gives the same order on any machine; nothing of an image may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shuffle(pub u64);

impl Shuffle {
    /// Where something with this name stands among others: sorted by it, they are shuffled.
    #[must_use]
    pub fn place(self, name: &[u8]) -> u64 {
        let mut hasher = Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        hasher.update(name);
        let digest = hasher.finish();
        let first = digest.as_bytes().first_chunk().expect("a digest has more than eight bytes");
        u64::from_le_bytes(*first)
    }

    /// One of several values, by the name of what is chosen.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn choose<'a, T>(self, name: &str, values: &'a [T]) -> &'a T {
        let count = u64::try_from(values.len()).expect("a slice fits into memory");
        let at = self.place(name.as_bytes()) % count;
        &values[usize::try_from(at).expect("less than the length")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_order_and_another_seed_another() {
        let order = |seed| {
            let mut numbers: Vec<u8> = (0..50).collect();
            numbers.sort_by_key(|number| Shuffle(seed).place(&[*number]));
            numbers
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_ne!(order(1), (0..50).collect::<Vec<u8>>());
        let chosen: std::collections::BTreeSet<u8> =
            (0..50).map(|seed| *Shuffle(seed).choose("x", &[1, 2, 3])).collect();
        assert_eq!(chosen, [1, 2, 3].into());
    }
}

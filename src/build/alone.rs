//! What one thread does alone, since a core that sleeps takes longer to wake than such work does.

use rayon::prelude::*;

/// Whether parts of so many bytes are read, hashed or compressed by one thread.
pub(super) fn bytes(sizes: impl Iterator<Item = u64>) -> bool {
    sizes.fold(0, u64::saturating_add) < 1 << 20
}

/// Whether so many files of the store are looked at by one thread.
pub(super) fn files(number: usize) -> bool {
    number < 4
}

/// Does something with each of some items, here or on all cores; the answers are in the order of the items.
pub(super) fn each<T: Sync, R: Send>(items: &[T], alone: bool, work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if alone { items.iter().map(work).collect() } else { items.par_iter().map(work).collect() }
}

/// Does two things, one after the other or at the same time.
pub(super) fn both<A: Send, B: Send>(
    alone: bool,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if alone { (one(), other()) } else { rayon::join(one, other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_much_is_shared() {
        assert!(bytes([1 << 19, (1 << 19) - 1].into_iter()) && files(3));
        assert!(!bytes([1 << 19, 1 << 19].into_iter()) && !files(4));
        assert!(!bytes([u64::MAX, 2].into_iter()));
    }

    #[test]
    fn answers_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        for alone in [true, false] {
            assert_eq!(each(&items, alone, |item| item * 2), doubled);
            assert_eq!(both(alone, || 1, || "two"), (1, "two"));
        }
    }
}

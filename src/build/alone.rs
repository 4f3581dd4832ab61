//! What one thread does alone, since a core that sleeps takes longer to wake than such work does.

use rayon::prelude::*;

/// Whether so many bytes are read, hashed or compressed by one thread.
pub(super) fn bytes(number: u64) -> bool {
    number < 1 << 20
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

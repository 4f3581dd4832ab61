//! Choices that look random and can be repeated.

/// A generator with a fixed seed (Marsaglia's xorshift64).
pub(crate) fn random(state: &mut u64, limit: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % limit as u64).unwrap()
}

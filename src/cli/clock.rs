//! The time: the one place where remint reads the clock of the machine, and where a rebuild that must not depend on it shifts it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// By how many seconds what is taken for now differs from the machine's clock.
static SHIFT: AtomicI64 = AtomicI64::new(0);

/// The time since 1970.
#[expect(clippy::disallowed_methods, reason = "cli knows the time, and hands it to those who may")]
pub(crate) fn now() -> Duration {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    shifted(clock, SHIFT.load(Ordering::Relaxed))
}

/// Shifts what this process takes for now by some seconds, for as long as it lives.
pub(super) fn shift(seconds: i64) {
    SHIFT.store(seconds, Ordering::Relaxed);
}

fn shifted(clock: Duration, seconds: i64) -> Duration {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { clock.saturating_sub(by) } else { clock.saturating_add(by) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_shifted_both_ways_and_never_before_its_beginning() {
        let clock = Duration::new(1000, 7);
        assert_eq!(shifted(clock, 5), Duration::new(1005, 7));
        assert_eq!(shifted(clock, -5), Duration::new(995, 7));
        assert_eq!(shifted(clock, i64::MIN), Duration::ZERO);
    }
}

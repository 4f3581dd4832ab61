//! How often something is tried again, and with what pauses between.

use super::wire::Patience;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The attempts at one task.
pub(super) struct Tries {
    patience: Patience,
    /// Which attempt without progress this is, from 1.
    attempt: u32,
    all: u32,
}

impl Tries {
    /// Before the first attempt.
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, attempt: 1, all: 0 }
    }

    /// The pause before the next attempt; `None`: there is none. Progress begins a new series, but there is an end to that too.
    pub(super) fn next(&mut self, progress: bool, asked: Option<Duration>) -> Option<Duration> {
        self.attempt = if progress { 1 } else { self.attempt + 1 };
        self.all += 1;
        if self.attempt > self.patience.attempts || self.all >= self.patience.most {
            return None;
        }
        let pause = match asked {
            // Never earlier than it was asked for, but for the longest pause.
            Some(asked) => asked.saturating_add(asked.mul_f64(0.1 * random())),
            None => self.patience.pause(self.attempt).mul_f64(0.75 + 0.5 * random()),
        };
        Some(pause.min(self.patience.longest_pause))
    }
}

/// A pause of any length up to twice this one, so that those who were in each other's way are not so again.
pub(super) fn scattered(pause: Duration) -> Duration {
    pause.mul_f64(2.0 * random())
}

/// From 0 to 1, so that many clients that failed at once do not come back at once. No result depends on it.
fn random() -> f64 {
    f64::from((RandomState::new().hash_one(0) >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_vary_and_obey_and_end() {
        let patience = Patience { attempts: 3, most: 5, ..Patience::default() };
        let mut tries = Tries::new(patience);
        let first = tries.next(false, None).unwrap().as_millis();
        assert!((187..=313).contains(&first), "{first}");
        let asked = Duration::from_secs(7);
        let pause = tries.next(false, Some(asked)).unwrap();
        assert!(pause >= asked && pause <= asked * 11 / 10, "{pause:?}");
        assert_eq!(tries.next(false, None), None);
        let mut tries = Tries::new(patience);
        assert_eq!(tries.next(false, Some(Duration::from_secs(3600))), Some(patience.longest_pause));
        let waits = (0..10).take_while(|_| tries.next(true, None).is_some()).count();
        assert_eq!(waits, 3, "progress does not last for ever");
    }
}

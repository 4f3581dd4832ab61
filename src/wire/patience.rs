//! How long servers are waited for: every wait has an end.

use std::time::Duration;

/// Bounds on waiting. None of them can change what comes back, so tests shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long to wait for a connection, for an answer's beginning, and for more of it.
    pub silence: Duration,
    /// How often one address is tried without any progress.
    pub attempts: u32,
    /// How often one address is tried at most.
    pub most: u32,
    /// The pause before the second attempt; each further one is four times as long.
    pub first_pause: Duration,
    /// The longest pause, whoever asks for it.
    pub longest_pause: Duration,
    /// After which time a transfer has to have reached [`Patience::slowest`] on average: a server that drips could hold a run for days.
    pub slow_start: Duration,
    /// In bytes a second.
    pub slowest: u64,
}

impl Default for Patience {
    /// Half a minute of silence, four attempts without progress, pauses of 250 ms, 1 s and 4 s, a minute at most where a server asks.
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            attempts: 4,
            most: 40,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(60),
            slow_start: Duration::from_secs(60),
            slowest: 1024,
        }
    }
}

impl Patience {
    /// The pause before an attempt, counted from 1; before the first one of a new series, as before a second one.
    #[must_use]
    pub fn pause(&self, attempt: u32) -> Duration {
        let factor = 4_u32.saturating_pow(attempt.saturating_sub(2));
        self.first_pause.saturating_mul(factor).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let patience = Patience::default();
        let pauses: Vec<u128> = (1..=4).map(|attempt| patience.pause(attempt).as_millis()).collect();
        assert_eq!(pauses, [250, 250, 1000, 4000]);
        assert_eq!(patience.pause(u32::MAX), patience.longest_pause);
    }
}

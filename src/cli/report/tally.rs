//! Counts a run's events: what every way of showing it reads.

use crate::cli::amount;
use crate::digest::ActionKey;
use crate::event::Event;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

/// The rate of downloads is the mean of this much time.
const WINDOW: Duration = Duration::from_secs(4);

/// What a run has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its downloads.
    pub fetches: Fetches,
    /// Its actions.
    pub actions: Actions,
    /// What it reads through.
    pub checks: Fetches,
    /// Its uploads.
    pub sends: Fetches,
}

/// The downloads of a run, or what it reads through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetches {
    /// How many files were decided on.
    pub files_planned: u64,
    /// How many bytes they have, where known.
    pub bytes_planned: u64,
    /// How many files are there.
    pub files: u64,
    /// How many bytes came in, those of files that are not whole included.
    pub bytes: u64,
    /// When the first batch was decided on.
    pub began: Option<Duration>,
    /// How many bytes had come in at some moments of the last few seconds.
    samples: VecDeque<(Duration, u64)>,
}

/// The actions of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions {
    /// How many were decided on.
    pub planned: u64,
    /// How many results are there.
    pub done: u64,
    /// How many of those were there before.
    pub reused: u64,
    /// How many failed.
    pub failed: u64,
    /// When the first one that was not there began.
    pub began: Option<Duration>,
    /// Those that run, by when they began, and by key.
    running: BTreeMap<(Duration, ActionKey), String>,
}

impl Tally {
    /// Counts an event.
    pub(super) fn count(&mut self, event: &Event, at: Duration) {
        let (fetches, actions) = (&mut self.fetches, &mut self.actions);
        match event {
            Event::FetchPlanned { files, bytes } => {
                fetches.files_planned = fetches.files_planned.saturating_add(*files);
                fetches.bytes_planned = fetches.bytes_planned.saturating_add(*bytes);
                if *files > 0 {
                    fetches.began.get_or_insert(at);
                }
            }
            Event::FetchProgress { bytes } => fetches.bytes = fetches.bytes.saturating_add(*bytes),
            Event::FetchDone { .. } => fetches.files += 1,
            Event::SendPlanned { blobs, bytes } => {
                self.sends.files_planned = self.sends.files_planned.saturating_add(*blobs);
                self.sends.bytes_planned = self.sends.bytes_planned.saturating_add(*bytes);
                if *blobs > 0 {
                    self.sends.began.get_or_insert(at);
                }
            }
            Event::SendProgress { bytes } => self.sends.bytes = self.sends.bytes.saturating_add(*bytes),
            Event::SendDone { .. } => self.sends.files += 1,
            Event::CheckPlanned { files, bytes } => {
                self.checks = Fetches { files_planned: *files, bytes_planned: *bytes, ..Fetches::default() };
                self.checks.began = Some(at);
            }
            Event::Checked { bytes } => {
                self.checks.files += 1;
                self.checks.bytes += bytes;
            }
            Event::BuildPlanned { actions: more } => actions.planned = actions.planned.saturating_add(*more),
            Event::ActionStarted { key, name } => {
                actions.began.get_or_insert(at);
                actions.running.insert((at, *key), name.clone());
            }
            Event::ActionDone { key, cached, .. } => {
                actions.done += 1;
                actions.reused += u64::from(*cached);
                actions.end(*key);
            }
            Event::ActionFailed { key, .. } => {
                // What could not be fetched fails too, and was not planned as an action.
                actions.failed += u64::from(actions.end(*key));
            }
            _ => {}
        }
    }

    /// Remembers how far downloads, checks and uploads are, for their rates.
    pub(super) fn sample(&mut self, at: Duration) {
        for fetches in [&mut self.fetches, &mut self.checks, &mut self.sends] {
            if fetches.began.is_some() && !fetches.complete() {
                fetches.samples.push_back((at, fetches.bytes));
                while fetches.samples.front().is_some_and(|&(then, _)| at.saturating_sub(then) > WINDOW) {
                    fetches.samples.pop_front();
                }
            }
        }
    }
}

impl Fetches {
    /// Whether everything that was decided on is there.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.files >= self.files_planned
    }

    /// The bytes a second of the last few seconds; `None` while too little is known.
    #[must_use]
    pub fn rate(&self) -> Option<u64> {
        let (&(first, before), &(last, after)) = (self.samples.front()?, self.samples.back()?);
        let time = last.saturating_sub(first);
        (time >= Duration::from_millis(500)).then(|| per_second(after.saturating_sub(before), time))
    }

    /// How far they are: `60 of 120 files, 20.1 of 45.3 MB, 4.00 MB/s`.
    #[must_use]
    pub fn progress(&self) -> String {
        let mut text = format!("{} of {}", self.files, amount::count(self.files_planned, "file"));
        if self.bytes_planned > 0 {
            let (bytes, planned) = (amount::size(self.bytes.min(self.bytes_planned)), amount::size(self.bytes_planned));
            // The unit is said once where both have the same.
            let bytes = match (bytes.split_once(' '), planned.split_once(' ')) {
                (Some((number, unit)), Some((_, same))) if unit == same => number,
                _ => &bytes,
            };
            let _ = write!(text, ", {bytes} of {planned}");
        } else if self.bytes > 0 {
            let _ = write!(text, ", {}", amount::size(self.bytes));
        }
        if let Some(rate) = self.rate() {
            let _ = write!(text, ", {}/s", amount::size(rate));
        }
        text
    }
}

impl Actions {
    /// The names of those that run and how long each has, the longest first.
    pub fn running(&self, at: Duration) -> impl ExactSizeIterator<Item = (&str, Duration)> {
        self.running.iter().map(move |((began, _), name)| (name.as_str(), at.saturating_sub(*began)))
    }

    /// How far they are: `120 of 240 actions, 80 reused`.
    #[must_use]
    pub fn progress(&self) -> String {
        let mut text = format!("{} of {}", self.done + self.failed, amount::count(self.planned, "action"));
        for (number, what) in [(self.reused, "reused"), (self.failed, "failed")] {
            if number > 0 {
                let _ = write!(text, ", {number} {what}");
            }
        }
        text
    }

    /// Takes an action off those that run; whether it was one of them.
    fn end(&mut self, key: ActionKey) -> bool {
        let before = self.running.len();
        // At most one for each core: a scan is cheap.
        self.running.retain(|(_, running), _| *running != key);
        self.running.len() < before
    }
}

/// A rate, whatever the time.
pub(super) fn per_second(bytes: u64, time: Duration) -> u64 {
    let rate = u128::from(bytes) * 1_000_000 / time.as_micros().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::digest::Digest;

    pub(in super::super) fn key(name: &str) -> ActionKey {
        ActionKey(Digest::of(name.as_bytes()))
    }

    pub(in super::super) fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn downloads_have_a_rate() {
        let mut tally = Tally::default();
        tally.count(&Event::FetchPlanned { files: 3, bytes: 45_300_000 }, seconds(1));
        assert_eq!(tally.fetches.progress(), "0 of 3 files, 0 B of 45.3 MB");
        for second in 1..=10 {
            tally.sample(seconds(second));
            tally.count(&Event::FetchProgress { bytes: 2_000_000 }, seconds(second));
        }
        tally.count(&Event::FetchDone { name: "a".into(), size: 5 }, seconds(10));
        assert_eq!(tally.fetches.progress(), "1 of 3 files, 20.0 of 45.3 MB, 2.00 MB/s");
        assert!(tally.fetches.samples.len() <= 5);
        tally.count(&Event::FetchProgress { bytes: u64::MAX }, seconds(11));
        assert!(tally.fetches.progress().contains("45.3 of 45.3 MB"), "a repeated download never shows more than all");
    }

    #[test]
    fn what_runs_longest_comes_first() {
        let mut tally = Tally::default();
        tally.count(&Event::BuildPlanned { actions: 4 }, seconds(0));
        for (name, at) in [("b", 1), ("a", 2), ("c", 3)] {
            tally.count(&Event::ActionStarted { key: key(name), name: name.into() }, seconds(at));
        }
        let done =
            |name: &str, cached| Event::ActionDone { key: key(name), name: name.into(), cached, took: seconds(1) };
        tally.count(&done("a", false), seconds(4));
        tally.count(&done("x", true), seconds(4));
        let running: Vec<_> = tally.actions.running(seconds(5)).collect();
        assert_eq!(running, [("b", seconds(4)), ("c", seconds(2))]);
        assert_eq!(tally.actions.progress(), "2 of 4 actions, 1 reused");
        tally.count(&Event::ActionFailed { key: key("b"), name: "b".into(), why: "w".into() }, seconds(5));
        assert_eq!(tally.actions.progress(), "3 of 4 actions, 1 reused, 1 failed");
        // A fetch is no action, and its failure none of an action.
        tally.count(&Event::ActionFailed { key: key("f"), name: "fetch f".into(), why: "w".into() }, seconds(6));
        assert_eq!(tally.actions.progress(), "3 of 4 actions, 1 reused, 1 failed");
    }
}

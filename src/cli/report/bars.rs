//! Bars on a terminal: one for the downloads, one for the actions, and a line for each action that runs.

use super::{Show, Tally, lines};
use crate::cli::amount::duration;
use crate::cli::screen;
use crate::event::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A run that is over sooner shows no bars at all: they would only flicker.
const DELAY: Duration = Duration::from_millis(250);

/// How many times a second the terminal is painted at most.
const HERTZ: u8 = 30;

/// Shows a run as bars.
pub(super) struct Bars {
    verbose: bool,
    cores: usize,
    multi: MultiProgress,
    shown: bool,
    style: ProgressStyle,
    fetch: Option<ProgressBar>,
    check: Option<ProgressBar>,
    send: Option<ProgressBar>,
    build: Option<ProgressBar>,
    running: Vec<ProgressBar>,
}

impl Bars {
    pub(super) fn new(verbose: bool, cores: usize) -> Self {
        let bar = if screen::stderr_has_colors() { "{bar:24.cyan/dim}" } else { "{bar:24}" };
        let style = style(&format!("{{prefix:>6}} {bar} {{wide_msg}}")).progress_chars("━╸─");
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self {
            verbose,
            cores,
            multi,
            shown: false,
            style,
            fetch: None,
            check: None,
            send: None,
            build: None,
            running: Vec::new(),
        }
    }

    fn paint(&mut self, tally: &Tally, at: Duration) {
        let fetches = &tally.fetches;
        if fetches.began.is_some() && !fetches.complete() {
            let (position, length) = match fetches.bytes_planned {
                0 => (fetches.files, fetches.files_planned),
                bytes => (fetches.bytes, bytes),
            };
            let bar = self.fetch.get_or_insert_with(|| bar(&self.multi, &self.style, "fetch"));
            show(bar, position, length, fetches.progress());
        } else if let Some(bar) = self.fetch.take() {
            bar.finish_and_clear();
        }
        let checks = &tally.checks;
        if checks.began.is_some() && !checks.complete() {
            let bar = self.check.get_or_insert_with(|| bar(&self.multi, &self.style, "check"));
            show(bar, checks.bytes, checks.bytes_planned, checks.progress());
        } else if let Some(bar) = self.check.take() {
            bar.finish_and_clear();
        }
        let sends = &tally.sends;
        if sends.began.is_some() && !sends.complete() {
            let bar = self.send.get_or_insert_with(|| bar(&self.multi, &self.style, "send"));
            show(bar, sends.bytes.min(sends.bytes_planned), sends.bytes_planned, sends.progress());
        } else if let Some(bar) = self.send.take() {
            bar.finish_and_clear();
        }
        let actions = &tally.actions;
        if actions.began.is_some() {
            let bar = self.build.get_or_insert_with(|| bar(&self.multi, &self.style, "build"));
            show(bar, actions.done + actions.failed, actions.planned, actions.progress());
        }
        let names: Vec<String> = running(tally, at, self.cores);
        while self.running.len() < names.len() {
            let line = ProgressBar::no_length().with_style(style("{wide_msg}"));
            self.running.push(self.multi.add(line));
        }
        for line in self.running.drain(names.len()..) {
            line.finish_and_clear();
            self.multi.remove(&line);
        }
        for (line, name) in self.running.iter().zip(names) {
            line.set_message(name);
        }
    }
}

impl Show for Bars {
    fn event(&mut self, event: &Event, _: &Tally, _: Duration) {
        if let Some(line) = lines::of(event, self.verbose) {
            self.multi.suspend(|| screen::talk(&format!("{line}\n")));
        }
    }

    fn tick(&mut self, tally: &Tally, at: Duration) {
        if at < DELAY {
            return;
        }
        if !self.shown {
            self.shown = true;
            self.multi.set_draw_target(ProgressDrawTarget::stderr_with_hz(HERTZ));
        }
        self.paint(tally, at);
    }

    fn end(&mut self, _: &Tally, _: Duration) {
        for bar in self
            .running
            .drain(..)
            .chain(self.fetch.take())
            .chain(self.check.take())
            .chain(self.send.take())
            .chain(self.build.take())
        {
            bar.finish_and_clear();
        }
        // What cannot be taken off the screen stays on it.
        let _ = self.multi.clear();
    }
}

/// The lines of what runs: at most one for each core, the longest first, its time in front where a long name cannot push it
/// off the screen.
fn running(tally: &Tally, at: Duration, cores: usize) -> Vec<String> {
    let line = |(name, time): (&str, Duration)| {
        // The first second is not worth a number that changes ten times.
        let time = if time < Duration::from_secs(1) { String::new() } else { duration(time) };
        format!("{time:>6} {name}")
    };
    tally.actions.running(at).take(cores).map(line).collect()
}

/// A bar that is empty from its first frame on.
fn bar(multi: &MultiProgress, style: &ProgressStyle, prefix: &'static str) -> ProgressBar {
    multi.add(ProgressBar::new(1).with_style(style.clone()).with_prefix(prefix))
}

fn show(bar: &ProgressBar, position: u64, length: u64, message: String) {
    bar.set_length(length.max(1));
    bar.set_position(position.min(length));
    bar.set_message(message);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant that the tests build")
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::{key, seconds};
    use super::*;

    #[test]
    fn there_are_no_more_lines_than_cores() {
        let mut tally = Tally::default();
        for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
            tally.count(&Event::ActionStarted { key: key(name), name: name.into() }, seconds(at as u64));
        }
        assert_eq!(running(&tally, seconds(2), 2), [" 2.0 s a", " 1.0 s b"]);
        assert_eq!(running(&tally, seconds(2), 9).last().unwrap(), "       c");
    }

    #[test]
    fn a_whole_run_is_painted() {
        let mut bars = Bars::new(false, 2);
        let mut tally = Tally::default();
        let at = seconds(1);
        tally.count(&Event::FetchPlanned { files: 1, bytes: 10 }, at);
        tally.count(&Event::ActionStarted { key: key("a"), name: "a".into() }, at);
        bars.paint(&tally, at);
        assert!(bars.fetch.is_some() && bars.running.len() == 1);
        tally.count(&Event::FetchDone { name: "f".into(), size: 10 }, at);
        tally.count(&Event::ActionFailed { key: key("a"), name: "a".into(), why: String::new() }, at);
        bars.paint(&tally, at);
        assert!(bars.fetch.is_none() && bars.running.is_empty() && bars.build.is_some());
        bars.end(&tally, at);
        assert!(bars.build.is_none());
    }
}

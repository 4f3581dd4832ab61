//! Lines on stderr: what a CI log keeps.

use super::Show;
use super::tally::{Tally, per_second};
use crate::cli::amount::{count, duration, size};
use crate::cli::failure::WARNING;
use crate::cli::screen;
use crate::event::Event;
use std::time::Duration;

/// A line says how far the run is, at most this often: a log is read afterwards, yet some CI ends what stays silent.
const PAUSE: Duration = Duration::from_secs(5);

/// At most this many running actions stand in one line.
const NAMED: usize = 4;

/// Shows a run as lines.
pub(super) struct Lines {
    verbose: bool,
    write: Box<dyn FnMut(&str) + Send>,
    /// When the last line was said.
    last: Duration,
    /// How many downloads had been planned when their end was said.
    said_fetched: u64,
}

impl Lines {
    pub(super) fn new(verbose: bool, write: Box<dyn FnMut(&str) + Send>) -> Self {
        Self { verbose, write, last: Duration::ZERO, said_fetched: 0 }
    }

    fn say(&mut self, line: &str, at: Duration) {
        self.last = at;
        (self.write)(&format!("{line}\n"));
    }
}

impl Show for Lines {
    fn event(&mut self, event: &Event, tally: &Tally, at: Duration) {
        let fetches = &tally.fetches;
        match event {
            Event::FetchPlanned { files, bytes } if *files > 0 => {
                let bytes = if *bytes > 0 { format!(", {}", size(*bytes)) } else { String::new() };
                self.say(&format!("fetching {}{bytes}", count(*files, "file")), at);
            }
            Event::SendPlanned { blobs, bytes } if *blobs > 0 => {
                self.say(&format!("sending {}, {}", count(*blobs, "blob"), size(*bytes)), at);
            }
            Event::ActionStarted { .. } if tally.actions.began == Some(at) && tally.actions.running(at).len() == 1 => {
                self.say(&format!("building: {}", count(tally.actions.planned, "action")), at);
            }
            _ => {
                if let Some(line) = of(event, self.verbose) {
                    self.say(&line, at);
                }
            }
        }
        if matches!(event, Event::FetchDone { .. }) && fetches.complete() && self.said_fetched < fetches.files_planned {
            self.said_fetched = fetches.files_planned;
            let time = at.saturating_sub(fetches.began.unwrap_or(at));
            let (bytes, rate) = (size(fetches.bytes), size(per_second(fetches.bytes, time)));
            self.say(&format!("fetched {}, {bytes} in {}, {rate}/s", count(fetches.files, "file"), duration(time)), at);
        }
    }

    fn tick(&mut self, tally: &Tally, at: Duration) {
        if at.saturating_sub(self.last) < PAUSE {
            return;
        }
        if tally.fetches.began.is_some() && !tally.fetches.complete() {
            self.say(&format!("fetched {}", tally.fetches.progress()), at);
        } else if tally.checks.began.is_some() && !tally.checks.complete() {
            self.say(&format!("checked {}", tally.checks.progress()), at);
        } else if tally.sends.began.is_some() && !tally.sends.complete() {
            self.say(&format!("sent {}", tally.sends.progress()), at);
        } else if tally.actions.running(at).len() > 0 {
            let mut names: Vec<String> = tally
                .actions
                .running(at)
                .take(NAMED)
                .map(|(name, time)| format!("{name} ({})", duration(time)))
                .collect();
            let more = tally.actions.running(at).len() - names.len();
            if more > 0 {
                names.push(format!("{more} more"));
            }
            self.say(&format!("done {}; running: {}", tally.actions.progress(), names.join(", ")), at);
        }
    }

    fn end(&mut self, tally: &Tally, at: Duration) {
        if let Some(began) = tally.actions.began {
            self.say(&format!("done {} in {}", tally.actions.progress(), duration(at.saturating_sub(began))), at);
        }
    }
}

/// The line that an event is worth by itself, however the rest of the run is shown.
pub(super) fn of(event: &Event, verbose: bool) -> Option<String> {
    let line = match event {
        Event::Warning { text } => format!("{WARNING}warning{WARNING:#}: {text}"),
        Event::Waiting { lock } => format!("waiting for another process on the same store, which holds `{lock}`"),
        Event::FetchRetry { name, why } => format!("{WARNING}warning{WARNING:#}: fetching `{name}` again: {why}"),
        Event::RegistryRetry { task, why } => format!("{WARNING}warning{WARNING:#}: trying again to {task}: {why}"),
        Event::ActionFailed { name, why, .. } => {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            format!("{red}failed{red:#}: {name}: {why}")
        }
        Event::FetchDone { name, size: bytes } if verbose => format!("fetched {name}, {}", size(*bytes)),
        Event::ActionDone { name, cached: true, .. } if verbose => format!("{name}: reused"),
        Event::ActionDone { name, took, .. } if verbose => format!("{name}: {}", duration(*took)),
        Event::LayerExplained { image, platform, layer, title, built, why } => {
            let state = if *built { "built" } else { "reused" };
            explained(&format!("{image} {platform}, layer {layer}, `{title}`: {state}"), why)
        }
        Event::ConfigurationExplained { image, platform, why } => {
            explained(&format!("{image} {platform}, configuration: changed"), why)
        }
        Event::Varied { what, how, done: true } if verbose => format!("varied: {what}: {how}"),
        Event::Varied { what, how, done: false } => format!("not varied: {what}: {how}"),
        Event::ImageDone { name, platform, digest, .. } if verbose => {
            format!("image {name} for {platform} is {digest}")
        }
        Event::Answered { client, request, status, bytes, took } if verbose => {
            let bytes = bytes.map_or_else(|| "cut off".to_owned(), size);
            format!("{client}: {request}: {status}, {bytes}, {}", duration(*took))
        }
        _ => return None,
    };
    Some(line)
}

/// At most this many reasons stand in one line.
const REASONS: usize = 8;

/// What becomes of a layer or a configuration, and why, in one line whatever the names in it are.
fn explained(what: &str, why: &[String]) -> String {
    let mut line = what.to_owned();
    if !why.is_empty() {
        line.push_str(": ");
        line.push_str(&why[..why.len().min(REASONS)].join("; "));
    }
    if why.len() > REASONS {
        line.push_str(&format!("; and {} more", why.len() - REASONS));
    }
    screen::plain(&line)
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::{key, seconds};
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Plays a run: each event at its second, ticks in between.
    fn play(verbose: bool, run: Vec<(u64, Event)>) -> String {
        let log = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&log);
        let mut lines = Lines::new(verbose, Box::new(move |text| sink.lock().unwrap().push_str(text)));
        let mut tally = Tally::default();
        let mut now = 0;
        for (at, event) in run {
            while now < at {
                tally.sample(seconds(now));
                lines.tick(&tally, seconds(now));
                now += 1;
            }
            tally.count(&event, seconds(at));
            lines.event(&event, &tally, seconds(at));
        }
        lines.end(&tally, seconds(now));
        let log = log.lock().unwrap();
        anstream::adapter::strip_str(&log).to_string()
    }

    fn run() -> Vec<(u64, Event)> {
        let started = |name: &str| Event::ActionStarted { key: key(name), name: name.to_owned() };
        let done =
            |name: &str, cached| Event::ActionDone { key: key(name), name: name.into(), cached, took: seconds(2) };
        let fetched = |name: &str| Event::FetchDone { name: name.to_owned(), size: 10_000_000 };
        vec![
            (0, Event::FetchPlanned { files: 2, bytes: 20_000_000 }),
            (3, Event::FetchProgress { bytes: 10_000_000 }),
            (3, fetched("libc6 2.41-12 (amd64)")),
            (7, Event::FetchRetry { name: "zlib1g".into(), why: "the connection was closed".into() }),
            (9, Event::FetchProgress { bytes: 10_000_000 }),
            (9, fetched("zlib1g 1:1.3 (amd64)")),
            (10, Event::BuildPlanned { actions: 4 }),
            (10, done("unpack zlib1g", true)),
            (10, started("unpack libc6")),
            (10, started("copy app")),
            (17, done("unpack libc6", false)),
            (18, Event::ActionFailed { key: key("copy app"), name: "copy app".into(), why: "the disk is full".into() }),
        ]
    }

    #[test]
    fn a_log_is_short() {
        assert_eq!(
            play(false, run()),
            "fetching 2 files, 20.0 MB\n\
             fetched 1 of 2 files, 10.0 of 20.0 MB, 2.50 MB/s\n\
             warning: fetching `zlib1g` again: the connection was closed\n\
             fetched 2 files, 20.0 MB in 9.0 s, 2.22 MB/s\n\
             building: 4 actions\n\
             done 1 of 4 actions, 1 reused; running: copy app (5.0 s), unpack libc6 (5.0 s)\n\
             failed: copy app: the disk is full\n\
             done 3 of 4 actions, 1 reused, 1 failed in 8.0 s\n"
        );
    }

    #[test]
    fn a_verbose_log_has_every_action() {
        let log = play(true, run());
        for line in ["unpack libc6: 2.0 s\n", "unpack zlib1g: reused\n", "fetched libc6 2.41-12 (amd64), 10.0 MB\n"] {
            assert!(log.contains(line), "{log}");
        }
    }

    #[test]
    fn a_layer_is_explained_in_one_line() {
        let explained = |built, why: &[&str]| {
            let event = Event::LayerExplained {
                image: "web".into(),
                platform: "linux/amd64".into(),
                layer: 2,
                title: "copy app to /srv".into(),
                built,
                why: why.iter().map(|word| (*word).to_owned()).collect(),
            };
            of(&event, false).unwrap()
        };
        assert_eq!(explained(false, &[]), "web linux/amd64, layer 2, `copy app to /srv`: reused");
        let many = explained(true, &["a"; 10]);
        assert_eq!(many, "web linux/amd64, layer 2, `copy app to /srv`: built: a; a; a; a; a; a; a; a; and 2 more");
        let why = vec!["`env.A` 1 → \u{1b}[2J\n2".to_owned()];
        let event = Event::ConfigurationExplained { image: "web".into(), platform: "linux/amd64".into(), why };
        let line = "web linux/amd64, configuration: changed: `env.A` 1 → \u{fffd}[2J\u{fffd}2";
        assert_eq!(of(&event, false).unwrap(), line);
        let varied = |done| Event::Varied { what: "user".into(), how: "no namespaces".into(), done };
        assert_eq!(of(&varied(true), false), None);
        assert_eq!(of(&varied(false), false).unwrap(), "not varied: user: no namespaces");
    }

    #[test]
    fn a_run_that_does_nothing_says_nothing() {
        let key = key("x");
        let cached = Event::ActionDone { key, name: "x".into(), cached: true, took: seconds(0) };
        let run =
            vec![(0, Event::FetchPlanned { files: 0, bytes: 0 }), (0, Event::BuildPlanned { actions: 1 }), (1, cached)];
        assert_eq!(play(false, run), "");
    }
}

//! Shows what a run says: bars on a terminal, lines in a log, JSON for machines, or nothing.
//!
//! Invariant: no way of showing has any effect on what the run does; an event is counted and shown under one short lock.

mod bars;
mod json;
mod lines;
mod tally;

pub use tally::Tally;

use super::environment::Environment;
use super::{arguments::Global, screen};
use crate::event::{Event, Events};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a way of showing may repaint: 10 Hz is smooth enough to read, and far below what a terminal can take.
const TICK: Duration = Duration::from_millis(100);

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Not at all; errors come by themselves, at the end.
    Silent,
    /// Lines on stderr that read well in a log.
    Lines {
        /// Whether each action has its line.
        verbose: bool,
    },
    /// Bars on stderr that move.
    Bars {
        /// Whether each action has its line, above the bars.
        verbose: bool,
    },
    /// Each event as a line of JSON on stdout.
    Json,
}

impl Manner {
    /// Chooses by the command line and the terminal.
    #[must_use]
    pub fn choose(global: &Global, environment: &Environment, json: bool) -> Self {
        let verbose = global.verbose;
        if json {
            Self::Json
        } else if global.quiet {
            Self::Silent
        } else if environment.stderr.terminal && !environment.ci && !environment.dumb {
            Self::Bars { verbose }
        } else {
            Self::Lines { verbose }
        }
    }
}

/// One way of showing a run; times are since its beginning.
trait Show: Send {
    /// Something happened and is counted in the tally already.
    fn event(&mut self, event: &Event, tally: &Tally, at: Duration);
    /// A moment passed.
    fn tick(&mut self, tally: &Tally, at: Duration);
    /// The run is over.
    fn end(&mut self, tally: &Tally, at: Duration);
}

/// Shows a run from its start to [`Reporter::finish`], or until it is dropped.
pub struct Reporter {
    shared: Option<Arc<Shared>>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    began: Instant,
    state: Mutex<State>,
    over: Condvar,
}

struct State {
    tally: Tally,
    show: Box<dyn Show>,
    over: bool,
}

impl Reporter {
    /// Begins to show a run.
    #[must_use]
    pub fn start(manner: Manner, environment: &Environment) -> Self {
        let talk = Box::new(|text: &str| screen::talk(text));
        let show: Box<dyn Show> = match manner {
            Manner::Silent => return Self { shared: None, ticker: None },
            Manner::Lines { verbose } => Box::new(lines::Lines::new(verbose, talk)),
            Manner::Bars { verbose } => Box::new(bars::Bars::new(verbose, environment.cores.get())),
            // What cannot be written, nobody reads any more: the run goes on.
            Manner::Json => Box::new(json::Json::new(Box::new(|line: &str| drop(screen::data(line))))),
        };
        let state = State { tally: Tally::default(), show, over: false };
        let shared = Arc::new(Shared { began: Instant::now(), state: Mutex::new(state), over: Condvar::new() });
        let ticking = Arc::clone(&shared);
        // Without the thread, progress is shown at events only: nothing that a run depends on.
        let ticker = std::thread::Builder::new().name("progress".to_owned()).spawn(move || ticking.tick()).ok();
        Self { shared: Some(shared), ticker }
    }

    /// Where the run sends its events.
    #[must_use]
    pub fn events(&self) -> Events {
        match &self.shared {
            None => Events::none(),
            Some(shared) => {
                let shared = Arc::clone(shared);
                Events::new(move |event| shared.event(&event))
            }
        }
    }

    /// Takes the bars away, says the last lines, and tells what was counted; later events are dropped.
    #[must_use]
    pub fn finish(mut self) -> Tally {
        self.stop()
    }

    fn stop(&mut self) -> Tally {
        let Some(shared) = self.shared.take() else { return Tally::default() };
        let mut state = shared.lock();
        state.over = true;
        let State { tally, show, .. } = &mut *state;
        show.end(tally, shared.began.elapsed());
        let tally = state.tally.clone();
        drop(state);
        shared.over.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // The thread has no result; had it panicked, the process would have ended.
            let _ = ticker.join();
        }
        tally
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn event(&self, event: &Event) {
        let at = self.began.elapsed();
        let mut state = self.lock();
        if state.over {
            return;
        }
        let State { tally, show, .. } = &mut *state;
        tally.count(event, at);
        show.event(event, tally, at);
    }

    fn tick(&self) {
        let mut state = self.lock();
        while !state.over {
            state = self.over.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            if !state.over {
                let State { tally, show, .. } = &mut *state;
                tally.sample(self.began.elapsed());
                show.tick(tally, self.began.elapsed());
            }
        }
    }

    /// A poisoned lock is taken all the same: what is shown may be off by one then, and the panic ends the process anyway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::environment::Stream;

    #[test]
    fn bars_are_for_terminals_that_a_person_watches() {
        let terminal = Stream { terminal: true, width: Some(80) };
        let mut environment =
            Environment { ci: false, dumb: false, stderr: terminal, ..Environment::collect().unwrap() };
        let mut global = Global::default();
        assert_eq!(Manner::choose(&global, &environment, false), Manner::Bars { verbose: false });
        assert_eq!(Manner::choose(&global, &environment, true), Manner::Json);
        global.quiet = true;
        assert_eq!(Manner::choose(&global, &environment, false), Manner::Silent);
        global = Global { verbose: true, ..Global::default() };
        environment.ci = true;
        assert_eq!(Manner::choose(&global, &environment, false), Manner::Lines { verbose: true });
        environment.ci = false;
        environment.dumb = true;
        assert_eq!(Manner::choose(&global, &environment, false), Manner::Lines { verbose: true });
    }

    #[test]
    fn what_is_sent_is_counted_and_late_events_are_dropped() {
        let environment = Environment::collect().unwrap();
        let reporter = Reporter::start(Manner::Bars { verbose: false }, &environment);
        let events = reporter.events();
        events.send(Event::BuildPlanned { actions: 7 });
        assert_eq!(reporter.finish().actions.planned, 7);
        events.send(Event::BuildPlanned { actions: 7 });
    }
}

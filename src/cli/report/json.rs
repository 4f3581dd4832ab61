//! Each event as a line of JSON on stdout, for machines.

use super::{Show, Tally};
use crate::event::Event;
use std::time::Duration;

/// Progress of downloads is said at most this often, summed up.
const PAUSE: Duration = Duration::from_millis(250);

/// Shows a run as JSON.
pub(super) struct Json {
    write: Box<dyn FnMut(&str) + Send>,
    /// Bytes that came in since the last line said so.
    unsaid: u64,
    /// The same of bytes that went out.
    unsent: u64,
    last: Duration,
}

impl Json {
    pub(super) fn new(write: Box<dyn FnMut(&str) + Send>) -> Self {
        Self { write, unsaid: 0, unsent: 0, last: Duration::ZERO }
    }

    fn say(&mut self, event: &Event) {
        let mut line = serde_json::to_string(event).expect("an event is JSON");
        line.push('\n');
        (self.write)(&line);
    }

    fn flush(&mut self, at: Duration) {
        if self.unsaid > 0 {
            let bytes = std::mem::take(&mut self.unsaid);
            self.last = at;
            self.say(&Event::FetchProgress { bytes });
        }
        if self.unsent > 0 {
            let bytes = std::mem::take(&mut self.unsent);
            self.last = at;
            self.say(&Event::SendProgress { bytes });
        }
    }
}

impl Show for Json {
    fn event(&mut self, event: &Event, _: &Tally, at: Duration) {
        if let Event::FetchProgress { bytes } = event {
            self.unsaid = self.unsaid.saturating_add(*bytes);
        } else if let Event::SendProgress { bytes } = event {
            self.unsent = self.unsent.saturating_add(*bytes);
        } else {
            // A file is never done before its bytes.
            if matches!(event, Event::FetchDone { .. } | Event::SendDone { .. }) {
                self.flush(at);
            }
            self.say(event);
        }
    }

    fn tick(&mut self, _: &Tally, at: Duration) {
        if at.saturating_sub(self.last) >= PAUSE {
            self.flush(at);
        }
    }

    fn end(&mut self, _: &Tally, at: Duration) {
        self.flush(at);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::key;
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn bytes_are_summed_up_and_the_rest_is_said_at_once() {
        let log = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&log);
        let mut json = Json::new(Box::new(move |text| sink.lock().unwrap().push_str(text)));
        let tally = Tally::default();
        let at = Duration::from_millis;
        for _ in 0..3 {
            json.event(&Event::FetchProgress { bytes: 5 }, &tally, at(10));
        }
        json.tick(&tally, at(100));
        json.event(&Event::Warning { text: "a \"b\"\nc".into() }, &tally, at(200));
        json.tick(&tally, at(300));
        let key = key("a");
        let took = Duration::from_micros(1_234_567);
        json.event(&Event::ActionDone { key, name: "a".into(), cached: false, took }, &tally, at(300));
        json.event(&Event::FetchProgress { bytes: 1 }, &tally, at(310));
        json.event(&Event::FetchDone { name: "f".into(), size: 16 }, &tally, at(320));
        let expected = format!(
            "{{\"event\":\"warning\",\"text\":\"a \\\"b\\\"\\nc\"}}\n\
             {{\"event\":\"fetch-progress\",\"bytes\":15}}\n\
             {{\"event\":\"action-done\",\"key\":\"{key}\",\"name\":\"a\",\"cached\":false,\"milliseconds\":1234}}\n\
             {{\"event\":\"fetch-progress\",\"bytes\":1}}\n\
             {{\"event\":\"fetch-done\",\"name\":\"f\",\"size\":16}}\n"
        );
        assert_eq!(*log.lock().unwrap(), expected);
    }
}

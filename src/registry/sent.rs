//! What goes out with a request: exactly so many bytes, counted, and with its own failures kept apart from the network's.

use crate::event::{Event, Events};
use std::io::{self, Read};

/// A source of exactly the promised bytes.
pub(super) struct Sent<'a> {
    from: Box<dyn Read>,
    left: u64,
    failed: Option<io::Error>,
    events: &'a Events,
}

impl<'a> Sent<'a> {
    /// So many bytes of a source.
    pub(super) fn new(from: Box<dyn Read>, size: u64, events: &'a Events) -> Self {
        Self { from, left: size, failed: None, events }
    }

    /// Why the source could not be read, if that is why the request failed.
    pub(super) fn failure(self) -> Option<io::Error> {
        self.failed
    }
}

impl Read for Sent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = loop {
            match self.from.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(read) if read > 0 => {
                self.left -= read as u64;
                self.events.send(Event::SendProgress { bytes: read as u64 });
                Ok(read)
            }
            read => {
                let error = read.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}

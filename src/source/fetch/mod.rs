//! Downloads of single files: over HTTP or from a directory, resumed, verified while they come in, retried and tried elsewhere.
//!
//! Invariants: what a fetch returns has the expected digest and size; no more bytes are read than the limit; credentials in an
//! address go to that address's host alone, and into no message.

mod agent;
mod sink;
mod tried;
mod url;

pub use crate::wire::{Patience, Proxies};
pub use tried::{FetchError, Tried, Why};
pub use url::{Url, UrlError};

use crate::digest::{Digest, Mismatch};
use crate::event::{Event, Events};
use agent::{Answer, Failure};
use sink::{Restart, Sink};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Fetches files; cheap to clone, usable from any thread, with one pool of connections.
#[derive(Clone)]
pub struct Fetcher {
    agent: ureq::Agent,
    patience: Patience,
    events: Events,
    sleep: Arc<dyn Fn(Duration) + Send + Sync>,
}

/// A file to fetch.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file as a person knows it: `python3.13 3.13.5-2 (amd64)`.
    pub name: String,
    /// Where it may be, tried in this order.
    pub urls: Vec<Url>,
    /// What it has to be.
    pub expected: Expected,
}

/// What is known of a file before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Its digest; without one nothing is resumed, since the beginning could be another file's.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// How many bytes are read at most.
    pub limit: u64,
}

/// A file that was fetched and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Which of the addresses gave it, counted from 0.
    pub from: usize,
}

impl Expected {
    /// A file of which everything is known.
    #[must_use]
    pub fn exactly(digest: Digest, size: u64) -> Self {
        Self { digest: Some(digest), size: Some(size), limit: size }
    }

    /// A file of which nothing is known but how big it may be.
    #[must_use]
    pub fn at_most(limit: u64) -> Self {
        Self { digest: None, size: None, limit }
    }

    fn most(&self) -> u64 {
        self.size.map_or(self.limit, |size| size.min(self.limit))
    }
}

impl Fetcher {
    /// Sets up connections with the certificates that this machine trusts; `sleep` is called between attempts.
    pub fn new(events: Events, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self::patient(Patience::default(), events, sleep)
    }

    /// As [`Fetcher::new`], but waits for servers as long as it is told.
    pub fn patient(patience: Patience, events: Events, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        let agent = agent::agent(&patience, &Proxies::default());
        Self { agent, patience, events, sleep: Arc::new(sleep) }
    }

    /// The same through proxies.
    #[must_use]
    pub fn through(self, proxies: &Proxies) -> Self {
        Self { agent: agent::agent(&self.patience, proxies), ..self }
    }

    /// Fetches a small file into memory.
    pub fn to_memory(&self, request: &Request) -> Result<(Vec<u8>, Fetched), FetchError> {
        let mut sink = Sink::memory();
        let fetched = self.fetch(request, &mut sink, Path::new("memory"))?;
        Ok((sink.into_bytes(), fetched))
    }

    /// Fetches into a file, which may hold the beginning from an attempt that was interrupted, and which keeps what came in if this
    /// one fails. When it returns, the file is whole and verified; it is not synced to disk.
    pub fn to_file(&self, request: &Request, path: &Path) -> Result<Fetched, FetchError> {
        let write = |source| FetchError::Write { name: request.name.clone(), path: path.to_owned(), source };
        let mut sink = Sink::file(path).map_err(write)?;
        if request.expected.digest.is_none() || sink.size() > request.expected.most() {
            sink.restart().map_err(write)?;
        }
        self.fetch(request, &mut sink, path)
    }

    fn fetch<T: Restart>(&self, request: &Request, sink: &mut Sink<T>, path: &Path) -> Result<Fetched, FetchError> {
        let (name, size) = (request.name.clone(), request.expected.size);
        self.events.send(Event::FetchStarted { name: name.clone(), size });
        let mut tried = Vec::new();
        for (from, url) in request.urls.iter().enumerate() {
            let last = from + 1 == request.urls.len();
            match self.fetch_from(request, url, last, sink) {
                Ok(digest) => {
                    self.events.send(Event::FetchDone { name, size: sink.size() });
                    return Ok(Fetched { digest, size: sink.size(), from });
                }
                Err(Failure::Sink(source)) => return Err(FetchError::Write { name, path: path.to_owned(), source }),
                Err(failure) => {
                    let (said, why) = (failure.to_string(), failure.why());
                    if !last {
                        self.events.send(Event::FetchRetry { name: name.clone(), why: format!("{url}: {said}") });
                    }
                    tried.push(Tried { url: url.clone(), said, why });
                }
            }
        }
        Err(FetchError::Failed { name, tried })
    }

    /// Tries one address until it gives the file, says that it has none, or makes no progress for some attempts. A server that asks
    /// for a pause is waited for only if it is the last that could have the file.
    fn fetch_from<T: Restart>(
        &self,
        request: &Request,
        url: &Url,
        last: bool,
        sink: &mut Sink<T>,
    ) -> Result<Digest, Failure> {
        let (mut attempt, mut attempts) = (1, 0);
        // A beginning from elsewhere may be wrong; this address gets a second chance from nothing.
        let mut resumed = sink.size() > 0;
        let mut furthest = sink.size();
        loop {
            let failure = match self.attempt(&request.expected, url, sink) {
                Ok(digest) => return Ok(digest),
                Err(Failure::Wrong(_)) if resumed => {
                    resumed = false;
                    sink.restart().map_err(Failure::Sink)?;
                    continue;
                }
                Err(failure @ Failure::Wrong(_)) => {
                    sink.restart().map_err(Failure::Sink)?;
                    return Err(failure);
                }
                Err(failure @ Failure::Transient { .. }) => failure,
                Err(failure) => return Err(failure),
            };
            if request.expected.digest.is_none() {
                sink.restart().map_err(Failure::Sink)?;
            }
            // Only new bytes are progress, or a server that sends few and fewer could hold a run for ever; and there is an end to
            // the patience with one that breaks off again and again.
            attempt = if sink.size() > furthest { 1 } else { attempt + 1 };
            attempts += 1;
            furthest = furthest.max(sink.size());
            let asked = if let Failure::Transient { pause, .. } = failure { pause } else { None };
            let pause = self.patience.pause(attempt);
            let elsewhere = !last && asked.is_some_and(|asked| asked > pause);
            if attempt > self.patience.attempts || attempts >= self.patience.most || elsewhere {
                return Err(failure);
            }
            resumed |= sink.size() > 0;
            self.events.send(Event::FetchRetry { name: request.name.clone(), why: format!("{url}: {failure}") });
            (self.sleep)(asked.unwrap_or(pause).min(self.patience.longest_pause));
        }
    }

    /// Asks one address once for what is missing, and verifies the whole.
    fn attempt<T: Restart>(&self, expected: &Expected, url: &Url, sink: &mut Sink<T>) -> Result<Digest, Failure> {
        // A file that was whole when the last run ended needs no request, unless it has no bytes and no size to say that it is whole.
        if sink.size() == 0 || expected.size != Some(sink.size()) {
            let Answer { mut body, start } = agent::ask(&self.agent, url, sink.size())?;
            if start != sink.size() {
                sink.restart().map_err(Failure::Sink)?;
            }
            self.copy(&mut body, expected.most(), sink)?;
        }
        let (size, digest) = (sink.size(), sink.hasher().finish());
        if let Some(expected) = expected.size.filter(|expected| *expected != size) {
            // Too few bytes from a server that said no length: the connection may have been cut.
            let failure = Failure::Wrong(Mismatch::Size { expected, found: size });
            return Err(if size < expected { Failure::transient(failure.to_string()) } else { failure });
        }
        match expected.digest {
            Some(expected) if expected != digest => Err(Failure::Wrong(Mismatch::Digest { expected, found: digest })),
            _ => Ok(digest),
        }
    }

    fn copy<T: Restart>(&self, body: &mut impl Read, most: u64, sink: &mut Sink<T>) -> Result<(), Failure> {
        let mut buffer = vec![0; 1 << 16];
        let (start, mut received) = (Instant::now(), 0);
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::transient(format!("the transfer broke off: {error}"))),
            };
            if sink.size() + read as u64 > most {
                return Err(Failure::Wrong(Mismatch::Size { expected: most, found: most + 1 }));
            }
            sink.write(&buffer[..read]).map_err(Failure::Sink)?;
            self.events.send(Event::FetchProgress { bytes: read as u64 });
            received += read as u64;
            let time = start.elapsed();
            if time > self.patience.slow_start && received < time.as_secs().max(1) * self.patience.slowest {
                let slowest = self.patience.slowest;
                return Err(Failure::Slow(format!("it sends less than {slowest} bytes a second")));
            }
        }
    }
}

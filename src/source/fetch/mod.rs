//! Downloads of single files: over HTTP or from a directory, resumed, verified while they come in, retried and tried elsewhere.
//!
//! Invariants: what a fetch returns has the expected digest and size; no more bytes are read than the limit; credentials in an
//! address go to that address's host alone, and into no message.

mod agent;
mod sink;
mod url;

pub use url::{Url, UrlError};

use crate::digest::{Digest, Mismatch};
use crate::event::{Event, Events};
use agent::{Answer, Failure};
use sink::{Restart, Sink};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Fetches files; cheap to clone, usable from any thread, with one pool of connections.
#[derive(Clone)]
pub struct Fetcher {
    agent: ureq::Agent,
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

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Every address failed.
    #[error("cannot fetch `{name}`: {}", list(.tried))]
    Failed {
        /// The file.
        name: String,
        /// Each address and why it failed.
        tried: Vec<Tried>,
    },
    /// The file into which it was to be written failed.
    #[error("cannot write `{}` while fetching `{name}`", path.display())]
    Write {
        /// The file that was fetched.
        name: String,
        /// The file that was written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An address that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where.
    pub url: Url,
    /// Why.
    pub why: String,
    /// Whether the server answered that it has no such file.
    pub absent: bool,
}

/// How often one address is tried without any progress.
const ATTEMPTS: u32 = 4;

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// After which time a transfer has to have reached [`SLOWEST`] on average: a server that drips could hold a run for days.
const SLOW_START: Duration = Duration::from_secs(60);

/// In bytes a second.
const SLOWEST: u64 = 1024;

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
        Self { agent: agent::agent(), events, sleep: Arc::new(sleep) }
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
            match self.fetch_from(request, url, sink) {
                Ok(digest) => {
                    self.events.send(Event::FetchDone { name, size: sink.size() });
                    return Ok(Fetched { digest, size: sink.size(), from });
                }
                Err(Failure::Sink(source)) => return Err(FetchError::Write { name, path: path.to_owned(), source }),
                Err(failure) => {
                    let absent = matches!(failure, Failure::Absent(_));
                    let why = failure.to_string();
                    if from + 1 < request.urls.len() {
                        self.events.send(Event::FetchRetry { name: name.clone(), why: format!("{url}: {why}") });
                    }
                    tried.push(Tried { url: url.clone(), why, absent });
                }
            }
        }
        Err(FetchError::Failed { name, tried })
    }

    /// Tries one address until it gives the file, says that it has none, or makes no progress for some attempts.
    fn fetch_from<T: Restart>(&self, request: &Request, url: &Url, sink: &mut Sink<T>) -> Result<Digest, Failure> {
        let mut attempt = 1;
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
            // Only new bytes are progress, or a server that sends few and fewer could hold a run for ever.
            attempt = if sink.size() > furthest { 1 } else { attempt + 1 };
            furthest = furthest.max(sink.size());
            if attempt > ATTEMPTS {
                return Err(failure);
            }
            resumed |= sink.size() > 0;
            self.events.send(Event::FetchRetry { name: request.name.clone(), why: format!("{url}: {failure}") });
            let asked = if let Failure::Transient { pause, .. } = failure { pause } else { None };
            (self.sleep)(asked.unwrap_or(Duration::from_millis(250 << (2 * (attempt - 1)))).min(LONGEST_PAUSE));
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
            if time > SLOW_START && received < time.as_secs() * SLOWEST {
                return Err(Failure::transient("it sends less than 1 KiB a second".to_owned()));
            }
        }
    }
}

impl FetchError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Write { .. } => "is the disk full, or the directory not writable?",
            Self::Failed { .. } if self.is_absent() => {
                "the archive no longer has it: name a mirror or a dated archive that does"
            }
            Self::Failed { .. } => "check the network and the address; a list of mirrors falls through to the next",
        }
    }

    /// Whether every address answered that it has no such file: it vanished, and no retry will bring it back.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Failed { tried, .. } if !tried.is_empty() && tried.iter().all(|tried| tried.absent))
    }
}

fn list(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "there is no address for it".to_owned();
    }
    tried.iter().map(|tried| format!("{}: {}", tried.url, tried.why)).collect::<Vec<_>>().join("; ")
}

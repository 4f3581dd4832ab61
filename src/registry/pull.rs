//! Reading a blob: resumed where a connection breaks, verified while it comes in (OCI distribution-spec, "Pulling blobs").

use super::Client;
use super::any_digest::{AnyDigest, AnyHasher};
use super::error::{Failure, RegistryError};
use super::exchange::{Answer, Ask, To, refused};
use super::manifest::size;
use super::patience::Tries;
use super::reference::Repository;
use super::scope::Scope;
use crate::event::Event;
use std::io::{self, Read};
use std::time::Instant;
use ureq::http::{HeaderMap, Method, StatusCode, header};

/// A blob as it comes in. The last read fails unless all of it had the promised digest: whoever must not act on wrong bytes reads to
/// the end before acting. Errors hold a [`RegistryError`].
pub struct BlobReader {
    client: Client,
    /// Where it is read, and what else was asked for.
    repository: Repository,
    digest: AnyDigest,
    pub(super) task: String,
    /// How many bytes it has; `None` until an answer says so.
    pub(super) size: Option<u64>,
    limit: u64,
    pub(super) offset: u64,
    hasher: Option<AnyHasher>,
    body: Option<Box<dyn Read + Send + Sync>>,
    /// Whether it is asked for the rest alone.
    ranges: bool,
    tries: Tries,
    furthest: u64,
    begun: Instant,
    received: u64,
}

impl BlobReader {
    pub(super) fn new(client: &Client, repository: &Repository, digest: AnyDigest, limit: u64) -> Self {
        Self {
            client: client.clone(),
            repository: repository.clone(),
            digest,
            task: format!("get {} of `{repository}`", digest.short()),
            size: None,
            limit,
            offset: 0,
            hasher: Some(digest.hasher()),
            body: None,
            ranges: true,
            tries: Tries::new(client.settings().patience),
            furthest: 0,
            begun: Instant::now(),
            received: 0,
        }
    }

    /// How many bytes it has, where the registry or the caller said so.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.offset += bytes.len() as u64;
    }

    /// Asks for the rest until there is an answer; whether there is such a blob.
    pub(super) fn open(&mut self) -> Result<bool, RegistryError> {
        loop {
            match self.ask() {
                Ok(there) => return Ok(there),
                Err(failure) => self.again(failure)?,
            }
        }
    }

    fn again(&mut self, failure: Failure) -> Result<(), RegistryError> {
        let progress = self.offset > self.furthest;
        self.furthest = self.furthest.max(self.offset);
        self.client.pause(&mut self.tries, progress, failure, &self.task)
    }

    fn ask(&mut self) -> Result<bool, Failure> {
        let path = format!("/v2/{}/blobs/{}", self.repository.name(), self.digest);
        let scope = Scope::pull(&self.repository);
        let mut ask = Ask::new(&self.repository, Method::GET, To::Path(path), scope, &self.task);
        if self.offset > 0 && self.ranges {
            ask = ask.header(header::RANGE, format!("bytes={}-", self.offset));
        }
        let Answer { status, headers, body, .. } = self.client.attempt(&ask)?;
        let mut skip = 0;
        match status {
            // A server that does not know ranges sends the whole: what is there already is passed over.
            StatusCode::OK => skip = self.offset,
            StatusCode::PARTIAL_CONTENT if first_byte(&headers) == Some(self.offset) => {}
            StatusCode::NOT_FOUND => return Ok(false),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if self.offset > 0 && self.ranges => {
                self.ranges = false;
                return Err(Failure::transient("it sends another range than it was asked for"));
            }
            status => {
                let mut words = Vec::new();
                let _ = body.into_reader().take(super::said::MOST).read_to_end(&mut words);
                return Err(refused(&self.task, status, &words).into());
            }
        }
        let promised = size(&headers).map(|size| if skip > 0 { size } else { size.saturating_add(self.offset) });
        self.agree(promised)?;
        let mut body = body.into_with_config().limit(u64::MAX).reader();
        let passed = io::copy(&mut (&mut body).take(skip), &mut io::sink());
        if passed.map_err(|error| broken(&error))? < skip {
            return Err(Failure::transient("the transfer broke off"));
        }
        (self.begun, self.received) = (Instant::now(), 0);
        self.body = Some(Box::new(body));
        Ok(true)
    }

    /// Compares the size that an answer promises with what is known.
    fn agree(&mut self, promised: Option<u64>) -> Result<(), Failure> {
        let Some(promised) = promised else { return Ok(()) };
        if promised > self.limit && self.size.is_none() {
            return Err(RegistryError::TooLarge { task: self.task.clone(), limit: self.limit }.into());
        }
        match self.size {
            Some(size) if size != promised => Err(self.wrong_size(size, promised).into()),
            _ => {
                self.size = Some(promised);
                Ok(())
            }
        }
    }

    fn wrong_size(&self, expected: u64, found: u64) -> RegistryError {
        let bytes = |count: u64| format!("{count} bytes");
        RegistryError::Wrong { task: self.task.clone(), expected: bytes(expected), found: bytes(found) }
    }

    /// Reads some bytes once; 0 is the end of an answer.
    fn read_once(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let Some(body) = &mut self.body else { return Ok(0) };
        let read = body.read(buffer).map_err(|error| broken(&error))?;
        self.received += read as u64;
        let patience = self.client.settings().patience;
        let time = self.begun.elapsed();
        if time > patience.slow_start && self.received < time.as_secs().max(1) * patience.slowest {
            return Err(RegistryError::Unreachable {
                task: self.task.clone(),
                why: format!("it sends less than {} bytes a second", patience.slowest),
            }
            .into());
        }
        let most = self.size.unwrap_or(self.limit);
        if self.offset + read as u64 > most {
            return Err(match self.size {
                Some(size) => self.wrong_size(size, size + 1).into(),
                None => RegistryError::TooLarge { task: self.task.clone(), limit: self.limit }.into(),
            });
        }
        self.add(&buffer[..read]);
        self.client.0.events.send(Event::FetchProgress { bytes: read as u64 });
        Ok(read)
    }

    /// The end: the bytes are the ones, or it fails.
    fn finish(&mut self) -> Result<(), RegistryError> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = hasher.finish();
        if found == self.digest {
            return Ok(());
        }
        let (expected, found) = (self.digest.to_string(), found.to_string());
        Err(RegistryError::Wrong { task: self.task.clone(), expected, found })
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, RegistryError> {
        loop {
            if self.size == Some(self.offset) {
                // A longer answer is wrong too, but that is seen without reading it: its digest would be another's.
                self.finish()?;
                return Ok(0);
            }
            let failure = match self.read_once(buffer) {
                Ok(0) if self.body.is_some() && self.size.is_none() => {
                    self.size = Some(self.offset);
                    continue;
                }
                Ok(0) => Failure::transient("the transfer broke off"),
                Ok(read) => return Ok(read),
                Err(failure) => failure,
            };
            self.body = None;
            self.again(failure)?;
            if !self.open()? {
                let why = "it was there a moment ago and is there no more".to_owned();
                return Err(RegistryError::Malformed { task: self.task.clone(), why });
            }
        }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.next(buffer).map_err(io::Error::other)
    }
}

fn broken(error: &io::Error) -> Failure {
    Failure::transient(format!("the transfer broke off: {error}"))
}

/// The first byte of `Content-Range: bytes 10-19/20`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

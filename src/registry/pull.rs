//! Reading a blob: resumed where a connection breaks, verified while it comes in (OCI distribution-spec, "Pulling blobs").

use super::Client;
use super::any_digest::{AnyDigest, AnyHasher};
use super::error::{Failure, RegistryError};
use super::exchange::{Answer, Ask, To, refused};
use super::manifest::size;
use super::patience::Tries;
use super::reference::Repository;
use super::scope::Scope;
use crate::disk;
use crate::event::Event;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Instant;
use ureq::http::{HeaderMap, Method, StatusCode, header};

/// A blob as it comes in. The last read fails unless all of it had the promised digest: whoever must not act on wrong bytes reads to
/// the end before acting. Errors hold a [`RegistryError`].
pub struct BlobReader {
    client: Client,
    /// Where it is read, and what else was asked for.
    repository: Repository,
    digest: AnyDigest,
    task: String,
    /// How many bytes it has; `None` until an answer says so.
    size: Option<u64>,
    limit: u64,
    offset: u64,
    hasher: Option<AnyHasher>,
    body: Option<Box<dyn Read + Send + Sync>>,
    tries: Tries,
    furthest: u64,
    begun: Instant,
    received: u64,
}

impl Client {
    /// Opens a blob, of at most so many bytes, at a mirror if it has it; `None`: there is none.
    pub fn blob_reader(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        limit: u64,
    ) -> Result<Option<BlobReader>, RegistryError> {
        self.anywhere(repository, |place| {
            let mut reader = BlobReader::new(self, place, *digest, limit);
            Ok(reader.open()?.then_some(reader))
        })
    }

    /// Reads a small blob into memory; `None`: there is none.
    pub fn blob(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.anywhere(repository, |place| {
            let mut reader = BlobReader::new(self, place, *digest, limit);
            if !reader.open()? {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(|error| whole(error, &reader.task))?;
            Ok(Some(bytes))
        })
    }

    /// Reads a blob of this size into a file, which may hold its beginning from an attempt that was interrupted, and which keeps
    /// what came in if this one fails. When it returns, the file is whole and verified; it is not synced to disk. `false`: there is
    /// no such blob.
    pub fn blob_to_file(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        size: u64,
        path: &Path,
    ) -> Result<bool, RegistryError> {
        let there = self.anywhere(repository, |place| {
            match self.blob_to_file_from(place, digest, size, path) {
                // A beginning from elsewhere may be wrong; this place gets a second chance from nothing.
                Err((RegistryError::Wrong { .. }, true)) => self.blob_to_file_from(place, digest, size, path),
                result => result,
            }
            .map_err(|(error, _)| error)
        })?;
        Ok(there.is_some())
    }

    /// As above, at one place; with an error, whether the file held a beginning.
    fn blob_to_file_from(
        &self,
        place: &Repository,
        digest: &AnyDigest,
        size: u64,
        path: &Path,
    ) -> Result<Option<()>, (RegistryError, bool)> {
        let mut reader = BlobReader::new(self, place, *digest, size);
        reader.size = Some(size);
        let task = reader.task.clone();
        let local = |source| RegistryError::Local { task: task.clone(), doing: "write", path: path.to_owned(), source };
        let mut file = reader.take_beginning(path, size).map_err(|error| (local(error), false))?;
        let resumed = reader.offset > 0;
        let mut go = || -> Result<Option<()>, RegistryError> {
            if reader.offset < size && !reader.open()? {
                return Ok(None);
            }
            let mut buffer = vec![0; 1 << 17];
            loop {
                let read = reader.read(&mut buffer).map_err(|error| whole(error, &task))?;
                if read == 0 {
                    return Ok(Some(()));
                }
                let mut left = &buffer[..read];
                while !left.is_empty() {
                    let written = disk::write(&mut file, left).map_err(local)?;
                    left = &left[written..];
                }
            }
        };
        let result = go();
        if let Err(RegistryError::Wrong { .. }) = &result {
            disk::truncate(&file).map_err(|error| (local(error), resumed))?;
        }
        result.map_err(|error| (error, resumed))
    }
}

impl BlobReader {
    fn new(client: &Client, repository: &Repository, digest: AnyDigest, limit: u64) -> Self {
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

    /// Hashes what a file holds of it and gives the file, to be written from there.
    fn take_beginning(&mut self, path: &Path, size: u64) -> io::Result<File> {
        let mut file = disk::open_or_create(path)?;
        if file.metadata()?.len() > size {
            disk::truncate(&file)?;
        }
        let mut buffer = vec![0; 1 << 17];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                file.seek(SeekFrom::Start(self.offset))?;
                return Ok(file);
            }
            self.add(&buffer[..read]);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.offset += bytes.len() as u64;
    }

    /// Asks for the rest until there is an answer; whether there is such a blob.
    fn open(&mut self) -> Result<bool, RegistryError> {
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
        if self.offset > 0 {
            ask = ask.header(header::RANGE, format!("bytes={}-", self.offset));
        }
        let Answer { status, headers, body, .. } = self.client.attempt(&ask)?;
        let mut skip = 0;
        match status {
            // A server that does not know ranges sends the whole: what is there already is passed over.
            StatusCode::OK => skip = self.offset,
            StatusCode::PARTIAL_CONTENT if first_byte(&headers) == Some(self.offset) => {}
            StatusCode::NOT_FOUND => return Ok(false),
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
        if passed.map_err(broken)? < skip {
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
        let read = body.read(buffer).map_err(broken)?;
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

/// The error that a reader's error holds.
fn whole(error: io::Error, task: &str) -> RegistryError {
    let why = error.to_string();
    match error.downcast::<RegistryError>() {
        Ok(error) => error,
        Err(_) => RegistryError::Unreachable { task: task.to_owned(), why },
    }
}

fn broken(error: io::Error) -> Failure {
    Failure::transient(format!("the transfer broke off: {error}"))
}

/// The first byte of `Content-Range: bytes 10-19/20`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

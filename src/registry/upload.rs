//! Sending a blob (OCI distribution-spec, "Pushing a blob monolithically", "Pushing a blob in chunks").
//!
//! A small one goes in one piece, a large one in chunks, so that little is lost when a connection is. What was sent is never sent
//! again on a guess: after any failure the registry is asked what it has, and where it has forgotten, all begins anew. The bytes
//! are hashed by the registry, which stores nothing under a digest that they do not have; they are read once.

use super::any_digest::AnyDigest;
use super::error::{Failure, RegistryError};
use super::exchange::{Ask, Body, To, Whole, refused};
use super::patience::Tries;
use super::reference::Repository;
use super::scope::Scope;
use super::session::{Session, location, other_digest, received};
use super::{Client, journal, said};
use crate::event::Event;
use std::io::{self, Read};
use std::path::Path;
use ureq::http::{Method, StatusCode, header};

/// How often an upload is begun anew because the registry refused what it had received.
const REFUSALS: u32 = 2;

/// A blob to send.
pub struct Upload<'a> {
    /// Its digest.
    pub digest: AnyDigest,
    /// Its size in bytes.
    pub size: u64,
    /// Opens it at an offset; called again after a failure.
    pub open: &'a dyn Fn(u64) -> io::Result<Box<dyn Read>>,
    /// A file that lets a later run go on where this one was interrupted; nobody else may use it meanwhile.
    pub journal: Option<&'a Path>,
    /// An upload that a mount has begun.
    pub session: Option<Session>,
}

/// An upload on its way.
struct Going<'a> {
    repository: &'a Repository,
    blob: &'a Upload<'a>,
    task: &'a str,
    session: Option<Session>,
    /// Whether the session is an earlier run's, and nothing was added to it yet.
    kept: bool,
    /// Whether the registry may have it all by now.
    maybe_done: bool,
    refusals: u32,
}

impl Client {
    /// Sends a blob. When it returns, the registry has verified the blob's digest and holds it.
    pub fn upload(&self, repository: &Repository, blob: &Upload<'_>) -> Result<(), RegistryError> {
        let name = format!("{} to `{repository}`", blob.digest.short());
        let task = format!("send {name}");
        let kept = blob.journal.filter(|_| blob.size > self.settings().chunk);
        let kept = kept.and_then(|path| journal::read(path, repository, &blob.digest));
        let from_journal = kept.is_some();
        let session = kept.or_else(|| blob.session.clone());
        self.0.events.send(Event::SendStarted { name: name.clone(), size: blob.size });
        let mut going =
            Going { repository, blob, task: &task, session, kept: from_journal, maybe_done: false, refusals: 0 };
        let mut tries = Tries::new(self.settings().patience);
        let mut furthest = 0;
        while let Err(failure) = self.go_on(&mut going) {
            let offset = going.session.as_ref().map_or(0, |session| session.offset);
            match self.pause(&mut tries, offset > furthest, failure, &task) {
                // Not with this upload: what an earlier run has left must not stand in the way of every later one.
                Err(RegistryError::Unreachable { why, .. }) if going.kept => {
                    (going.session, going.kept) = (blob.session.clone(), false);
                    tries = Tries::new(self.settings().patience);
                    furthest = 0;
                    self.0.events.send(Event::RegistryRetry { task: task.clone(), why });
                }
                paused => {
                    paused?;
                    furthest = furthest.max(offset);
                }
            }
        }
        if let Some(path) = blob.journal {
            self.noted(path, journal::remove(path));
        }
        self.0.events.send(Event::SendDone { name, size: blob.size });
        Ok(())
    }

    /// Goes on from what is known until the blob is there or something fails.
    fn go_on(&self, going: &mut Going<'_>) -> Result<(), Failure> {
        if std::mem::take(&mut going.maybe_done)
            && self.blob_exists(going.repository, &going.blob.digest).map_err(Failure::from)?.is_some()
        {
            return Ok(());
        }
        if let Some(session) = going.session.take_if(|session| !session.certain) {
            going.session = self.status(going, session)?;
        }
        loop {
            let mut session = match going.session.take() {
                Some(session) => session,
                None => self.begin(going.repository, going.task)?,
            };
            let chunk = self.chunk(&session);
            let left = going.blob.size.saturating_sub(session.offset);
            let last = left == 0 || session.offset == 0 && left <= chunk;
            // From here on only the registry knows.
            session.certain = false;
            going.session = Some(session.clone());
            going.maybe_done = last;
            let answer = self.send_part(going, &session, last)?;
            going.maybe_done = false;
            match answer.status {
                StatusCode::CREATED | StatusCode::NO_CONTENT | StatusCode::OK if last => return stored(going, &answer),
                StatusCode::ACCEPTED | StatusCode::NO_CONTENT | StatusCode::CREATED if !last => {
                    let session = advanced(going, session, &answer, chunk)?;
                    going.kept = false;
                    if let Some(path) = going.blob.journal {
                        self.noted(path, journal::write(path, going.repository, &going.blob.digest, &session));
                    }
                    going.session = Some(session);
                }
                StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => {
                    // It has forgotten the upload, or has something else of it than it said.
                    going.session = None;
                    return Err(Failure::transient(said::said(answer.status, &answer.bytes)));
                }
                StatusCode::BAD_REQUEST if last && going.refusals < REFUSALS => {
                    // What it received is not what was sent.
                    (going.session, going.refusals) = (None, going.refusals + 1);
                    return Err(Failure::transient(said::said(answer.status, &answer.bytes)));
                }
                status => return Err(refused(going.task, status, &answer.bytes).into()),
            }
        }
    }

    /// Tells that a journal could not be kept: an upload that is interrupted then begins anew, which is no reason to fail this one.
    fn noted(&self, path: &Path, result: io::Result<()>) {
        if let Err(error) = result {
            let text = format!("cannot keep the journal of an upload in `{}`: {error}", path.display());
            self.0.events.send(Event::Warning { text });
        }
    }

    /// How much is sent in one request.
    fn chunk(&self, session: &Session) -> u64 {
        self.settings().chunk.max(session.least).max(1)
    }

    /// Sends the next chunk, or the whole with its digest, or the digest alone.
    fn send_part(&self, going: &Going<'_>, session: &Session, last: bool) -> Result<Whole, Failure> {
        let (blob, offset) = (going.blob, session.offset);
        let left = blob.size - offset.min(blob.size);
        let size = left.min(self.chunk(session));
        let open = || (blob.open)(offset);
        let body = if size == 0 { Body::Bytes(&[]) } else { Body::Stream { open: &open, size } };
        let (method, at) = if last {
            (Method::PUT, session.at.with("digest", &blob.digest.to_string()))
        } else {
            (Method::PATCH, session.at.clone())
        };
        let scope = Scope::push(going.repository);
        let mut ask = Ask::new(going.repository, method, To::Address(at), scope, going.task);
        ask = ask.header(header::CONTENT_TYPE, "application/octet-stream");
        if !last {
            ask = ask.header(header::CONTENT_RANGE, format!("{offset}-{}", offset + size - 1));
        }
        self.whole_once(&ask.body(body), said::MOST)
    }

    /// Asks what the registry has of an upload; `None`: it has forgotten it.
    fn status(&self, going: &Going<'_>, mut session: Session) -> Result<Option<Session>, Failure> {
        let (to, scope) = (To::Address(session.at.clone()), Scope::push(going.repository));
        let ask = Ask::new(going.repository, Method::GET, to, scope, going.task);
        let answer = match self.whole(&ask, said::MOST) {
            // The address of an earlier run may have been signed for a time; whether one may write is seen where it begins anew.
            Err(RegistryError::Denied { .. }) => return Ok(None),
            answer => answer?,
        };
        let has = received(&answer.headers).filter(|has| *has <= going.blob.size);
        match (answer.status, has) {
            (StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK, Some(has)) => {
                (session.offset, session.certain) = (has, true);
                if let Some(at) = location(&answer.from, &answer.headers) {
                    session.at = at;
                }
                Ok(Some(session))
            }
            // Whatever else it is, it is no upload to go on with.
            _ => Ok(None),
        }
    }
}

/// Reads the answer to a chunk, and notes where the upload is.
fn advanced(going: &Going<'_>, mut session: Session, answer: &Whole, chunk: u64) -> Result<Session, Failure> {
    let size = (going.blob.size - session.offset).min(chunk);
    let sent = session.offset + size;
    // A registry that took less says so; it is asked for the rest of the chunk next.
    let has = received(&answer.headers).unwrap_or(sent);
    if has > sent || has < session.offset {
        return Err(Failure::transient("the registry says that it has received what was not sent"));
    }
    (session.offset, session.certain) = (has, true);
    if let Some(at) = location(&answer.from, &answer.headers) {
        session.at = at;
    }
    Ok(session)
}

/// The registry holds a blob: the one that was sent, by its own word.
fn stored(going: &Going<'_>, answer: &Whole) -> Result<(), Failure> {
    match other_digest(&answer.headers, &going.blob.digest) {
        None => Ok(()),
        Some(found) => Err(RegistryError::Wrong {
            task: going.task.to_owned(),
            expected: going.blob.digest.to_string(),
            found: found.to_string(),
        }
        .into()),
    }
}

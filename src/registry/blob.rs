//! What a registry says of blobs, and mounting one from a sibling repository (OCI distribution-spec, "Checking if content exists
//! in the registry", "Mounting a blob from another repository").

use super::address::escaped;
use super::any_digest::AnyDigest;
use super::error::{Failure, RegistryError};
use super::exchange::{Ask, Body, To, refused};
use super::manifest::size;
use super::reference::Repository;
use super::scope::Scope;
use super::session::Session;
use super::{Client, said};
use ureq::http::{Method, StatusCode};

/// What came of a mount.
#[derive(Debug)]
pub enum Mounted {
    /// The blob is there now.
    Yes,
    /// It is not, but an upload of it has begun.
    Begun(Session),
    /// It is not.
    No,
}

impl Client {
    /// Asks whether a registry has a blob; its size if it says one, else 0; `None`: it has not.
    pub fn blob_exists(&self, repository: &Repository, digest: &AnyDigest) -> Result<Option<u64>, RegistryError> {
        let task = format!("look for {} in `{repository}`", digest.short());
        let path = format!("/v2/{}/blobs/{digest}", repository.name());
        let ask = Ask::new(repository, Method::HEAD, To::Path(path), Scope::pull(repository), &task);
        let answer = self.whole(&ask, said::MOST)?;
        match answer.status {
            StatusCode::OK => Ok(Some(size(&answer.headers).unwrap_or(0))),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(&task, status, &answer.bytes)),
        }
    }

    /// Asks the registry to take a blob over from another of its repositories. That it does not, may not,
    /// or cannot is no failure: the blob is sent then.
    pub fn mount(
        &self,
        repository: &Repository,
        digest: &AnyDigest,
        from: &Repository,
    ) -> Result<Mounted, RegistryError> {
        let task = format!("mount {} from `{from}` into `{repository}`", digest.short());
        let (name, from_name) = (repository.name(), escaped(from.name()));
        let path = format!("/v2/{name}/blobs/uploads/?mount={}&from={from_name}", escaped(&digest.to_string()));
        let scope = Scope::push(repository).and(&Scope::pull(from));
        // Asked twice, it is there twice over, or an upload is begun that nobody goes on with.
        let ask = Ask::new(repository, Method::POST, To::Path(path), scope, &task).body(Body::Bytes(&[]));
        let answer = match self.whole(&ask, said::MOST) {
            Err(RegistryError::Denied { .. } | RegistryError::Unreachable { .. }) => return Ok(Mounted::No),
            answer => answer?,
        };
        match answer.status {
            StatusCode::CREATED => Ok(Mounted::Yes),
            StatusCode::ACCEPTED => {
                Ok(Session::begun(&answer.from, &answer.headers).map_or(Mounted::No, Mounted::Begun))
            }
            _ => Ok(Mounted::No),
        }
    }

    /// Deletes a blob; whether there was one. Not every registry allows it.
    pub fn delete_blob(&self, repository: &Repository, digest: &AnyDigest) -> Result<bool, RegistryError> {
        let task = format!("delete {} of `{repository}`", digest.short());
        let path = format!("/v2/{}/blobs/{digest}", repository.name());
        let ask = Ask::new(repository, Method::DELETE, To::Path(path), Scope::delete(repository), &task);
        let answer = self.whole(&ask, said::MOST)?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(refused(&task, status, &answer.bytes)),
        }
    }

    /// Begins an upload.
    pub(super) fn begin(&self, repository: &Repository, task: &str) -> Result<Session, Failure> {
        let path = format!("/v2/{}/blobs/uploads/", repository.name());
        let scope = Scope::push(repository);
        let ask = Ask::new(repository, Method::POST, To::Path(path), scope, task).body(Body::Bytes(&[]));
        let answer = self.whole_once(&ask, said::MOST)?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(refused(task, answer.status, &answer.bytes).into());
        }
        let bad = || Failure::malformed(task, "the registry began an upload and did not say where");
        Session::begun(&answer.from, &answer.headers).ok_or_else(bad)
    }
}

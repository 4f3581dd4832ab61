//! Manifests: read, written and deleted as exact bytes (OCI distribution-spec, "Pulling manifests", "Pushing Manifests").

use super::any_digest::AnyDigest;
use super::error::{Failure, RegistryError};
use super::exchange::{Ask, Body, To, Whole, refused};
use super::patience::Tries;
use super::reference::{Repository, Selector};
use super::scope::Scope;
use super::{Client, said};
use crate::digest::Digest;
use serde::Deserialize;
use ureq::http::{HeaderMap, Method, StatusCode, header};

/// A manifest as the registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What kind it is.
    pub media_type: String,
    /// The digest of its bytes: the one that was asked for, or SHA-256 where a tag was.
    pub digest: AnyDigest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a registry says of a manifest without giving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What kind it is, where it says so.
    pub media_type: Option<String>,
    /// Its digest, where it says so.
    pub digest: Option<AnyDigest>,
    /// Its size in bytes, where it says so.
    pub size: Option<u64>,
}

/// What a registry did with a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The digest that it gave it: that of the bytes.
    pub digest: AnyDigest,
    /// Whether it lists the manifest among its subject's referrers by itself.
    pub lists_referrers: bool,
}

/// The largest manifest that is read: twice what the specification wants registries to take.
const LARGEST: u64 = 8 << 20;

/// What a registry says of a manifest that is broken, and those that keep a tag in a file say while another client is writing it.
const RACED: [&str; 2] = ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"];

/// Every kind of manifest that is known; a registry may convert or hide what is not asked for.
const KINDS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

impl Client {
    /// Reads a manifest, from a mirror if it has one; `None`: there is none. By digest, what comes is verified.
    pub fn manifest(&self, repository: &Repository, which: &Selector) -> Result<Option<Manifest>, RegistryError> {
        self.anywhere(repository, |place| self.manifest_at(place, which))
    }

    /// Reads a manifest from the registry itself: for whoever writes there what follows from it, a mirror may be behind.
    pub fn manifest_at(&self, repository: &Repository, which: &Selector) -> Result<Option<Manifest>, RegistryError> {
        let task = format!("get the manifest `{which}` of `{repository}`");
        let ask = manifests(repository, Method::GET, which, Scope::pull(repository), &task);
        let Some(answer) = self.known(&ask)? else { return Ok(None) };
        let wrong = |expected: AnyDigest, found: AnyDigest| RegistryError::Wrong {
            task: task.clone(),
            expected: expected.to_string(),
            found: found.to_string(),
        };
        let promised = digest(&answer.headers);
        let digest = match (which, promised) {
            (Selector::Digest(digest), _) => digest.same_of(&answer.bytes),
            (Selector::Tag(_), _) => Digest::of(&answer.bytes).into(),
        };
        match (which, promised) {
            (Selector::Digest(expected), _) if *expected != digest => return Err(wrong(*expected, digest)),
            (Selector::Tag(_), Some(promised)) if promised.same_of(&answer.bytes) != promised => {
                return Err(wrong(promised, promised.same_of(&answer.bytes)));
            }
            _ => {}
        }
        let media_type = media_type(&answer.headers).or_else(|| own_media_type(&answer.bytes)).unwrap_or_default();
        Ok(Some(Manifest { media_type, digest, bytes: answer.bytes }))
    }

    /// Asks what a registry holds, without reading it; `None`: nothing.
    pub fn head_manifest(&self, repository: &Repository, which: &Selector) -> Result<Option<Head>, RegistryError> {
        let task = format!("look for the manifest `{which}` of `{repository}`");
        let ask = manifests(repository, Method::HEAD, which, Scope::pull(repository), &task);
        let Some(answer) = self.known(&ask)? else { return Ok(None) };
        Ok(Some(Head {
            media_type: media_type(&answer.headers),
            digest: digest(&answer.headers),
            size: size(&answer.headers),
        }))
    }

    /// Writes a manifest under its digest, or under a tag. All that it names has to be there.
    pub fn put_manifest(
        &self,
        repository: &Repository,
        which: &Selector,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Put, RegistryError> {
        let (mut tries, mut refusals) = (Tries::new(self.settings().patience), 1);
        loop {
            match self.put_once(repository, which, media_type, bytes, &mut refusals) {
                Ok(put) => return Ok(put),
                Err(failure) => self.pause(&mut tries, false, failure, &put_task(repository, which))?,
            }
        }
    }

    /// Writes a manifest, or fails; so often, a refusal that a manifest can get which others write at the same time may pass.
    pub(super) fn put_once(
        &self,
        repository: &Repository,
        which: &Selector,
        media_type: &str,
        bytes: &[u8],
        refusals: &mut u32,
    ) -> Result<Put, Failure> {
        let task = put_task(repository, which);
        let wrong = |expected: AnyDigest, found: AnyDigest| RegistryError::Wrong {
            task: task.clone(),
            expected: expected.to_string(),
            found: found.to_string(),
        };
        let digest = match which {
            Selector::Digest(digest) => digest.same_of(bytes),
            Selector::Tag(_) => Digest::of(bytes).into(),
        };
        if let Selector::Digest(expected) = which
            && *expected != digest
        {
            return Err(wrong(*expected, digest).into());
        }
        let ask = manifests(repository, Method::PUT, which, Scope::push(repository), &task)
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::Bytes(bytes));
        let answer = self.whole_once(&ask, said::MOST)?;
        if answer.status == StatusCode::BAD_REQUEST && *refusals > 0 && said::names(&answer.bytes, &RACED) {
            *refusals -= 1;
            return Err(Failure::transient(said::said(answer.status, &answer.bytes)));
        }
        if !matches!(
            answer.status,
            StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT
        ) {
            return Err(refused(&task, answer.status, &answer.bytes).into());
        }
        if let Some(found) = self::digest(&answer.headers)
            && found.same_of(bytes) != found
        {
            return Err(wrong(digest, found).into());
        }
        Ok(Put { digest, lists_referrers: answer.headers.contains_key("oci-subject") })
    }

    /// Deletes a manifest with all its tags, or a tag; whether there was one. Not every registry allows it.
    pub fn delete_manifest(&self, repository: &Repository, which: &Selector) -> Result<bool, RegistryError> {
        let task = format!("delete the manifest `{which}` of `{repository}`");
        let ask = manifests(repository, Method::DELETE, which, Scope::delete(repository), &task);
        let answer = self.whole(&ask, said::MOST)?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(refused(&task, status, &answer.bytes)),
        }
    }

    /// What there is; `None`: the registry says that there is nothing.
    fn known(&self, ask: &Ask<'_>) -> Result<Option<Whole>, RegistryError> {
        let answer = self.whole(ask, LARGEST)?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(ask.task, status, &answer.bytes)),
        }
    }
}

fn put_task(repository: &Repository, which: &Selector) -> String {
    format!("put the manifest `{which}` into `{repository}`")
}

fn manifests<'a>(repository: &'a Repository, method: Method, which: &Selector, scope: Scope, task: &'a str) -> Ask<'a> {
    let path = format!("/v2/{}/manifests/{which}", repository.name());
    Ask::new(repository, method, To::Path(path), scope, task).header(header::ACCEPT, KINDS.join(", "))
}

/// The digest that an answer promises.
pub(super) fn digest(headers: &HeaderMap) -> Option<AnyDigest> {
    headers.get("docker-content-digest")?.to_str().ok()?.parse().ok()
}

/// The size that an answer promises.
pub(super) fn size(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The kind that an answer promises, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = text.split(';').next()?.trim();
    kind.contains('/').then(|| kind.to_owned())
}

/// The kind that a manifest gives itself.
fn own_media_type(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Own {
        #[serde(rename = "mediaType")]
        media_type: Option<String>,
    }
    serde_json::from_slice::<Own>(bytes).ok()?.media_type
}

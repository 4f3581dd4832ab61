//! From a request to its answer.

use super::range::{Range, Ranged};
use super::reach::{Document, LARGEST, Reached};
use super::request::{Refusal, Request};
use super::response::{Body, Code, Response};
use super::route::{NoRoute, Route};
use super::shelf::{Repository, Shelf};
use super::verified::{Unfit, Verified};
use super::{list, referrers};
use crate::digest::Digest;
use crate::event::{Event, Events};
use crate::oci::Blob;
use crate::store::{self, Store};
use serde_json::{Map, Value, json};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The only tag that an image of the store has.
pub(super) const TAG: &str = "latest";

/// What is served, and what is known of it.
#[derive(Debug)]
pub(super) struct Site {
    place: PathBuf,
    shelf: Shelf,
    verified: Verified,
    events: Events,
}

impl Site {
    pub(super) fn new(place: &Path, images: &[String], events: &Events) -> Self {
        Self {
            place: place.to_owned(),
            shelf: Shelf::new(images),
            verified: Verified::default(),
            events: events.clone(),
        }
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// The images that there are now.
    pub(super) fn images(&self) -> Result<Vec<(String, Digest)>, store::Error> {
        let Some(store) = self.look() else { return Ok(Vec::new()) };
        let images = self.shelf.images(&store)?;
        Ok(images.iter().map(|(name, image)| (name.clone(), image.digest())).collect())
    }

    /// Opens the store for one answer: whoever collects garbage waits for answers, not for the server.
    fn look(&self) -> Option<Store> {
        Store::look(&self.place, &self.events)
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: &Request) -> Response {
        let route = match Route::parse(&request.path) {
            Ok(Route::Base) => return Response::json(&json!({})),
            Ok(route) => route,
            Err(NoRoute::Path) => return Response::failure(404, Code::Unsupported, "a registry has nothing here"),
            Err(NoRoute::Name) => return Response::failure(404, Code::NameInvalid, "this is no repository's name"),
        };
        let Some(store) = self.look() else { return Response::failure(404, Code::NameUnknown, "there is no store") };
        let images = match self.shelf.images(&store) {
            Ok(images) => images,
            Err(error) => return self.broken(&error),
        };
        let Some(name) = route.name() else {
            let names: Vec<&str> = images.keys().map(String::as_str).collect();
            return list::page(request, "/v2/_catalog", "repositories", Map::new(), &names);
        };
        let Some(repository) = images.get(name) else {
            return Response::failure(404, Code::NameUnknown, "the store has no image of this name");
        };
        let invalid = "this is no digest that anything here could have";
        match route {
            Route::Manifest { reference, .. } => self.manifest(request, &store, repository, reference),
            Route::Blob { digest: Some(digest), .. } => self.blob(request, &store, repository, &digest),
            Route::Blob { digest: None, .. } => Response::failure(404, Code::DigestInvalid, invalid),
            Route::Referrers { digest: Some(digest), .. } => {
                referrers::list(request, &repository.reached(&store), &digest)
            }
            // "If the request is invalid, such as a <digest> with an invalid syntax, a 400 Bad Request MUST be returned."
            Route::Referrers { digest: None, .. } => Response::failure(400, Code::DigestInvalid, invalid),
            Route::Base | Route::Catalog | Route::Tags { .. } => {
                let beside = Map::from_iter([("name".to_owned(), Value::from(name))]);
                list::page(request, &format!("/v2/{name}/tags/list"), "tags", beside, &[TAG])
            }
        }
    }

    fn manifest(&self, request: &Request, store: &Store, repository: &Repository, reference: &str) -> Response {
        let unknown = |why: &str| Response::failure(404, Code::ManifestUnknown, why);
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) if reference == TAG => repository.digest(),
            Err(_) => return unknown("the store's images have the tag `latest` and no other"),
        };
        let Some((reached, document)) = repository.all(store).find_map(|reached| {
            let document = reached.documents.get(&digest)?.clone();
            Some((reached, document))
        }) else {
            return unknown("the image leads to no such manifest");
        };
        let Document { blob, media_type } = document;
        if let Some(fault) = reached.faults.get(&digest) {
            return self.unfit(fault, Code::ManifestUnknown);
        }
        if unchanged(request, &digest) {
            return not_modified(&digest);
        }
        if blob.size > LARGEST {
            let why = format!("manifest {digest} has more than the {LARGEST} bytes that one may have");
            return Response::failure(500, Code::Unknown, &why);
        }
        let mut bytes = Vec::new();
        let read = self.verified.open(store, &blob).and_then(|file| {
            let failed = |source| store::Error::Io { doing: "read", path: store.blob_path(&digest), source };
            Ok(file.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?)
        });
        match read {
            Ok(_) => named(Response::new(200, Body::Bytes(bytes)), &digest).field("Content-Type", media_type),
            Err(unfit) => self.unfit_file(&unfit, Code::ManifestUnknown),
        }
    }

    fn blob(&self, request: &Request, store: &Store, repository: &Repository, digest: &Digest) -> Response {
        let found = repository.all(store).find_map(|reached: Arc<Reached>| reached.blob(digest));
        let Some(blob) = found else {
            return Response::failure(404, Code::BlobUnknown, "the image leads to no such blob");
        };
        if unchanged(request, digest) {
            return not_modified(digest);
        }
        let file = match self.verified.open(store, &blob) {
            Ok(file) => file,
            Err(unfit) => return self.unfit_file(&unfit, Code::BlobUnknown),
        };
        // A range of another state than the client has a part of would be glued to the wrong bytes.
        let same = request.if_range.as_ref().is_none_or(|etag| etag.trim() == quoted(digest));
        let asked = request.range.as_ref().filter(|_| same && !request.head_only);
        let Blob { size, .. } = blob;
        let (status, Range { start, length }) = match asked.map(|text| Ranged::parse(text, size)) {
            None | Some(Ranged::Whole) => (200, Range { start: 0, length: size }),
            Some(Ranged::Part(range)) => (206, range),
            Some(Ranged::Beyond) => {
                let why = format!("the blob has {size} bytes");
                return Response::failure(416, Code::Unknown, &why).field("Content-Range", format!("bytes */{size}"));
            }
        };
        if let Err(source) = (&file).seek(SeekFrom::Start(start)) {
            return self.broken(&store::Error::Io { doing: "read", path: store.blob_path(digest), source });
        }
        let response = named(Response::new(status, Body::File(file, length)), digest)
            .field("Accept-Ranges", "bytes")
            .field("Content-Type", "application/octet-stream");
        match status {
            206 => response.field("Content-Range", format!("bytes {start}-{}/{size}", start + length - 1)),
            _ => response,
        }
    }

    fn unfit_file(&self, unfit: &Unfit, code: Code) -> Response {
        match unfit {
            Unfit::Store(error) => self.unfit(error, code),
            unfit => self.broken(unfit),
        }
    }

    /// What is not there is unknown; anything else is this side's failure.
    fn unfit(&self, error: &store::Error, code: Code) -> Response {
        match error {
            store::Error::Missing { digest } => {
                Response::failure(404, code, &format!("the store has lost {digest}: build the image again"))
            }
            error => self.broken(error),
        }
    }

    /// Says to the client that something is wrong here, and to who runs the server, what.
    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Response {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        self.events.send(Event::Warning { text: format!("{text}; `remint build` makes what is damaged again") });
        // Not the text itself: it may have paths of this machine in it.
        Response::failure(500, Code::Unknown, "what was asked for is damaged or cannot be read: build the image again")
    }
}

/// The answer to what is no request.
pub(super) fn refused(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::Malformed(_) => 400,
        Refusal::TooLarge => 431,
        Refusal::Version => 505,
        Refusal::Method => 405,
        Refusal::Body => 413,
        Refusal::Late => 408,
    };
    let response = Response::failure(status, Code::Unsupported, &refusal.to_string());
    if refusal == Refusal::Method { response.field("Allow", "GET, HEAD") } else { response }
}

/// Adds what names the bytes of an answer.
fn named(response: Response, digest: &Digest) -> Response {
    response.field("Docker-Content-Digest", digest.to_string()).field("ETag", quoted(digest))
}

fn not_modified(digest: &Digest) -> Response {
    named(Response::new(304, Body::None), digest)
}

fn quoted(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether a client has these bytes already (RFC 9110, section 13.1.2: weak comparison).
fn unchanged(request: &Request, digest: &Digest) -> bool {
    let Some(known) = &request.if_none_match else { return false };
    let etag = quoted(digest);
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}

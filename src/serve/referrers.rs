//! What is about a manifest (distribution-spec, "Listing Referrers").

use super::reach::Reached;
use super::request::Request;
use super::response::{Body, Response};
use crate::digest::Digest;
use crate::oci::{canonical_json, media};
use serde_json::{Value, json};

/// The index of a digest's referrers, filtered if that is asked for; empty where there are none.
pub(super) fn list(request: &Request, reached: &Reached, subject: &Digest) -> Response {
    let kind = request.asked("artifactType").filter(|kind| !kind.is_empty());
    let about = reached.referrers.iter().filter(|(of, _)| of == subject).map(|(_, entry)| entry);
    let fits = |value: Option<&Value>| kind.is_none_or(|kind| value.and_then(Value::as_str) == Some(kind));
    let all: Vec<_> = about.filter(|entry| fits(entry.get("artifactType"))).collect();
    let index = canonical_json(&json!({ "manifests": all, "mediaType": media::INDEX, "schemaVersion": 2 }));
    let response = Response::new(200, Body::Bytes(index)).field("Content-Type", media::INDEX);
    if kind.is_some() { response.field("OCI-Filters-Applied", "artifactType") } else { response }
}

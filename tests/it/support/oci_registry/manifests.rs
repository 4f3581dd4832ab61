//! Manifests, tags and referrers.

use super::wire::{Brought, Reply, Seen};
use super::{Shared, State};
use remint::digest::Digest;
use remint::registry::AnyDigest;
use serde_json::{Value, json};

/// Reads, writes or deletes a manifest.
pub(super) fn manifest(shared: &Shared, seen: &Seen, brought: &Brought, name: &str, which: &str) -> Reply {
    let mut state = shared.state();
    let there = state.repositories.entry(name.to_owned()).or_default();
    let digest: Option<AnyDigest> = which.parse().ok();
    let unknown = || Reply::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    match seen.method.as_str() {
        "GET" | "HEAD" => {
            let digest = digest.or_else(|| there.tags.get(which).copied());
            let Some((digest, (kind, bytes))) = digest.and_then(|digest| Some((digest, there.manifests.get(&digest)?)))
            else {
                return unknown();
            };
            Reply::new(200).with("Content-Type", &kind).with("Docker-Content-Digest", &digest).body(bytes.clone())
        }
        "DELETE" => match digest {
            None => there.tags.remove(which).map_or_else(unknown, |_| Reply::new(202)),
            Some(digest) => {
                there.tags.retain(|_, tagged| *tagged != digest);
                there.manifests.remove(&digest).map_or_else(unknown, |_| Reply::new(202))
            }
        },
        "PUT" if brought.whole => put(shared, &mut state, seen, &brought.bytes, name, which),
        _ => Reply::new(400),
    }
}

fn put(shared: &Shared, state: &mut State, seen: &Seen, bytes: &[u8], name: &str, which: &str) -> Reply {
    let there = state.repositories.entry(name.to_owned()).or_default();
    let named: Option<AnyDigest> = which.parse().ok();
    let digest = named.map_or_else(|| Digest::of(bytes).into(), |named| named.same_of(bytes));
    if named.is_some_and(|named| named != digest) {
        return Reply::error(400, "DIGEST_INVALID", "another digest");
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Reply::error(400, "MANIFEST_INVALID", "manifest invalid");
    };
    let of = |entry: &Value| entry["digest"].as_str().and_then(|digest| digest.parse::<AnyDigest>().ok());
    let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
    let config = (!value["config"].is_null()).then(|| value["config"].clone());
    let blobs = list("layers").into_iter().chain(config);
    let absent = blobs.filter_map(|entry| of(&entry)).find(|digest| !there.blobs.contains_key(digest));
    let parts = list("manifests").into_iter().filter_map(|entry| of(&entry));
    let absent = absent.or_else(|| parts.into_iter().find(|digest| !there.manifests.contains_key(digest)));
    if let Some(absent) = absent {
        return Reply::error(400, "MANIFEST_BLOB_UNKNOWN", &format!("{absent} is not here"));
    }
    let kind = seen.header("content-type").unwrap_or_default().to_owned();
    there.manifests.insert(digest, (kind, bytes.to_vec()));
    if named.is_none() {
        there.tags.insert(which.to_owned(), digest);
    }
    let reply = Reply::new(201).with("Docker-Content-Digest", &digest);
    match of(&value["subject"]).filter(|_| !shared.options.old) {
        Some(subject) => reply.with("OCI-Subject", &subject),
        None => reply,
    }
}

/// Lists tags, page after page.
pub(super) fn tags(shared: &Shared, seen: &Seen, name: &str) -> Reply {
    let state = shared.state();
    let Some(there) = state.repositories.get(name) else { return Reply::error(404, "NAME_UNKNOWN", "no such name") };
    let last = seen.parameter("last");
    let left = there.tags.keys().filter(|tag| last.as_ref().is_none_or(|last| *tag > last));
    let page: Vec<&String> = left.clone().take(shared.options.page.unwrap_or(usize::MAX)).collect();
    let reply = Reply::new(200).body(json!({ "name": name, "tags": page }).to_string().into_bytes());
    match page.last().filter(|_| left.count() > page.len()) {
        Some(last) => reply.with("Link", &format!("</v2/{name}/tags/list?last={last}>; rel=\"next\"")),
        None => reply,
    }
}

/// Lists what refers to a manifest.
pub(super) fn referrers(shared: &Shared, seen: &Seen, name: &str, subject: &str) -> Reply {
    let state = shared.state();
    let manifests = state.repositories.get(name).map(|there| &there.manifests);
    let mut entries = Vec::new();
    for (digest, (kind, bytes)) in manifests.into_iter().flatten() {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        if value["subject"]["digest"].as_str() == Some(subject) {
            entries.push(json!({
                "mediaType": kind, "digest": digest.to_string(), "size": bytes.len(),
                "artifactType": value["artifactType"], "annotations": value["annotations"],
            }));
        }
    }
    let kind = seen.parameter("artifactType");
    if let Some(kind) = &kind {
        entries.retain(|entry| entry["artifactType"].as_str() == Some(kind));
    }
    let body = json!({ "schemaVersion": 2, "manifests": entries });
    let reply = Reply::new(200).with("Content-Type", &"application/vnd.oci.image.index.v1+json");
    let reply = if kind.is_some() { reply.with("OCI-Filters-Applied", &"artifactType") } else { reply };
    reply.body(body.to_string().into_bytes())
}

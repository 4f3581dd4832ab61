//! Blobs: read, mounted, and sent in one piece or in chunks.

use super::wire::{Brought, Reply, Seen};
use super::{Shared, State, Upload};
use remint::registry::AnyDigest;
use std::sync::Arc;

/// Reads or looks for a blob.
pub(super) fn blob(shared: &Shared, seen: &Seen, name: &str, digest: &str) -> Reply {
    let unknown = || Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    let Ok(digest) = digest.parse::<AnyDigest>() else { return Reply::error(400, "DIGEST_INVALID", "no digest") };
    let bytes = shared.state().repositories.get(name).and_then(|there| there.blobs.get(&digest).cloned());
    let Some(bytes) = bytes else { return unknown() };
    if seen.method == "DELETE" {
        shared.state().repositories.get_mut(name).map(|there| there.blobs.remove(&digest));
        return Reply::new(202);
    }
    if let Some(elsewhere) = shared.options.elsewhere.as_ref().filter(|_| seen.method == "GET") {
        return Reply::new(307).with("Location", &format!("{elsewhere}{}?signature=canary-signature", seen.path));
    }
    let reply = Reply::new(200).with("Docker-Content-Digest", &digest).with("Accept-Ranges", &"bytes");
    let start = seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match start {
        Some(start) if start >= bytes.len() => Reply::new(416),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            let reply = Reply { status: 206, ..reply };
            reply.with("Content-Range", &range).body(bytes[start..].to_vec())
        }
        None => reply.body(bytes),
    }
}

/// Begins an upload, mounts, takes a chunk, finishes, or says where an upload is.
pub(super) fn upload(shared: &Shared, seen: &Seen, brought: &Brought, name: &str, id: &str) -> Reply {
    if seen.method == "POST" {
        return if brought.whole { begin(shared, seen, name) } else { Reply::new(400) };
    }
    let unknown = || Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    let Ok(id) = id.parse::<u64>() else { return unknown() };
    let mut guard = shared.state();
    let state = &mut *guard;
    let Some(upload) = state.uploads.get_mut(&id).filter(|upload| upload.repository == name) else { return unknown() };
    let offset = upload.bytes.len();
    if seen.method == "GET" {
        return at(shared, Reply::new(204), name, id, upload);
    }
    // Only the newest place is good.
    if seen.parameter("_state").as_deref() != Some(&offset.to_string()) {
        return unknown();
    }
    let range = seen.header("content-range").map(|range| range.split('-').next().and_then(|first| first.parse().ok()));
    if range.is_some_and(|first| first != Some(offset)) || seen.method == "PATCH" && upload.short {
        return Reply::error(416, "BLOB_UPLOAD_INVALID", "out of order");
    }
    if !brought.whole && shared.options.old {
        state.uploads.remove(&id);
        return unknown();
    }
    upload.bytes.extend_from_slice(&brought.bytes);
    match seen.method.as_str() {
        "PATCH" => {
            upload.short |= brought.whole && (brought.bytes.len() as u64) < shared.options.least;
            at(shared, Reply::new(202), name, id, upload)
        }
        "PUT" if brought.whole => finish(shared, state, seen, name, id),
        _ => unknown(),
    }
}

fn finish(shared: &Shared, state: &mut State, seen: &Seen, name: &str, id: u64) -> Reply {
    let Some(upload) = state.uploads.remove(&id) else { return Reply::new(404) };
    let digest: Option<AnyDigest> = seen.parameter("digest").and_then(|digest| digest.parse().ok());
    let known = digest.filter(|digest| !shared.options.old || matches!(digest, AnyDigest::Sha256(_)));
    let Some(digest) = known.filter(|digest| digest.same_of(&upload.bytes) == *digest) else {
        return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    };
    state.repositories.entry(name.to_owned()).or_default().blobs.insert(digest, Arc::new(upload.bytes));
    let place = format!("/v2/{name}/blobs/{digest}");
    Reply::new(201).with("Location", &place).with("Docker-Content-Digest", &digest)
}

fn begin(shared: &Shared, seen: &Seen, name: &str) -> Reply {
    let mut state = shared.state();
    let mounted = seen.parameter("mount").and_then(|digest| digest.parse::<AnyDigest>().ok());
    if let (Some(digest), Some(from)) = (mounted, seen.parameter("from"))
        && let Some(bytes) = state.repositories.get(&from).and_then(|from| from.blobs.get(&digest).cloned())
    {
        state.repositories.entry(name.to_owned()).or_default().blobs.insert(digest, bytes);
        return Reply::new(201).with("Docker-Content-Digest", &digest);
    }
    let id = shared.number();
    let upload = Upload { repository: name.to_owned(), bytes: Vec::new(), short: false };
    let reply = at(shared, Reply::new(202), name, id, &upload);
    state.uploads.insert(id, upload);
    reply
}

/// Says where an upload is.
fn at(shared: &Shared, reply: Reply, name: &str, id: u64, upload: &Upload) -> Reply {
    let size = upload.bytes.len();
    let place = format!("/v2/{name}/blobs/uploads/{id}?_state={size}");
    // Some registries give the whole address, some a path.
    let place = if shared.options.old { format!("http://{}{place}", shared.address) } else { place };
    let reply = reply.with("Location", &place).with("Range", &format!("0-{}", size.saturating_sub(1)));
    if shared.options.least > 0 { reply.with("OCI-Chunk-Min-Length", &shared.options.least) } else { reply }
}

//! The registry's client, against Debian's docker-registry and against a registry of our own that does everything wrong when told.

mod access;
mod contract;
mod docker;
mod faults;
mod proxy;
mod secrets;
mod token_judge;
mod transfers;

use remint::digest::Digest;
use remint::event::Events;
use remint::oci::media;
use remint::registry::{AnyDigest, Client, Manifest, RegistryError, Repository, Settings, Upload};
use remint::wire::Patience;
use serde_json::{Value, json};
use std::io::{Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A client that waits for nobody.
fn client(settings: Settings) -> Client {
    let patience = Patience { silence: Duration::from_secs(5), ..settings.patience };
    Client::new(Settings { patience, ..settings }, Events::none(), |_| ())
}

/// Bytes that do not compress and differ by seed.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::from_fn(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_le_bytes())
    });
    words.flatten().take(size).collect()
}

/// Sends bytes that are in memory.
fn send(client: &Client, to: &Repository, bytes: &[u8], journal: Option<&Path>) -> Result<AnyDigest, RegistryError> {
    let digest = AnyDigest::from(Digest::of(bytes));
    send_as(client, to, bytes, digest, journal)?;
    Ok(digest)
}

/// The same under a digest of the caller's.
fn send_as(
    client: &Client,
    to: &Repository,
    bytes: &[u8],
    digest: AnyDigest,
    journal: Option<&Path>,
) -> Result<(), RegistryError> {
    let shared: Arc<[u8]> = bytes.into();
    let open = move |offset| {
        let mut cursor = Cursor::new(Arc::clone(&shared));
        cursor.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(cursor) as Box<dyn Read>)
    };
    let size = bytes.len() as u64;
    client.upload(to, &Upload { digest, size, open: &open, journal, session: None })
}

/// A manifest of these blobs, the first of which is the configuration, with more keys.
fn manifest(blobs: &[&[u8]], more: &Value) -> Manifest {
    let entry = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": Digest::of(bytes).to_string(), "size": bytes.len() });
    let layers: Vec<Value> = blobs[1..].iter().map(|bytes| entry(media::LAYER_ZSTD, bytes)).collect();
    let config = entry(media::CONFIG, blobs[0]);
    let mut value = json!({ "schemaVersion": 2, "mediaType": media::MANIFEST, "config": config, "layers": layers });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let bytes = serde_json::to_vec(&value).unwrap();
    Manifest { media_type: media::MANIFEST.to_owned(), digest: Digest::of(&bytes).into(), bytes }
}

//! The registry's client, against Debian's docker-registry and against a registry of our own that does everything wrong when told.

mod docker;

use remint::digest::Digest;
use remint::event::Events;
use remint::registry::{AnyDigest, Client, RegistryError, Repository, Settings, Upload};
use remint::wire::Patience;
use std::io::{Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;
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
    let shared: std::sync::Arc<[u8]> = bytes.into();
    let open = move |offset| {
        let mut cursor = Cursor::new(std::sync::Arc::clone(&shared));
        cursor.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(cursor) as Box<dyn Read>)
    };
    let size = bytes.len() as u64;
    client.upload(to, &Upload { digest, size, open: &open, journal, session: None })?;
    Ok(digest)
}

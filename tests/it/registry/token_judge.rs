//! Debian's docker-registry with the tokens of another server.

use super::access::with_file;
use super::{client, noise, send};
use crate::support::token_server::{IDENTITY, Policy, TokenServer, start, with_password};
use crate::support::{registry_server, token_server};
use remint::digest::Digest;
use remint::registry::{AnyDigest, Client, Mounted, RegistryError, Repository, Settings, Upload};
use serde_json::json;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A client of whom a registry knows who it is.
fn user(dir: &Path, registry: &registry_server::Registry, settings: Settings) -> Client {
    let file = json!({ "auths": { &registry.address: with_password(token_server::PASSWORD) } });
    with_file(dir, &file, settings)
}

fn repository(registry: &registry_server::Registry, name: &str) -> Repository {
    format!("{}/{name}", registry.address).parse().unwrap()
}

/// The scopes that were asked for, each request's.
fn scopes(tokens: &TokenServer) -> Vec<Vec<String>> {
    tokens.asked().into_iter().map(|asked| asked.scopes).collect()
}

#[test]
fn only_who_gets_a_token_writes() {
    let dir = tempfile::tempdir().unwrap();
    let Some((tokens, registry)) = start(dir.path(), Policy::default(), None) else { return };
    let repository = repository(&registry, "a");
    let anonymous = send(&client(Settings::default()), &repository, b"x", None).unwrap_err();
    assert!(matches!(anonymous, RegistryError::Denied { anonymous: true, .. }), "{anonymous}");
    assert!(anonymous.hint().unwrap().contains(&format!("podman login {}", registry.address)), "{anonymous}");
    let entry = with_password("wrong-canary");
    let file = json!({ "auths": { &registry.address: &entry } });
    let wrong = send(&with_file(dir.path(), &file, Settings::default()), &repository, b"x", None).unwrap_err();
    assert!(matches!(wrong, RegistryError::Denied { anonymous: false, .. }), "{wrong}");
    let text = format!("{wrong} {wrong:?}");
    assert!(text.contains("incorrect user or password") && !text.contains("canary"), "{text}");
    assert!(!text.contains(entry["auth"].as_str().unwrap()), "{text}");
    assert!(tokens.asked().iter().all(|asked| asked.token.is_none()));

    let client = user(dir.path(), &registry, Settings::default());
    client.ping(repository.host()).unwrap();
    let digest = send(&client, &repository, &noise(1, 100_000), None).unwrap();
    assert_eq!(client.blob(&repository, &digest, 1 << 20).unwrap(), Some(noise(1, 100_000)));
    // One for nothing in particular, one to write, one to read.
    assert_eq!(scopes(&tokens), [&[][..], &["repository:a:pull,push".to_owned()], &["repository:a:pull".to_owned()]]);

    // Whoever logged in by way of a browser.
    let file = json!({ "auths": { &registry.address: { "identitytoken": IDENTITY } } });
    send(&with_file(dir.path(), &file, Settings::default()), &repository, b"y", None).unwrap();
    let asked = tokens.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|asked| asked.method == "POST" && asked.token.is_some()),
        "{asked:?}"
    );
    let file = json!({ "auths": { &registry.address: { "identitytoken": "canary-wrong" } } });
    let wrong = send(&with_file(dir.path(), &file, Settings::default()), &repository, b"z", None).unwrap_err();
    let text = format!("{wrong} {wrong:?}");
    assert!(matches!(wrong, RegistryError::Denied { .. }) && !text.contains("canary"), "{text}");
}

#[test]
fn a_mount_wants_to_read_the_other_repository_too() {
    let dir = tempfile::tempdir().unwrap();
    let policy = Policy { withheld: Some("others/secret"), ..Policy::default() };
    let Some((tokens, registry)) = start(dir.path(), policy, None) else { return };
    let client = user(dir.path(), &registry, Settings::default());
    let (one, two) = (repository(&registry, "team/one"), repository(&registry, "team/two"));
    let digest = send(&client, &one, b"content", None).unwrap();
    tokens.asked();
    assert!(matches!(client.mount(&two, &digest, &one).unwrap(), Mounted::Yes));
    assert_eq!(client.blob(&two, &digest, 100).unwrap().as_deref(), Some(&b"content"[..]));
    let both = ["repository:team/one:pull", "repository:team/two:pull,push"].map(str::to_owned);
    assert_eq!(scopes(&tokens)[0], both);

    // The server gives a token for the one and not for the other: the blob is sent instead.
    let secret = repository(&registry, "others/secret");
    let absent = AnyDigest::from(Digest::of(b"other content"));
    assert!(matches!(client.mount(&two, &absent, &secret).unwrap(), Mounted::No));
    send(&client, &two, b"other content", None).unwrap();
    let refused = send(&client, &secret, b"content", None).unwrap_err();
    assert!(matches!(refused, RegistryError::Denied { anonymous: false, .. }), "{refused}");
}

#[test]
fn a_token_may_end_in_the_middle_of_an_upload() {
    let bytes = noise(1, 10_000_000);
    thread::scope(|scope| {
        // In one piece, which the registry refuses unread; in chunks, before the second; before the digest.
        for (chunk, at) in [(64 << 20, 0), (3_000_000, 3_000_000), (5_000_000, 10_000_000)] {
            let bytes = &bytes;
            scope.spawn(move || end_in_the_middle(bytes, chunk, at));
        }
    });
}

/// Sends a blob with a token that the registry no longer takes once so much of it was sent.
fn end_in_the_middle(bytes: &[u8], chunk: u64, at: u64) {
    let dir = tempfile::tempdir().unwrap();
    let Some((tokens, registry)) = start(dir.path(), Policy::default(), None) else { return };
    let client = user(dir.path(), &registry, Settings { chunk, ..Settings::default() });
    let repository = repository(&registry, "a");
    tokens.lives(&[4]);
    let opened = AtomicU64::new(0);
    let open = |offset: u64| {
        opened.fetch_add(1, Ordering::Relaxed);
        let mut cursor = Cursor::new(bytes.to_vec());
        cursor.set_position(offset);
        let slow = Slow { cursor, at, tokens: tokens.clone() };
        slow.wait();
        Ok(Box::new(slow) as Box<dyn Read>)
    };
    let (digest, size) = (AnyDigest::from(Digest::of(bytes)), bytes.len() as u64);
    client.upload(&repository, &Upload { digest, size, open: &open, journal: None, session: None }).unwrap();
    assert!(client.blob(&repository, &digest, size).unwrap().is_some_and(|there| there == bytes));
    let asked = scopes(&tokens);
    let push = asked.iter().filter(|scopes| **scopes == ["repository:a:pull,push"]).count();
    assert_eq!(push, 2, "{asked:?}");
    let again = u64::from(at < size);
    assert_eq!(opened.into_inner(), size.div_ceil(chunk) + again, "only what was refused is sent again");
}

/// A blob of which some bytes come late.
struct Slow {
    cursor: Cursor<Vec<u8>>,
    /// From which on.
    at: u64,
    tokens: TokenServer,
}

impl Slow {
    fn wait(&self) {
        if self.cursor.position() >= self.at {
            self.tokens.outlive();
        }
    }
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.cursor.read(buffer)?;
        self.wait();
        Ok(read)
    }
}

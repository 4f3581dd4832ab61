//! Passwords and tokens: whoever may gets in, with as few questions as can be; nobody else learns of them.

use super::{client, noise, send};
use crate::support::oci_registry::{Access, Fault, Options, Registry};
use base64::Engine as _;
use remint::digest::Digest;
use remint::registry::{Client, Credentials, Mounted, RegistryError, Repository, Settings};
use serde_json::{Value, json};
use std::path::Path;

/// A client with a file of credentials.
pub(super) fn with_file(dir: &Path, file: &Value, settings: Settings) -> Client {
    let path = dir.join("auth.json");
    std::fs::write(&path, file.to_string()).unwrap();
    client(Settings { credentials: Credentials { files: vec![path], ..Credentials::default() }, ..settings })
}

pub(super) fn password(text: &str) -> Value {
    json!({ "auth": base64::engine::general_purpose::STANDARD.encode(text) })
}

#[test]
fn every_way_in_is_found() {
    let basic = Registry::start(Options { access: Access::Basic("user", "canary"), ..Options::default() });
    let tokens = Registry::start(Options { access: Access::Token("user", "canary", 1000), ..Options::default() });
    let dir = tempfile::tempdir().unwrap();
    for registry in [&basic, &tokens] {
        let repository: Repository = format!("{}/team/image", registry.address).parse().unwrap();
        let anonymous = send(&client(Settings::default()), &repository, b"x", None).unwrap_err();
        assert!(matches!(anonymous, RegistryError::Denied { anonymous: true, .. }), "{anonymous}");
        // The host's password is wrong, the one for the team is right.
        let team = format!("{}/team", registry.address);
        let file = json!({ "auths": { &registry.address: password("user:wrong"), team: password("user:canary") } });
        let client = with_file(dir.path(), &file, Settings::default());
        client.ping(repository.host()).unwrap_err();
        send(&client, &repository, b"x", None).unwrap();
        let other: Repository = format!("{}/other", registry.address).parse().unwrap();
        let wrong = send(&client, &other, b"x", None).unwrap_err();
        assert!(matches!(wrong, RegistryError::Denied { anonymous: false, .. }), "{wrong}");
    }
    let file = json!({ "auths": { &tokens.address: { "identitytoken": "identity-canary" } } });
    let repository: Repository = format!("{}/team/two", tokens.address).parse().unwrap();
    send(&with_file(dir.path(), &file, Settings::default()), &repository, b"x", None).unwrap();
}

#[test]
fn a_token_is_got_once_and_serves_all_threads() {
    let registry = Registry::start(Options { access: Access::Token("user", "canary", 1000), ..Options::default() });
    let dir = tempfile::tempdir().unwrap();
    let file = json!({ "auths": { &registry.address: password("user:canary") } });
    let client = with_file(dir.path(), &file, Settings::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (client, repository) = (&client, &repository);
            scope.spawn(move || send(client, repository, &noise(seed, 10_000), None).unwrap());
        }
    });
    let seen = registry.seen();
    let asked = seen.iter().filter(|seen| seen.path.starts_with("/token")).count();
    assert_eq!(asked, 1, "{seen:#?}");

    // A mount needs to read the other one as well.
    let other: Repository = format!("{}/b", registry.address).parse().unwrap();
    let digest = Digest::of(&noise(0, 10_000)).into();
    assert!(matches!(client.mount(&other, &digest, &repository).unwrap(), Mounted::Yes));
    let seen = registry.seen();
    let token = seen.iter().find(|seen| seen.path.starts_with("/token")).unwrap();
    assert!(token.path.contains("scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush"), "{}", token.path);
}

#[test]
fn a_token_may_end_in_the_middle_of_an_upload() {
    // A token for two requests, and one that ends when nobody expects it.
    for (life, fault) in [(2, None), (1000, Some(("PATCH", Fault::Expire))), (1000, Some(("PUT", Fault::Expire)))] {
        let registry = Registry::start(Options { access: Access::Token("user", "canary", life), ..Options::default() });
        let dir = tempfile::tempdir().unwrap();
        let file = json!({ "auths": { &registry.address: password("user:canary") } });
        let client = with_file(dir.path(), &file, Settings { chunk: 30_000, ..Settings::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        registry.faults(&fault.into_iter().collect::<Vec<_>>());
        let bytes = noise(7, 200_000);
        let digest = send(&client, &repository, &bytes, None).unwrap();
        assert!(*registry.holds("a").blobs[&digest] == bytes);
    }
}

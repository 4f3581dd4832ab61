//! Nobody learns a secret who must not: no other host, no error, event, file or debugger.

use super::access::{password, with_file};
use super::{client, noise, send};
use crate::support::oci_registry::{Access, Fault, Options, Registry};
use base64::Engine as _;
use remint::event::{Event, Events};
use remint::registry::{Client, Credentials, RegistryError, Repository, Selector, Settings};
use serde_json::json;
use std::sync::{Arc, Mutex};

#[test]
fn another_host_learns_nothing() {
    let storage = Registry::start(Options::default());
    for access in [Access::Basic("user", "canary"), Access::Token("user", "canary", 1000)] {
        let elsewhere = Some(format!("http://{}", storage.address));
        let registry = Registry::start(Options { access, elsewhere, ..Options::default() });
        let dir = tempfile::tempdir().unwrap();
        let file = json!({ "auths": { &registry.address: password("user:canary") } });
        let client = with_file(dir.path(), &file, Settings::default());
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        let copy: Repository = format!("{}/a", storage.address).parse().unwrap();
        let digest = send(&client, &repository, b"content", None).unwrap();
        send(&super::client(Settings::default()), &copy, b"content", None).unwrap();
        storage.seen();
        assert_eq!(client.blob(&repository, &digest, 100).unwrap().as_deref(), Some(&b"content"[..]));
        let seen = storage.seen();
        assert!(seen.iter().any(|seen| seen.path.contains("canary-signature")), "it was redirected");
        assert!(seen.iter().all(|seen| seen.header("authorization").is_none()), "{seen:?}");
        let shown = registry.seen().iter().filter(|seen| seen.header("authorization").is_some()).count();
        assert!(shown > 0, "while the registry itself was shown who asks");
    }
}

#[test]
fn plain_http_is_for_those_who_chose_it() {
    let registry =
        Registry::start(Options { elsewhere: Some("http://storage.example".to_owned()), ..Options::default() });
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let client = client(Settings::default());
    let digest = send(&client, &repository, b"content", None).unwrap();
    let error = client.blob(&repository, &digest, 100).unwrap_err().to_string();
    assert!(error.contains("`storage.example` over plain HTTP") && !error.contains("canary"), "{error}");
}

#[test]
fn no_message_event_or_file_holds_a_secret() {
    let texts = Arc::new(Mutex::new(String::new()));
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journal");
    for access in [Access::Basic("user", "canary-password"), Access::Token("user", "canary-password", 3)] {
        let registry = Registry::start(Options { access, ..Options::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        for (at, word) in ["user:canary-password", "user:canary-wrong"].into_iter().enumerate() {
            let path = dir.path().join("config.json");
            std::fs::write(&path, json!({ "auths": { &registry.address: password(word) } }).to_string()).unwrap();
            let credentials = Credentials { files: vec![path], ..Credentials::default() };
            let heard = Arc::clone(&texts);
            let events = Events::new(move |event: Event| {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&format!("{event:?}\n{}\n", serde_json::to_string(&event).unwrap()));
            });
            let client = Client::new(Settings { credentials, chunk: 10_000, ..Settings::default() }, events, |_| ());
            let told = |error: RegistryError| {
                let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}\n{client:?}\n", error.hint());
                let mut source = std::error::Error::source(&error);
                while let Some(error) = source {
                    text.push_str(&format!("{error}\n"));
                    source = error.source();
                }
                texts.lock().unwrap().push_str(&text);
            };
            let mut count = 0;
            registry.plan(move |seen| {
                count += 1;
                match (seen.method.as_str(), count % 4) {
                    ("PATCH", 0) => Some(Fault::Status(401, None)),
                    ("PATCH", 1) => Some(Fault::Reset),
                    ("PATCH", 2) => Some(Fault::Expire),
                    ("HEAD", 3) => Some(Fault::Status(500, None)),
                    _ => None,
                }
            });
            for seed in 0..6 {
                if let Err(error) = send(&client, &repository, &noise(seed, 50_000), Some(&journal)) {
                    told(error);
                }
                let kept = std::fs::read_to_string(&journal).unwrap_or_default();
                texts.lock().unwrap().push_str(&kept);
            }
            registry.plan(|seen| (seen.path.starts_with("/token")).then_some(Fault::Status(403, None)));
            let tag = Selector::Tag("x".parse().unwrap());
            client.manifest(&repository, &tag).err().map(told).into_iter().for_each(drop);
            assert!(at == 0 || texts.lock().unwrap().contains("not with `") || texts.lock().unwrap().contains("not `"));
        }
    }
    let texts = texts.lock().unwrap();
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let secrets = ["canary".to_owned(), encoded("user:canary-password"), encoded("user:canary-wrong")];
    for secret in &secrets {
        let line = texts.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "holds {secret}");
    }
    assert!(texts.contains("\"location\":\"http"), "the journal was looked at");
    assert!(texts.lines().count() > 40, "{texts}");
}

//! Transfers that break: what was done stays done, and nothing is sent on a guess.

use super::{client, noise, send, send_as};
use crate::support::oci_registry::{Fault, Options, Registry, Seen};
use remint::digest::Digest;
use remint::event::Events;
use remint::registry::{AnyDigest, Client, Mirror, Mounted, RegistryError, Repository, Selector, Settings, Upload};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn sent(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| ["PATCH", "PUT"].contains(&seen.method.as_str())).map(|seen| seen.size).sum()
}

fn chunked(chunk: u64) -> Client {
    client(Settings { chunk, ..Settings::default() })
}

#[test]
fn a_journal_lets_the_next_run_go_on() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (journal, bytes) = (dir.path().join("journal"), noise(1, 500_000));
    let mut patches = 0;
    registry.plan(move |seen| {
        patches += usize::from(seen.method == "PATCH");
        (patches > 3).then_some(Fault::Reset)
    });
    let error = send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    assert!(journal.exists());
    registry.plan(|_| None);
    registry.seen();
    send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap();
    assert_eq!(sent(&registry.seen()), 200_000, "only what was missing");
    assert!(!journal.exists());

    // One of another blob, one that is broken, and one whose upload is forgotten are begun anew.
    for text in [
        "",
        "{",
        "{\"upload\":1,\"repository\":\"x.example/y\",\"digest\":\"\",\"location\":\"http://x.example/\",\"offset\":7,\"least\":0}",
    ] {
        std::fs::write(&journal, text).unwrap();
        send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap();
        assert_eq!(sent(&registry.seen()), 500_000);
    }
    let dead = format!(
        "{{\"upload\":1,\"repository\":\"{repository}\",\"digest\":\"{}\",\"location\":\"http://{}/v2/a/blobs/uploads/999\",\"offset\":100000,\"least\":0}}",
        Digest::of(&bytes),
        registry.address
    );
    // So is one whose address was signed for a time that is over.
    for faults in [vec![], vec![("GET", Fault::Status(403, None))]] {
        registry.faults(&faults);
        std::fs::write(&journal, &dead).unwrap();
        send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap();
        assert_eq!(sent(&registry.seen()), 500_000);
    }
}

#[test]
fn an_upload_that_nothing_can_be_learnt_of_stands_in_nobodys_way() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (journal, bytes) = (dir.path().join("journal"), noise(1, 500_000));
    let line = format!(
        "{{\"upload\":1,\"repository\":\"{repository}\",\"digest\":\"{}\",\"location\":\"http://{}/v2/a/blobs/uploads/999\",\"offset\":100000,\"least\":0}}",
        Digest::of(&bytes),
        registry.address
    );
    std::fs::write(&journal, &line).unwrap();
    registry.plan(|seen| seen.path.contains("/uploads/999").then_some(Fault::Status(502, None)));
    send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap();
    assert_eq!(sent(&registry.seen()), 500_000);
    assert!(!journal.exists());
    // Where a new one fails as well, it is the registry's fault, and the earlier one is kept.
    std::fs::write(&journal, &line).unwrap();
    registry.plan(|_| Some(Fault::Status(502, None)));
    let error = send(&chunked(100_000), &repository, &bytes, Some(&journal)).unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), line);
}

#[test]
fn an_upload_survives_what_can_be_survived() {
    let cases = [
        ("PATCH", Fault::CutIn(12_345)),
        ("PATCH", Fault::CutIn(0)),
        ("PATCH", Fault::Lost),
        ("PATCH", Fault::Reset),
        ("PATCH", Fault::Forget),
        ("PATCH", Fault::Status(503, Some(1))),
        ("PATCH", Fault::Status(416, None)),
        ("POST", Fault::Status(429, Some(1))),
        ("POST", Fault::Lost),
        ("PUT", Fault::Lost),
        ("PUT", Fault::Reset),
        ("PUT", Fault::Status(500, None)),
        ("PUT", Fault::Status(400, None)),
        ("PUT", Fault::Forget),
        ("PUT", Fault::CutIn(100)),
    ];
    for old in [false, true] {
        let registry = Registry::start(Options { old, ..Options::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        for (at, (method, fault)) in cases.iter().enumerate() {
            // In chunks, and in one piece.
            for (seed, chunk) in [(at as u64, 40_000), (at as u64 + 100, 1 << 20)] {
                let bytes = noise(seed, 150_000);
                registry.faults(&[(method, fault.clone())]);
                let digest = send(&chunked(chunk), &repository, &bytes, None)
                    .unwrap_or_else(|error| panic!("{method} {fault:?} {old}: {error}"));
                assert!(*registry.holds("a").blobs[&digest] == bytes);
            }
        }
    }
}

#[test]
fn what_is_lost_after_it_was_done_is_not_done_twice() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    registry.faults(&[("PUT", Fault::Lost)]);
    send(&chunked(1 << 20), &repository, &noise(1, 1000), None).unwrap();
    let seen = registry.seen();
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    // The first asks whether a server on this machine speaks TLS.
    assert_eq!(methods, ["GET", "POST", "PUT", "HEAD"]);
    registry.faults(&[("PATCH", Fault::Lost)]);
    send(&chunked(100_000), &repository, &noise(2, 300_000), None).unwrap();
    assert_eq!(sent(&registry.seen()), 300_000);
}

#[test]
fn a_registrys_smallest_chunk_is_kept_to() {
    let registry = Registry::start(Options { least: 60_000, ..Options::default() });
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    send(&chunked(10_000), &repository, &noise(1, 200_000), None).unwrap();
    let sizes: Vec<usize> =
        registry.seen().iter().filter(|seen| seen.method == "PATCH").map(|seen| seen.size).collect();
    assert_eq!(sizes, [60_000, 60_000, 60_000, 20_000]);
}

#[test]
fn other_algorithms_are_verified_too() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let bytes = noise(1, 100_000);
    let digest = AnyDigest::Sha512([0; 64]).same_of(&bytes);
    send_as(&chunked(30_000), &repository, &bytes, digest, None).unwrap();
    let client = chunked(1 << 20);
    assert!(client.blob(&repository, &digest, 1 << 20).unwrap() == Some(bytes));
    registry.faults(&[("GET", Fault::Flip)]);
    let error = client.blob(&repository, &digest, 1 << 20).map(drop).unwrap_err();
    assert!(matches!(error, RegistryError::Wrong { .. }), "{error}");
}

#[test]
fn what_comes_is_what_was_asked_for_or_an_error() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let bytes = noise(1, 100_000);
    let client = chunked(1 << 20);
    let digest = send(&client, &repository, &bytes, None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blob");
    for fault in [
        Fault::CutOut(70_000),
        Fault::Longer,
        Fault::Reset,
        Fault::Status(502, None),
        Fault::Slow(Duration::from_millis(5)),
    ] {
        registry.faults(&[("GET", fault.clone())]);
        let read = client.blob_to_file(&repository, &digest, 100_000, &path);
        match (&fault, read) {
            (Fault::Longer, Err(RegistryError::Wrong { .. })) => continue,
            (_, read) => assert!(read.unwrap()),
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{fault:?}");
        std::fs::remove_file(&path).unwrap();
    }
    registry.faults(&[("GET", Fault::Flip)]);
    client.blob_to_file(&repository, &digest, 100_000, &path).unwrap_err();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "nothing wrong is left to be gone on from");
    registry.faults(&[("GET", Fault::CutOut(10)), ("GET", Fault::CutOut(10)), ("GET", Fault::CutOut(10))]);
    registry.seen();
    client.blob_to_file(&repository, &digest, 100_000, &path).unwrap();
    let seen = registry.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| seen.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=10-"), Some("bytes=20-"), Some("bytes=30-")]);
    for fault in [Fault::NoRange, Fault::OtherRange, Fault::Status(416, None)] {
        std::fs::write(&path, &bytes[..50_000]).unwrap();
        registry.faults(&[("GET", fault)]);
        client.blob_to_file(&repository, &digest, 100_000, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    registry.faults(&[("HEAD", Fault::Status(429, Some(7))), ("HEAD", Fault::Status(503, Some(3600)))]);
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&pauses);
    let client =
        Client::new(Settings::default(), Events::none(), move |pause| kept.lock().unwrap().push(pause.as_millis()));
    let tag = Selector::Tag("x".parse().unwrap());
    assert_eq!(client.head_manifest(&repository, &tag).unwrap(), None);
    let pauses = pauses.lock().unwrap();
    assert!((7000..=7700).contains(&pauses[0]) && pauses[1] == 60_000, "{pauses:?}");
}

#[test]
fn a_mirror_is_asked_first_and_needs_not_be_right() {
    let (registry, mirror) = (Registry::start(Options::default()), Registry::start(Options::default()));
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let copy: Repository = format!("{}/proxy/a", mirror.address).parse().unwrap();
    let plain = chunked(1 << 20);
    let digest = send(&plain, &repository, b"content", None).unwrap();
    let mirrors = vec![format!("{}/proxy", mirror.address).parse::<Mirror>().unwrap()];
    let mirrors = [(repository.host().clone(), mirrors)].into();
    let client = client(Settings { mirrors, ..Settings::default() });
    let read = || {
        registry.seen();
        assert_eq!(client.blob(&repository, &digest, 100).unwrap().as_deref(), Some(&b"content"[..]));
        registry.seen().iter().any(|seen| seen.path.contains("/blobs/"))
    };
    assert!(read(), "the mirror has nothing");
    send(&plain, &copy, b"content", None).unwrap();
    assert!(!read(), "the mirror has it");
    mirror.plan(|_| Some(Fault::Flip));
    assert!(read(), "the mirror gives other bytes");
    mirror.plan(|_| Some(Fault::Status(401, None)));
    assert!(read(), "the mirror is for others");
}

#[test]
fn input_that_cannot_be_read_is_not_the_registrys_fault() {
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let short = |_| Ok(Box::new(&b"short"[..]) as Box<dyn Read>);
    let upload = Upload { digest: Digest::of(b"x").into(), size: 100, open: &short, journal: None, session: None };
    let error = chunked(1 << 20).upload(&repository, &upload).unwrap_err();
    assert!(matches!(error, RegistryError::Input { .. }), "{error}");
    let wrong = send_as(&chunked(1 << 20), &repository, b"x", Digest::of(b"y").into(), None).unwrap_err().to_string();
    assert!(wrong.contains("DIGEST_INVALID"), "{wrong}");
    assert!(registry.holds("a").blobs.is_empty());
}

#[test]
fn a_blob_that_cannot_be_mounted_is_there_to_be_sent() {
    let registry = Registry::start(Options::default());
    let [one, other] =
        ["one", "other"].map(|name| format!("{}/{name}", registry.address).parse::<Repository>().unwrap());
    let client = client(Settings::default());
    let digest = send(&client, &one, b"content", None).unwrap();
    for status in [401, 403, 404, 500] {
        registry.plan(move |seen| seen.path.contains("mount=").then_some(Fault::Status(status, None)));
        assert!(matches!(client.mount(&other, &digest, &one), Ok(Mounted::No)), "{status}");
    }
}

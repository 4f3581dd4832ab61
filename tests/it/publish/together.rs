//! Several at once: what one adds another does not take away, and what one sends another does not send again.

use super::requests::{key, pem};
use super::{assert_whole, built, to};
use crate::support::judge;
use crate::support::oci_registry::{Fault, Options, Registry};
use crate::support::project::Project;
use remint::attest::{Attachment, PrivateKey, Secret, Statement, Subject, sign_bundle, simple_signing};
use remint::digest::Digest;
use remint::event::Events;
use remint::image::{Image, ImageRef};
use remint::oci::{Blob, canonical_json, media};
use remint::publish::{Publisher, Target};
use remint::registry::{Client, Repository, Selector, Settings, Upload};
use remint::store::Store;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

/// How many sign at once.
const SIGNERS: u8 = 4;

fn client() -> Client {
    Client::new(Settings::default(), Events::none(), thread::sleep)
}

fn send(client: &Client, repository: &Repository, bytes: &[u8]) {
    let bytes = bytes.to_vec();
    let (digest, size) = (Digest::of(&bytes).into(), bytes.len() as u64);
    let open = move |offset| -> std::io::Result<Box<dyn std::io::Read>> {
        let mut cursor = Cursor::new(bytes.clone());
        cursor.set_position(offset);
        Ok(Box::new(cursor))
    };
    client.upload(repository, &Upload { digest, size, open: &open, journal: None, session: None }).unwrap();
}

#[test]
fn signatures_that_are_made_at_once_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    for round in 0..if judge::long() { 40 } else { 3 } {
        let registry = Registry::start(Options { old: round % 3 != 0, ..Options::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        let subject = subject(&repository);
        let blob = subject.blob;
        let start = Arc::new(Barrier::new(usize::from(SIGNERS)));
        let signers: Vec<_> = (0..SIGNERS)
            .map(|seed| {
                let (store, subject, start, repository) =
                    (Arc::clone(&store), subject.clone(), Arc::clone(&start), repository.clone());
                thread::spawn(move || {
                    let key = private(seed);
                    let statement = Statement::signed(subject.blob.digest);
                    let all = [
                        Attachment::attestation(&subject, &statement, &key, None).unwrap(),
                        simple_signing(&subject, "r.example/a", &key, None).unwrap(),
                        sign_bundle(&subject, &statement, &key),
                    ];
                    let (client, events) = (client(), Events::none());
                    let publisher = Publisher::new(&client, &store, &events, 1);
                    start.wait();
                    publisher.attach(&repository, subject.blob, &all).unwrap()
                })
            })
            .collect();
        for signer in signers {
            assert_eq!(signer.join().unwrap(), 3);
        }
        let there = registry.holds("a");
        assert_whole(&there);
        for suffix in ["sig", "att"] {
            let tag = format!("sha256-{}.{suffix}", blob.digest.hex());
            let manifest: Value = serde_json::from_slice(&there.manifests[&there.tags[&tag]].1).unwrap();
            assert_eq!(manifest["layers"].as_array().unwrap().len(), usize::from(SIGNERS), "{suffix}, {round}");
        }
        let listed = client().referrers(&repository, &blob.digest.into(), None).unwrap();
        assert_eq!(listed.len(), usize::from(SIGNERS), "{round}");
    }
}

/// Puts an image that something can be attached to.
fn subject(repository: &Repository) -> Subject {
    send(&client(), repository, b"{}");
    let config = json!({ "mediaType": media::CONFIG, "digest": Digest::of(b"{}"), "size": 2 });
    let image =
        canonical_json(&json!({ "schemaVersion": 2, "mediaType": media::MANIFEST, "config": config, "layers": [] }));
    let blob = Blob::of(&image);
    client().put_manifest(repository, &Selector::Digest(blob.digest.into()), media::MANIFEST, &image).unwrap();
    Subject { media_type: media::MANIFEST.to_owned(), blob, created: None }
}

#[test]
fn a_tag_that_cannot_be_written_at_once_is_read_again_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let registry = Registry::start(Options { old: true, ..Options::default() });
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let subject = subject(&repository);
    let name = format!("sha256-{}.sig", subject.blob.digest.hex());
    let path = format!("/v2/a/manifests/{name}");
    let faulty = path.clone();
    let mut faults = vec![Fault::Code(400, "DIGEST_INVALID"), Fault::Status(500, None), Fault::Lost];
    registry.plan(move |seen| {
        let hit = seen.method == "PUT" && seen.path == faulty && !faults.is_empty();
        hit.then(|| faults.remove(0))
    });
    let (client, events) = (Client::new(Settings::default(), Events::none(), |_| ()), Events::none());
    let publisher = Publisher::new(&client, &store, &events, 1);
    let signature = simple_signing(&subject, "r.example/a", &private(1), None).unwrap();
    publisher.attach(&repository, subject.blob, &[signature]).unwrap();
    let seen = registry.seen();
    let tag: Vec<&str> = seen.iter().filter(|seen| seen.path == path).map(|seen| &*seen.method).collect();
    // Looked for; then written thrice after a read each, the last time without a word of it; and seen twice to stand there.
    assert_eq!(tag, ["GET", "GET", "PUT", "GET", "PUT", "GET", "PUT", "GET", "GET"]);
    let there = registry.holds("a");
    assert_whole(&there);
    assert!(there.tags.contains_key(&name));
}

#[test]
fn a_registry_that_is_behind_is_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // Whether somebody has signed already; how often it answers with what was there before, whether that is warned of, and how often the tag
    // is written and read.
    let cases =
        [(false, 0, false, 1, 3), (false, 3, false, 1, 6), (true, 3, false, 1, 6), (true, usize::MAX, true, 2, 17)];
    for (is_signed, old_answers, warned, puts, gets) in cases {
        let registry = Registry::start(Options { old: true, ..Options::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        let subject = subject(&repository);
        let name = format!("sha256-{}.sig", subject.blob.digest.hex());
        let path = format!("/v2/a/manifests/{name}");
        if is_signed {
            let (client, events) = (client(), Events::none());
            let publisher = Publisher::new(&client, &store, &events, 1);
            let other = simple_signing(&subject, "r.example/a", &private(7), None).unwrap();
            publisher.attach(&repository, subject.blob, &[other]).unwrap();
        }
        let before = registry.holds("a").tags.get(&name).copied();
        registry.seen();
        let (faulty, mut is_written, mut left) = (path.clone(), false, old_answers);
        registry.plan(move |seen| {
            if seen.path != faulty || seen.method == "PUT" {
                is_written |= seen.path == faulty;
                return None;
            }
            let behind = is_written && left > 0;
            left -= usize::from(behind);
            behind.then(|| before.map_or(Fault::Code(404, "MANIFEST_UNKNOWN"), Fault::Means))
        });
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let events = Events::new(move |event| hears.lock().unwrap().push(format!("{event:?}")));
        let client = Client::new(Settings::default(), events.clone(), |_| ());
        let publisher = Publisher::new(&client, &store, &events, 1);
        let signature = simple_signing(&subject, "r.example/a", &private(1), None).unwrap();
        assert_eq!(publisher.attach(&repository, subject.blob, &[signature]).unwrap(), 1);
        let seen = registry.seen();
        let count = |method: &str| seen.iter().filter(|seen| seen.path == path && seen.method == method).count();
        assert_eq!((count("PUT"), count("GET")), (puts, gets), "{old_answers}");
        let said = said.lock().unwrap();
        let warnings: Vec<&String> = said.iter().filter(|text| text.starts_with("Warning")).collect();
        assert_eq!(!warnings.is_empty(), warned, "{said:?}");
        assert!(warnings.iter().all(|text| text.contains(&name)), "{said:?}");
        let there = registry.holds("a");
        let manifest: Value = serde_json::from_slice(&there.manifests[&there.tags[&name]].1).unwrap();
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1 + usize::from(is_signed));
    }
}

fn private(seed: u8) -> PrivateKey {
    PrivateKey::from_pem(&Secret::new(pem(seed).into_bytes())).unwrap()
}

/// With the program itself, everything is attached at once by several.
#[test]
fn several_runs_with_different_keys_sign_the_same_image() {
    let (project, registry) = (built(), Registry::start(Options { old: true, ..Options::default() }));
    let to = to(&registry);
    let runs: Vec<_> = (1..=SIGNERS)
        .map(|seed| {
            let key = key(&project, seed);
            let mut command = project.command(&["publish", "data", "--to", &to, "--sign-key", &key]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let there = registry.holds("team/data");
    assert_whole(&there);
    let root = there.tags["latest"].to_string().replace(':', "-");
    let layers = |suffix: &str| {
        let manifest: Value =
            serde_json::from_slice(&there.manifests[&there.tags[&format!("{root}.{suffix}")]].1).unwrap();
        manifest["layers"].as_array().unwrap().len()
    };
    assert_eq!((layers("sig"), layers("att")), (usize::from(SIGNERS), 3 * usize::from(SIGNERS)));
    let index: Value = serde_json::from_slice(&there.manifests[&there.tags[&root]].1).unwrap();
    // Two bills and the provenance; of each signer its run, and each of the four signed, and the image itself.
    let all: Vec<&Value> = index["manifests"].as_array().unwrap().iter().collect();
    let bundles = all.iter().filter(|one| one["artifactType"].as_str().unwrap().contains("sigstore")).count();
    assert!(bundles >= 4 * usize::from(SIGNERS), "{bundles} of {}", all.len());
}

#[test]
fn what_another_run_has_sent_meanwhile_is_not_sent_again() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let image = image(&project);
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let config = image.platforms[0].config;
    let store = Store::open(&project.root.join("cache")).unwrap();
    let other = store.lock_fetch(&Digest::of(format!("{repository} {}", config.digest).as_bytes())).unwrap();
    let (root, target) = (project.root.clone(), repository.clone());
    let publishing = thread::spawn(move || {
        let store = Store::open(&root.join("cache")).unwrap();
        let (client, events) = (client(), Events::none());
        let image = resolved(&store);
        let target = Target { image: &image, repository: target, tags: Vec::new(), immutable: false };
        Publisher::new(&client, &store, &events, 1).publish(&target, &[]).unwrap()
    });
    // It has asked for the configuration, and waits for whoever has its turn.
    while !registry.seen().iter().any(|seen| seen.path.ends_with(&config.digest.to_string())) {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(300));
    send(&client(), &repository, &store.read(&config).unwrap());
    registry.seen();
    drop(other);
    let published = publishing.join().unwrap();
    assert_eq!(published.there, 1);
    let digest = config.digest.to_string().replace(':', "%3A");
    let seen = registry.seen();
    assert!(!seen.iter().any(|seen| seen.method == "PUT" && seen.path.contains(&digest)), "{seen:?}");
    assert_whole(&registry.holds("a"));
}

fn image(project: &Project) -> Image {
    resolved(&Store::open(&project.root.join("cache")).unwrap())
}

fn resolved(store: &Store) -> Image {
    let reference: ImageRef = "data".parse().unwrap();
    Image::resolve(store, &reference).unwrap()
}

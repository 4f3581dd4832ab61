//! Hundreds of faults at random points of publishing: a tag never means what is not whole, and the next run ends what was begun.

use super::{assert_whole, built};
use crate::support::judge;
use crate::support::oci_registry::{Access, Fault, Options, Registry};
use crate::support::random::random;
use remint::event::Events;
use remint::image::{Image, ImageRef};
use remint::publish::{Publisher, Target};
use remint::registry::{Client, Credentials, Settings};
use remint::store::Store;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many faults the plain run injects.
const FAULTS: usize = 320;

fn fault(state: &mut u64) -> Fault {
    match random(state, 11) {
        0 => Fault::Status([500, 502, 503, 429, 408][random(state, 5)], None),
        1 => Fault::Status(429, Some(0)),
        2 => Fault::Reset,
        3 => Fault::Lost,
        4 => Fault::CutIn(random(state, 5000)),
        5 => Fault::CutOut(random(state, 200)),
        6 => Fault::Flip,
        7 => Fault::OtherDigest,
        8 => Fault::Longer,
        9 => Fault::Expire,
        _ => Fault::Forget,
    }
}

#[test]
fn nothing_is_named_before_it_is_whole() {
    let project = built();
    project.write("auth.json", "{}");
    let store = Store::open(&project.root.join("cache")).unwrap();
    let image = |name: &str| {
        let reference: ImageRef = name.parse().unwrap();
        Image::resolve(&store, &reference).unwrap()
    };
    let images = [image("hello"), image("site")];
    let wanted = if judge::long() { 10 * FAULTS } else { FAULTS };
    let done = Arc::new(AtomicUsize::new(0));
    let mut state = 7;
    let (mut ended_well, mut failed) = (0, 0);
    let events = Events::none();
    for round in 0.. {
        if done.load(Ordering::Relaxed) >= wanted {
            break;
        }
        assert!(round < 50 * wanted);
        let old = round % 3 == 0;
        let access = if round % 2 == 0 { Access::Open } else { Access::Token("me", "secret", 30) };
        let registry = Registry::start(Options { old, access, ..Options::default() });
        let file = project.root.join("auth.json");
        std::fs::write(&file, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"bWU6c2VjcmV0\"}}}}}}", registry.address))
            .unwrap();
        let mut settings = Settings {
            credentials: Credentials { files: vec![file], ..Credentials::default() },
            ..Settings::default()
        };
        settings.patience.silence = Duration::from_secs(5);
        let client = Client::new(settings, Events::none(), |_| ());
        // The more often, the fewer runs end well; both are wanted.
        let often = [8, 15, 40][round % 3];
        let (count, mut own) = (Arc::clone(&done), state ^ 0x5555_5555);
        registry.plan(move |_| {
            (random(&mut own, often) == 0).then(|| {
                count.fetch_add(1, Ordering::Relaxed);
                fault(&mut own)
            })
        });
        random(&mut state, 1 << 30);
        let targets: Vec<Target<'_>> = images
            .iter()
            .map(|image| Target {
                image,
                repository: format!("{}/a/{}", registry.address, image.name).parse().unwrap(),
                tags: vec!["latest".parse().unwrap()],
                immutable: false,
            })
            .collect();
        let publisher = Publisher::new(&client, &store, &events, 3);
        for target in &targets {
            let name = target.repository.name().to_owned();
            let result = publisher.publish(target, &[]);
            let there = registry.holds(&name);
            assert_whole(&there);
            let tag = there.tags.get("latest");
            match &result {
                Ok(_) => {
                    assert_eq!(tag, Some(&target.image.root.digest.into()));
                    ended_well += 1;
                }
                Err(error) => {
                    // An answer that was lost may have been a yes; anything else the tag never means.
                    assert!(tag.is_none_or(|tag| *tag == target.image.root.digest.into()));
                    assert!(!error.to_string().is_empty());
                    failed += 1;
                }
            }
        }
        // The registry is well again: another process ends what was begun, and sends only what is missing.
        registry.plan(|_| None);
        for target in &targets {
            let before = registry.holds(target.repository.name());
            registry.seen();
            let publisher = Publisher::new(&client, &store, &events, 3);
            let published = publisher.publish(target, &[]).unwrap();
            let after = registry.holds(target.repository.name());
            assert_whole(&after);
            assert_eq!(after.tags["latest"], target.image.root.digest.into());
            assert_eq!(published.sent.0 + published.mounted, (after.blobs.len() - before.blobs.len()) as u64);
        }
    }
    assert!(ended_well > 10 && failed > 10, "{ended_well} ended well, {failed} did not");
}

#[test]
fn a_killed_run_leaves_nothing_half_and_the_next_one_ends_it() {
    let project = built();
    let registry = Registry::start(Options::default());
    let to = format!("{}/team", registry.address);
    // Slow enough that a kill hits every part of it.
    registry.plan(|_| Some(Fault::Slow(Duration::from_millis(1))));
    let root = |name: &str| {
        let run = project.run(&["inspect", name, "--format", "json"]).expect(0);
        let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        value["digest"].as_str().unwrap().to_owned()
    };
    let roots = ["hello", "site"].map(|name| (name, root(name)));
    let (mut state, mut interrupted) = (11, 0);
    for _ in 0..if judge::long() { 200 } else { 25 } {
        let mut command = project.command(&["publish", "hello", "site", "--to", &to]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random(&mut state, 90) as u64));
        let _ = child.kill();
        interrupted += usize::from(!child.wait().unwrap().success());
        for (name, root) in &roots {
            let there = registry.holds(&format!("team/{name}"));
            assert_whole(&there);
            assert!(there.tags.get("latest").is_none_or(|tag| tag.to_string() == *root), "{name}");
        }
    }
    assert!(interrupted > 5, "{interrupted}");
    registry.plan(|_| None);
    project.run(&["publish", "--to", &to]).expect(0);
    for (name, root) in &roots {
        assert_eq!(registry.holds(&format!("team/{name}")).tags["latest"].to_string(), *root);
    }
    project.run(&["cache", "check"]).expect(0);
}

#[test]
fn a_registry_that_is_started_again_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let project = built();
    let storage = dir.path().join("registry");
    let Some(first) = crate::support::registry_server::start(&storage) else { return };
    let address = first.address.clone();
    let to = format!("{address}/team");
    project.run(&["publish", "hello", "--to", &to]).expect(0);
    drop(first);
    project.run(&["publish", "site", "--to", &to]).says(6, &["cannot publish `site`"]);
    let Some(second) = crate::support::registry_server::start_again(&storage, &address) else { return };
    let run = project.run(&["publish", "hello", "site", "--to", &to, "--format", "json"]).expect(0);
    let sent = |name: &str| {
        let lines = run.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut lines = lines.filter(|line| line["event"] == "image-published" && line["name"] == name);
        lines.next().unwrap()["sent"].as_u64().unwrap()
    };
    assert_eq!(sent("hello"), 0);
    assert!(sent("site") > 0);
    drop(second);
}

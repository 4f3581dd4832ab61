//! Hundreds of faults at random points of a push and a pull: each ends right or with an error that says why, nothing wrong is ever
//! to be seen, and the next run sends only what is missing.

use super::access::{password, with_file};
use super::{manifest, noise, send};
use crate::support::judge;
use crate::support::oci_registry::{Access, Fault, Options, Registry};
use crate::support::random::random;
use remint::digest::Digest;
use remint::oci::media;
use remint::registry::{AnyDigest, Client, Manifest, RegistryError, Repository, Selector, Settings};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many faults the plain run injects.
const FAULTS: usize = 400;

/// An image: a configuration, two layers and a manifest.
struct Image {
    blobs: Vec<Vec<u8>>,
    manifest: Manifest,
}

impl Image {
    fn new(seed: u64) -> Self {
        let blobs = vec![noise(seed, 500), noise(seed + 1, 20_000), noise(seed + 2, 90_000)];
        let parts: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        let manifest = manifest(&parts, &json!({}));
        Self { blobs, manifest }
    }

    /// Publishes it: what is missing, then the manifest, then the tag.
    fn push(&self, client: &Client, to: &Repository, dir: &Path) -> Result<(), RegistryError> {
        for (at, bytes) in self.blobs.iter().enumerate() {
            if client.blob_exists(to, &Digest::of(bytes).into())?.is_none() {
                send(client, to, bytes, Some(&dir.join(format!("journal-{at}"))))?;
            }
        }
        for which in [Selector::Digest(self.manifest.digest), Selector::Tag("latest".parse().unwrap())] {
            client.put_manifest(to, &which, media::MANIFEST, &self.manifest.bytes)?;
        }
        Ok(())
    }

    /// Reads it back; whether it is there, and then it is this one.
    fn pull(&self, client: &Client, from: &Repository, dir: &Path) -> Result<bool, RegistryError> {
        let Some(read) = client.manifest(from, &Selector::Digest(self.manifest.digest))? else { return Ok(false) };
        assert!(read.bytes == self.manifest.bytes);
        for (at, bytes) in self.blobs.iter().enumerate() {
            let path = dir.join(format!("blob-{at}"));
            if !client.blob_to_file(from, &Digest::of(bytes).into(), bytes.len() as u64, &path)? {
                return Ok(false);
            }
            assert!(std::fs::read(&path).unwrap() == *bytes, "a file that was said to be whole");
        }
        Ok(true)
    }
}

/// What goes wrong at random.
fn any(state: &mut u64) -> Fault {
    match random(state, 14) {
        0 => Fault::Status([429, 503][random(state, 2)], Some(1)),
        1 => Fault::Status([500, 502, 504, 408, 404, 400, 416, 403][random(state, 8)], None),
        2 => Fault::Reset,
        3 => Fault::Lost,
        4 | 5 => Fault::CutIn(random(state, 40_000)),
        6 => Fault::CutOut(random(state, 30_000)),
        7 => Fault::Flip,
        8 => Fault::OtherDigest,
        9 => Fault::Longer,
        11 => Fault::NoRange,
        12 => Fault::OtherRange,
        10 => Fault::Slow(Duration::from_millis(2)),
        _ => [Fault::Expire, Fault::Forget][random(state, 2)].clone(),
    }
}

/// Panics unless everything that a registry holds is what its digest says.
fn assert_sound(registry: &Registry, image: &Image) {
    let holds = registry.holds("a");
    for (digest, bytes) in &holds.blobs {
        assert_eq!(digest.same_of(bytes), *digest);
    }
    let whole = image.blobs.iter().all(|bytes| holds.blobs.contains_key(&AnyDigest::from(Digest::of(bytes))));
    assert!(whole || holds.manifests.is_empty(), "a manifest before its blobs");
    assert!(holds.tags.values().all(|digest| holds.manifests.contains_key(digest)), "a tag before its manifest");
}

#[test]
fn pushes_and_pulls_end_right_or_with_an_error() {
    let injected = Arc::new(AtomicUsize::new(0));
    let (mut seed, mut ended, mut failed) = (1, [0, 0], Vec::new());
    let wanted = if judge::long() { 50 * FAULTS } else { FAULTS };
    while injected.load(Ordering::Relaxed) < wanted {
        seed += 1;
        let old = seed % 2 == 0;
        let access = if seed % 3 == 0 { Access::Open } else { Access::Token("user", "canary", 25) };
        let registry = Registry::start(Options { old, access, ..Options::default() });
        let dir = tempfile::tempdir().unwrap();
        let file = json!({ "auths": { &registry.address: password("user:canary") } });
        let client = with_file(dir.path(), &file, Settings { chunk: 25_000, ..Settings::default() });
        let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
        let image = Image::new(seed * 1000);
        let plan = || {
            let (counter, mut state) = (Arc::clone(&injected), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            move |_: &_| {
                let fault = (random(&mut state, 5) == 0).then(|| any(&mut state));
                counter.fetch_add(usize::from(fault.is_some()), Ordering::Relaxed);
                fault
            }
        };
        registry.plan(plan());
        let pushed = image.push(&client, &repository, dir.path());
        assert_sound(&registry, &image);
        ended[usize::from(pushed.is_err())] += 1;
        failed.extend(pushed.err());

        // The next run ends well, and sends no blob that is there.
        registry.plan(|_| None);
        let there = registry.holds("a").blobs;
        registry.seen();
        image.push(&client, &repository, dir.path()).unwrap_or_else(|error| panic!("{seed}: {error}"));
        let sent: usize =
            registry.seen().iter().filter(|seen| seen.path.contains("/blobs/")).map(|seen| seen.size).sum();
        let missing = image.blobs.iter().filter(|bytes| !there.contains_key(&AnyDigest::from(Digest::of(bytes))));
        // What the last run sent may still be on its way through the registry, whose upload is then begun anew.
        assert!(sent <= 2 * missing.map(Vec::len).sum::<usize>(), "{seed}");
        assert_eq!(registry.holds("a").tags["latest"], image.manifest.digest);

        registry.plan(plan());
        let pulled = image.pull(&client, &repository, dir.path());
        ended[usize::from(pulled.is_err())] += 1;
        failed.extend(pulled.err());
        registry.plan(|_| None);
        let there = image.pull(&client, &repository, dir.path()).unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert!(there, "{seed}");
    }
    assert!(ended[0] > ended[1] && ended[1] > 0, "{ended:?}: most end well, some cannot");
    for error in failed {
        let text = error.to_string();
        assert!(text.starts_with("cannot ") && text.contains("/a`") && text.contains(": "), "{text}");
    }
}

//! Attestations beside an image, as BuildKit writes them: looked into, field by field.

use super::{compared, remint};
use crate::support::handmade::{self, native};
use remint::digest::Digest;
use remint::image::Encoding;
use remint::oci::{Blob, media};
use remint::store::{IndexEntry, Store};
use remint::verify::diff::{Class, Comparison, Verdict};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const PROVENANCE: &str = "https://slsa.dev/provenance/v0.2";
const SBOM: &str = "https://spdx.dev/Document";

/// No more than every entry says.
const NONE: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");

/// A descriptor of a blob.
fn descriptor(kind: &str, blob: Blob, annotations: &Value) -> Value {
    json!({ "mediaType": kind, "digest": blob.digest, "size": blob.size, "annotations": annotations })
}

/// Puts an attestation about an image into a store, of statements that each have a type and a predicate; gives its entry, which says more
/// where there is more, and the statements' digests.
fn beside(store: &Store, about: Digest, statements: &[(&str, Value)], more: (&str, &str)) -> (Value, Vec<Digest>) {
    let put = |document: &Value| store.put(document.to_string().as_bytes()).unwrap();
    let statement = |(kind, predicate): &(&str, Value)| {
        put(&json!({ "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
            "subject": [{ "name": "pkg:docker/web", "digest": { "sha256": "0".repeat(64) } }], "predicate": predicate }))
    };
    let blobs: Vec<Blob> = statements.iter().map(statement).collect();
    let layers = statements.iter().zip(&blobs).map(|((kind, _), blob)| {
        descriptor("application/vnd.in-toto+json", *blob, &json!({ "in-toto.io/predicate-type": kind }))
    });
    let manifest = put(&json!({ "schemaVersion": 2, "mediaType": media::MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", put(&json!({})), &json!({})),
        "layers": layers.collect::<Vec<_>>() }));
    let said = json!({ "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about,
        more.0: more.1 });
    let mut entry = descriptor(media::MANIFEST, manifest, &said);
    entry["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    (entry, blobs.into_iter().map(|blob| blob.digest).collect())
}

/// Puts an index of images and attestations into a store, under a name.
fn index(store: &Store, name: &str, images: &[Blob], attestations: &[Value]) {
    let images = images.iter().map(|image| descriptor(media::MANIFEST, *image, &json!({})));
    let entries: Vec<Value> = images.chain(attestations.iter().cloned()).collect();
    let index = store.put(json!({ "schemaVersion": 2, "manifests": entries }).to_string().as_bytes()).unwrap();
    store.set_images(&[IndexEntry::new(name, media::INDEX, index)]).unwrap();
}

/// Says that an image has these statements beside it; gives their digests.
fn attested(store: &Store, name: &str, statements: &[(&str, Value)]) -> Vec<Digest> {
    let image = handmade::image(store, "web", Encoding::Zstd, &[native()]).root;
    let (entry, blobs) = beside(store, image.digest, statements, NONE);
    index(store, name, &[image], &[entry]);
    blobs
}

fn provenance(started: &str, lines: u64) -> Value {
    json!({ "builder": { "id": "" }, "invocation": { "environment": { "platform": "linux/amd64" } },
        "metadata": { "buildStartedOn": started, "completeness": { "parameters": true } }, "lines": lines })
}

fn compared_stores(dir: &Path) -> Comparison {
    compared(dir, "one", "two")
}

#[test]
fn the_field_that_differs_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let bill = json!({ "packages": ["a", "b"] });
    let one = attested(&store, "one", &[(PROVENANCE, provenance("2026-11-23T07:16:53Z", 1)), (SBOM, bill.clone())]);
    let two = attested(&store, "two", &[(SBOM, bill.clone()), (PROVENANCE, provenance("2026-11-24T09:00:00Z", 2))]);
    let comparison = compared_stores(dir.path());
    assert_eq!((comparison.verdict, comparison.platforms[0].verdict), (Verdict::Different, Verdict::Identical));
    let [lines, started] = &comparison.index[..] else { panic!("{:#?}", comparison.index) };
    let within = |field: &str| {
        vec!["attestation-manifest of linux/amd64".to_owned(), PROVENANCE.to_owned(), format!("JSON $.{field}")]
    };
    assert_eq!((&lines.within, lines.class), (&within("predicate.lines"), Class::Attestation));
    assert_eq!((&started.within, started.class), (&within("predicate.metadata.buildStartedOn"), Class::Attestation));
    assert_eq!(started.sides().unwrap(), "2026-11-23T07:16:53Z → 2026-11-24T09:00:00Z");
    let note = started.note.as_ref().unwrap();
    assert!(note.contains("the difference itself: embedded timestamp"), "{note}");
    assert!(note.contains(&one[0].short()) && note.contains(&two[1].short()), "{note}");
    // The command says it in a line.
    let (code, stdout, stderr) = remint(dir.path(), &["diff", "oci:store:one", "oci:store:two"]);
    assert!(code == Some(1) && stdout.contains("JSON $.predicate.metadata.buildStartedOn"), "{stdout}{stderr}");
}

#[test]
fn what_is_on_one_side_or_cannot_be_read_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let stated = |lines| (PROVENANCE, provenance("2026-11-23T07:16:53Z", lines));
    attested(&store, "one", &[stated(1)]);
    attested(&store, "two", &[stated(1), (SBOM, json!({}))]);
    let comparison = compared_stores(dir.path());
    let [only] = &comparison.index[..] else { panic!("{:#?}", comparison.index) };
    assert_eq!((only.within[1].as_str(), only.a.as_deref(), only.class), (SBOM, Some("none"), Class::Attestation));
    // Cut, then missing.
    let two = attested(&store, "two", &[stated(2)]);
    let path = store.blob_path(&two[0]);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let unread = |expected: &str| {
        let comparison = compared_stores(dir.path());
        let [only] = &comparison.index[..] else { panic!("{:#?}", comparison.index) };
        let note = only.note.as_ref().unwrap();
        assert_eq!((only.within[1].as_str(), only.class), (PROVENANCE, Class::Attestation));
        assert!(note.starts_with("not looked into: ") && note.contains(expected), "{note}");
        assert!(note.contains(&two[0].hex()), "{note}");
    };
    unread("is damaged: expected ");
    fs::remove_file(&path).unwrap();
    unread("has no `blobs/sha256/");
}

/// What the index says of an attestation is compared as well: above all which image it is about.
#[test]
fn what_is_said_of_an_attestation_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let images = [Encoding::Zstd, Encoding::Gzip].map(|how| handmade::image(&store, "web", how, &[native()]).root);
    let stated = [(PROVENANCE, provenance("2026-11-23T07:16:53Z", 1))];
    let about = |image: usize, more| beside(&store, images[image].digest, &stated, more).0;
    let within = |b: Value| -> Vec<String> {
        index(&store, "one", &images, &[about(0, ("x", "1"))]);
        index(&store, "two", &images, &[b]);
        let comparison = compared_stores(dir.path());
        assert!(comparison.platforms.iter().all(|platform| platform.verdict == Verdict::Identical));
        assert!(comparison.index.iter().all(|finding| finding.class == Class::Attestation));
        let expected = if comparison.index.is_empty() { Verdict::Identical } else { Verdict::Different };
        assert_eq!(comparison.verdict, expected);
        comparison.index.into_iter().map(|finding| finding.within.join(" ")).collect()
    };
    let name = |key: &str| vec![format!("attestation-manifest of linux/amd64, image 1 annotations {key}")];
    assert_eq!(within(about(0, ("x", "1"))), [""; 0]);
    assert_eq!(within(about(0, ("x", "2"))), name("x"));
    assert_eq!(within(about(1, ("x", "1"))), name("vnd.docker.reference.digest"));
    // An image that was built again is another one, and its attestation says so.
    index(&store, "one", &images[..1], &[about(0, NONE)]);
    index(&store, "two", &images[1..], &[about(1, NONE)]);
    assert_eq!(compared_stores(dir.path()).index, []);
}

/// Of several attestations about one image, those stand for each other that say the same kinds of things.
#[test]
fn one_changed_attestation_of_two_is_one_difference() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]).root;
    let stated = |lines| (PROVENANCE, provenance("2026-11-23T07:16:53Z", lines));
    let bill = |lines: u64| (SBOM, json!({ "lines": lines }));
    let found = |a: &[&[(&str, Value)]], b: &[&[(&str, Value)]]| -> Vec<String> {
        for (name, all) in [("one", a), ("two", b)] {
            let all: Vec<Value> = all.iter().map(|one| beside(&store, image.digest, one, NONE).0).collect();
            index(&store, name, &[image], &all);
        }
        let found = compared_stores(dir.path()).index.into_iter();
        found.map(|finding| finding.within[1..].join(" ")).collect()
    };
    let named = |kind: &str| format!("{kind} JSON $.predicate.lines");
    // Whatever their digests are, and whichever comes first.
    for lines in 0..6 {
        let changed = found(&[&[stated(lines)], &[bill(1)]], &[&[bill(1)], &[stated(lines + 10)]]);
        assert_eq!(changed, [named(PROVENANCE)]);
        let changed = found(&[&[stated(lines)], &[bill(lines)]], &[&[bill(10)], &[stated(10)]]);
        assert_eq!(changed, [named(PROVENANCE), named(SBOM)]);
        let changed = found(&[&[stated(lines)], &[stated(99)]], &[&[stated(99)], &[stated(lines + 10)]]);
        assert_eq!(changed, [named(PROVENANCE)]);
        // The one that has a statement in common is the one that was changed.
        let changed = found(
            &[&[stated(lines), bill(1)], &[stated(99), bill(2)]],
            &[&[stated(98), bill(2)], &[stated(lines + 10), bill(1)]],
        );
        assert_eq!(changed, [named(PROVENANCE), named(PROVENANCE)]);
    }
}

/// Of very many attestations that differ, some are named, and of the rest it is said that they are there.
#[test]
fn very_many_attestations_are_told_in_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]).root;
    let put = |name: &str, count: usize, kind: &str| {
        let (mut entry, _) = beside(&store, image.digest, &[(kind, json!({ "of": name }))], NONE);
        let all: Vec<Value> = (0..count)
            .map(|at| {
                entry["digest"] = json!(Digest::of(format!("{name} {at}").as_bytes()));
                entry.clone()
            })
            .collect();
        index(&store, name, &[image], &all);
    };
    put("one", 900, PROVENANCE);
    for (count, left_out) in [(900, 650), (0, 700)] {
        put("two", count, PROVENANCE);
        let found = compared_stores(dir.path()).index;
        assert_eq!(found.len(), 900 - left_out);
        let last = found.last().unwrap().note.as_ref().unwrap();
        assert!(last.ends_with(&format!("{left_out} more attestations differ, which are left out")), "{last}");
    }
    // What names a statement is no longer than an address.
    let long = format!("https://{}", "a".repeat(1000));
    attested(&store, "one", &[(&long, json!(1))]);
    attested(&store, "two", &[(&long, json!(2))]);
    let found = compared_stores(dir.path()).index;
    let note = found[0].note.as_ref().unwrap();
    assert!(found.len() == 1 && note.contains("says more than 1000 bytes under `in-toto.io/predicate-type`"), "{note}");
}

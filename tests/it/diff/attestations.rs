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

/// Says that an image has these statements beside it, each of a type and a predicate; gives the statements' digests.
fn attested(store: &Store, name: &str, statements: &[(&str, Value)]) -> Vec<Digest> {
    let image = handmade::image(store, "web", Encoding::Zstd, &[native()]).root;
    let put = |document: &Value| store.put(document.to_string().as_bytes()).unwrap();
    let descriptor = |kind: &str, blob: Blob, annotations: Value| {
        json!({ "mediaType": kind, "digest": blob.digest,
        "size": blob.size, "annotations": annotations })
    };
    let blobs: Vec<Blob> = statements
        .iter()
        .map(|(kind, predicate)| {
            put(&json!({ "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
                "subject": [{ "name": "pkg:docker/web", "digest": { "sha256": image.digest.hex() } }], "predicate": predicate }))
        })
        .collect();
    let layers = statements.iter().zip(&blobs).map(|((kind, _), blob)| {
        descriptor("application/vnd.in-toto+json", *blob, json!({ "in-toto.io/predicate-type": kind }))
    });
    let manifest = put(&json!({ "schemaVersion": 2, "mediaType": media::MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", put(&json!({})), json!({})),
        "layers": layers.collect::<Vec<_>>() }));
    let mut beside = descriptor(
        media::MANIFEST,
        manifest,
        json!({ "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image.digest }),
    );
    beside["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let entry = json!({ "mediaType": media::MANIFEST, "digest": image.digest, "size": image.size });
    let index = put(&json!({ "schemaVersion": 2, "manifests": [entry, beside] }));
    store.set_images(&[IndexEntry::new(name, media::INDEX, index)]).unwrap();
    blobs.into_iter().map(|blob| blob.digest).collect()
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

//! The statement of the run that published an image: one for an image, whatever ends in the middle.

use super::requests::key;
use super::{assert_whole, built, to};
use crate::support::oci_registry::{Fault, Options, Registry, Repository, Seen};
use crate::support::project::Run;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use remint::registry::AnyDigest;
use serde_json::Value;

/// Who built, by the statements of runs that refer to each platform's manifest of an image; signed ones have a star.
fn builders(repository: &Repository, root: &AnyDigest) -> Vec<Vec<String>> {
    let manifests: Vec<Value> =
        repository.manifests.values().map(|(_, bytes)| serde_json::from_slice(bytes).unwrap()).collect();
    let of = |subject: &str| {
        let mut all = Vec::new();
        for manifest in manifests.iter().filter(|manifest| manifest["subject"]["digest"] == subject) {
            let annotations = &manifest["annotations"];
            if annotations["remint.build-type"] != "urn:remint:invocation:v1" {
                continue;
            }
            let signed = annotations["dev.sigstore.bundle.predicateType"].is_string();
            let layer = manifest["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
            let mut document: Value = serde_json::from_slice(&repository.blobs[&layer]).unwrap();
            if signed {
                let payload = document["dsseEnvelope"]["payload"].as_str().unwrap();
                document = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
            }
            let builder = document["predicate"]["runDetails"]["builder"]["id"].as_str().unwrap();
            all.push(format!("{}{builder}", if signed { "*" } else { "" }));
        }
        all.sort();
        all
    };
    let index: Value = serde_json::from_slice(&repository.manifests[root].1).unwrap();
    index["manifests"].as_array().unwrap().iter().map(|one| of(one["digest"].as_str().unwrap())).collect()
}

#[test]
fn what_an_interrupted_run_left_out_is_made_up_for() {
    let project = built();
    let key = key(&project, 1);
    let run = project.run(&["inspect", "hello", "--format", "json"]).expect(0);
    let root = serde_json::from_str::<Value>(&run.stdout).unwrap()["digest"].as_str().unwrap().to_owned();
    let digest: AnyDigest = root.parse().unwrap();
    for old in [true, false] {
        let registry = Registry::start(Options { old, ..Options::default() });
        let publish = |builder: &str, more: &[&str]| {
            let to = to(&registry);
            let first = ["publish", "hello", "--to", &to, "--builder-id", builder];
            project.run(&[&first[..], more].concat())
        };
        let there = || {
            let there = registry.holds("team/hello");
            assert_whole(&there);
            builders(&there, &digest)
        };
        // It ends after the index and before anything is attached.
        let (mut index, root) = (false, root.clone());
        registry.plan(move |seen| {
            index |= seen.method == "PUT" && seen.path.ends_with(&root);
            (index && seen.method == "POST").then_some(Fault::Status(403, None))
        });
        publish("urn:test:1", &[]).expect(6);
        assert!(there().iter().all(Vec::is_empty), "old: {old}");
        // Then after what is attached, and before the tag.
        let names = |seen: &Seen| seen.method == "PUT" && seen.path.ends_with("/latest");
        registry.plan(move |seen| names(seen).then_some(Fault::Status(403, None)));
        publish("urn:test:2", &[]).expect(6);
        assert_eq!(there(), [["urn:test:2"], ["urn:test:2"]], "old: {old}");
        registry.plan(|_| None);
        publish("urn:test:3", &[]).expect(0);
        publish("urn:test:4", &["--tag", "v4"]).expect(0);
        assert_eq!(there(), [["urn:test:2"], ["urn:test:2"]], "old: {old}");
        // Where no run's statement is signed, that of the run that signs is.
        publish("urn:test:5", &["--tag", "v5", "--sign-key", &key]).expect(0);
        publish("urn:test:6", &["--tag", "v5", "--sign-key", &key]).expect(0);
        let all = ["*urn:test:5", "urn:test:2"];
        assert_eq!(there(), [all, all], "old: {old}");
    }
}

#[test]
fn the_run_is_named_in_its_own_statement_alone() {
    const RUN: &str = "https://ci.example/a/b/actions/runs/7";
    let (project, registry) = (built(), Registry::start(Options::default()));
    let publish = |more: &[&str]| {
        let to = to(&registry);
        project.run(&[&["publish", "data", "--to", &to], more].concat())
    };
    let canary = "canary-5e7a";
    let run = publish(&["--invocation-id", &format!("https://user:{canary}@ci.example/7")]);
    let run = run.says(2, &["`--invocation-id`", "everybody can read provenance"]);
    assert!(!run.stderr.contains(canary), "{}", run.stderr);
    publish(&["--builder-id", "https://token@ci.example/"])
        .says(2, &["`--builder-id`", "everybody can read provenance"]);
    let mut command = project.command(&["publish", "data", "--to", &to(&registry)]);
    for (name, value) in
        [("GITHUB_SERVER_URL", "https://ci.example"), ("GITHUB_REPOSITORY", "a/b"), ("GITHUB_RUN_ID", "7")]
    {
        command.env(name, value);
    }
    Run::of(command.env("GITHUB_TOKEN", canary)).expect(0);
    let blobs = registry.holds("team/data").blobs;
    let statements: Vec<Value> = blobs.values().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect();
    let of = |kind: &str| {
        let is_it = |one: &&Value| one["predicate"]["buildDefinition"]["buildType"] == kind;
        statements.iter().find(is_it).unwrap().clone()
    };
    let ran = of("urn:remint:invocation:v1");
    assert_eq!(ran["predicate"]["runDetails"]["metadata"]["invocationId"], RUN, "{ran}");
    assert!(!of("urn:remint:build:v1").to_string().contains("ci.example"));
    assert!(blobs.values().all(|bytes| memchr::memmem::find(bytes, canary.as_bytes()).is_none()));
}

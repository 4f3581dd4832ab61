//! Golden digests and keys of a whole project. A change here is a new format, or a mistake.
//!
//! `SNAPSHOTS=overwrite cargo test --test it build::golden` writes them anew.

use crate::support::project::Project;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// Writes down what a descriptor leads to.
fn describe(layout: &Path, name: &str, descriptor: &Value, text: &mut String) {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = std::fs::read(layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    if let Some(manifests) = document["manifests"].as_array() {
        writeln!(text, "{name} index {digest}").unwrap();
        for manifest in manifests {
            let arch = manifest["platform"]["architecture"].as_str().unwrap();
            describe(layout, &format!("{name} {arch}"), manifest, text);
        }
        return;
    }
    writeln!(text, "{name} manifest {digest}").unwrap();
    writeln!(text, "{name} config {}", document["config"]["digest"].as_str().unwrap()).unwrap();
    for layer in document["layers"].as_array().unwrap() {
        let (digest, size) = (layer["digest"].as_str().unwrap(), &layer["size"]);
        writeln!(text, "{name} {} {size} {digest}", layer["mediaType"].as_str().unwrap()).unwrap();
    }
}

fn digests(arguments: &[&str]) -> String {
    let project = Project::first();
    let layout = project.root.join("layout");
    project.run(&[&["build", "--output", "oci:layout"], arguments].concat()).expect(0);
    crate::support::layout::assert_valid(&layout);
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut text = String::new();
    for image in index["manifests"].as_array().unwrap() {
        let name = image["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
        describe(&layout, name, image, &mut text);
    }
    text
}

#[test]
fn digests_are_what_they_were() {
    snapbox::assert_data_eq!(digests(&[]), snapbox::file!["../../golden/build/digests.txt"].raw());
}

#[test]
fn gzip_digests_are_what_they_were() {
    let text = digests(&["--compression", "gzip"]);
    assert!(!text.contains("zstd"));
    snapbox::assert_data_eq!(text, snapbox::file!["../../golden/build/digests-gzip.txt"].raw());
}

#[test]
fn action_keys_are_what_they_were() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    let cold = keys(&project);
    project.run(&["build"]).expect(0);
    let warm = keys(&project);
    for line in cold.lines() {
        assert!(warm.contains(line), "`{line}` is another once it was built:\n{warm}");
    }
    snapbox::assert_data_eq!(warm, snapbox::file!["../../golden/build/keys.txt"].raw());
}

/// The actions of the plan that have a key already.
fn keys(project: &Project) -> String {
    let run = project.run(&["plan", "--format", "json"]).expect(0);
    let graph: Value = serde_json::from_str(&run.stdout).unwrap();
    let nodes = graph["nodes"].as_array().unwrap_or_else(|| panic!("{graph}"));
    let mut lines: Vec<String> = nodes
        .iter()
        .filter_map(|node| {
            let key = node["key"].as_str()?;
            Some(format!("{} {} {key}\n", node["kind"].as_str()?, node["label"].as_str()?))
        })
        .collect();
    lines.sort();
    lines.concat()
}

#[test]
fn the_lock_is_what_it_was() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    snapbox::assert_data_eq!(project.lock(), snapbox::file!["../../golden/build/lock.txt"].raw());
}

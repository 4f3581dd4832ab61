//! `remint verify`: what is right passes under every seed, and what was planted is found and named.

mod lacking;
mod planted;
mod registry;
mod reports;
mod varied;

use crate::support::project::{Project, Run};
use remint::digest::Digest;
use remint::oci::canonical_json;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The fixture project, built.
fn built() -> Project {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    project
}

/// The verdict of a run with `--format json`.
fn verdict(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", run.stdout, run.stderr))
}

/// The key of the action whose label in the plan begins so.
fn key_of(project: &Project, label: &str) -> String {
    let plan: Value =
        serde_json::from_str(&project.run(&["plan", "--format", "json", "--all"]).expect(0).stdout).unwrap();
    let nodes = plan["nodes"].as_array().unwrap();
    let found = nodes.iter().find(|node| node["label"].as_str().unwrap().starts_with(label) && node["key"].is_string());
    found.unwrap_or_else(|| panic!("no `{label}` in {plan}"))["key"].as_str().unwrap().to_owned()
}

/// Where the store keeps an action's result.
fn result_path(project: &Project, key: &str) -> PathBuf {
    project.root.join("cache/actions").join(key.strip_prefix("sha256:").unwrap())
}

/// Reads an action's result as it is written.
fn result(project: &Project, key: &str) -> Value {
    let text = std::fs::read_to_string(result_path(project, key)).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

/// Writes an action's result so that it looks right in itself.
fn plant(project: &Project, key: &str, record: &Value) {
    let mut bytes = canonical_json(record);
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(format!("\n{digest}\n").as_bytes());
    std::fs::write(result_path(project, key), bytes).unwrap();
}

/// The digests of the built images as a file of digests has them.
fn digests(project: &Project) -> String {
    let index: Value = serde_json::from_str(&project.read("cache/index.json")).unwrap();
    let line = |entry: &Value| {
        let name = entry["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
        format!("{name} {}\n", entry["digest"].as_str().unwrap())
    };
    index["manifests"].as_array().unwrap().iter().map(line).collect()
}

/// Every file below a directory with its bytes' digest, to see that nothing changed.
fn listing(dir: &Path) -> Vec<(PathBuf, Digest)> {
    let mut all = Vec::new();
    for entry in walkdir(dir) {
        all.push((entry.clone(), Digest::of(&std::fs::read(&entry).unwrap())));
    }
    all.sort();
    all
}

fn walkdir(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walkdir(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn everything_is_identical_under_every_seed() {
    let project = built();
    let before = listing(&project.root.join("cache/blobs"));
    // Nothing is fetched twice.
    std::fs::remove_dir_all(&project.mirror).unwrap();
    for seed in ["1", "2", "3", "18446744073709551615"] {
        let run = project.run(&["verify", "--seed", seed, "--format", "json"]).expect(0);
        let verdict = verdict(&run);
        assert_eq!((&verdict["identical"], verdict["seed"].to_string().as_str()), (&Value::Bool(true), seed));
        assert_eq!(verdict["images"].as_array().unwrap().len(), 6, "{verdict}");
        assert_eq!(verdict["unmatched"], 0, "{verdict}");
        assert!(verdict["compared"].as_u64().unwrap() > 20, "{verdict}");
        for what in ["threads", "order", "variables", "project's path and current directory", "clock"] {
            assert!(verdict["varied"][what].is_string(), "{what} in {verdict}");
        }
        for what in ["user", "host name", "umask", "file system"] {
            assert_ne!(verdict["varied"][what].is_string(), verdict["not_varied"][what].is_string(), "{verdict}");
        }
    }
    assert_eq!(listing(&project.root.join("cache/blobs")), before);
    let left: Vec<_> = std::fs::read_dir(project.root.join("cache/tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_table_says_what_was_compared_and_how() {
    let project = built();
    let run = project.run(&["verify", "hello", "--platform", "linux/arm64"]).expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stdout);
    assert!(lines[1].starts_with("hello  linux/arm64  identical  sha256:"), "{}", run.stdout);
    assert!(run.stderr.contains("rebuilt with the seed "), "{}", run.stderr);
    assert!(run.stderr.contains("varied: umask") || !run.stderr.contains("varied: threads"), "{}", run.stderr);
    let verbose = project.run(&["verify", "-v", "hello"]).expect(0);
    for what in ["varied: umask: ", "varied: threads: ", "varied: project's path", "image hello for linux/arm64 is"] {
        assert!(verbose.stderr.contains(what), "{}", verbose.stderr);
    }
}

#[test]
fn what_was_built_otherwise_is_verified_so() {
    let project = Project::first();
    project.run(&["build", "data", "hello", "--compression", "gzip", "--platform", "linux/amd64"]).expect(0);
    // Only what was built counts, and only for its platform.
    let run = project.run(&["verify"]).says(1, &["the same files, compressed by zstd instead of gzip"]);
    assert!(!run.stdout.contains("arm64") && !run.stdout.contains("site"), "{}", run.stdout);
    project.run(&["verify", "--compression", "gzip"]).expect(0);
    let mut command = project.command(&["build", "data"]);
    Run::of(command.env("SOURCE_DATE_EPOCH", "1700000000")).expect(0);
    project.run(&["verify", "data"]).says(1, &["differs", "at `/created`"]);
    Run::of(project.command(&["verify", "data"]).env("SOURCE_DATE_EPOCH", "1700000000")).expect(0);
}

#[test]
fn a_source_that_is_not_there_is_fetched_once() {
    let project = built();
    let lock = project.lock();
    let line = lock.lines().find(|line| line.contains("\"solo ")).unwrap();
    let blob = project.root.join("cache/blobs/sha256").join(line.split(' ').find(|word| word.len() == 64).unwrap());
    std::fs::remove_file(&blob).unwrap();
    project
        .run(&["verify", "data", "--offline"])
        .says(4, &["the rebuild failed", "`solo 1:2.0 (amd64)` is not in the store"]);
    project.run(&["verify", "data"]).expect(0);
    assert!(blob.is_file(), "it was kept");
    // One that is damaged is fetched again as well.
    std::fs::write(&blob, "damaged").unwrap();
    let good = project.run(&["verify", "data"]).expect(0);
    assert!(good.stdout.contains("identical") && std::fs::metadata(&blob).unwrap().len() > 100);
}

#[test]
fn what_cannot_be_verified_is_said() {
    let project = Project::first();
    project.run(&["verify"]).says(1, &["there is no store yet", "`remint build` fills it"]);
    project.run(&["lock"]).expect(0);
    project.run(&["verify"]).says(1, &["nothing was built yet"]);
    project.run(&["build", "data"]).expect(0);
    project.run(&["verify", "hello"]).says(1, &["`hello` was not built yet", "remint build hello"]);
    project.run(&["verify", "helo"]).says(2, &["did you mean `hello`?"]);
    for command in ["verify", "build"] {
        let words = ["there is no recipe `hello@linux/arm64`", "did you mean `hello --platform linux/arm64`?"];
        project.run(&[command, "hello@linux/arm64"]).says(2, &words);
        project.run(&[command, "cache:hello"]).says(2, &["did you mean `hello`?"]);
    }
    std::fs::remove_file(project.root.join("remint.lock")).unwrap();
    project.run(&["verify"]).says(3, &["remint.lock does not match", "run `remint lock`"]);
    project.run(&["verify", "--quick"]).expect(0);
    let failed = project.run(&["verify", "hello", "--format", "json"]).expect(1);
    assert!(failed.stdout.starts_with("{\"event\":\"error\""), "{}", failed.stdout);
}

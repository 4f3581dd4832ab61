//! The shipped recipes, verified under many seeds: no false alarm, and no more than about one cold build.
//!
//! Both take long. After a build of the checkout, one alone is:
//!
//! ```text
//! REMINT_TEST_LONG=1 REMINT_TEST_REQUIRE_JUDGES=1 REMINT_TEST_STORE=$PWD/cache cargo test --test it -- real::verify::there_is_no
//! ```

use super::shipped::Shipped;
use crate::support::judge;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many seeds.
const SEEDS: u64 = 20;

/// How often a time is taken; the shortest counts, since others work on the machine as well.
const ROUNDS: usize = 5;

#[test]
fn there_is_no_false_alarm_under_any_seed() {
    if !judge::long() {
        return judge::skipped("REMINT_TEST_LONG verifies the shipped recipes under many seeds");
    }
    let Some(shipped) = Shipped::get() else { return };
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes")).unwrap().flatten();
    let folders = folders.filter(|entry| entry.path().join("recipe.toml").is_file());
    let recipes: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let platforms = ["linux/amd64", "linux/arm64"];
    let all: BTreeSet<(String, String)> =
        recipes.iter().flat_map(|name| platforms.map(|platform| (name.clone(), platform.to_owned()))).collect();
    for seed in 0..SEEDS {
        let seed = seed.to_string();
        let output = shipped.remint(&shipped.store, &["verify", "--offline", "--seed", &seed, "--format", "json"]);
        let said = String::from_utf8_lossy(&output.stdout);
        let verdict: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert!(output.status.success() && verdict["identical"] == true, "seed {seed}: {verdict}");
        let word = |image: &Value, name: &str| image[name].as_str().unwrap_or_default().to_owned();
        let images = verdict["images"].as_array().unwrap().iter();
        let verified: BTreeSet<_> = images.map(|image| (word(image, "name"), word(image, "platform"))).collect();
        assert_eq!(verified, all, "seed {seed}");
        assert_eq!(verdict["unmatched"], 0, "seed {seed}: {verdict}");
    }
}

#[test]
fn it_costs_about_one_cold_build() {
    if !judge::long() {
        return judge::skipped("REMINT_TEST_LONG times a verification of the shipped recipes and a cold build");
    }
    let Some(shipped) = Shipped::get() else { return };
    let (mut cold, mut verify) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        // On the store's own file system, and with its sources: a rebuild elsewhere is only faster.
        let dir = tempfile::tempdir_in(shipped.store.parent().unwrap()).unwrap();
        sources(shipped, dir.path());
        let begun = Instant::now();
        let output = shipped.remint(dir.path(), &["--quiet", "build", "--locked", "--offline"]);
        cold = cold.min(begun.elapsed());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let begun = Instant::now();
        let output = shipped.remint(&shipped.store, &["--quiet", "verify", "--offline"]);
        verify = verify.min(begun.elapsed());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(verify <= cold.mul_f64(1.15), "a verification takes {verify:?}, a cold build {cold:?}");
}

/// Gives a store the packages that the lock names, and nothing else.
fn sources(shipped: &Shipped, store: &Path) {
    let blobs = store.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let lock = std::fs::read_to_string(shipped.project.join("remint.lock")).unwrap();
    let lines = lock.lines().filter(|line| line.starts_with("    \"") && line.contains(" pool/"));
    for digest in lines.filter_map(|line| line.split(' ').find(|word| word.len() == 64)) {
        let (from, to) = (shipped.store.join("blobs/sha256").join(digest), blobs.join(digest));
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(|_| ())).unwrap();
    }
}

//! The shipped recipes, verified under many seeds: no false alarm, and no more than about one cold build.

use super::shipped::{IMAGES, Shipped};
use crate::support::judge;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many seeds.
const SEEDS: u64 = 20;

/// How often a time is taken; the shortest counts, since others work on the machine as well.
const ROUNDS: usize = 5;

#[test]
fn there_is_no_false_alarm_under_any_seed() {
    if !judge::long() {
        return;
    }
    let Some(shipped) = Shipped::get() else { return };
    for seed in 0..SEEDS {
        let seed = seed.to_string();
        let output = shipped.remint(&shipped.store, &["verify", "--offline", "--seed", &seed, "--format", "json"]);
        let said = String::from_utf8_lossy(&output.stdout);
        let verdict: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert!(output.status.success() && verdict["identical"] == true, "seed {seed}: {verdict}");
        assert_eq!(verdict["images"].as_array().unwrap().len(), 2 * IMAGES.len());
        assert_eq!(verdict["unmatched"], 0, "seed {seed}: {verdict}");
    }
}

#[test]
fn it_costs_about_one_cold_build() {
    if !judge::long() {
        return;
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

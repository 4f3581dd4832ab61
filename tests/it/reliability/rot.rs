//! One bit that flips anywhere is noticed before it reaches an image, is named, and heals.

use super::faults::{Bench, assert_clean, reference};
use crate::support::judge;
use crate::support::random::random;
use std::path::{Path, PathBuf};

/// Where a bit can flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Blob,
    Action,
    Index,
    Lock,
}

/// Flips a bit of a file; gives the file as it was.
fn flip(path: &Path, state: &mut u64) -> Vec<u8> {
    let whole = std::fs::read(path).unwrap();
    let mut bytes = whole.clone();
    let at = random(state, bytes.len());
    bytes[at] ^= 1 << random(state, 8);
    std::fs::write(path, bytes).unwrap();
    whole
}

fn entries(index: &[u8]) -> Vec<serde_json::Value> {
    let index: serde_json::Value = serde_json::from_slice(index).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

fn any_of(dir: &Path, state: &mut u64) -> PathBuf {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    let at = random(state, all.len());
    all.swap_remove(at)
}

#[test]
fn every_flip_is_noticed() {
    let bench = Bench::new();
    bench.assert_recovers("nothing");
    let cache = bench.project.root.join("cache");
    let index = std::fs::read(cache.join("index.json")).unwrap();
    let mut state = 20_260_101;
    let mut by_build = 0;
    for number in 0..if judge::long() { 1000 } else { 150 } {
        let part = match number % 10 {
            0..=4 => Part::Blob,
            5..=7 => Part::Action,
            8 => Part::Index,
            _ => Part::Lock,
        };
        let victim = match part {
            Part::Blob => any_of(&cache.join("blobs/sha256"), &mut state),
            Part::Action => any_of(&cache.join("actions"), &mut state),
            Part::Index => cache.join("index.json"),
            Part::Lock => bench.project.root.join("remint.lock"),
        };
        let whole = flip(&victim, &mut state);
        let name = victim.file_name().unwrap().to_str().unwrap();
        let after = format!("flip {number}, in the {part:?} {name}");
        bench.forget_outputs();
        let run = crate::support::project::Run::of(&mut bench.build());
        bench.assert_nothing_of_another_image(&after);
        if part == Part::Lock {
            // The lock is the user's: refused with a place in it, or by the digest of what it pins.
            assert!(matches!(run.code, Some(0 | 3 | 4)), "{after}: {run:?}");
            assert!(
                run.code == Some(0) || run.stderr.contains("remint.lock") || run.stderr.contains("cannot"),
                "{run:?}"
            );
            std::fs::write(&victim, whole).unwrap();
            continue;
        }
        assert_eq!(run.code, Some(0), "{after}:\n{}", run.stderr);
        assert_eq!(&bench.outputs(), reference(), "{after}");
        if part == Part::Index {
            // What is named there is what was built; a name that the flip made is a name more, of the same image.
            let now = entries(&std::fs::read(&victim).unwrap());
            assert!(now.contains(&entries(&index)[0]), "{after}: {now:?}");
            by_build += usize::from(run.stderr.contains("the list of images in the store was damaged"));
            std::fs::write(&victim, &index).unwrap();
            continue;
        }
        if run.stderr.contains(&format!("{name} in the store was damaged")) {
            by_build += 1;
        } else {
            // Nothing of this run needed it: the check finds it, and then it is made again, or nobody misses it.
            let check = bench.project.run(&["cache", "check"]).says(1, &[name]);
            assert!(check.stdout.contains("removed: the next build makes it again"), "{}", check.stdout);
            bench.assert_rebuilds(&after);
        }
    }
    assert!(by_build > 20, "only {by_build} were noticed by a build");
    assert_clean(&bench.project, "all flips");
}

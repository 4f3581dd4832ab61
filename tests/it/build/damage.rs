//! A store that was damaged or left half written is healed or complained of, and never gives other bytes.

use super::same::{assert_same, reference};
use crate::support::layout::assert_valid;
use crate::support::project::{Project, Run, files};
use crate::support::random::random;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files of a part of the store, sorted.
fn of_store(project: &Project, part: &str) -> Vec<PathBuf> {
    let dir = project.root.join("cache").join(part);
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// Changes one bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// Builds, which has to succeed and give the bytes that it always gives; says what the run said.
#[track_caller]
fn heals(project: &Project, what: &str) -> Run {
    let layout = project.root.join("layout");
    let _ = std::fs::remove_dir_all(&layout);
    let run = project.run(&["build", "--output", "oci:layout"]);
    assert_eq!(run.code, Some(0), "{what}:\n{}", run.stderr);
    assert!(files(&layout) == *reference(), "{what} changed the image");
    run
}

#[test]
fn a_damaged_blob_is_healed() {
    let project = Project::first();
    assert_same(&project.build(&[]));
    let layers: Vec<String> = reference().keys().filter_map(|name| Some(name.rsplit_once('/')?.1.to_owned())).collect();
    let mut said = 0;
    for path in of_store(&project, "blobs/sha256") {
        flip(&path);
        let run = heals(&project, &path.display().to_string());
        let name = path.file_name().unwrap().to_str().unwrap();
        if run.stderr.contains(&format!("{name} in the store was damaged")) {
            said += 1;
            assert!(layers.iter().any(|layer| layer == name), "only what goes into the layout is read: {name}");
        }
    }
    assert!(said > 3, "damage is said: {said}");
    // The indices of the archive are not part of a build; `lock` looks after them.
    project.run(&["lock", "--update"]).expect(0);
    heals(&project, "everything that was damaged and not needed before");
}

#[test]
fn a_damaged_blob_is_healed_when_layers_are_made_anew() {
    let project = Project::first();
    assert_same(&project.build(&[]));
    let mut state = 7;
    for path in of_store(&project, "blobs/sha256") {
        // Some results are gone, so that the damaged blob is needed; which, differs each time.
        for action in of_store(&project, "actions") {
            if random(&mut state, 2) == 0 {
                std::fs::remove_file(action).unwrap();
            }
        }
        flip(&path);
        heals(&project, &path.display().to_string());
    }
}

#[test]
fn a_damaged_source_is_fetched_again() {
    let project = Project::first();
    assert_same(&project.build(&[]));
    let lock = project.lock();
    for path in of_store(&project, "blobs/sha256") {
        if lock.contains(path.file_name().unwrap().to_str().unwrap()) {
            flip(&path);
            for action in of_store(&project, "actions") {
                std::fs::remove_file(action).unwrap();
            }
            heals(&project, &path.display().to_string());
        }
    }
}

#[test]
fn a_damaged_result_is_made_again() {
    let project = Project::first();
    assert_same(&project.build(&[]));
    for path in of_store(&project, "actions") {
        flip(&path);
        heals(&project, &path.display().to_string());
    }
    for path in of_store(&project, "actions") {
        std::fs::write(&path, "").unwrap();
    }
    heals(&project, "empty results");
}

#[test]
fn a_blob_that_is_cut_or_gone_is_made_again() {
    let project = Project::first();
    assert_same(&project.build(&[]));
    for (number, path) in of_store(&project, "blobs/sha256").into_iter().enumerate() {
        if number % 2 == 0 {
            std::fs::remove_file(&path).unwrap();
        } else {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
        heals(&project, &path.display().to_string());
    }
}

#[test]
fn a_killed_build_leaves_nothing_that_counts() {
    let project = Project::first();
    let mut state = 99;
    for number in 0..15 {
        if number % 4 == 0 && project.root.join("cache").exists() {
            project.forget();
        }
        let mut child = project.command(&["build"]);
        let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random(&mut state, 120) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_same(&project.build(&[]));
    assert_valid(&project.root.join("cache"));
    let left: Vec<PathBuf> = of_store(&project, "tmp");
    assert!(left.len() < 200, "rubbish piles up: {left:?}");
}

#[test]
fn a_store_that_cannot_be_written_is_said() {
    let project = Project::first();
    project.write("cache", "a file where the store should be");
    let run: Run = project.run(&["build"]);
    assert!(matches!(run.code, Some(3..=5)), "{run:?}");
    assert!(run.stderr.contains("cache"), "{}", run.stderr);
}

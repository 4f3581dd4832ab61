//! `remint gc` and `remint cache`: what is needed stays, what is not goes, and nobody is disturbed.

use super::faults::assert_clean;
use crate::support::layout::assert_valid;
use crate::support::project::{LATER, Project, Run, archive, packages};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;

/// Panics unless the next build makes nothing, and needs nothing from anywhere.
#[track_caller]
fn assert_no_op(project: &Project) {
    let run = project.run(&["build", "--offline", "--format", "json"]).expect(0);
    assert!(!run.stdout.contains("action-started"), "{}", run.stdout);
    assert_valid(&project.root.join("cache"));
    assert_clean(project, "gc");
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let run = project.run(&[arguments, &["--format", "json"]].concat()).expect(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Every file of the store that holds something, by its path in it.
fn held(project: &Project) -> BTreeSet<String> {
    let cache = project.root.join("cache");
    let of = |part: &str| {
        let entries = std::fs::read_dir(cache.join(part)).unwrap();
        entries.map(|entry| format!("{part}/{}", entry.unwrap().file_name().to_str().unwrap())).collect::<Vec<_>>()
    };
    ["blobs/sha256", "actions", "builds", "partial"].into_iter().flat_map(of).collect()
}

#[test]
fn what_is_needed_stays() {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    let before = held(&project);
    let removed = json(&project, &["gc"]);
    let kept = held(&project);
    // Only the indices of the archive, which belong to no image and no lock.
    assert!(removed["removed"].as_array().unwrap().iter().all(|gone| gone["kind"] == "other"), "{removed}");
    assert!(held(&project).len() + 4 >= before.len(), "{removed}");
    assert_no_op(&project);
    assert_eq!(held(&project), kept, "a build that makes nothing writes nothing");
    // The sources of the lock are there still: everything else is made again from them.
    std::fs::remove_dir_all(project.root.join("cache/actions")).unwrap();
    project.run(&["build", "--offline"]).expect(0);
    project.run(&["gc", "--keep-builds", "0"]).expect(0);
    assert!(project.root.join("cache/builds").read_dir().unwrap().next().is_none());
    assert_valid(&project.root.join("cache"));
    project.run(&["build", "--offline"]).expect(0);
    assert_no_op(&project);
}

#[test]
fn the_last_builds_stay_and_older_ones_go() {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    project.run(&["gc"]).expect(0);
    let (first, lock) = (held(&project), project.lock());
    project.publish(&archive(packages("1.1-1"), LATER));
    project.run(&["lock", "--update"]).expect(0);
    project.run(&["build"]).expect(0);
    project.run(&["gc"]).expect(0);
    let both = held(&project);
    assert!(first.is_subset(&both) && first != both, "the build before can be had again");
    let new = project.lock();
    project.write("remint.lock", &lock);
    assert_no_op(&project);
    project.write("remint.lock", new);
    assert_no_op(&project);

    let dry = json(&project, &["gc", "--keep-builds", "1", "--dry-run"]);
    assert_eq!(held(&project), both, "a dry run removes nothing");
    assert!(dry["freed"].as_u64().unwrap() > 0 && dry["dry_run"] == true);
    let easy = json(&project, &["gc", "--keep-builds", "1", "--older-than", "1h"]);
    assert_eq!(easy["freed"], 0, "nothing is that old");
    let easy = json(&project, &["gc", "--keep-builds", "1", "--keep-size", "1GB"]);
    assert_eq!(easy["freed"], 0, "the store is small enough");
    let gone = json(&project, &["gc", "--keep-builds", "1"]);
    assert_eq!((&gone["removed"], &gone["freed"]), (&dry["removed"], &dry["freed"]));
    assert_no_op(&project);
    assert!(!first.is_subset(&held(&project)), "what only the first build needed is gone");
    // What is gone is made again, as far as its sources are to be had.
    project.write("remint.lock", &lock);
    project.run(&["build", "--offline"]).says(4, &["--offline"]);
}

#[test]
fn a_lock_that_cannot_be_read_keeps_everything() {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    let before = held(&project);
    project.write("remint.lock", "version = ");
    for arguments in [&["gc"][..], &["gc", "--dry-run"], &["cache"]] {
        project.run(arguments).says(3, &["remint.lock"]);
    }
    assert_eq!(held(&project), before);
}

#[test]
fn builds_and_collectors_at_once() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    for round in 0..3 {
        let start = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let all: Vec<&[&str]> = vec![
            &["build", "--locked"],
            &["gc"],
            &["build", "site", "--locked"],
            &["gc", "--keep-builds", "0"],
            &["build", "--locked"],
            &["cache"],
        ];
        // The first one alone makes the store, so that the others find one.
        project.run(&["build", "hello"]).expect(0);
        let children: Vec<_> = all.iter().map(|arguments| (arguments, start(arguments))).collect();
        for (arguments, mut child) in children {
            assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?} in round {round}");
        }
        assert_clean(&project, "builds and collectors at once");
        project.run(&["build", "--locked"]).expect(0);
        assert_no_op(&project);
        project.forget();
    }
}

#[test]
fn what_is_held_is_shown_with_its_reason() {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    let text = project.run(&["cache"]).expect(0).stdout;
    for words in ["layers", "sources", "fragments", "results", "remint.lock", "in all", "hello", "site", "4 images"] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    let held = json(&project, &["cache"]);
    let blobs = held["blobs"].as_array().unwrap();
    let on_disk = std::fs::read_dir(project.root.join("cache/blobs/sha256")).unwrap().count();
    assert_eq!(blobs.len(), on_disk, "every blob is shown");
    let lock = project.lock();
    for blob in blobs {
        let (hex, kind) = (blob["digest"].as_str().unwrap().trim_start_matches("sha256:"), &blob["kind"]);
        assert_eq!(lock.contains(hex) && !lock.contains(&format!("\"sha256:{hex}")), kind == "source", "{blob}");
        let needed = blob["needed_by"].as_array().unwrap();
        assert_eq!(needed.is_empty(), kind == "other", "{blob}");
        if kind == "layer" || kind == "document" {
            assert!(needed.iter().any(|who| who.as_str().unwrap().starts_with("image ")), "{blob}");
        }
    }
}

#[test]
fn reading_makes_no_store() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    project.forget();
    std::fs::create_dir(project.root.join("cache")).unwrap();
    for arguments in [&["plan"][..], &["inspect", "hello"], &["cache"], &["cache", "check"], &["gc"], &["gc", "-n"]] {
        let run: Run = project.run(arguments);
        assert_eq!(run.code, Some(i32::from(arguments != ["plan"])), "{run:?}");
    }
    assert_eq!(std::fs::read_dir(project.root.join("cache")).unwrap().count(), 0);
}

//! What fails stops only what depends on it, is named, and is all that the next run makes; and what the screen says of mistakes.

use super::same::assert_same;
use crate::support::file_server::{Fault, Server};
use crate::support::project::{FIRST, Project, Run, archive, packages};
use std::collections::BTreeMap;
use std::path::Path;

const SOLO: &str = "pool/main/solo/solo_2.0_amd64.deb";

/// How many layers were made and how many were there, by image and platform.
fn made(run: &Run) -> BTreeMap<String, (u64, u64)> {
    let mut all = BTreeMap::new();
    for line in run.stdout.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        // A size and a time have two words each.
        let [image, platform, _, _, _, built, reused, ..] = words[..] else { panic!("{line}") };
        all.insert(format!("{image} {platform}"), (built.parse().unwrap(), reused.parse().unwrap()));
    }
    all
}

/// Looks at a run that could not get `solo`, and at the one after the cure.
#[track_caller]
fn solo_is_missing(project: &Project, failed: Run, cure: impl FnOnce()) {
    let named = ["solo", "data (linux/amd64)", "both (linux/amd64)"];
    let failed = failed.says(4, &named);
    assert!(!failed.stderr.contains("hello (") && !failed.stderr.contains("site ("), "{}", failed.stderr);
    let first = made(&failed);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(names, ["hello linux/amd64", "hello linux/arm64", "site linux/amd64", "site linux/arm64"]);
    cure();
    let second = made(&project.run(&["build"]).expect(0));
    for name in names {
        let (built, reused) = first[name];
        assert_eq!(second[name], (0, built + reused), "{name}");
    }
    assert_eq!(second["data linux/amd64"], (1, 0));
    assert_eq!(second["both linux/amd64"].1, first["hello linux/amd64"].0 + first["hello linux/amd64"].1);
    assert_same(&project.build(&[]));
}

#[test]
fn a_package_that_is_not_there_stops_only_its_images() {
    let project = Project::first();
    project.run(&["lock", "--index-only"]).expect(0);
    let deb = Path::new(&project.mirror).join(SOLO);
    let bytes = std::fs::read(&deb).unwrap();
    std::fs::remove_file(&deb).unwrap();
    let failed = project.run(&["build"]);
    let line = 1 + project.lock().lines().position(|line| line.contains("\"solo 1:2.0 ")).unwrap();
    let place = format!("remint.lock:{line}");
    let failed = failed.says(4, &[&place, "remint lock --vanished"]);
    solo_is_missing(&project, failed, || std::fs::write(&deb, bytes).unwrap());
}

#[test]
fn a_package_with_other_bytes_stops_only_its_images() {
    let project = Project::first();
    project.run(&["lock", "--index-only"]).expect(0);
    let deb = Path::new(&project.mirror).join(SOLO);
    let bytes = std::fs::read(&deb).unwrap();
    let mut wrong = bytes.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    std::fs::write(&deb, wrong).unwrap();
    let failed = project.run(&["build"]);
    assert!(!failed.stderr.contains("--vanished"), "it is there, but wrong: {}", failed.stderr);
    solo_is_missing(&project, failed, || std::fs::write(&deb, bytes).unwrap());
}

#[test]
fn faults_of_a_server_that_pass_are_not_seen() {
    let archive = archive(packages("1.0-1"), FIRST);
    let server = Server::start(archive.files.clone());
    let mut project = Project::new(&archive);
    project.mirror = server.base();
    server.fault(SOLO, Fault::Cut(100));
    server.fault(SOLO, Fault::Status(503, Some(0)));
    assert_same(&project.build(&[]));
}

#[test]
fn packages_with_the_same_file_fail_as_an_action() {
    let mut all = packages("1.0-1");
    let solo = all.pop().unwrap();
    all.push(solo.file("usr/share/data/table", "mine"));
    let project = Project::new(&archive(all, FIRST));
    let run = project.run(&["build"]).says(5, &["/usr/share/data/table", "`data`", "`solo`", "data (linux/amd64)"]);
    assert_eq!(made(&run).len(), 5, "the others are finished: {}", run.stdout);
}

#[test]
fn an_unknown_package_is_shown_where_it_is_asked_for() {
    let project = Project::first();
    project.write("recipes/typo/recipe.toml", "# one\n# two\n\n[[layer]]\npackages = [\"helo\"]\n");
    let run = project.run(&["build"]).expect(3);
    assert!(run.stderr.contains("recipes/typo/recipe.toml:4"), "{}", run.stderr);
    assert!(run.stderr.contains("`helo`") && run.stderr.contains("`hello`"), "{}", run.stderr);
    assert!(!project.root.join("remint.lock").exists(), "nothing is locked where something is missing");
}

#[test]
fn a_missing_tree_is_shown_where_it_is_copied() {
    let project = Project::first();
    project.write("recipes/typo/recipe.toml", "# one\n\n[[layer]]\ncopy = \"nowhere\"\nto = \"/srv\"\n");
    let run = project.run(&["build"]).expect(3);
    assert!(run.stderr.contains("recipes/typo/recipe.toml:3"), "{}", run.stderr);
    assert!(run.stderr.contains("`nowhere`"), "{}", run.stderr);
}

#[test]
fn an_unknown_image_is_named_with_the_nearest() {
    Project::first().run(&["build", "sit"]).says(2, &["`sit`", "`site`"]);
}

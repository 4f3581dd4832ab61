//! A project whose mirrors fail, as its user meets it: what falls to another mirror, what vanished, and what the screen says.

use super::same::assert_same;
use crate::support::archive::Archive;
use crate::support::file_server::{Fault, Server};
use crate::support::project::{FIRST, LATER, Project, archive, packages};
use std::collections::BTreeMap;

const SOLO: &str = "pool/main/solo/solo_2.0_amd64.deb";

/// A project whose lock is made, and a server with its archive.
fn served() -> (Project, Server, Archive) {
    let archive = archive(packages("1.0-1"), FIRST);
    let server = Server::start(archive.files.clone());
    let mut project = Project::new(&archive);
    project.mirror = server.base();
    project.run(&["lock", "--index-only"]).expect(0);
    (project, server, archive)
}

fn without(server: &Server, path: &str) {
    server.change(|files| drop(files.remove(path)));
}

#[test]
fn what_one_mirror_lacks_another_has() {
    let (mut project, server, archive) = served();
    let second = Server::start(archive.files.clone());
    without(&server, SOLO);
    project.mirror = format!("{} {}", server.base(), second.base());
    let run = project.run(&["build"]).expect(0);
    assert!(run.stderr.contains("404 Not Found"), "it is said which mirror lacks what: {}", run.stderr);
    let asked: Vec<String> = second.requests().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked, [SOLO], "the second is asked for nothing else");
    project.forget();
    assert_same(&project.build(&[]));
}

#[test]
fn a_package_that_vanished_is_found_in_the_store() {
    let (project, server, _) = served();
    assert_same(&project.build(&[]));
    server.change(|files| files.retain(|path, _| !path.starts_with("pool/")));
    // Everything that was made is gone; what was fetched is not.
    std::fs::remove_dir_all(project.root.join("cache/actions")).unwrap();
    let before = server.requests().len();
    assert_same(&project.build(&[]));
    assert_eq!(server.requests().len(), before, "no mirror is asked for what the store has");
}

#[test]
fn a_package_that_is_nowhere_is_named_with_what_replaces_it_and_only_it_moves() {
    let (project, server, _) = served();
    let later = archive(packages("1.1-1"), LATER);
    // The pool is the new one, so that what the lock names is gone.
    let changed: Vec<String> = later.files.keys().filter(|path| path.contains("1.1-1")).cloned().collect();
    assert!(!changed.is_empty());
    server.change(|files| *files = later.files.clone());
    let failed = project.run(&["build"]).says(4, &["404 Not Found", "1.1-1 replaces it", "`remint lock --vanished`"]);
    assert!(!failed.stderr.contains("solo 1:2.0"), "what is there is not named: {}", failed.stderr);
    let old = project.lock();
    let moved = project.run(&["lock", "--vanished"]).expect(0);
    assert!(moved.stdout.contains("1.0-1") && moved.stdout.contains("1.1-1"), "{}", moved.stdout);
    let package = |lock: &str| lock.lines().find(|line| line.contains("\"solo 1:2.0 ")).map(str::to_owned);
    assert_eq!(package(&project.lock()), package(&old));
    project.run(&["build"]).expect(0);
}

#[test]
fn a_stale_mirror_before_a_new_one_falls_through() {
    let (mut project, stale, _) = served();
    let later = archive(packages("1.1-1"), LATER);
    let fresh = Server::start(later.files.clone());
    // Its index is the old one, and its pool the new one.
    stale.change(|files| {
        files.retain(|path, _| path.starts_with("dists/"));
        files.extend(
            later.files.iter().filter(|(path, _)| path.starts_with("pool/")).map(|(p, b)| (p.clone(), b.clone())),
        );
    });
    project.mirror = format!("{} {}", stale.base(), fresh.base());
    project.run(&["build"]).says(4, &["`remint lock --vanished`"]);
    // A lock of the fresh one is not undone by what the stale one still says.
    project.mirror = fresh.base();
    project.run(&["lock", "--update"]).expect(0);
    project.mirror = format!("{} {}", stale.base(), fresh.base());
    project.run(&["build"]).expect(0);
    project.run(&["lock", "--update"]).expect(0);
    assert!(project.lock().contains("1.1-1"), "{}", project.lock());
}

#[test]
fn dated_archives_have_what_the_mirrors_dropped() {
    let (project, server, old) = served();
    let dated: BTreeMap<String, Vec<u8>> = old
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("pool/"))
        .map(|(path, bytes)| (format!("debian/20260101T000000Z/{path}"), bytes.clone()))
        .collect();
    let dated = Server::start(dated);
    let settings = project.read("remint.toml");
    let template = format!("{}/{{archive}}/{{date}}", dated.base());
    let empty = Server::start(BTreeMap::new());
    project.write("remint.toml", format!("{settings}snapshot = [\"{}/{{date}}\", \"{template}\"]\n", empty.base()));
    // The suite moves on, and with it the lock's date of the suite; the packages stay.
    let later = archive(packages("1.1-1"), LATER);
    server.change(|files| *files = later.files.clone());
    project.write("recipes/more/recipe.toml", "platforms = [\"linux/amd64\"]\n[[layer]]\npackages = [\"solo\"]\n");
    project.run(&["lock", "--index-only"]).expect(0);
    assert!(
        project.lock().contains("2026-01-02T00:00:00Z") && project.lock().contains(" 1.0-1 "),
        "{}",
        project.lock()
    );
    project.run(&["build"]).expect(0);
    let asked: Vec<String> = dated.requests().into_iter().map(|seen| seen.path).collect();
    assert!(asked.iter().all(|path| path.starts_with("debian/20260101T000000Z/pool/")), "{asked:?}");
    assert!(asked.iter().any(|path| path.contains("1.0-1")), "{asked:?}");
}

#[test]
fn one_reason_for_many_packages_is_said_once() {
    let (project, server, _) = served();
    server.change(|files| files.retain(|path, _| !path.starts_with("pool/")));
    let failed = project.run(&["build"]).says(4, &["for the same reason"]);
    let error = &failed.stderr[failed.stderr.find("\nerror: ").unwrap()..];
    assert_eq!(error.matches("404 Not Found").count(), 1, "{error}");
    assert_eq!(error.matches("so these are missing").count(), 1, "{error}");
    // Another reason is another paragraph.
    let (project, server, old) = served();
    server.change(|files| files.retain(|path, _| !path.starts_with("pool/") || path == SOLO));
    server.change(|files| drop(files.insert(SOLO.to_owned(), vec![0; old.files[SOLO].len()])));
    let failed = project.run(&["build"]).says(4, &["expected sha256:", "other bytes"]);
    let error = &failed.stderr[failed.stderr.find("\nerror: ").unwrap()..];
    let said = |words: &str| error.matches(words).count();
    assert_eq!((said("404 Not Found"), said("found sha256:")), (1, 1), "{error}");
}

#[test]
fn a_mirror_that_is_closed_is_said_with_the_cure() {
    let (project, server, _) = served();
    for path in ["dists/trixie/InRelease", SOLO] {
        for _ in 0..3 {
            server.fault(path, Fault::Status(403, None));
        }
    }
    project.run(&["lock", "--update"]).says(4, &["InRelease of trixie", "403 Forbidden", "credentials"]);
    project.run(&["build"]).says(4, &["solo 1:2.0 (amd64)", "403 Forbidden", "credentials"]);
}

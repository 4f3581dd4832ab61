//! Others agree about which paths differ: GNU tar's listings for the whole corpus, diffoscope for a handful.

use super::compared_tars;
use super::corpus::cases;
use super::making::tar;
use crate::support::judge;
use remint::verify::diff::Field;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What GNU tar says of each path: type, mode, owner, size, time, link; and, last, of its content the sum.
fn listing(program: &Path, archive: &Path) -> BTreeMap<String, String> {
    let words = ["--full-time", "--utc", "--numeric-owner", "-tvf"].map(std::ffi::OsStr::new);
    let text = judge::run(program, words.into_iter().chain([archive.as_os_str()]));
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The path is the sixth; a device's numbers stand in the size's place.
        let path = format!("/{}", fields[5].trim_end_matches('/'));
        (path, line.to_owned())
    };
    text.lines().map(line).collect()
}

#[test]
fn tar_lists_the_same_differences() {
    let Some(program) = judge::find("tar") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (path_a, path_b) = (dir.path().join("a.tar"), dir.path().join("b.tar"));
    for case in cases() {
        fs::write(&path_a, tar(&case.a)).unwrap();
        fs::write(&path_b, tar(&case.b)).unwrap();
        let (listed_a, listed_b) = (listing(&program, &path_a), listing(&program, &path_b));
        let paths: BTreeSet<&String> = listed_a.keys().chain(listed_b.keys()).collect();
        let theirs: BTreeSet<&str> =
            paths.into_iter().filter(|path| listed_a.get(*path) != listed_b.get(*path)).map(|path| &**path).collect();
        let comparison = compared_tars(&case.a, &case.b);
        let files = &comparison.platforms[0].files;
        let ours: BTreeSet<&str> = files.iter().map(|file| &*file.path).collect();
        assert!(theirs.is_subset(&ours), "{}: tar {theirs:?}, remint {ours:?}", case.name);
        for file in files.iter().filter(|file| !theirs.contains(&*file.path)) {
            // A listing shows neither contents nor attributes.
            let unseen = |field| matches!(field, Field::Content | Field::Xattrs);
            assert!(file.findings.iter().all(|finding| unseen(finding.field)), "{}: {file:?}", case.name);
        }
    }
}

#[test]
fn diffoscope_names_the_same_paths() {
    let Some(program) = judge::find("diffoscope") else { return };
    let wanted: &[&str] = &["iso date", "gzip content", "removed", "mode", "several files"];
    let dir = tempfile::tempdir().unwrap();
    let (path_a, path_b) = (dir.path().join("a.tar"), dir.path().join("b.tar"));
    for case in cases().into_iter().filter(|case| judge::long() || wanted.contains(&case.name)) {
        fs::write(&path_a, tar(&case.a)).unwrap();
        fs::write(&path_b, tar(&case.b)).unwrap();
        let output = Command::new(&program).args(["--text", "-"]).args([&path_a, &path_b]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{}: {text}{}", case.name, String::from_utf8_lossy(&output.stderr));
        for (path, _) in &case.expected {
            assert!(text.contains(&path[1..]), "{}: diffoscope does not name {path}:\n{text}", case.name);
        }
    }
}

//! Others agree about which paths differ: GNU tar's listings for the whole corpus, diffoscope too.

use super::compared_tars;
use super::corpus::{cases, together};
use super::making::{Thing, file, sqlite, tar};
use crate::support::judge;
use remint::verify::diff::{Class, Field, Finding};
use serde_json::Value;
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
            let unseen = |finding: &Finding| {
                matches!(finding.field, Field::Content | Field::Xattrs) || !finding.within.is_empty()
            };
            assert!(file.findings.iter().all(unseen), "{}: {file:?}", case.name);
        }
    }
}

/// Where diffoscope and remint do not name the same paths, by the name of the case, and why.
const OTHERWISE: [(&str, &str); 2] = [
    ("xattr", "it reads archives by what their listings and contents show, and neither has extended attributes"),
    ("no xattr", "it reads archives by what their listings and contents show, and neither has extended attributes"),
];

/// The paths that diffoscope names in two archives: of members, and of lines of the listings that differ.
fn named(report: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for detail in report["details"].as_array().into_iter().flatten() {
        if detail["source1"] == "file list" {
            let lines = detail["unified_diff"].as_str().unwrap().lines().skip(1);
            let side =
                |mark: char| lines.clone().filter_map(move |line| line.strip_prefix(mark)).collect::<BTreeSet<_>>();
            // A line that only moved is on both sides.
            paths.extend(side('-').symmetric_difference(&side('+')).map(|line| {
                // Behind the time stands the path, and behind that where a link leads.
                let path = line.split_whitespace().skip_while(|field| !field.ends_with(".000000")).nth(1).unwrap();
                format!("/{}", path.trim_end_matches('/'))
            }));
        } else {
            // A member is compared with one of another name where their contents are alike.
            paths.extend(["source1", "source2"].map(|side| format!("/{}", detail[side].as_str().unwrap())));
        }
    }
    paths
}

#[test]
fn diffoscope_names_the_same_paths_and_no_others() {
    let Some(program) = judge::find("diffoscope") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (path_a, path_b) = (dir.path().join("a.tar"), dir.path().join("b.tar"));
    let paths = |a: &[Thing], b: &[Thing]| {
        fs::write(&path_a, tar(a)).unwrap();
        fs::write(&path_b, tar(b)).unwrap();
        let output = Command::new(&program).args(["--json", "-"]).args([&path_a, &path_b]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = named(&serde_json::from_slice(&output.stdout).unwrap());
        let comparison = compared_tars(a, b);
        (theirs, comparison.platforms[0].files.iter().map(|file| file.path.clone()).collect::<BTreeSet<_>>())
    };
    let mut otherwise = Vec::new();
    for case in cases() {
        let (theirs, ours) = paths(&case.a, &case.b);
        let known = OTHERWISE.iter().any(|(name, _)| *name == case.name);
        if (theirs == ours) == known {
            otherwise.push(format!("{}: diffoscope {theirs:?}, remint {ours:?}", case.name));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    // All of them at once, but for what it does not see.
    let (a, b, expected) = together();
    let seen = |things: Vec<Thing>| things.into_iter().filter(|thing| thing.xattr.is_none()).collect::<Vec<_>>();
    let unseen: BTreeSet<String> =
        a.iter().filter(|thing| thing.xattr.is_some()).map(|thing| format!("/{}", thing.path)).collect();
    let (a, b) = (seen(a), seen(b));
    let (theirs, ours) = paths(&a, &b);
    assert_eq!(theirs, ours);
    assert!(ours.is_superset(&expected.into_keys().filter(|path| !unseen.contains(path)).collect()));
}

/// The databases of the corpus are ones: `SQLite` itself reads their rows.
#[test]
fn sqlite_reads_the_databases_of_the_corpus() {
    let Some(python) = judge::find("python3") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    fs::write(&path, sqlite(1, &[b"one", b"two"])).unwrap();
    let read = "import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); \
                print(base.execute('PRAGMA integrity_check').fetchall(), base.execute('SELECT rowid, line FROM log').fetchall())";
    let said = judge::run(python, ["-c", read, path.to_str().unwrap()]);
    assert_eq!(said, "[('ok',)] [(1, 'one'), (2, 'two')]\n");
}

/// A layer of a database that a script writes, which is given the file's name and some values.
fn database(python: &Path, script: &str, values: &[&str]) -> [Thing; 1] {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    let words = [&["-c", script, path.to_str().unwrap()][..], values].concat();
    judge::run(python, words);
    [file("srv/x.db", &fs::read(path).unwrap())]
}

/// A database that `SQLite` wrote, with rows of several pages and an index, is taken apart to its rows.
#[test]
fn a_database_of_sqlites_own_is_taken_apart() {
    let Some(python) = judge::find("python3") else { return };
    let write = "import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute('CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, long TEXT, number REAL)')
base.execute('CREATE INDEX by_name ON t(name)')
for row in range(3000):
    base.execute('INSERT INTO t VALUES(?, ?, ?, ?)', (row, 'name %d' % row, 'long ' * (2000 if row == 77 else 9), row / 7))
base.execute('UPDATE t SET name = ? WHERE id = 2500', (sys.argv[2],))
base.commit()
";
    let [a, b] = ["made 2026-11-23", "made 2026-11-24"].map(|day| database(python.as_ref(), write, &[day]));
    let comparison = compared_tars(&a, &b);
    let finding = &comparison.platforms[0].files[0].findings[0];
    assert_eq!((&*finding.within[0], finding.class), ("table t, row 2500", Class::Timestamp), "{finding:?}");
}

/// What is no row, and yet content, is never called another encoding of the same.
#[test]
fn what_is_no_row_of_a_database_is_content() {
    let Some(python) = judge::find("python3") else { return };
    let write = "import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute('CREATE TABLE t(id INTEGER PRIMARY KEY)')
base.execute('CREATE TABLE w(name TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID')
base.execute('INSERT INTO w VALUES(1, ?)', (sys.argv[2],))
base.execute('PRAGMA user_version = %d' % int(sys.argv[3]))
base.execute('PRAGMA application_id = %d' % int(sys.argv[4]))
base.commit()
";
    let one = database(python.as_ref(), write, &["secret-a", "1", "1"]);
    for other in [["secret-b", "1", "1"], ["secret-a", "2", "1"], ["secret-a", "1", "2"]] {
        let comparison = compared_tars(&one, &database(python.as_ref(), write, &other));
        let finding = &comparison.platforms[0].files[0].findings[0];
        assert_eq!(finding.class, Class::Content, "{other:?}: {finding:?}");
    }
}

//! What `remint lock` says of maintainer scripts: what no step covers, what that means, and what it cannot know.

use crate::support::archive::{Archive, Package};
use crate::support::project::{FIRST, Project, archive, packages};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A script that nobody has read.
const STRANGE: &str = "#!/bin/sh\nset -e\nmake-coffee > /var/lib/coffee\n";

/// The archive of all tests, with a package of a strange script for both architectures.
fn strange() -> Archive {
    let mut all = packages("1.0-1");
    for arch in ["amd64", "arm64"] {
        let strange = Package::new("strange", "2.0").arch(arch).script("postinst", STRANGE).script("config", STRANGE);
        // Removing it is not what an image does.
        all.push(strange.script("prerm", STRANGE));
    }
    all.push(Package::new("plain", "1").arch("all").script("postinst", "#!/bin/sh\nset -e\nexit 0\n"));
    archive(all, FIRST)
}

/// A project with two recipes whose packages have scripts.
fn project() -> Project {
    let project = Project::new(&strange());
    project.write("recipes/odd/recipe.toml", "from = \"hello\"\n\n[[layer]]\npackages = [\"plain\", \"strange\"]\n");
    project.write("recipes/over/recipe.toml", "from = \"odd\"\n\n[[layer]]\npackages = [\"data\"]\n");
    let bare = "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"strange\"]\nconfigure = \"none\"\n";
    project.write("recipes/bare/recipe.toml", bare);
    project
}

/// What is said of the strange package: in the layer that brings it, once for both platforms, and not where nothing is configured.
fn told() -> String {
    let why = "it was never read (digest DIGEST): what it does itself, beyond debhelper's parts and the tools it calls, is not done";
    format!(
        "`odd` layer 1 on linux/amd64, linux/arm64: 2 scripts that no native step covers\n  strange\n    config: {why}\n    \
         postinst: {why}\n"
    )
}

/// Text without the digests of scripts.
fn plain(text: &str) -> String {
    let mut parts = text.split("(digest ");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str("(digest DIGEST");
        plain.push_str(&part[part.find(')').unwrap()..]);
    }
    plain
}

fn debs(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory) {
        let path = entry.unwrap().into_path();
        let is_deb = path.is_file() && std::fs::read(&path).unwrap().starts_with(b"!<arch>\n");
        found.extend(is_deb.then_some(path));
    }
    found
}

#[test]
fn the_lock_tells_what_no_step_covers_and_keeps_what_it_fetched() {
    let project = project();
    let run = project.run(&["lock"]).expect(0);
    assert!(plain(&run.stdout).ends_with(&format!("strange (arm64)    -    2.0\n{}", told())), "{}", run.stdout);
    assert!(run.stderr.contains("fetching 9 files"), "{}", run.stderr);
    let again = project.run(&["lock"]).says(0, &["up to date"]);
    assert_eq!(plain(&again.stdout), told());
    assert!(!again.stderr.contains("fetch"), "{}", again.stderr);
    // The build finds everything that it needs, and says the same.
    let mirror = std::fs::remove_dir_all(&project.mirror);
    mirror.unwrap();
    let words = ["`packages plain strange`: no native step covers the scripts of strange", "`remint lock`"];
    project.run(&["build", "--offline"]).says(0, &words);
}

#[test]
fn without_fetching_it_says_what_it_cannot_know() {
    let project = project();
    let words =
        ["the scripts of 9 packages are not known: data 3 (all), hello 1.0-1 (amd64)", "6 more", "not in the store"];
    let run = project.run(&["lock", "--index-only"]).says(0, &words);
    assert!(!run.stdout.contains("native step"), "{}", run.stdout);
    assert_eq!(debs(&project.root.join("cache")), [""; 0].map(PathBuf::from));
    project.run(&["lock", "--offline"]).says(0, &words);
    project.run(&["lock", "--offline", "--update"]).says(2, &["--offline"]);
    project.run(&["lock"]).says(0, &["strange"]);
    for option in ["--index-only", "--offline"] {
        let run = project.run(&["lock", option]).expect(0);
        assert_eq!((plain(&run.stdout), run.stderr.as_str()), (told(), "remint.lock is up to date\n"));
    }
    project.write("recipes/more/recipe.toml", "[[layer]]\npackages = [\"data\"]\n");
    project.run(&["lock", "--offline"]).says(3, &["`more` layer 1 on linux/amd64 is not locked", "--offline"]);
    let run = project.run(&["lock", "--check"]).expect(3);
    assert!(!run.stdout.contains("strange"), "a check looks into no package: {}", run.stdout);
}

#[test]
fn a_lock_is_written_though_the_pool_is_out_of_reach() {
    let project = project();
    std::fs::remove_dir_all(Path::new(&project.mirror).join("pool")).unwrap();
    let run =
        project.run(&["lock"]).says(0, &["the scripts of 9 packages are not known", "caused by: cannot get `data 3"]);
    assert!(run.stderr.contains("wrote remint.lock") && project.lock().contains("strange"), "{}", run.stderr);
    // One of them vanished: the others are told.
    strange().write(Path::new(&project.mirror));
    std::fs::remove_dir_all(Path::new(&project.mirror).join("pool/main/data")).unwrap();
    let run = project.run(&["lock"]).says(0, &["the scripts of 1 package are not known: data 3 (all)"]);
    assert_eq!(plain(&run.stdout), told());
}

#[test]
fn a_damaged_package_is_fetched_again() {
    let project = project();
    project.run(&["lock"]).expect(0);
    for deb in debs(&project.root.join("cache")) {
        let mut bytes = std::fs::read(&deb).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&deb, bytes).unwrap();
    }
    let run = project.run(&["lock"]).expect(0);
    assert_eq!((plain(&run.stdout), run.stderr.as_str()), (told(), "remint.lock is up to date\n"));
    project.run(&["build", "--offline"]).expect(0);
}

#[test]
fn nothing_is_said_where_all_is_covered() {
    let project = Project::first();
    let run = project.run(&["lock"]).expect(0);
    assert!(!run.stdout.contains("script") && !run.stderr.contains("script"), "{}{}", run.stdout, run.stderr);
    project.run(&["lock", "-v"]).says(0, &["every maintainer script of the locked packages is covered"]);
    let run = project.run(&["lock", "--offline"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "remint.lock is up to date\n"));
}

#[test]
fn a_machine_hears_the_same() {
    let events = |run: &str| -> Vec<Value> { run.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let named = |events: &[Value], name: &str| -> Vec<Value> {
        events.iter().filter(|event| event["event"] == name).cloned().collect()
    };
    let project = project();
    let run = project.run(&["lock", "--index-only", "--format", "json"]).expect(0);
    let said = events(&run.stdout);
    assert_eq!(run.stderr, "");
    assert_eq!(named(&said, "package-moved").len(), 9);
    let unknown = &named(&said, "scripts-unknown")[0];
    assert_eq!(unknown["packages"].as_array().unwrap().len(), 9);
    assert!(unknown["causes"][0].as_str().unwrap().starts_with("they are not in the store"), "{unknown}");
    let said = events(&project.run(&["lock", "--format", "json"]).expect(0).stdout);
    let uncovered = named(&said, "script-uncovered");
    assert_eq!(uncovered.len(), 2);
    let one = &uncovered[1];
    assert_eq!((&one["image"], &one["layer"], &one["script"]), (&"odd".into(), &1.into(), &"postinst".into()));
    assert_eq!(one["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]));
    project.write("recipes/more/recipe.toml", "[[layer]]\npackages = [\"data\"]\n");
    let run = project.run(&["lock", "--offline", "--format", "json"]).expect(3);
    assert_eq!(events(&run.stdout).pop().unwrap()["exit"], 3);
}

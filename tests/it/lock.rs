//! The lock from end to end: what is pinned, what moves and when, and what is refused.

use crate::support::archive::{Archive, Package};
use crate::support::project::{FIRST, LATER, Project, archive, packages, suite};
use crate::support::signer::{KeySpec, Signer};

/// The archive a day later: `hello` and its library moved, and `solo` too.
fn later() -> Archive {
    archive(later_packages(), LATER)
}

fn later_packages() -> Vec<Package> {
    let mut all = packages("1.1-1");
    all.pop();
    all.push(Package::new("solo", "1:2.1").file("usr/share/solo/one", "two\n"));
    all
}

/// The lines of a lock that pin packages, without what differs with the version's bytes.
fn versions(lock: &str) -> Vec<String> {
    let lines = lock.lines().filter(|line| line.contains(" pool/"));
    let mut all: Vec<String> = lines
        .map(|line| line.trim_start_matches([' ', '"']).split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    all.dedup();
    all
}

const OLD: [&str; 4] = ["data 3", "hello 1.0-1", "libhello1 1.0-1", "solo 1:2.0"];

#[test]
fn the_first_build_writes_the_lock_and_later_ones_keep_it() {
    let project = Project::first();
    let run = project.run(&["build", "hello"]).expect(0);
    assert!(run.stderr.contains("wrote"), "{}", run.stderr);
    let lock = project.lock();
    assert_eq!(versions(&lock), OLD);
    assert!(!lock.contains(&project.mirror) && !lock.contains("127.0.0.1"), "{lock}");
    project.publish(&later());
    project.run(&["lock"]).says(0, &["up to date"]);
    project.run(&["lock", "--check"]).expect(0);
    assert_eq!(project.lock(), lock);
}

#[test]
fn locked_refuses_what_is_missing_and_what_does_not_match() {
    let project = Project::first();
    project.run(&["build", "--locked"]).says(3, &["there is no remint.lock", "remint lock"]);
    assert!(!project.root.join("remint.lock").exists());
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    project.run(&["build", "--locked"]).expect(0);
    project.write("recipes/more/recipe.toml", "[[layer]]\npackages = [\"solo\"]\n");
    for arguments in [&["build", "--locked"][..], &["build"], &["plan"], &["build", "--offline"]] {
        project.run(arguments).says(3, &["does not match the recipes", "`more` layer 1 on linux/amd64", "remint lock"]);
    }
    std::fs::remove_dir_all(project.root.join("recipes/more")).unwrap();
    project.write("recipes/data/recipe.toml", "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"data\"]\n");
    project.run(&["build", "--locked"]).says(3, &["`data` layer 1 on linux/amd64", "solo"]);
    assert_eq!(project.lock(), lock);
}

#[test]
fn offline_needs_a_warm_store_and_no_mirror() {
    let mut project = Project::first();
    project.run(&["lock", "--index-only"]).expect(0);
    let run = project.run(&["build", "--offline"]).expect(4);
    assert!(run.stderr.contains("solo") && !run.stderr.contains("vanished"), "{}", run.stderr);
    let built = project.build(&[]);
    project.mirror = "/nowhere".to_owned();
    assert_eq!(project.build(&["--offline"]), built);
    assert_eq!(project.build(&[]), built, "a warm build asks no mirror");
}

#[test]
fn check_answers_and_writes_nothing() {
    let project = Project::first();
    project.run(&["lock", "--check"]).says(3, &["PACKAGE", "solo (amd64)", "1:2.0", "is not locked"]);
    assert!(!project.root.join("remint.lock").exists());
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    project.run(&["lock", "--check"]).says(0, &["up to date"]);
    std::fs::remove_dir_all(project.root.join("recipes/data")).unwrap();
    project.run(&["lock", "--check"]).says(3, &["data (all)", "no recipe has it"]);
    assert_eq!(project.lock(), lock);
    let run = project.run(&["lock"]).expect(0);
    assert!(run.stdout.contains("data (all)") && !project.lock().contains("data"), "{}", run.stdout);
}

#[test]
fn an_update_moves_what_is_named_and_its_siblings() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    project.publish(&later());
    let run = project.run(&["lock", "--update", "hello"]).expect(0);
    assert!(run.stdout.contains("libhello1 (arm64)") && !run.stdout.contains("solo"), "{}", run.stdout);
    assert_eq!(versions(&project.lock()), ["data 3", "hello 1.1-1", "libhello1 1.1-1", "solo 1:2.0"]);
    project.run(&["lock", "--update", "nobody"]).says(3, &["`nobody`"]);
    let before = project.lock();
    let hint = "`remint lock --update`";
    project.run(&["lock", "--update", "--check"]).says(3, &["solo (amd64)", "1:2.1", "would change", hint]);
    project.run(&["lock", "--update", "hello", "--check"]).says(0, &["up to date"]);
    assert_eq!(project.lock(), before, "a check writes nothing");
    project.run(&["lock", "--update"]).says(0, &["solo (amd64)", "1:2.0", "1:2.1"]);
    assert_eq!(versions(&project.lock()), ["data 3", "hello 1.1-1", "libhello1 1.1-1", "solo 1:2.1"]);
    project.run(&["build", "--locked"]).expect(0);
}

#[test]
fn vanished_moves_only_what_is_gone() {
    let project = Project::first();
    project.run(&["lock", "--index-only"]).expect(0);
    let first = project.lock();
    // `solo` has gone from the pool and the index; `hello` is there in both versions.
    let mut all = packages("1.0-1");
    all.pop();
    let newer = later_packages().into_iter().filter(|package| package.name != "data");
    all.extend(newer);
    project.publish(&archive(all, LATER));
    let run = project.run(&["build"]).expect(4);
    let line = 1 + first.lines().position(|line| line.contains("\"solo ")).unwrap();
    for words in ["solo", &format!("remint.lock:{line}"), "`remint lock --vanished`"] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    project.run(&["lock", "--vanished", "--check"]).says(3, &["solo (amd64)", "`remint lock --vanished`"]);
    assert_eq!(project.lock(), first);
    let run = project.run(&["lock", "--vanished"]).expect(0);
    assert!(run.stdout.contains("solo (amd64)") && !run.stdout.contains("hello"), "{}", run.stdout);
    assert_eq!(versions(&project.lock()), ["data 3", "hello 1.0-1", "libhello1 1.0-1", "solo 1:2.1"]);
    project.run(&["build", "--locked"]).expect(0);
    project.run(&["lock", "--vanished"]).says(0, &["solo"; 0]);
}

#[test]
fn what_vanished_still_builds_from_the_store() {
    let project = Project::first();
    let built = project.build(&[]);
    project.publish(&later());
    std::fs::remove_dir_all(project.root.join("cache/actions")).unwrap();
    std::fs::create_dir(project.root.join("cache/actions")).unwrap();
    assert_eq!(project.build(&["--locked"]), built);
}

#[test]
fn a_new_recipe_keeps_what_the_others_have() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    let mut all = later_packages();
    all.push(Package::new("fresh", "5").field("Depends", "libhello1"));
    project.publish(&archive(all, LATER));
    project.write(
        "recipes/new/recipe.toml",
        "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"fresh\", \"solo\"]\n",
    );
    let run = project.run(&["lock"]).expect(0);
    assert!(run.stdout.contains("fresh (amd64)") && !run.stdout.contains("hello"), "{}", run.stdout);
    assert_eq!(versions(&project.lock()), ["data 3", "fresh 5", "hello 1.0-1", "libhello1 1.0-1", "solo 1:2.0"]);
}

#[test]
fn a_rollback_is_refused_unless_it_is_allowed() {
    let project = Project::new(&later());
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    project.publish(&archive(packages("1.0-1"), FIRST));
    let run = project.run(&["lock", "--update"]).expect(4);
    assert!(run.stderr.contains("trixie") && run.stderr.contains("2026-01-01"), "{}", run.stderr);
    assert_eq!(project.lock(), lock);
    project.run(&["lock", "--update", "--allow-rollback"]).expect(0);
    assert_eq!(versions(&project.lock()), OLD);
}

#[test]
fn an_expired_or_wrongly_signed_archive_is_refused() {
    let mut old = suite(packages("1.0-1"), FIRST);
    old.valid_until = Some("Thu, 08 Jan 2026 00:00:00 UTC".to_owned());
    let project = Project::new(&Archive::new(&[old]));
    project.run(&["build"]).says(4, &["2026-01-08"]);

    let project = Project::first();
    let signer = Signer::new(KeySpec::with_subkey(9));
    project.publish(&Archive::signed_by(signer, &[suite(packages("1.0-1"), FIRST)]));
    project.run(&["lock"]).says(4, &["`trixie`", "no trusted key"]);

    let project = Project::first();
    let path = std::path::Path::new(&project.mirror).join("dists/trixie/InRelease");
    let text = std::fs::read_to_string(&path).unwrap().replace("Codename: trixie", "Codename: trixi3");
    std::fs::write(&path, text).unwrap();
    project.run(&["lock"]).expect(4);
    assert!(!project.root.join("remint.lock").exists());
}

#[test]
fn a_lock_that_was_changed_by_hand_is_refused() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    let changes = [
        ("version = 1", "version = 7", "7"),
        ("format = 1", "format = 2", "format 2"),
        ("\"solo 1:2.0 amd64 trixie", "\"solo 1:2.0 amd64", "solo 1:2.0 amd64"),
        (" pool/main/solo/", " ../solo/", "../solo/"),
        ("    \"solo\",", "    \"sole\",", "`sole`"),
        ("[packages]", "[packages", "remint.lock"),
        ("[packages]", "<<<<<<< HEAD\n[packages]", "remint.lock"),
    ];
    for (from, to, named) in changes {
        assert!(lock.contains(from), "{from}");
        project.write("remint.lock", lock.replacen(from, to, 1));
        for arguments in [&["build"][..], &["lock"], &["plan"]] {
            project.run(arguments).says(3, &[named, "remint.lock"]);
        }
    }
}

#[test]
fn a_lock_with_another_digest_gives_no_image() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    let line = lock.lines().find(|line| line.contains("\"solo ")).unwrap();
    let digest = line.split(' ').find(|word| word.len() == 64).unwrap();
    let other = format!("{}{}", if digest.starts_with('0') { '1' } else { '0' }, &digest[1..]);
    project.write("remint.lock", lock.replace(digest, &other));
    let run = project.run(&["build"]).says(4, &["solo", &other[..12]]);
    assert!(!run.stdout.contains("data "), "{}", run.stdout);
}

#[test]
fn a_layer_is_locked_over_what_lies_below_it() {
    let project = Project::first();
    let both = |from: &str| {
        let text = format!("{from}platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"hello\", \"solo\"]\n");
        project.write("recipes/both/recipe.toml", text);
    };
    let layer = || {
        let lock = project.lock();
        let start = lock.find("image = \"both\"").unwrap();
        lock[start..].split("[[layer]]").next().unwrap().to_owned()
    };
    both("from = \"hello\"\n");
    project.run(&["lock"]).expect(0);
    assert!(layer().contains("below = \"sha256:") && !layer().contains("    \"hello\""), "{}", layer());
    project.run(&["build", "--locked"]).expect(0);
    project.publish(&later());

    // Another base.
    both("");
    let words = ["`both` layer 1 on linux/amd64 was locked over other packages", "remint lock"];
    for arguments in [&["build", "--locked"][..], &["build"], &["plan"], &["lock", "--check"]] {
        project.run(arguments).says(3, &words);
    }
    project.run(&["lock"]).expect(0);
    assert!(!layer().contains("below") && layer().contains("    \"hello\",\n    \"libhello1\",\n"), "{}", layer());
    assert_eq!(versions(&project.lock()), OLD, "what is locked stays");
    project.run(&["lock", "--check"]).expect(0);

    // A base that loses what the layer leant on, and gains it again.
    both("from = \"hello\"\n");
    project.run(&["lock"]).expect(0);
    assert!(!layer().contains("    \"hello\""), "{}", layer());
    let recipe = project.read("recipes/hello/recipe.toml");
    project.write("recipes/hello/recipe.toml", recipe.replace("[\"hello\"]", "[\"libhello1\"]"));
    project.run(&["lock"]).expect(0);
    assert!(layer().contains("    \"hello\",\n    \"solo\",\n"), "{}", layer());
    assert_eq!(versions(&project.lock()), OLD);
    project.write("recipes/hello/recipe.toml", recipe);
    project.run(&["lock"]).expect(0);
    assert!(!layer().contains("    \"hello\""), "{}", layer());
    project.run(&["lock", "--check"]).expect(0);
}

#[test]
fn a_lock_is_for_the_suites_of_its_archive() {
    let mut older = suite(packages("0.9-1"), FIRST);
    "bookworm".clone_into(&mut older.codename);
    let project = Project::new(&Archive::new(&[suite(packages("1.0-1"), FIRST), older]));
    project.run(&["lock"]).expect(0);
    let settings = project.read("remint.toml");
    let first = project.lock();
    project.write("remint.toml", settings.replace("[\"trixie\"]", "[\"bookworm\"]"));
    let words = ["`data` layer 1 on linux/amd64 is locked for trixie, remint.toml says bookworm", "remint lock"];
    for arguments in [&["build", "--locked"][..], &["build"], &["plan"], &["lock", "--check"]] {
        project.run(arguments).says(3, &words);
    }
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    assert_eq!(versions(&lock), ["data 3", "hello 0.9-1", "libhello1 0.9-1", "solo 1:2.0"]);
    assert!(!lock.contains("trixie") && lock.contains("\nbookworm = {"), "{lock}");
    project.run(&["lock", "--check"]).expect(0);
    project.run(&["build", "--locked"]).expect(0);

    // One more suite moves nothing.
    project.write("remint.lock", &first);
    project.write("remint.toml", settings.replace("[\"trixie\"]", "[\"bookworm\", \"trixie\"]"));
    project.run(&["lock", "--check"]).says(3, &["is locked for trixie, remint.toml says bookworm trixie"]);
    project.run(&["lock"]).expect(0);
    assert_eq!(versions(&project.lock()), OLD);
    project.run(&["lock", "--check"]).expect(0);
}

#[test]
fn what_vanished_does_not_hinder_an_addition() {
    let tight = |version: &str| {
        let mut all = packages(version);
        for package in &mut all {
            if package.name == "hello" {
                package.fields = vec![
                    ("Depends".to_owned(), format!("libhello1 (= {version})")),
                    ("Breaks".to_owned(), format!("libhello1 (<< {version})")),
                ];
            }
        }
        all
    };
    let project = Project::new(&archive(tight("1.0-1"), FIRST));
    project.build(&[]);
    let first = project.lock();
    let mut all = tight("1.1-1");
    all.push(Package::new("fresh", "5").field("Depends", "hello"));
    project.publish(&archive(all, LATER));
    project.write(
        "recipes/new/recipe.toml",
        "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"fresh\", \"solo\"]\n",
    );
    project.run(&["lock"]).says(0, &["fresh (amd64)"]);
    assert_eq!(versions(&project.lock()), ["data 3", "fresh 5", "hello 1.0-1", "libhello1 1.0-1", "solo 1:2.0"]);
    for line in first.lines().filter(|line| line.contains(" pool/")) {
        assert!(project.lock().contains(line), "{line}");
    }
    project.run(&["build", "--locked"]).expect(0);
}

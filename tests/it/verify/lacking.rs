//! What there is nothing to compare with, or no recipe for: it is said, and never passes for identical.

use super::{built, digests, verdict};
use crate::support::project::Project;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn a_platform_that_is_not_there_is_refused() {
    let project = Project::first();
    project.run(&["build", "hello", "--platform", "linux/amd64"]).expect(0);
    project.write("digests.txt", digests(&project));
    let there = ["no image is there for linux/arm64", "there is `hello` for linux/amd64"];
    project.run(&["verify", "--quick", "--platform", "linux/arm64"]).says(2, &there);
    project.run(&["verify", "--platform", "linux/arm64"]).says(2, &there);
    project.run(&["verify", "--quick", "--platform", "linux/amd64"]).expect(0);
    project.run(&["build", "data"]).expect(0);
    project.run(&["build", "hello", "--platform", "linux/arm64"]).expect(0);
    let words = ["`data` is not there for linux/arm64", "`data` for linux/amd64"];
    project.run(&["verify", "--quick", "data", "hello", "--platform", "linux/arm64"]).says(2, &words);
    project.run(&["verify", "--quick", "--platform", "linux/arm64"]).expect(0);
    let hello = digests(&project).lines().find(|line| line.starts_with("hello ")).unwrap().to_owned();
    project.write("digests.txt", hello.replace("hello ", "hello@linux/arm64 "));
    for quick in [true, false] {
        let mut words = vec!["verify", "--against", "digests.txt", "--platform", "linux/amd64"];
        words.extend(quick.then_some("--quick"));
        project.run(&words).says(2, &["no image is there for linux/amd64", "`hello` for linux/arm64"]);
    }
}

/// Takes an image's only name away in an archive; gives the digest of its configuration.
fn untag(archive: &Path, name: &str) -> String {
    let mut bytes = std::fs::read(archive).unwrap();
    let find = |bytes: &[u8], what: &str| bytes.windows(what.len()).rposition(|part| part == what.as_bytes()).unwrap();
    let named = format!("\"{name}\"");
    let at = find(&bytes, &named);
    bytes[at..at + named.len()].fill(b' ');
    std::fs::write(archive, &bytes).unwrap();
    let key = "\"Config\":\"";
    let config = find(&bytes[..at], key) + key.len();
    format!("sha256:{}", std::str::from_utf8(&bytes[config..config + 64]).unwrap())
}

#[test]
fn what_a_reference_has_and_the_store_lacks_is_missing() {
    let project = built();
    project.write("digests.txt", digests(&project));
    project.run(&["build", "-o", "oci:layout"]).expect(0);
    project.forget();
    project.run(&["build", "hello"]).expect(0);
    for against in ["digests.txt", "oci:layout"] {
        let run = project.run(&["verify", "--quick", "--against", against]);
        let run = run.says(1, &["it is not in the store", "`remint build data` builds it"]);
        assert!(run.stdout.contains("missing"), "{}", run.stdout);
        project.run(&["verify", "--quick", "hello", "--against", against]).expect(0);
        let run = project.run(&["verify", "--quick", "data", "--against", against, "--format", "json"]).expect(1);
        let found = verdict(&run);
        assert_eq!((&found["identical"], &found["images"][0]["name"]), (&false.into(), &"data".into()), "{found}");
        assert!(!run.stderr.contains("--against"), "{}", run.stderr);
    }
}

#[test]
fn images_without_a_recipe_are_told() {
    let project = Project::first();
    project.run(&["build", "hello", "data"]).expect(0);
    std::fs::remove_dir_all(project.root.join("recipes/data")).unwrap();
    let words = ["data   linux/amd64  not verified", "no recipe makes it any more", "1 of 3 images not identical"];
    let run = project.run(&["verify", "--junit", "x.xml", "--summary", "x.md"]).says(1, &words);
    assert!(run.stdout.contains("hello  linux/arm64  identical"), "{}", run.stdout);
    assert!(
        project.read("x.xml").contains("<error message=\"the image could not be verified\""),
        "{}",
        project.read("x.xml")
    );
    assert!(project.read("x.md").contains("| data | linux/amd64 | **not verified** |"), "{}", project.read("x.md"));
    let run = project.run(&["verify", "--format", "json"]).expect(1);
    assert_eq!((&verdict(&run)["identical"], verdict(&run)["images"].as_array().unwrap().len()), (&false.into(), 3));
    project.run(&["verify", "hello"]).expect(0);
    project.run(&["verify", "data"]).says(2, &["there is no recipe `data`"]);

    // Digests are checked without a recipe.
    let run = project.run(&["verify", "--quick"]).expect(0);
    assert!(run.stdout.contains("data   linux/amd64  identical"), "{}", run.stdout);
    project.run(&["verify", "--quick", "data"]).expect(0);
    project.run(&["verify", "--quick", "date"]).says(2, &["there is no recipe `date`"]);
    let found = verdict(&project.run(&["verify", "--quick", "data", "--format", "json"]).expect(0));
    assert_eq!(found["images"].as_array().unwrap().len(), 1, "{found}");
    let layer = found["images"][0]["layers"][0]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    std::fs::write(project.root.join("cache/blobs/sha256").join(layer), "damaged").unwrap();
    project.run(&["verify", "--quick"]).says(1, &[layer, "no recipe of this project makes it"]);

    // A store may serve several projects: another's images are said, and are not this one's fault.
    let other = Project::first();
    let cache = project.root.join("cache");
    std::fs::remove_dir_all(other.root.join("recipes/hello")).unwrap();
    for recipe in ["site", "both"] {
        std::fs::remove_dir_all(other.root.join("recipes").join(recipe)).unwrap();
    }
    other.run(&["build", "--cache-dir", cache.to_str().unwrap()]).expect(0);
    let run = other.run(&["verify", "--cache-dir", cache.to_str().unwrap()]);
    run.says(0, &["not verified: `hello`, which no recipe makes here", "identical"]);
}

#[test]
fn what_a_reference_has_and_no_recipe_makes_is_told() {
    let project = Project::first();
    project.run(&["build", "--platform", "linux/amd64", "-o", "docker-archive:docker.tar"]).expect(0);
    project.run(&["build", "-o", "oci:layout", "-o", "oci-archive:all.tar"]).expect(0);
    for recipe in ["site", "both", "data"] {
        std::fs::remove_dir_all(project.root.join("recipes").join(recipe)).unwrap();
    }
    for (against, path) in [("oci:layout", "layout"), ("oci-archive:all.tar", "all.tar")] {
        for quick in [false, true] {
            let mut words = vec!["verify", "--against", against, "--summary", "x.md"];
            words.extend(quick.then_some("--quick"));
            let told = |name: &str| format!("not verified: `{name}`, which no recipe makes here: `{path}` has it\n");
            let run = project.run(&words).says(0, &["hello  linux/arm64  identical"]);
            for name in ["both", "data", "site"] {
                assert!(run.stderr.contains(&told(name)), "{}", run.stderr);
            }
            assert!(!run.stderr.contains("`hello`, which"), "{}", run.stderr);
            assert!(project.read("x.md").ends_with(&format!("- {}", told("site"))), "{}", project.read("x.md"));
            words.extend(["--format", "json"]);
            let found = verdict(&project.run(&words).expect(0));
            assert_eq!((&found["identical"], found["passed_over"].as_array().unwrap().len()), (&true.into(), 3));
            // Who names what counts is not told of the rest.
            words.push("hello");
            assert!(verdict(&project.run(&words).expect(0))["passed_over"].is_null());
        }
    }
    project.run(&["build", "hello", "--platform", "linux/amd64"]).expect(0);
    // What the store lacks is not said to be lacking in the recipes.
    let words =
        ["hello  linux/arm64  missing", "it is not in the store for linux/arm64: `remint build hello` builds it"];
    project.run(&["verify", "--quick", "--against", "oci:layout"]).says(1, &words);
    let run = project.run(&["verify", "--against", "docker-archive:docker.tar"]).expect(0);
    assert!(run.stderr.contains("`site:latest`, which no recipe makes here: `docker.tar` has it"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("which no recipe makes").count(), 3, "{}", run.stderr);
    // One without a name is told by its digest, as `docker images` shows it.
    let digest = untag(&project.root.join("docker.tar"), "site:latest");
    let run = project.run(&["verify", "--against", "docker-archive:docker.tar"]).expect(0);
    let told = format!("not verified: `{digest}`, which no recipe makes here: `docker.tar` has it\n");
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    assert_eq!(run.stderr.matches("which no recipe makes").count(), 3, "{}", run.stderr);

    // Where nothing is left to compare, that is no success; names are shown without what a terminal would obey.
    let index = project.read("layout/index.json");
    project.write("layout/index.json", index.replace("\"hello\"", "\"he\\u001b[2Jllo\""));
    let words = ["`layout` has none of the images", "it has `both`, `data`, `he [2Jllo`, `site`"];
    project.run(&["verify", "--against", "oci:layout"]).says(1, &words);
    project.run(&["verify", "hello", "--against", "oci:layout"]).says(1, &["`layout` does not have `hello`", "`both`"]);
}

#[test]
fn a_rebuild_ends_with_who_started_it() {
    let mut project = built();
    let lock = project.lock();
    let line = lock.lines().find(|line| line.contains("\"solo ")).unwrap();
    let digest = line.split(' ').find(|word| word.len() == 64).unwrap();
    std::fs::remove_file(project.root.join("cache/blobs/sha256").join(digest)).unwrap();
    // A mirror that takes the rebuild's request, and never answers.
    let mirror = TcpListener::bind("127.0.0.1:0").unwrap();
    project.mirror = format!("http://{}", mirror.local_addr().unwrap());
    let mut command = project.command(&["verify", "data"]);
    let mut verify = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut rebuild, _) = mirror.accept().unwrap();
    let _ = rebuild.read(&mut [0; 1]).unwrap();
    verify.kill().unwrap();
    verify.wait().unwrap();
    // It hangs up long before it would have tired of waiting.
    rebuild.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut rest = Vec::new();
    let ended = rebuild.read_to_end(&mut rest);
    assert!(
        ended.as_ref().map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true),
        "{ended:?}"
    );
}

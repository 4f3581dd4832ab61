//! Wrongness that was planted: in results of actions, in references, in trees, in blobs.

use super::{built, digests, key_of, listing, plant, result, verdict};
use crate::support::project::{Project, Run};
use serde_json::Value;
use std::io::Write;
use std::process::Command;

#[test]
fn the_first_wrong_action_is_named() {
    let project = built();
    let copy = key_of(&project, "copy tree to /srv/site (linux/amd64)");
    let written = key_of(&project, "write 3 paths (linux/amd64)");
    let right = result(&project, &copy);
    // A result that is whole and consistent, and of another layer.
    plant(&project, &copy, &result(&project, &written));
    let run = project.run(&["verify", "--format", "json"]).expect(1);
    let found = verdict(&run);
    assert!(
        found["images"].as_array().unwrap().iter().all(|image| image["differences"].as_array().unwrap().is_empty())
    );
    assert_eq!(found["actions"][0]["key"], *copy, "{found}");
    project
        .run(&["verify"])
        .says(1, &["the next build would use them", "`copy tree to /srv/site (linux/amd64)`", &copy]);

    // The next build does use it: now the image is wrong as well, and the action still is the cause.
    project.run(&["build"]).expect(0);
    let run = project.run(&["verify", "--format", "json"]).expect(1);
    let found = verdict(&run);
    assert_eq!(found["actions"][0]["key"], *copy, "{found}");
    for image in found["images"].as_array().unwrap() {
        let wrong = image["name"] == "site" && image["platform"] == "linux/amd64";
        let differences = image["differences"].as_array().unwrap();
        assert_eq!(wrong, !differences.is_empty(), "{image}");
        if wrong {
            assert_eq!(differences[0]["key"], *copy);
            assert!(
                differences.iter().any(|one| one["what"].as_str().unwrap().starts_with("layer 3, `copy tree")),
                "{image}"
            );
        }
    }
    let (expected, rebuilt) = (&result(&project, &written)["result"], &right["result"]);
    let said = project.run(&["verify", "site"]).expect(1).stderr;
    for side in [expected, rebuilt] {
        assert!(said.contains(side["directories"]["digest"].as_str().unwrap()), "{said}");
    }
    assert!(said.contains("first at  /etc") || said.contains("first at  /srv"), "{said}");
}

#[test]
fn a_wrong_package_is_named_with_its_path() {
    let project = built();
    let (hello, solo) = (key_of(&project, "unpack hello 1.0-1 (amd64)"), key_of(&project, "unpack solo"));
    let mut record = result(&project, &hello);
    let other = result(&project, &solo)["result"]["files"].clone();
    let mut blobs = record["blobs"].as_array().unwrap().clone();
    blobs.extend(result(&project, &solo)["blobs"].as_array().unwrap().clone());
    record["result"]["files"] = other;
    record["blobs"] = blobs.into();
    plant(&project, &hello, &record);
    project
        .run(&["verify"])
        .says(1, &["`unpack hello 1.0-1 (amd64)`", &hello, "first at  /usr/bin/hello", "it was not there before"]);
}

#[test]
fn a_file_of_digests_is_the_reference() {
    let project = built();
    let right = digests(&project);
    project.write("digests.txt", format!("# all\n{right}"));
    project.run(&["verify", "--against", "digests.txt"]).expect(0);
    project.run(&["verify", "--against", "digests.txt", "--quick"]).expect(0);
    let found = verdict(&project.run(&["verify", "hello", "--format", "json"]).expect(0));
    let arm64 = found["images"].as_array().unwrap().iter().find(|image| image["platform"] == "linux/arm64").unwrap();
    let arm64 = format!("hello@linux/arm64 {}", arm64["found"].as_str().unwrap());
    // The index and one of its manifests, or that manifest alone.
    for lines in [format!("{arm64}\n{}", right.lines().find(|line| line.starts_with("hello ")).unwrap()), arm64] {
        project.write("some.txt", lines);
        let run = project.run(&["verify", "--against", "some.txt"]).expect(0);
        assert!(
            run.stdout.contains("hello  linux/arm64  identical") && run.stdout.lines().count() == 2,
            "{}",
            run.stdout
        );
    }
    // Without a store there is only the file.
    let lines: Vec<&str> = right.lines().collect();
    let hello = lines.iter().find(|line| line.starts_with("hello ")).unwrap().replace(' ', "@");
    project.write("one.txt", &hello);
    project.forget();
    let run = project.run(&["verify", "--against", "one.txt"]).expect(0);
    assert!(run.stdout.contains("hello  index     identical"), "{}", run.stdout);

    let wrong = format!("{}0", &hello[..hello.len() - 1]);
    let wrong = if wrong == hello { format!("{}1", &hello[..hello.len() - 1]) } else { wrong };
    project.write("one.txt", &wrong);
    let (expected, found) = (wrong.split_once('@').unwrap().1, hello.split_once('@').unwrap().1);
    project.run(&["verify", "--against", "one.txt"]).says(1, &["hello", expected, found]);
    project.write("one.txt", format!("{hello}\nhello@linux/arm64 {expected}\n"));
    project.run(&["verify", "--against", "one.txt"]).says(1, &["hello@linux/arm64", "manifest", expected]);
    project.run(&["build", "hello"]).expect(0);
    project.run(&["verify", "--against", "one.txt", "--quick"]).says(1, &["hello@linux/arm64", expected]);

    project.write("one.txt", format!("{hello}\nweb\n"));
    project.run(&["verify", "--against", "one.txt"]).says(2, &["one.txt`, line 2", "found `web`"]);
    project.write("one.txt", hello.replace("hello", "web"));
    project.run(&["verify", "--against", "one.txt"]).says(2, &["there is no recipe `web`"]);
    project.write("one.txt", "");
    project.run(&["verify", "--against", "one.txt"]).says(1, &["has none of the images", "it has no image at all"]);
    project.run(&["verify", "--against", "missing.txt"]).says(2, &["missing.txt"]);
}

#[test]
fn a_layout_and_an_archive_are_references() {
    let project = built();
    project.run(&["build", "-o", "oci:layout"]).expect(0);
    project.run(&["build", "hello", "-o", "oci-archive:hello.tar"]).expect(0);
    for against in ["oci:layout", "oci-archive:hello.tar"] {
        let before = listing(&project.root.join("layout"));
        project.run(&["verify", "hello", "--against", against]).expect(0);
        project.run(&["verify", "--quick", "hello", "--against", against]).expect(0);
        assert_eq!(listing(&project.root.join("layout")), before);
    }
    let recipe = project.read("recipes/hello/recipe.toml").replace("\"a.b\" = \"1\"", "\"a.b\" = \"one\"");
    project.write("recipes/hello/recipe.toml", recipe);
    for against in ["oci:layout", "oci-archive:hello.tar"] {
        let asked = ["verify", "hello", "--platform", "linux/arm64", "--against", against, "--seed", "7"];
        let again = format!("hint: `remint {}` does the same again", asked.join(" ").replace("oci-archive", "oci"));
        project.run(&asked).says(1, &[&again]);
        let words = ["configuration", "at `/config/Labels/a.b`: expected \"1\", found \"one\""];
        project.run(&["verify", "hello", "--against", against]).says(1, &words);
    }
    project
        .run(&["verify", "site", "--against", "oci-archive:hello.tar"])
        .says(1, &["`hello.tar` does not have `site`", "it has `hello`"]);
    project.run(&["verify", "--against", "layout"]).says(2, &["`layout` is a directory", "`--against oci:layout`"]);
    project.run(&["verify", "--against", "oci:recipes"]).says(2, &["is no OCI image layout"]);
    let words = ["remint.toml`, a file of", "is not a tar archive", "hint: give what `docker save`"];
    project.run(&["verify", "--against", "oci-archive:remint.toml"]).says(2, &words);
    project.write("empty.tar", "");
    project
        .run(&["verify", "--against", "oci-archive:empty.tar"])
        .says(2, &["`", "empty.tar`, an empty file, is not a tar"]);
    let archive = std::fs::read(project.root.join("hello.tar")).unwrap();
    project.write("cut.tar", &archive[..archive.len() / 2]);
    project.run(&["verify", "--against", "oci-archive:cut.tar"]).says(4, &["cut.tar` ends at byte", "hint: copy,"]);
}

#[test]
fn a_compressed_archive_is_a_reference_and_one_that_is_bad_says_why() {
    let project = built();
    project.run(&["build", "hello", "-o", "oci-archive:hello.tar"]).expect(0);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(project.root.join("hello.tar")).unwrap()).unwrap();
    let packed = packed.finish().unwrap();
    let verify = |file: &str| project.run(&["verify", "hello", "--quick", "--against", &format!("oci-archive:{file}")]);
    project.write("hello.tar.gz", &packed);
    verify("hello.tar.gz").expect(0);
    project.write("cut.tar.gz", &packed[..packed.len() / 2]);
    verify("cut.tar.gz").says(4, &["cut.tar.gz` ends at byte", "hint: copy,"]);
    project.write("none.gz", &packed[..10]);
    verify("none.gz").says(2, &["none.gz`, a file of 10 bytes, is not a tar archive\n"]);
    assert!(Command::new("mkfifo").arg(project.root.join("pipe")).status().unwrap().success());
    verify("pipe").says(2, &["pipe", "it is no regular file"]);
}

#[test]
fn a_name_of_several_images_is_no_reference() {
    let project = built();
    project.run(&["build", "hello", "-o", "oci:layout"]).expect(0);
    let verify = || project.run(&["verify", "hello", "--quick", "--against", "oci:layout"]);
    let mut index: Value = serde_json::from_str(&project.read("layout/index.json")).unwrap();
    let manifests = index["manifests"].as_array_mut().unwrap();
    let mut again = manifests[0].clone();
    manifests.push(again.clone());
    project.write("layout/index.json", index.to_string());
    verify().expect(0);
    again["digest"] = format!("sha256:{}", "0".repeat(64)).into();
    index["manifests"].as_array_mut().unwrap().push(again);
    project.write("layout/index.json", index.to_string());
    verify().says(2, &["are called `hello`: sha256:0000", "hint: a name must lead to one image"]);
}

#[test]
fn an_archive_of_docker_is_a_reference() {
    let project = built();
    project.run(&["build", "data", "-o", "docker-archive:data.tar"]).expect(0);
    let run = project.run(&["verify", "--against", "docker-archive:data.tar"]).expect(0);
    assert!(run.stdout.contains("data   linux/amd64  identical") && run.stdout.lines().count() == 2, "{}", run.stdout);
    project.run(&["verify", "data", "--quick", "--against", "docker-archive:data.tar"]).expect(0);
    project.run(&["verify", "site", "--against", "docker-archive:data.tar"]).says(1, &["does not have `site`"]);
    let words = ["no image is there for linux/arm64"];
    project.run(&["verify", "--platform", "linux/arm64", "--against", "docker-archive:data.tar"]).says(2, &words);
    let words = ["remint.toml`, a file of", "is not a tar archive", "hint: give what `docker save`"];
    project.run(&["verify", "--against", "docker-archive:remint.toml"]).says(2, &words);
    assert!(Command::new("mkfifo").arg(project.root.join("pipe")).status().unwrap().success());
    project.run(&["verify", "--against", "docker-archive:pipe"]).says(2, &["pipe", "it is no regular file"]);
    let archive = std::fs::read(project.root.join("data.tar")).unwrap();
    project.write("cut.tar", &archive[..archive.len() / 2]);
    project.run(&["verify", "--against", "docker-archive:cut.tar"]).says(4, &["cut.tar` ends at byte", "hint: copy,"]);
    let recipe = project.read("recipes/data/recipe.toml").replace(", \"solo\"", "");
    project.write("recipes/data/recipe.toml", recipe);
    project.run(&["lock"]).expect(0);
    let words = ["data@linux/amd64", "configuration", "/usr/share/solo/one"];
    project.run(&["verify", "--against", "docker-archive:data.tar"]).says(1, &words);
}

#[test]
fn a_tree_that_changed_since_the_build_is_said() {
    let project = built();
    project.write("recipes/site/tree/index.html", "<p>other</p>\n");
    let run = project.run(&["verify", "--format", "json"]).expect(1);
    let found = verdict(&run);
    for image in found["images"].as_array().unwrap() {
        let differences = image["differences"].as_array().unwrap();
        assert_eq!(image["name"] == "site", !differences.is_empty(), "{image}");
        if let Some(first) = differences.first() {
            assert_eq!(first["what"], "layer 3, `copy tree to /srv/site`: its inputs", "{image}");
        }
    }
    project.run(&["verify"]).says(1, &["2 of 6 images not identical", "tree/index.html changed"]);
    project.run(&["verify", "hello"]).expect(0);
    project.run(&["build"]).expect(0);
    project.run(&["verify"]).expect(0);
}

#[test]
fn inputs_that_changed_are_no_irreproducibility() {
    let project = Project::first();
    let cures = |said: &str| said.contains("cure:") || said.contains("does the same again");
    project.run(&["build", "site"]).expect(0);
    let first = project.read("recipes/site/tree/index.html");
    project.write("recipes/site/tree/index.html", "<p>second</p>\n");
    project.run(&["build", "site"]).expect(0);
    // The store has results for what is there now, and the image is of what was there in between.
    project.write("recipes/site/tree/index.html", first);
    let words = ["its inputs changed since it was built", "tree/index.html changed", "`remint build`"];
    let run = project.run(&["verify", "site"]).says(1, &words);
    assert!(!cures(&run.stderr), "{}", run.stderr);
    project.run(&["build", "site"]).expect(0);
    project.run(&["verify", "site"]).expect(0);

    let recipe = project.read("recipes/site/recipe.toml");
    project.write("recipes/site/recipe.toml", recipe.replace("8080", "8081"));
    let words = ["configuration: its inputs", "`exposed-ports 8081/tcp` is new", "`remint build`"];
    let run = project.run(&["verify", "site"]).says(1, &words);
    assert!(!cures(&run.stderr), "{}", run.stderr);
    project.write("recipes/site/recipe.toml", recipe);

    let epoch = |words: &[&str]| Run::of(project.command(words).env("SOURCE_DATE_EPOCH", "1700000000"));
    let run = epoch(&["verify", "site"]).says(1, &["`SOURCE_DATE_EPOCH`", "2023-11-14T22:13:20Z", "`remint build`"]);
    assert!(!cures(&run.stderr), "{}", run.stderr);
    epoch(&["build", "site"]).expect(0);
    epoch(&["verify", "site"]).expect(0);
    let run = project.run(&["verify", "site"]).says(1, &["`SOURCE_DATE_EPOCH`", "2023-11-14T22:13:20Z →"]);
    assert!(!cures(&run.stderr), "{}", run.stderr);
}

#[test]
fn a_flipped_bit_is_found_without_a_build_and_left_where_it_is() {
    let project = built();
    project.run(&["verify", "--quick"]).expect(0);
    let layout = project.root.join("layout");
    project.run(&["build", "-o", "oci:layout"]).expect(0);
    let mut found = 0;
    for (path, _) in listing(&layout.join("blobs/sha256")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let blob = project.root.join("cache/blobs/sha256").join(&name);
        let whole = std::fs::read(&blob).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x10;
        std::fs::write(&blob, &flipped).unwrap();
        project.run(&["verify", "--quick"]).says(1, &[&name, "not identical"]);
        assert_eq!(std::fs::read(&blob).unwrap(), flipped, "it is told and not touched");
        std::fs::remove_file(&blob).unwrap();
        project.run(&["verify", "--quick"]).says(1, &[&name]);
        std::fs::write(&blob, whole).unwrap();
        found += 1;
    }
    assert!(found > 12, "{found}");
    project.run(&["verify", "--quick"]).expect(0);
}

#[test]
fn results_that_are_gone_are_counted_and_the_images_still_compared() {
    let project = built();
    for (path, _) in listing(&project.root.join("cache/actions")) {
        std::fs::remove_file(path).unwrap();
    }
    let run = project.run(&["verify", "--format", "json"]).expect(0);
    let found = verdict(&run);
    assert!(found["compared"] == 0 && found["unmatched"].as_u64().unwrap() > 20, "{found}");
}

#[test]
fn an_image_for_a_platform_that_is_no_more() {
    let project: Project = built();
    let settings = project.read("remint.toml").replace(", \"linux/arm64\"", "");
    project.write("remint.toml", settings);
    project.run(&["verify", "hello"]).says(1, &["hello@linux/arm64", "it is not made for linux/arm64 any more"]);
}

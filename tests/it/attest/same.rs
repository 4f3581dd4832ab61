//! What a bill says, and that nothing but the image decides it.

use super::{built, sbom};
use crate::support::project::Project;
use remint::digest::Digest;
use remint::oci::canonical_json;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn bills_are_what_they_were() {
    let project = built();
    for format in ["spdx", "cyclonedx"] {
        let text = serde_json::to_string_pretty(&sbom(&project, "whole", format)).unwrap() + "\n";
        let golden =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/sbom/whole.{format}.json"));
        snapbox::assert_data_eq!(text, snapbox::Data::read_from(&golden, None).raw());
    }
}

#[test]
fn nothing_but_the_image_decides_a_bill() {
    let project = built();
    let write = |project: &Project, change: &dyn Fn(&mut std::process::Command)| {
        let mut all = BTreeMap::new();
        for format in ["spdx", "cyclonedx"] {
            let mut command = project.command(&["sbom", "whole", "--format", format]);
            change(&mut command);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(canonical_json(&document) == output.stdout, "canonical");
            all.insert(format, output.stdout);
        }
        all
    };
    let reference = write(&project, &|_| {});
    let far = [("TZ", "Asia/Kathmandu"), ("LC_ALL", "tr_TR.UTF-8"), ("HOME", "/nowhere"), ("RAYON_NUM_THREADS", "1")];
    let root = project.root.clone();
    let from_far = write(&project, &|command| {
        command.envs(far).arg("-C").arg(&root).current_dir("/");
    });
    assert_eq!(from_far, reference);
    // Another machine: another place, another store, other threads.
    let other = built();
    other.forget();
    other.run(&["build", "-j", "1"]).expect(0);
    assert_eq!(write(&other, &|_| {}), reference);
    // A file has the same bytes.
    project.run(&["sbom", "whole", "-o", "out.json"]).expect(0);
    assert_eq!(project.read("out.json"), String::from_utf8(reference["spdx"].clone()).unwrap());
}

#[test]
fn an_image_over_another_has_the_packages_of_both() {
    let project = built();
    let names = |image: &str| -> Vec<String> {
        let document = sbom(&project, image, "spdx");
        let packages = document["packages"].as_array().unwrap().iter();
        packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names("site@linux/arm64"),
        [
            "site",
            "hello",
            "libhello1",
            "layer 1 of recipe site: copy tree to /srv/site",
            "layer 2 of recipe site: write 3 paths"
        ]
    );
    assert_eq!(names("both"), ["both", "hello", "libhello1", "solo", "layer 2 of recipe both: write /etc/both"]);
    assert_eq!(names("empty"), ["empty", "layer 1 of recipe empty: write /hello"]);
    // Unpacked alone: no dpkg database, and the lock knows all the same.
    let document = sbom(&project, "bare", "cyclonedx");
    let one = &document["components"][0];
    assert_eq!(one["purl"], "pkg:deb/debian/libfree1@2:1.0-1%2Bb1?arch=amd64&distro=trixie");
    let expression = one["licenses"][0]["expression"].as_str().unwrap();
    assert!(
        expression.starts_with("GPL-2.0-or-later AND (LicenseRef-mine-") && expression.ends_with(" OR MIT)"),
        "{expression}"
    );
    // What a later layer replaced is told of that layer alone.
    let document = sbom(&project, "whole", "cyclonedx");
    let components = document["components"].as_array().unwrap();
    let over: Vec<&Value> = components.iter().filter(|one| one["name"] == "/srv/over").collect();
    assert_eq!(over.len(), 1);
    assert_eq!(over[0]["hashes"][0]["content"], Digest::of(b"written\n").hex());
}

#[test]
fn every_platform_has_a_document() {
    let project = built();
    let run = project.run(&["sbom", "site"]).expect(0);
    let documents: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = documents.iter().map(|document| document["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["site linux/amd64", "site linux/arm64"]);
    assert_ne!(documents[0]["documentNamespace"], documents[1]["documentNamespace"]);
    project.run(&["sbom", "site", "-o", "x"]).says(2, &["`site@linux/amd64`"]);
    project.run(&["sbom", "none"]).says(1, &["there is no image `none`"]);
    project.run(&["sbom", "Site"]).says(2, &["is not an image's name"]);
}

#[test]
fn an_image_that_is_not_the_recipes_any_more_is_not_told() {
    let project = built();
    project.write("recipes/whole/app/over", "edited\n");
    let said = ["layer 2 of recipe whole: copy app to /srv", "`remint build whole`"];
    project.run(&["sbom", "whole"]).says(3, &said);
    project.run(&["build", "whole"]).expect(0);
    project.run(&["sbom", "whole"]).expect(0);
    // Compressed otherwise, it holds the same.
    project.run(&["build", "whole", "--compression", "gzip"]).expect(0);
    project.run(&["sbom", "whole"]).expect(0);
    project.write("recipes/bare/recipe.toml", "[[layer]]\npackages = [\"solo\"]\n");
    project.run(&["sbom", "bare"]).says(3, &["remint.lock does not match the recipes"]);
}

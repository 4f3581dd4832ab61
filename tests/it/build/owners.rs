//! Files that several packages have: in one layer, and in layers over each other.

use crate::support::archive::Package;
use crate::support::project::{FIRST, Project, archive};
use std::collections::BTreeMap;
use std::io::Read as _;

/// Two packages with one file; the second has a further field.
fn pair(field: Option<(&str, &str)>) -> Vec<Package> {
    let first = Package::new("first", "1.0").file("usr/share/both", "of first\n").file("usr/share/first", "1\n");
    let second = Package::new("second", "2.0").file("usr/share/both", "of second\n").file("usr/share/second", "2\n");
    let second = if let Some((name, value)) = field { second.field(name, value) } else { second };
    vec![first, second]
}

/// A project of one image, with these layers of packages.
fn project(packages: Vec<Package>, layers: &[&str]) -> Project {
    let project = Project::new(&archive(packages, FIRST));
    for name in ["hello", "site", "data", "both"] {
        std::fs::remove_dir_all(project.root.join("recipes").join(name)).unwrap();
    }
    let layers: String = layers.iter().map(|names| format!("[[layer]]\npackages = {names}\n")).collect();
    project.write("recipes/image/recipe.toml", format!("platforms = [\"linux/amd64\"]\n{layers}"));
    project
}

/// The files of the flattened image.
fn contents(project: &Project) -> BTreeMap<String, String> {
    project.run(&["build", "--output", "tar:out.tar"]).expect(0);
    let mut tar = tar::Archive::new(std::fs::File::open(project.root.join("out.tar")).unwrap());
    let mut all = BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() {
            all.insert(path, text);
        }
    }
    all
}

/// What dpkg would say that a package has.
fn list<'a>(files: &'a BTreeMap<String, String>, package: &str) -> Vec<&'a str> {
    files[&format!("var/lib/dpkg/info/{package}.list")].lines().filter(|path| path.starts_with("/usr/share/")).collect()
}

#[test]
fn who_replaces_the_other_has_the_file_in_one_layer_and_over_another() {
    for layers in [&["[\"first\", \"second\"]"][..], &["[\"first\"]", "[\"second\"]"], &["[\"second\"]", "[\"first\"]"]]
    {
        for field in [("Replaces", "first"), ("Replaces", "first (<< 1.1)")] {
            let project = project(pair(Some(field)), layers);
            let files = contents(&project);
            assert_eq!(files["usr/share/both"], "of second\n", "{layers:?}");
            assert_eq!(list(&files, "first"), ["/usr/share/first"], "{layers:?}");
            assert_eq!(list(&files, "second"), ["/usr/share/both", "/usr/share/second"], "{layers:?}");
        }
    }
}

#[test]
fn who_replaces_another_version_does_not_have_it() {
    for layers in [&["[\"first\", \"second\"]"][..], &["[\"first\"]", "[\"second\"]"], &["[\"second\"]", "[\"first\"]"]]
    {
        for field in [None, Some(("Replaces", "first (<< 1.0)")), Some(("Replaces", "other"))] {
            let project = project(pair(field), layers);
            let words = ["`/usr/share/both` is in both", "`first`", "`second`", "neither replaces the other"];
            project.run(&["build"]).says(5, &words);
        }
    }
}

#[test]
fn what_a_recipe_copied_is_covered_by_a_package_above_it() {
    let project = project(pair(None), &["[\"first\"]"]);
    project.write("recipes/image/both", "mine\n");
    let copy = "[[layer]]\ncopy = \"both\"\nto = \"/usr/share/both\"\n[[layer]]\npackages = [\"first\"]\n";
    project.write("recipes/image/recipe.toml", format!("platforms = [\"linux/amd64\"]\n{copy}"));
    assert_eq!(contents(&project)["usr/share/both"], "of first\n");
}

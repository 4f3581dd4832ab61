//! Users that recipes add to images from outside: the files of accounts and nothing else, whatever is built beside.

use super::{put, tar};
use crate::support::project::Project;
use remint::digest::Digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// Paths of a layer, or of what lies below it, and their bytes; directories end with a slash.
type Files = BTreeMap<String, String>;

fn contents(tar: impl Read) -> Files {
    let mut archive = tar::Archive::new(tar);
    let mut all = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        entry.read_to_string(&mut text).unwrap();
        all.insert(path, text);
    }
    all
}

/// A project of recipes that each add a user to an image of their own, made of some layers for one platform.
fn project(images: &[(&str, Vec<Vec<u8>>)]) -> Project {
    let project = Project::first();
    for other in ["hello", "site", "data", "both"] {
        std::fs::remove_dir_all(project.root.join("recipes").join(other)).unwrap();
    }
    for (name, layers) in images {
        let dir = project.root.join("images").join(name);
        let media = "application/vnd.oci.image.layer.v1.tar";
        let digests: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": digests},
        });
        let config = put(&dir, config.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
        let layers: Vec<Value> = layers.iter().map(|layer| put(&dir, layer, media)).collect();
        let media = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({"schemaVersion": 2, "mediaType": media, "config": config, "layers": layers});
        let mut root = put(&dir, manifest.to_string().as_bytes(), media);
        root["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
        std::fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}").unwrap();
        std::fs::write(dir.join("index.json"), json!({"schemaVersion": 2, "manifests": [root]}).to_string()).unwrap();
        let recipe = format!(
            "from = \"oci:../../images/{name}:1\"\nplatforms = [\"linux/amd64\"]\n\n[users.web]\nuid = 10001\n"
        );
        project.write(&format!("recipes/{name}/recipe.toml"), recipe);
    }
    project.run(&["lock"]).expect(0);
    project
}

fn passwd(name: &str) -> String {
    format!("root:x:0:0:root:/root:/bin/sh\n{name}:x:7:7::/:/bin/sh\n")
}

#[test]
fn the_files_of_accounts_alone_change() {
    let status = "Package: debianutils\nStatus: install ok installed\nVersion: 5.23\nArchitecture: amd64\nMaintainer: a\n\
                  Description: b\n\n";
    // What steps for packages would change: shells that are not listed, and a root that is not merged.
    let lower = tar(&[
        ("etc/", None),
        ("etc/passwd", Some(&passwd("one"))),
        ("etc/group", Some("root:x:0:\n")),
        ("usr/bin/", None),
        ("usr/lib/", None),
        ("usr/share/debianutils/shells", Some("/bin/sh\n")),
        ("var/lib/dpkg/status", Some(status)),
    ]);
    let project = project(&[("app", vec![lower])]);
    project.run(&["build", "--locked"]).expect(0);
    let (manifest, _) = super::built(&project);
    let layer = manifest["layers"].as_array().unwrap().last().unwrap()["digest"].as_str().unwrap().to_owned();
    let hex = layer.trim_start_matches("sha256:");
    let blob = std::fs::File::open(project.root.join("cache/blobs/sha256").join(hex)).unwrap();
    let files = contents(zstd::Decoder::new(blob).unwrap());
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(paths, ["etc/group", "etc/passwd"]);
    assert!(files["etc/passwd"].starts_with(&passwd("one")) && files["etc/passwd"].contains("\nweb:!:10001:"));
}

/// Images that have a layer in common in which nothing is seen: nothing, its root alone, or whiteouts.
#[test]
fn images_are_what_they_are_alone_when_they_are_built_together() {
    let whiteouts: Vec<(String, Option<&str>)> = (0..40).map(|n| (format!(".wh.gone{n}"), Some(""))).collect();
    let whiteouts: Vec<(&str, Option<&str>)> = whiteouts.iter().map(|(path, text)| (&**path, *text)).collect();
    for lowest in [tar(&[]), tar(&[("./", None)]), tar(&whiteouts), tar(&[("srv/", None), ("srv/x", Some("x"))])] {
        let own = |name: &str| {
            tar(&[("etc/", None), ("etc/passwd", Some(&passwd(name))), ("etc/group", Some("root:x:0:\n"))])
        };
        let project = project(&[("app", vec![lowest.clone(), own("one")]), ("b", vec![lowest, own("two")])]);
        let built = |images: &[&str]| {
            project.run(&[&["build", "--locked"], images].concat()).expect(0);
            let digest = |name: &str| {
                let run = project.run(&["inspect", name, "--format", "json"]).expect(0);
                serde_json::from_str::<Value>(&run.stdout).unwrap()["digest"].clone()
            };
            let all = (digest("app"), digest("b"));
            let flat = |name: &str| {
                project.run(&["build", name, "--locked", "--output", "tar:flat.tar"]).expect(0);
                contents(std::fs::File::open(project.root.join("flat.tar")).unwrap())["etc/passwd"].clone()
            };
            assert!(flat("app").starts_with(&passwd("one")) && flat("b").starts_with(&passwd("two")));
            project.forget();
            all
        };
        let together = built(&[]);
        project.run(&["build", "app", "--locked"]).expect(0);
        assert_eq!(built(&["b"]), together);
    }
}

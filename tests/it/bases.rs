//! Images from outside the project as bases: locked by digest, passed through byte for byte, built upon, and fetched again.

mod accounts;

use crate::support::archive::Package;
use crate::support::project::{LATER, Project, Run, archive, packages};
use remint::digest::Digest;
use serde_json::{Value, json};
use std::path::Path;

/// A foreign image: of another tool's media types, with what remint knows nothing of in its configuration.
struct Foreign {
    layers: Vec<(Vec<u8>, &'static str, Digest)>,
    config: Value,
}

fn tar(entries: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(if content.is_some() { 0o644 } else { 0o755 });
        header.set_mtime(1_700_000_000);
        header.set_entry_type(if content.is_some() { tar::EntryType::Regular } else { tar::EntryType::Directory });
        header.set_size(content.map_or(0, str::len) as u64);
        header.set_username("somebody").unwrap();
        builder.append_data(&mut header, path, content.unwrap_or_default().as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(3));
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

impl Foreign {
    fn new(arch: &str, greeting: &str) -> Self {
        let status = format!(
            "Package: libhello1\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: {arch}\nSource: hello\n\
             Maintainer: a\nDescription: b\n\n"
        );
        let lower = tar(&[
            ("etc/", None),
            ("etc/passwd", Some("root:x:0:0:root:/root:/bin/sh\napp:x:7:7::/:/bin/sh\n")),
            ("etc/group", Some("root:x:0:\napp:x:7:\n")),
            ("etc/greeting", Some(greeting)),
            ("etc/old/", None),
            ("etc/old/file", Some("old")),
            ("usr/", None),
            ("usr/lib/", None),
            ("usr/lib/libhello.so.1", Some("foreign library")),
            ("var/", None),
            ("var/lib/", None),
            ("var/lib/dpkg/", None),
            ("var/lib/dpkg/status", Some(&status)),
            ("var/lib/dpkg/info/", None),
            ("var/lib/dpkg/info/libhello1.list", Some("/.\n/usr\n/usr/lib\n/usr/lib/libhello.so.1\n")),
        ]);
        let upper =
            tar(&[("etc/", None), ("etc/old/", None), ("etc/old/.wh..wh..opq", Some("")), ("etc/new", Some("new"))]);
        let plain = tar(&[("etc/", None), ("etc/.wh.new", Some(""))]);
        let digests = [&lower, &upper, &plain].map(|tar| Digest::of(tar));
        let config = json!({
            "architecture": arch, "os": "linux", "created": "2026-02-03T04:05:06.789Z", "docker_version": "x",
            "config": {
                "Env": ["PATH=/bin", "A=1"], "Cmd": ["/bin/sh"], "Healthcheck": {"Test": ["CMD", "true"]},
                "Shell": ["/bin/sh", "-c"], "OnBuild": ["RUN true"], "Volumes": null,
            },
            "history": [{"created_by": "lower"}, {"created_by": "upper"}, {"empty_layer": true}, {"created_by": "plain"}],
            "rootfs": {"type": "layers", "diff_ids": digests},
        });
        let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        let layers = vec![
            (gzip(&lower), docker, digests[0]),
            (zstd::encode_all(&upper[..], 5).unwrap(), "application/vnd.oci.image.layer.v1.tar+zstd", digests[1]),
            (plain, "application/vnd.oci.image.layer.v1.tar", digests[2]),
        ];
        Self { layers, config }
    }
}

fn put(dir: &Path, bytes: &[u8], media_type: &str) -> Value {
    let digest = Digest::of(bytes);
    std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    std::fs::write(dir.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
}

/// Writes a layout with a list of Docker's for two platforms; gives the manifests' digests.
fn layout(dir: &Path, greeting: &str) -> Vec<Value> {
    let mut manifests = Vec::new();
    for arch in ["amd64", "arm64"] {
        let image = Foreign::new(arch, greeting);
        let config = serde_json::to_vec_pretty(&image.config).unwrap();
        let config = put(dir, &config, "application/vnd.docker.container.image.v1+json");
        let layers: Vec<Value> = image.layers.iter().map(|(blob, media, _)| put(dir, blob, media)).collect();
        let media = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({"schemaVersion": 2, "mediaType": media, "config": config, "layers": layers});
        let mut entry = put(dir, &serde_json::to_vec_pretty(&manifest).unwrap(), media);
        entry["platform"] = json!({"os": "linux", "architecture": arch});
        manifests.push(entry);
    }
    let media = "application/vnd.docker.distribution.manifest.list.v2+json";
    let list = json!({"schemaVersion": 2, "mediaType": media, "manifests": manifests});
    let mut root = put(dir, &serde_json::to_vec(&list).unwrap(), media);
    root["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
    std::fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}").unwrap();
    std::fs::write(dir.join("index.json"), json!({"schemaVersion": 2, "manifests": [root]}).to_string()).unwrap();
    manifests
}

/// A project whose only recipes stand on a foreign image.
fn project(recipe: &str) -> Project {
    let project = Project::first();
    for other in ["hello", "site", "data", "both"] {
        std::fs::remove_dir_all(project.root.join("recipes").join(other)).unwrap();
    }
    layout(&project.root.join("recipes/images"), "one");
    project.write("recipes/app/recipe.toml", recipe);
    project
}

const ON_TOP: &str = "from = \"oci:../images:1\"\n\n[[layer]]\n[layer.write]\n\"/etc/greeting\" = \"ours\"\n\n\
                      [config]\nuser = \"app\"\nentrypoint = [\"/bin/app\"]\n\n[config.env]\nA = \"2\"\nB = \"3\"\n";

fn document(root: &Path, descriptor: &Value) -> Value {
    let hex = descriptor["digest"].as_str().unwrap().trim_start_matches("sha256:");
    serde_json::from_slice(&std::fs::read(root.join("blobs/sha256").join(hex)).unwrap()).unwrap()
}

/// Manifest and configuration of `app` for amd64 in the store.
fn built(project: &Project) -> (Value, Value) {
    let store = project.root.join("cache");
    let index: Value = serde_json::from_str(&project.read("cache/index.json")).unwrap();
    let named = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == "app";
    let root = document(&store, index["manifests"].as_array().unwrap().iter().find(named).unwrap());
    let manifest = match root["manifests"].as_array() {
        Some(all) => document(&store, all.iter().find(|one| one["platform"]["architecture"] == "amd64").unwrap()),
        None => root,
    };
    let config = document(&store, &manifest["config"]);
    (manifest, config)
}

#[test]
fn a_base_passes_through_and_what_is_unknown_survives() {
    let project = project(ON_TOP);
    project.run(&["lock"]).says(0, &["oci:recipes/images:1 (linux/arm64)"]);
    let lock = project.lock();
    assert!(lock.contains("[[base]]\nimage = \"oci:recipes/images:1\"\nplatform = \"linux/amd64\"\n"), "{lock}");
    assert!(lock.contains("date = \"2026-02-03T04:05:06Z\"") && !lock.contains("packages = ["), "{lock}");
    let first = project.build(&["--locked"]);
    let (manifest, config) = built(&project);
    let foreign = Foreign::new("amd64", "one");
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 4);
    for (layer, (blob, _, diff_id)) in layers.iter().zip(&foreign.layers) {
        assert_eq!(layer["digest"], json!(Digest::of(blob)));
        assert!(config["rootfs"]["diff_ids"].as_array().unwrap().contains(&json!(diff_id)));
    }
    let media: Vec<&str> = layers.iter().map(|layer| layer["mediaType"].as_str().unwrap()).collect();
    let oci = "application/vnd.oci.image.layer.v1.tar";
    assert_eq!(media, [&format!("{oci}+gzip"), &format!("{oci}+zstd"), oci, &format!("{oci}+zstd")]);
    for key in ["Healthcheck", "Shell", "OnBuild"] {
        assert_eq!(config["config"][key], foreign.config["config"][key], "{key}");
    }
    assert_eq!(config["docker_version"], "x");
    assert_eq!(config["config"]["Env"], json!(["PATH=/bin", "A=2", "B=3"]));
    assert_eq!((&config["config"]["User"], &config["config"]["Cmd"]), (&json!("app"), &Value::Null));
    assert_eq!(config["created"], "2026-02-03T04:05:06Z", "the newest date among the sources");
    assert_eq!(config["history"].as_array().unwrap().len(), 5);

    // Nothing is made twice, and another store makes the same.
    let again = project.run(&["build", "--format", "json"]).expect(0);
    assert!(again.stdout.contains("\"built\":0"), "{}", again.stdout);
    project.forget();
    assert_eq!(project.build(&["--locked"]), first);
    project.run(&["verify"]).says(0, &["identical"]);
    project.run(&["plan", "--all"]).says(0, &["oci:recipes/images:1 layer"]);
    project.run(&["gc"]).expect(0);
    std::fs::remove_dir_all(project.root.join("recipes/images")).unwrap();
    assert_eq!(project.build(&["--locked"]), first, "all is in the store");
    project.run(&["cache", "check"]).expect(0);
    project.forget();
    project.run(&["build"]).says(4, &["oci:recipes/images:1 manifest", "cannot read"]);
    project.run(&["build", "--offline"]).says(4, &["not in the store", "--offline"]);
}

#[test]
fn a_configuration_alone_is_an_image() {
    let project = project("from = \"oci:../images\"\n\n[config]\nuser = \"7\"\n");
    let out = project.build(&[]);
    let (manifest, config) = built(&project);
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 3);
    assert_eq!(config["config"]["User"], "7");
    assert!(!out.is_empty());
}

#[test]
fn a_tag_that_moved_is_seen_and_moves_when_asked() {
    let project = project(ON_TOP);
    let first = project.build(&[]);
    let lock = project.lock();
    let place = project.root.join("recipes/images");
    std::fs::remove_dir_all(&place).unwrap();
    let moved = layout(&place, "two");
    assert_eq!(project.build(&["--locked"]), first, "the lock says which");
    project.run(&["lock", "--check"]).expect(0);
    project.run(&["lock", "--update", "--check"]).says(3, &["would change", moved[0]["digest"].as_str().unwrap()]);
    assert_eq!(project.lock(), lock);
    project.forget();
    project.run(&["build"]).says(4, &["no longer what the lock says", "remint lock --update 'oci:recipes/images:1'"]);
    project.run(&["lock", "--update", "oci:recipes/images:1"]).says(0, &[moved[1]["digest"].as_str().unwrap()]);
    assert_ne!(project.build(&["--locked"]), first);
    project.run(&["lock", "--update", "oci:other"]).says(3, &["neither a package nor an image"]);
}

#[test]
fn packages_are_installed_over_those_that_are_there() {
    let recipe = "from = \"oci:../images\"\nplatforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"hello\"]\n\n\
                  [users.web]\nuid = 10001\n";
    let project = project(recipe);
    project.run(&["lock"]).expect(0);
    let lock = project.lock();
    assert!(lock.contains("packages = [\n    \"libhello1 1.0-1 amd64\",\n]"), "{lock}");
    assert!(lock.contains("below = ") && !lock.contains("pool/main/h/hello/libhello1"), "it is there already: {lock}");
    project.build(&["--locked"]);
    let root = project.root.join("root.tar");
    project.run(&["build", "--output", "tar:root.tar"]).expect(0);
    let mut flat = tar::Archive::new(std::fs::File::open(root).unwrap());
    let mut seen = std::collections::BTreeMap::new();
    for entry in flat.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut text).unwrap();
        seen.insert(entry.path().unwrap().to_str().unwrap().to_owned(), String::from_utf8_lossy(&text).into_owned());
    }
    let status = &seen["var/lib/dpkg/status"];
    assert!(status.contains("Package: hello\n") && status.contains("Package: libhello1\n"), "{status}");
    assert_eq!(seen["usr/lib/libhello.so.1"], "foreign library");
    assert!(seen["etc/passwd"].contains("app:x:7:7") && seen["etc/passwd"].contains("\nweb:!:10001:"), "{seen:?}");
    assert!(!seen.contains_key("etc/old/file") && !seen.contains_key("etc/new"), "whiteouts hold");

    // What the base has stays, though apt would upgrade it with what is made from the same source.
    project.publish(&archive(packages("1.0-2"), LATER));
    project.run(&["lock", "--update", "hello"]).says(0, &["1.0-2"]);
    assert!(!project.lock().contains("pool/main/h/hello/libhello1"));
    let other = archive(vec![Package::new("hello", "2.0").arch("amd64").field("Depends", "libhello1 (>= 2)")], LATER);
    project.publish(&other);
    project.run(&["lock", "--update"]).says(3, &["libhello1"]);
}

#[test]
fn an_archive_of_dockers_is_a_base() {
    let project = Project::first();
    project.run(&["build", "hello", "--platform", "linux/amd64", "-o", "docker-archive:recipes/hello.tar"]).expect(0);
    std::fs::create_dir_all(project.root.join("recipes/app")).unwrap();
    let recipe =
        "from = \"docker-archive:../hello.tar\"\nplatforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"solo\"]\n";
    project.write("recipes/app/recipe.toml", recipe);
    project.run(&["lock"]).expect(0);
    let first = project.build(&["app", "--locked"]);
    let (manifest, _) = built(&project);
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 2);
    project.forget();
    assert_eq!(project.build(&["app", "--locked"]), first);
    project.run(&["inspect", "app"]).says(0, &["solo", "hello"]);
    let missing = recipe.replace("amd64", "arm64");
    project.write("recipes/app/recipe.toml", missing);
    project.run(&["lock"]).says(4, &["not made for linux/arm64"]);
}

#[test]
fn a_wrong_base_is_refused_by_name() {
    let project = project(ON_TOP);
    project.run(&["lock"]).expect(0);
    // A layer whose tar is not what the configuration says.
    let place = project.root.join("recipes/images");
    let store = place.join("blobs/sha256");
    let lower = Digest::of(&Foreign::new("amd64", "one").layers[0].0).hex();
    std::fs::write(store.join(&lower), b"rotten").unwrap();
    let run = project.run(&["build"]);
    run.says(4, &["is damaged", &lower]);
    std::fs::remove_file(store.join(&lower)).unwrap();
    project.run(&["build"]).says(4, &[&lower[..12]]);
    project.write("recipes/app/recipe.toml", "from = \"oci:../../../images\"\n");
    project.run(&["build"]).says(3, &["leaves the project"]);
    project.write("recipes/app/recipe.toml", "from = \"oci:none\"\n");
    project.run(&["lock"]).says(4, &["cannot start from `oci:recipes/app/none`"]);
    let owner = "from = \"oci:../images\"\n\n[[layer]]\ncopy = \".\"\nto = \"/x\"\nowner = \"app\"\n";
    project.write("recipes/app/recipe.toml", owner);
    project.run(&["build"]).says(3, &["user `app` is not defined in a recipe", "write the number"]);
}

#[test]
fn a_copy_by_another_tool_is_the_same_base() {
    let Some(skopeo) = crate::support::judge::find("skopeo") else { return };
    let project = Project::first();
    project.run(&["build", "hello", "-o", "oci:recipes/ours"]).expect(0);
    let place = |name: &str| format!("oci:{}", project.root.join("recipes").join(name).display());
    let mut command = std::process::Command::new(skopeo);
    command.args(["--insecure-policy", "copy", "--all", &format!("{}:hello", place("ours")), &place("theirs")]);
    Run::of(&mut command).expect(0);
    let built_on = |base: &str| {
        project.write("recipes/app/recipe.toml", ON_TOP.replace("images:1", base));
        project.run(&["lock"]).expect(0);
        project.run(&["build", "app", "--locked"]).expect(0);
        built(&project)
    };
    assert_eq!(built_on("ours"), built_on("theirs"));
}

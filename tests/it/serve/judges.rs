//! Other clients pull from the store and run what they pulled.

use super::{Served, several};
use crate::support::containerd::Containerd;
use crate::support::docker_engine::DockerEngine;
use crate::support::handmade::{self, GREETING, native};
use crate::support::judge;
use crate::support::podman::Podman;
use remint::digest::Digest;
use remint::image::Encoding;
use serde_json::Value;
use std::fs;

#[test]
fn skopeo_inspects_and_copies() {
    let Some(skopeo) = judge::find("skopeo") else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [several(&store, "several"), handmade::image(&store, "one", Encoding::Gzip, &[native()])];
    let served = Served::of(&store);
    for image in &images {
        let place = format!("docker://{}/{}", served.address, image.name);
        let told: Value =
            serde_json::from_str(&judge::run(&skopeo, ["inspect", "--tls-verify=false", &place])).unwrap();
        assert_eq!(told["Digest"], image.root.digest.to_string());
        assert_eq!(told["RepoTags"], serde_json::json!(["latest"]));
        let copy = dir.path().join(image.name.as_str());
        for which in [":latest".to_owned(), format!("@{}", image.root.digest)] {
            let (from, to) = (format!("{place}{which}"), format!("dir:{}", copy.display()));
            judge::run(&skopeo, ["copy", "--all", "--preserve-digests", "--src-tls-verify=false", &from, &to]);
            assert_eq!(Digest::of(&fs::read(copy.join("manifest.json")).unwrap()), image.root.digest);
            for blob in image.platforms.iter().flat_map(|one| one.layers.iter().map(|l| l.blob).chain([one.config])) {
                assert_eq!(Digest::of(&fs::read(copy.join(blob.digest.hex())).unwrap()), blob.digest);
            }
            fs::remove_dir_all(&copy).unwrap();
        }
    }
}

#[test]
fn podman_pulls_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let store = handmade::store(dir.path());
    several(&store, "several");
    let served = Served::of(&store);
    let reference = format!("{}/several:latest", served.address);
    podman.run(&["pull", "--quiet", "--tls-verify=false", &reference]);
    assert_eq!(podman.run_image(&reference, &[]), GREETING);
}

#[test]
fn docker_pulls_and_runs_gzip_layers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(docker) = DockerEngine::start(&dir.path().join("docker")) else { return };
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Gzip, &[native()]);
    let served = Served::of(&store);
    for which in [":latest".to_owned(), format!("@{}", image.root.digest)] {
        let reference = format!("{}/web{which}", served.address);
        docker.docker(&["pull", "--quiet", &reference]);
        assert_eq!(docker.run_image(&reference), GREETING);
    }
}

#[test]
fn containerd_pulls_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let Some(containerd) = Containerd::start(&dir.path().join("containerd")) else { return };
    let store = handmade::store(dir.path());
    several(&store, "several");
    let served = Served::of(&store);
    let reference = format!("{}/several:latest", served.address);
    containerd.ctr(&["image", "pull", "--plain-http", "--snapshotter", "native", &reference]);
    let id = format!("remint-serve-{}", std::process::id());
    assert_eq!(containerd.ctr(&["run", "--rm", "--snapshotter", "native", &reference, &id]), GREETING);
}

//! Every form of output, read and run by every client that there is.

use super::{BOTH, multi, single, write};
use crate::support::containerd::Containerd;
use crate::support::docker_engine::DockerEngine;
use crate::support::handmade::{self, GREETING, native, platform};
use crate::support::podman::Podman;
use crate::support::{judge, registry_server};
use remint::digest::Digest;
use remint::image::Encoding;
use serde_json::Value;
use std::fs;

#[test]
fn skopeo_reads_and_copies_with_the_same_digests() {
    let Some(skopeo) = judge::find("skopeo") else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [multi(&store), single(&store, "gzipped", Encoding::Gzip), single(&store, "single", Encoding::Zstd)];
    let layout = write(&store, &images, "oci", &dir.path().join("layout"));
    let archive = write(&store, &images, "oci-archive", &dir.path().join("layout.tar"));
    let one = write(&store, &images[1..2], "docker-archive", &dir.path().join("docker.tar"));
    for image in &images {
        for place in [format!("oci:{}", store.dir().display()), format!("oci:{}", layout.display())] {
            let told: Value =
                serde_json::from_str(&judge::run(&skopeo, ["inspect", &format!("{place}:{}", image.name)])).unwrap();
            assert_eq!(told["Digest"], image.root.digest.to_string());
            assert_eq!(told["Layers"].as_array().unwrap().len(), 3);
            assert_eq!(told["Labels"]["made.by"], "hand");
        }
        let copy = dir.path().join(image.name.as_str());
        let from = format!("oci-archive:{}:{}", archive.display(), image.name);
        let arguments = ["copy", "--all", "--preserve-digests", &from, &format!("dir:{}", copy.display())];
        judge::run(&skopeo, arguments);
        let manifest = fs::read(copy.join("manifest.json")).unwrap();
        assert_eq!(Digest::of(&manifest), image.root.digest);
        for blob in image.platforms.iter().flat_map(|one| one.layers.iter().map(|l| l.blob).chain([one.config])) {
            assert!(copy.join(blob.digest.hex()).exists());
        }
    }
    let told: Value =
        serde_json::from_str(&judge::run(&skopeo, ["inspect", &format!("docker-archive:{}", one.display())])).unwrap();
    assert_eq!(told["Layers"][0], images[1].platforms[0].layers[0].diff_id.to_string());
}

#[test]
fn umoci_unpacks_gzip_layers() {
    let Some(umoci) = judge::find("umoci") else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [single(&store, "gzipped", Encoding::Gzip), multi(&store)];
    let layout = write(&store, &images, "oci", &dir.path().join("layout"));
    let bundle = dir.path().join("bundle");
    let image = format!("{}:gzipped", layout.display());
    judge::run(
        &umoci,
        ["unpack".as_ref(), "--rootless".as_ref(), "--image".as_ref(), image.as_ref(), bundle.as_os_str()],
    );
    assert_eq!(fs::read_to_string(bundle.join("rootfs/etc/greeting")).unwrap(), GREETING);
    assert!(!bundle.join("rootfs/etc/hidden").exists());
    let listed = judge::run(&umoci, ["list", "--layout", layout.to_str().unwrap()]);
    assert_eq!(listed, "gzipped\nmulti\n");
}

#[test]
fn podman_runs_every_form() {
    // podman makes a name out of a layout's path, and names have no capitals.
    let name = format!("remint-podman-{}", std::process::id());
    let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let store = handmade::store(dir.path());
    let images = [single(&store, "gzipped", Encoding::Gzip), multi(&store), single(&store, "zstded", Encoding::Zstd)];
    let layout = write(&store, &images, "oci", &dir.path().join("layout"));
    for image in &images {
        for place in [&layout, store.dir()] {
            let id = podman.run(&["pull", "--quiet", &format!("oci:{}:{}", place.display(), image.name)]);
            assert_eq!(podman.run_image(id.trim(), &[]), GREETING, "{}", image.name);
        }
        podman.run(&["rmi", "--all", "--force"]);
    }
    let natives = images.map(|image| image.narrow(native()).unwrap());
    let docker = write(&store, &natives, "docker-archive", &dir.path().join("docker.tar"));
    podman.run(&["load", "--input", docker.to_str().unwrap()]);
    for image in &natives {
        assert_eq!(podman.run_image(&format!("localhost/{}:latest", image.name), &[]), GREETING);
    }
    podman.run(&["rmi", "--all", "--force"]);
    let oci = write(&store, &natives[..1], "oci-archive", &dir.path().join("oci.tar"));
    let id = podman.run(&["pull", "--quiet", &format!("oci-archive:{}", oci.display())]);
    assert_eq!(podman.run_image(id.trim(), &[]), GREETING);
    let flat = write(&store, &natives[..1], "tar", &dir.path().join("flat.tar"));
    let id = podman.run(&["import", "--quiet", flat.to_str().unwrap()]);
    assert_eq!(podman.run_image(id.trim(), &["/greet"]), GREETING);
}

#[test]
fn containerd_runs_imported_archives() {
    let dir = tempfile::tempdir().unwrap();
    let Some(containerd) = Containerd::start(&dir.path().join("containerd")) else { return };
    let store = handmade::store(dir.path());
    let images = [single(&store, "gzipped", Encoding::Gzip), multi(&store), single(&store, "zstded", Encoding::Zstd)];
    let archive = write(&store, &images, "oci-archive", &dir.path().join("oci.tar"));
    containerd.ctr(&["image", "import", "--base-name", "test.invalid/set", archive.to_str().unwrap()]);
    for image in &images {
        let reference = format!("test.invalid/set:{}", image.name);
        let listed = containerd.ctr(&["image", "list", &format!("name=={reference}")]);
        assert!(listed.contains(&image.root.digest.to_string()), "{listed}");
        let id = format!("remint-test-{}-{}", std::process::id(), image.name);
        let arguments = ["run", "--rm", "--snapshotter", "native", &reference, &id];
        assert_eq!(containerd.ctr(&arguments), GREETING, "{reference}");
    }
}

#[test]
fn docker_runs_loaded_archives_and_pulled_gzip_layers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(docker) = DockerEngine::start(&dir.path().join("docker")) else { return };
    let store = handmade::store(dir.path());
    let images = [single(&store, "gzipped", Encoding::Gzip), single(&store, "zstded", Encoding::Zstd)];
    let archive = write(&store, &images, "docker-archive", &dir.path().join("docker.tar"));
    docker.docker(&["load", "--input", archive.to_str().unwrap()]);
    for image in &images {
        let tag = format!("{}:latest", image.name);
        let id = docker.docker(&["image", "inspect", "--format", "{{.Id}}", &tag]);
        assert_eq!(id.trim(), image.platforms[0].config.digest.to_string(), "the image's id is the config's digest");
        assert_eq!(docker.run_image(&tag), GREETING, "{tag}");
    }
    docker.docker(&["image", "rm", "gzipped:latest", "zstded:latest"]);

    let Some(skopeo) = judge::find("skopeo") else { return };
    let Some(registry) = registry_server::start(&dir.path().join("registry")) else { return };
    handmade::image(&store, "several", Encoding::Gzip, &BOTH.map(platform));
    for name in ["gzipped", "several"] {
        let from = format!("oci:{}:{name}", store.dir().display());
        let to = format!("{}/{name}:latest", registry.address);
        let options = ["copy", "--all", "--preserve-digests", "--dest-tls-verify=false"];
        judge::run(&skopeo, options.into_iter().chain([&*from, &format!("docker://{to}")]));
        docker.docker(&["pull", "--quiet", &to]);
        assert_eq!(docker.run_image(&to), GREETING, "{to}");
    }
}

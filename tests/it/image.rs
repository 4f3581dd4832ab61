//! Images in every form, held against the specification and read by every client.

use crate::support::containerd::Containerd;
use crate::support::docker_engine::DockerEngine;
use crate::support::handmade::{self, GREETING, name, native, platform};
use crate::support::layout::assert_valid;
use crate::support::podman::Podman;
use crate::support::{judge, registry_server};
use remint::image::{Encoding, Error, Image, ImageRef, Output, inspect};
use remint::oci::Arch;
use remint::store::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

const BOTH: [Arch; 2] = [Arch::Amd64, Arch::Arm64];

/// Writes images in a form to a path below a directory.
fn write(store: &Store, images: &[Image], form: &str, path: &Path) -> PathBuf {
    let output: Output = format!("{form}:{}", path.display()).parse().unwrap();
    output.write(store, images).unwrap();
    path.to_owned()
}

fn multi(store: &Store) -> Image {
    handmade::image(store, "multi", Encoding::Zstd, &BOTH.map(platform))
}

fn single(store: &Store, text: &str, encoding: Encoding) -> Image {
    handmade::image(store, text, encoding, &[native()])
}

fn unpack(archive: &Path, to: &Path) {
    tar::Archive::new(fs::File::open(archive).unwrap()).unpack(to).unwrap();
}

#[test]
fn the_store_and_every_layout_are_valid() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [multi(&store), single(&store, "gzipped", Encoding::Gzip), single(&store, "plain", Encoding::Plain)];
    assert_valid(store.dir());
    assert_valid(&write(&store, &images, "oci", &dir.path().join("layout")));
    let archive = write(&store, &images, "oci-archive", &dir.path().join("layout.tar"));
    unpack(&archive, &dir.path().join("unpacked"));
    assert_valid(&dir.path().join("unpacked"));
}

#[test]
fn a_name_is_resolved_to_what_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = multi(&store);
    let find = |text: &str| Image::resolve(&store, &text.parse::<ImageRef>().unwrap());
    assert_eq!(find("multi").unwrap(), image);
    let arm64 = find("multi@linux/arm64").unwrap();
    assert_eq!(arm64.available(), [platform(Arch::Arm64)]);
    assert_eq!(arm64, image.narrow(platform(Arch::Arm64)).unwrap());
    assert!(matches!(find("multi@linux/s390x"), Err(Error::NoPlatform { .. })));
    let missing = find("mutli").unwrap_err();
    assert_eq!(missing.to_string(), "there is no image `mutli` in the store; there are `multi`");
}

#[test]
fn an_image_that_contradicts_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = single(&store, "lie", Encoding::Zstd);
    let only = &image.platforms[0];
    let mut manifest: Value = serde_json::from_slice(&store.read(&only.manifest).unwrap()).unwrap();
    manifest["layers"].as_array_mut().unwrap().pop();
    let blob = store.put(&serde_json::to_vec(&manifest).unwrap()).unwrap();
    let entry = remint::store::IndexEntry::new("lie", remint::oci::media::MANIFEST, blob);
    store.set_images(&[entry]).unwrap();
    let lie = ImageRef { name: name("lie"), platform: None };
    assert!(matches!(Image::resolve(&store, &lie), Err(Error::LayerCount { layers: 1, diff_ids: 2, .. })));
    fs::write(store.blob_path(&blob.digest), b"{}").unwrap();
    assert!(matches!(Image::resolve(&store, &lie), Err(Error::Store(remint::store::Error::Damaged { .. }))));
}

#[test]
fn outputs_have_the_same_bytes_every_time_and_replace_the_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for place in ["one", "two"] {
        let dir = dir.path().join(place);
        let store = handmade::store(&dir);
        let mut images = vec![single(&store, "a", Encoding::Zstd), single(&store, "b", Encoding::Gzip)];
        if place == "two" {
            images.reverse();
        }
        for form in ["oci-archive", "docker-archive", "tar"] {
            let images = if form == "tar" { &images[..1] } else { &images[..] };
            let path = dir.join(form);
            fs::write(&path, "old").unwrap();
            write(&store, images, form, &path);
            let bytes = fs::read(&path).unwrap();
            if form != "tar" {
                assert_eq!(seen.entry(form).or_insert_with(|| bytes.clone()), &bytes, "{form}");
            }
        }
        // Both images hold the same tree, however compressed.
        let (a, b) = (dir.join("a.tar"), dir.join("b.tar"));
        write(&store, &images[..1], "tar", &a);
        write(&store, &images[1..], "tar", &b);
        assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap());
    }
}

#[test]
fn a_failure_leaves_the_old_output_and_names_the_damage() {
    let dir = tempfile::tempdir().unwrap();
    for form in ["oci-archive", "docker-archive", "tar", "oci"] {
        let dir = dir.path().join(form);
        let store = handmade::store(&dir);
        let images = [single(&store, "rotten", Encoding::Zstd)];
        let target = dir.join("target");
        write(&store, &images, form, &target);
        let blob = images[0].platforms[0].layers[1].blob;
        let mut bytes = store.read(&blob).unwrap();
        bytes[20] ^= 1;
        // Written anew, since the layout's blobs are hard links.
        fs::remove_file(store.blob_path(&blob.digest)).unwrap();
        fs::write(store.blob_path(&blob.digest), bytes).unwrap();
        let output: Output = format!("{form}:{}", target.display()).parse().unwrap();
        let error = output.write(&store, &images).unwrap_err();
        assert!(matches!(error, Error::Store(remint::store::Error::Damaged { .. })), "{form}: {error}");
        assert_eq!(store.take_damage().len(), 1, "{form}");
        let mut left: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["store", "target"], "{form}");
        if form == "oci" {
            assert_valid(&target);
        }
    }
}

#[test]
fn forms_for_one_ask_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let (multi, single) = (multi(&store), single(&store, "single", Encoding::Zstd));
    for form in ["docker-archive", "tar"] {
        let output: Output = format!("{form}:{}", dir.path().join("x").display()).parse().unwrap();
        let error = output.write(&store, std::slice::from_ref(&multi)).unwrap_err();
        let text =
            format!("`{form}:` holds one platform, and image `multi` has `linux/amd64`, `linux/arm64`: choose one");
        assert_eq!(error.to_string(), text);
        output.write(&store, &[multi.clone().narrow(native()).unwrap()]).unwrap();
    }
    let output: Output = format!("tar:{}", dir.path().join("x").display()).parse().unwrap();
    let images = [single, multi.narrow(native()).unwrap()];
    assert!(matches!(output.write(&store, &images), Err(Error::ManyImages { .. })));
}

#[test]
fn the_store_itself_is_never_replaced_by_an_output() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [single(&store, "single", Encoding::Zstd)];
    let output: Output = format!("oci:{}", store.dir().display()).parse().unwrap();
    assert!(matches!(output.write(&store, &images), Err(Error::NotReplaced { .. })));
}

#[test]
fn the_flattened_tree_is_what_gnu_tar_unpacks() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let archive = write(&store, &[single(&store, "tree", Encoding::Zstd)], "tar", &dir.path().join("tree.tar"));
    let mut listing = Vec::new();
    for entry in tar::Archive::new(fs::File::open(&archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        let path = entry.path().unwrap().display().to_string();
        if path != "bin/greet" {
            entry.read_to_string(&mut text).unwrap();
        }
        listing.push((path, entry.header().entry_type(), text));
    }
    let paths: Vec<&str> = listing.iter().map(|(path, _, _)| path.trim_end_matches('/')).collect();
    let expected = [
        "bin",
        "etc",
        "var",
        "var/lib",
        "var/lib/dpkg",
        "bin/greet",
        "etc/first",
        "etc/greeting",
        "etc/same",
        "greet",
        "var/lib/dpkg/status",
    ];
    assert_eq!(paths, expected);
    assert_eq!(listing[7].2, GREETING);
    assert_eq!(listing[8].1, tar::EntryType::Link);

    let Some(gnu_tar) = judge::find("tar") else { return };
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    judge::run(
        gnu_tar,
        ["--no-same-owner".as_ref(), "-xf".as_ref(), archive.as_os_str(), "-C".as_ref(), root.as_os_str()],
    );
    assert_eq!(fs::read_to_string(root.join("etc/greeting")).unwrap(), GREETING);
    assert!(!root.join("etc/hidden").exists());
}

#[test]
fn inspection_tells_what_was_put_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = multi(&store);
    let told = inspect(&store, &image).unwrap();
    assert_eq!((&*told.name, told.digest, told.platforms.len()), ("multi", image.root.digest, 2));
    let one = &told.platforms[0];
    assert_eq!((&*one.platform, one.created.as_deref()), ("linux/amd64", Some("2025-08-09T10:11:12Z")));
    assert_eq!(one.config.entrypoint, ["/greet"]);
    assert_eq!(one.config.labels["made.by"], "hand");
    let made: Vec<_> = one.layers.iter().map(|layer| layer.created_by.as_deref().unwrap()).collect();
    assert_eq!(made, ["remint: packages greet", "remint: write etc/greeting"]);
    assert_eq!(one.packages.len(), 1);
    assert_eq!((&*one.packages[0].name, one.packages[0].installed_kib), ("greet", Some(12)));
    let counts = one.files;
    assert_eq!((counts.files, counts.directories, counts.symlinks, counts.hardlinks, counts.special), (4, 5, 1, 1, 0));
    assert_eq!(one.biggest[0].path, "bin/greet");
    assert!(one.layers[0].uncompressed_size > one.layers[0].compressed_size);
    serde_json::to_string(&told).unwrap();
}

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
            assert_eq!(told["Layers"].as_array().unwrap().len(), 2);
            assert_eq!(told["Labels"]["made.by"], "hand");
        }
        let copy = dir.path().join(image.name.as_str());
        let from = format!("oci-archive:{}:{}", archive.display(), image.name);
        let arguments = ["copy", "--all", "--preserve-digests", &from, &format!("dir:{}", copy.display())];
        judge::run(&skopeo, arguments);
        let manifest = fs::read(copy.join("manifest.json")).unwrap();
        assert_eq!(remint::digest::Digest::of(&manifest), image.root.digest);
        for blob in image
            .blobs()
            .iter()
            .filter(|blob| image.platforms.iter().all(|p| p.manifest != **blob) && **blob != image.root)
        {
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
    let (from, to) = (format!("oci:{}:gzipped", store.dir().display()), format!("{}/gzipped:latest", registry.address));
    judge::run(skopeo, ["copy", "--preserve-digests", "--dest-tls-verify=false", &from, &format!("docker://{to}")]);
    docker.docker(&["pull", "--quiet", &to]);
    assert_eq!(docker.run_image(&to), GREETING);
}

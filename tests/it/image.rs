//! Images in every form, held against the specification.

mod clients;
mod flattening;

use crate::support::handmade::{self, name, native, platform};
use crate::support::layout::assert_valid;
use remint::image::{Encoding, Error, Image, ImageRef, Output, inspect};
use remint::oci::Arch;
use remint::store::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
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

/// Blobs are links where the file system allows; elsewhere they are copied.
#[test]
fn a_layout_on_another_file_system_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [multi(&store)];
    let near = write(&store, &images, "oci", &dir.path().join("layout"));
    let links = |path: &Path| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path.join("blobs/sha256").join(images[0].root.digest.hex())).unwrap().nlink()
    };
    assert_eq!(links(&near), 2);
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    let far = write(&store, &images, "oci", &elsewhere.path().join("layout"));
    assert_valid(&far);
    assert_eq!(links(&far), 1);
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
    assert!(matches!(Image::resolve(&store, &lie), Err(Error::LayerCount { layers: 2, diff_ids: 3, .. })));
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
        let mut images = [single(&store, "a", Encoding::Zstd), single(&store, "b", Encoding::Gzip)];
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
    assert_eq!(made, ["remint: packages greet", "remint: write etc/greeting", "remint: write etc/greeting"]);
    assert_eq!(one.packages.len(), 1);
    assert_eq!((&*one.packages[0].name, one.packages[0].installed_kib), ("greet", Some(12)));
    let counts = one.files;
    assert_eq!((counts.files, counts.directories, counts.symlinks, counts.hardlinks, counts.special), (5, 5, 1, 1, 0));
    assert_eq!((&*one.biggest[0].path, one.biggest[0].size), ("etc/noise", 5 << 20));
    assert!(one.layers[1].uncompressed_size > one.layers[1].compressed_size);
    serde_json::to_string(&told).unwrap();
}

/// A layer that another image of the store has too is told with that image's name, and its bytes are counted as shared.
#[test]
fn inspection_tells_what_is_shared() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = multi(&store);
    let alone = inspect(&store, &image).unwrap();
    assert!(alone.platforms.iter().all(|one| one.shared_size == 0));
    assert!(alone.platforms.iter().flat_map(|one| &one.layers).all(|layer| layer.also_in.is_empty()));

    single(&store, "zstd", Encoding::Zstd);
    single(&store, "gzipped", Encoding::Gzip);
    let told = inspect(&store, &image).unwrap();
    let native = told.platforms.iter().find(|one| one.platform == native().to_string()).unwrap();
    let also: Vec<&[String]> = native.layers.iter().map(|layer| &*layer.also_in).collect();
    assert_eq!(also, [["zstd"]; 3], "the same layers in gzip are other blobs");
    // Two of the layers are one blob.
    let mut blobs: Vec<_> = native.layers.iter().map(|layer| (layer.digest, layer.compressed_size)).collect();
    blobs.sort();
    blobs.dedup();
    assert_eq!(native.shared_size, blobs.iter().map(|blob| blob.1).sum::<u64>());
    assert!(native.shared_size < native.compressed_size);

    // What is wrong with another image is not this one's matter.
    let other = Image::resolve(&store, &"zstd".parse().unwrap()).unwrap();
    fs::write(store.dir().join("blobs/sha256").join(other.platforms[0].config.digest.hex()), "rot").unwrap();
    let store = Store::open(store.dir()).unwrap();
    assert_eq!(inspect(&store, &image).unwrap().platforms.iter().map(|one| one.shared_size).max(), Some(0));
}

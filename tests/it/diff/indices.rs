//! Indices of several images of one platform, and blobs that nobody has to read.

use super::making::{file, pack, tar};
use super::{compared, remint, try_compared};
use remint::digest::Digest;
use remint::verify::diff::{Class, Presence, Verdict};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a layout of one index that names these images: how the layer is packed, and what is in its file.
fn layout(dir: &Path, images: &[(&str, &str)]) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        json!({ "digest": digest, "size": bytes.len() })
    };
    let manifests: Vec<Value> = images
        .iter()
        .map(|(how, text)| {
            let layer = tar(&[file("etc/a", text.as_bytes())]);
            let config = json!({ "architecture": "amd64", "os": "linux",
                "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer)] } });
            let config = put(config.to_string().as_bytes());
            let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [put(&pack(how, &layer))] });
            put(manifest.to_string().as_bytes())
        })
        .collect();
    let index = put(json!({ "schemaVersion": 2, "manifests": manifests }).to_string().as_bytes());
    fs::write(dir.join("index.json"), json!({ "schemaVersion": 2, "manifests": [index] }).to_string()).unwrap();
}

#[test]
fn images_of_one_platform_are_paired_each_with_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let compare = |a: &[(&str, &str)], b: &[(&str, &str)]| {
        let _ = fs::remove_dir_all(dir.path().join("a"));
        let _ = fs::remove_dir_all(dir.path().join("b"));
        layout(&dir.path().join("a"), a);
        layout(&dir.path().join("b"), b);
        compared(dir.path(), "oci:a", "oci:b")
    };
    let (gzip, zstd, other) = (("gzip", "one"), ("zstd", "one"), ("gzip", "two"));
    // The same index, whatever its images are.
    for images in [&[gzip, zstd][..], &[gzip, other], &[gzip, gzip], &[other, gzip, zstd]] {
        let comparison = compare(images, images);
        assert_eq!((comparison.verdict, comparison.platforms.len()), (Verdict::Identical, images.len()));
    }
    // The same files in another packing.
    assert_eq!(compare(&[gzip, other], &[zstd, other]).verdict, Verdict::SameFiles);
    // The same images in another order, of which a client takes the first.
    for others in [[other, gzip], [other, zstd]] {
        let comparison = compare(&[gzip, other], &others);
        assert!(comparison.platforms.iter().all(|one| one.verdict != Verdict::Different), "{comparison:#?}");
        assert_eq!((comparison.verdict, comparison.index[0].class), (Verdict::Different, Class::Order));
    }
    // The second image of a platform is looked at, and none is passed over.
    let comparison = compare(&[gzip, zstd], &[gzip, other]);
    let verdicts: Vec<Verdict> = comparison.platforms.iter().map(|one| one.verdict).collect();
    assert_eq!(
        (comparison.verdict, &verdicts[..]),
        (Verdict::Different, &[Verdict::Identical, Verdict::Different][..])
    );
    let presences = |a: &[(&str, &str)], b: &[(&str, &str)]| -> Vec<Presence> {
        compare(a, b).platforms.iter().map(|one| one.presence).collect()
    };
    assert_eq!(presences(&[gzip, other], &[other]), [Presence::OnlyA, Presence::Both]);
    assert_eq!(presences(&[gzip], &[gzip, gzip]), [Presence::Both, Presence::OnlyB]);
}

/// What an index says of an image is compared for each time that it names it, however deep, and not for what the blob itself decides.
#[test]
fn each_entry_of_an_index_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, entries: &[Value], nested: bool| {
        let place = dir.path().join(name);
        layout(&place, &[("gzip", "one")]);
        let put = |document: Value| {
            let bytes = document.to_string();
            let digest = Digest::of(bytes.as_bytes());
            fs::write(place.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
            json!({ "digest": digest, "size": bytes.len() })
        };
        let read = |name: &Value| -> Value {
            let digest: Digest = name["digest"].as_str().unwrap().parse().unwrap();
            serde_json::from_slice(&fs::read(place.join("blobs/sha256").join(digest.hex())).unwrap()).unwrap()
        };
        let list: Value = serde_json::from_slice(&fs::read(place.join("index.json")).unwrap()).unwrap();
        let manifest = read(&list["manifests"][0])["manifests"][0].clone();
        let entry = |said: &Value| {
            let mut entry = manifest.clone();
            entry.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            entry
        };
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        let mut index = put(json!({ "schemaVersion": 2, "manifests": entries }));
        if nested {
            index = put(json!({ "schemaVersion": 2, "manifests": [index] }));
        }
        fs::write(place.join("index.json"), json!({ "schemaVersion": 2, "manifests": [index] }).to_string()).unwrap();
    };
    let on = |architecture: &str| json!({ "platform": { "os": "linux", "architecture": architecture } });
    let compare = |a: &[Value], b: &[Value], nested: bool| {
        write("a", a, nested);
        write("b", b, nested);
        compared(dir.path(), "oci:a", "oci:b")
    };
    for nested in [false, true] {
        let comparison = compare(&[on("amd64"), on("arm64")], &[on("amd64"), on("s390x")], nested);
        assert_eq!(comparison.verdict, Verdict::Different, "{comparison:#?}");
        let within = comparison.index[0].within.join(".");
        assert!(within.ends_with("platform.architecture"), "{within}");
        assert_eq!(compare(&[on("amd64")], &[on("amd64")], nested).verdict, Verdict::Identical);
        let embedded = json!({ "platform": on("amd64")["platform"], "data": "e30=" });
        assert_eq!(compare(&[on("amd64")], &[embedded], nested).verdict, Verdict::SameFiles);
    }
}

#[test]
fn a_blob_that_is_not_read_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
    layout(&good, &[("gzip", "one"), ("zstd", "two")]);
    layout(&bad, &[("gzip", "one"), ("zstd", "two")]);
    let layer = pack("zstd", &tar(&[file("etc/a", b"two")]));
    let name = format!("blobs/sha256/{}", Digest::of(&layer).hex());
    let archive = |from: &Path| -> PathBuf {
        let names = ["index.json".to_owned()].into_iter();
        let mut all: Vec<_> = names.map(|name| file(&name, &fs::read(from.join(&name)).unwrap())).collect();
        for entry in fs::read_dir(from.join("blobs/sha256")).unwrap() {
            let entry = entry.unwrap();
            let name = format!("blobs/sha256/{}", entry.file_name().to_str().unwrap());
            all.push(file(&name, &fs::read(entry.path()).unwrap()));
        }
        let path = from.with_extension("tar");
        fs::write(&path, tar(&all)).unwrap();
        path
    };
    let refused = |expected: &str| {
        archive(&bad);
        for (a, b) in [("oci:good", "oci:bad"), ("oci:bad", "oci:good"), ("oci:bad", "oci:bad")] {
            let error = try_compared(dir.path(), a, b).map(|comparison| comparison.verdict).unwrap_err();
            assert!(error.contains(expected) && error.contains(&name) && error.contains("oci:bad"), "{error}");
            assert_eq!(remint(dir.path(), &["diff", a, b]).0, Some(4));
        }
        let error = try_compared(dir.path(), "oci:good", "oci-archive:bad.tar").map(|found| found.verdict).unwrap_err();
        assert!(error.contains(expected) && error.contains(&name), "{error}");
    };
    assert_eq!(compared(dir.path(), "oci:good", "oci:bad").verdict, Verdict::Identical);
    fs::write(bad.join(&name), &layer[..layer.len() - 1]).unwrap();
    refused("is damaged");
    fs::remove_file(bad.join(&name)).unwrap();
    refused("has no");
}

//! Indices of several images of one platform, and blobs that nobody has to read.

use super::making::{file, pack, tar};
use super::{compared, remint, try_compared};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// The entry of the only image of such a layout.
fn entry(layout: &Path) -> Value {
    let read = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let index: Digest = read(layout.join("index.json"))["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    read(layout.join("blobs/sha256").join(index.hex()))["manifests"][0].clone()
}

/// The bytes of what a descriptor names.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
    fs::read(layout.join("blobs/sha256").join(digest.hex())).unwrap()
}

/// Puts an index into a layout; gives its descriptor.
fn put(layout: &Path, index: &Value) -> Value {
    let bytes = said(index, &json!({ "schemaVersion": 2 })).to_string();
    let digest = Digest::of(bytes.as_bytes());
    fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
    json!({ "digest": digest, "size": bytes.len() })
}

/// Says that an index is the layout's image.
fn name(layout: &Path, index: &Value) {
    fs::write(layout.join("index.json"), json!({ "schemaVersion": 2, "manifests": [index] }).to_string()).unwrap();
}

/// A document that says more.
fn said(document: &Value, more: &Value) -> Value {
    let mut document = document.clone();
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
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
    let write = |side: &str, entries: &[Value], nested: bool| {
        let place = dir.path().join(side);
        layout(&place, &[("gzip", "one")]);
        let manifest = entry(&place);
        let entries: Vec<Value> = entries.iter().map(|more| said(&manifest, more)).collect();
        let mut index = put(&place, &json!({ "manifests": entries }));
        if nested {
            index = put(&place, &json!({ "manifests": [index] }));
        }
        name(&place, &index);
    };
    let on = |architecture: &str| json!({ "platform": { "os": "linux", "architecture": architecture } });
    let compare = |a: &[Value], b: &[Value], nested: bool| {
        write("a", a, nested);
        write("b", b, nested);
        compared(dir.path(), "oci:a", "oci:b")
    };
    for nested in [false, true] {
        let comparison = compare(&[on("amd64"), on("arm64")], &[on("amd64"), on("s390x")], nested);
        assert_eq!((comparison.verdict, comparison.index[0].class), (Verdict::Different, Class::Platform));
        let within = comparison.index[0].within.join(".");
        assert!(within.ends_with("platform.architecture"), "{within}");
        assert_eq!(compare(&[on("amd64")], &[on("amd64")], nested).verdict, Verdict::Identical);
        let plain = dir.path().join("plain");
        layout(&plain, &[("gzip", "one")]);
        let data = STANDARD.encode(blob(&plain, &entry(&plain)));
        let embedded = json!({ "platform": on("amd64")["platform"], "data": data });
        assert_eq!(compare(&[on("amd64")], &[embedded], nested).verdict, Verdict::SameFiles);
    }
}

/// An index may name others, each of which says something itself and is said something of.
#[test]
fn each_index_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    layout(&a, &[("gzip", "one")]);
    layout(&b, &[("gzip", "one")]);
    let manifest = entry(&a);
    // Indices that are named: what each says, and what is said of it.
    let write = |place: &Path, indices: &[(Value, Value)]| {
        let index = |(says, of_it): &(Value, Value)| {
            said(&put(place, &said(&json!({ "manifests": [&manifest] }), says)), of_it)
        };
        put(place, &json!({ "manifests": indices.iter().map(index).collect::<Vec<_>>() }))
    };
    let found = |one: &Value, other: &Value| -> (Verdict, Vec<(String, Class)>) {
        name(&a, one);
        name(&b, other);
        let comparison = compared(dir.path(), "oci:a", "oci:b");
        assert!(comparison.platforms.iter().all(|platform| platform.verdict == Verdict::Identical));
        let found = comparison.index.into_iter().map(|finding| (finding.within.join("."), finding.class));
        (comparison.verdict, found.collect())
    };
    let nothing = json!({});
    let team = |name: &str| json!({ "annotations": { "team": name } });
    let on = |architecture: &str| json!({ "platform": { "os": "linux", "architecture": architecture } });
    for (one, other, expected, class) in [
        ((team("x"), nothing.clone()), (team("y"), nothing.clone()), "(index).annotations.team", Class::Configuration),
        ((nothing.clone(), nothing.clone()), (team("y"), nothing.clone()), "(index).annotations", Class::Configuration),
        ((nothing.clone(), team("x")), (nothing.clone(), team("y")), "annotations.team", Class::Configuration),
        ((nothing.clone(), on("arm64")), (nothing.clone(), on("s390x")), "platform.architecture", Class::Platform),
        (
            (json!({ "mediaType": "application/x" }), nothing.clone()),
            (json!({ "mediaType": "application/y" }), nothing.clone()),
            "(index).mediaType",
            Class::MediaType,
        ),
        (
            (nothing.clone(), nothing.clone()),
            (nothing.clone(), json!({ "mediaType": "x" })),
            "mediaType",
            Class::MediaType,
        ),
    ] {
        let (same, plain) = ((nothing.clone(), nothing.clone()), |at: usize| format!("manifests.{at}.{expected}"));
        let different = |path: String| (Verdict::Different, vec![(path, class)]);
        let (in_a, in_b) = (write(&a, &[same.clone(), one.clone()]), write(&b, &[same.clone(), other.clone()]));
        assert_eq!(found(&in_a, &in_b), different(plain(1)));
        assert_eq!(found(&in_a, &write(&b, &[same.clone(), one.clone()])), (Verdict::Identical, vec![]));
        // One deeper, and at another place.
        let deeper = [(&a, in_a), (&b, in_b)].map(|(place, index)| put(place, &json!({ "manifests": [index] })));
        assert_eq!(found(&deeper[0], &deeper[1]), different(format!("manifests.0.(index).{}", plain(1))));
        if expected.starts_with("(index)") {
            let (in_a, in_b) = (write(&a, &[same.clone(), one]), write(&b, &[other, same]));
            assert_eq!(found(&in_a, &in_b), different(plain(1)));
        }
    }
    // Named by an index between them or not, the images are the same; what that says is another matter.
    let flat = put(&b, &json!({ "manifests": [&manifest] }));
    assert_eq!(found(&write(&a, &[(nothing.clone(), nothing.clone())]), &flat), (Verdict::SameFiles, vec![]));
    let (code, stdout, _) = remint(dir.path(), &["diff", "oci:a", "oci:b"]);
    let told = "the same images: only the index that names them differs";
    assert_eq!((code, stdout.lines().next()), (Some(0), Some(told)), "{stdout}");
    let said = "manifests.0.(index).annotations".to_owned();
    let told = (Verdict::Different, vec![(said.clone(), Class::Configuration)]);
    assert_eq!(found(&write(&a, &[(team("x"), nothing.clone())]), &flat), told);
    // The cure is that of what differs.
    let (code, stdout, _) = {
        name(&a, &write(&a, &[(nothing.clone(), on("arm64"))]));
        name(&b, &write(&b, &[(nothing.clone(), on("s390x"))]));
        remint(dir.path(), &["diff", "oci:a", "oci:b"])
    };
    assert!(code == Some(1) && stdout.contains("manifests.0.platform.architecture: arm64 → s390x"), "{stdout}");
    assert!(stdout.contains("`--platform`") && !stdout.contains("[config]"), "{stdout}");
}

/// Few documents may name each other very often.
#[test]
fn indices_without_end_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("a");
    layout(&place, &[("gzip", "one")]);
    let leaf = put(&place, &json!({ "manifests": [] }));
    let middle = put(&place, &json!({ "manifests": vec![&leaf; 600] }));
    let many = |count: usize| [vec![entry(&place)], vec![middle.clone(); count]].concat();
    for (count, refused) in [(1, false), (2, true), (1000 - 1, true)] {
        let manifests = many(count);
        name(&place, &put(&place, &json!({ "manifests": manifests })));
        let compared = try_compared(dir.path(), "oci:a", "oci:a").map(|comparison| comparison.verdict);
        assert_eq!(compared.as_ref().is_err_and(|error| error.contains("more than 1000 indices")), refused);
        layout(&place, &[("gzip", "one")]);
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

/// `data` of a descriptor is its blob's bytes, for whoever does not fetch it (image-spec, descriptor.md).
#[test]
fn embedded_data_is_the_blob() {
    let dir = tempfile::tempdir().unwrap();
    layout(&dir.path().join("a"), &[("gzip", "one")]);
    layout(&dir.path().join("b"), &[("gzip", "one")]);
    let b = dir.path().join("b");
    let index: Value = serde_json::from_slice(&fs::read(b.join("index.json")).unwrap()).unwrap();
    let index = index["manifests"][0].clone();
    let bytes = blob(&b, &index);
    name(&b, &said(&index, &json!({ "data": STANDARD.encode(&bytes) })));
    assert_eq!(compared(dir.path(), "oci:a", "oci:b").verdict, Verdict::Identical);
    for data in [json!(null), json!("")] {
        name(&b, &said(&index, &json!({ "data": data })));
        assert_eq!(compared(dir.path(), "oci:a", "oci:b").verdict, Verdict::Identical, "{data}");
    }
    let other = format!("whose digest is {}", Digest::of(&bytes[1..]));
    for (data, reason) in [
        (json!(STANDARD.encode(&bytes[1..])), &*other),
        (json!("no base64"), "that is no base64"),
        (json!(7), "that is no base64"),
    ] {
        name(&b, &said(&index, &json!({ "data": data })));
        let error = try_compared(dir.path(), "oci:a", "oci:b").unwrap_err();
        let digest = Digest::of(&bytes);
        assert_eq!(error, format!("`index.json` of `oci:b` embeds `data` for {digest} {reason}"));
    }
}

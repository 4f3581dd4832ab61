//! No difference where there is none: other layers, other encodings, other forms of one image.

use super::compared;
use super::making::{Thing, file, link, pack, tar, thing};
use crate::support::handmade::{self, native, platform};
use remint::image::{Encoding, Image, Output};
use remint::oci::Arch;
use remint::store::Store;
use remint::verify::diff::{Class, Excerpt, Field, Presence, Relation, Verdict};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tar::EntryType;

/// Writes an archive as `docker save` does, of layers that are packed in some way.
fn docker_archive(path: &Path, layers: &[Vec<u8>], how: &[&str], mut config: serde_json::Value) {
    let diff_ids: Vec<String> = layers.iter().map(|layer| remint::digest::Digest::of(layer).to_string()).collect();
    config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["x:latest"], "Layers": names }]);
    let mut things = vec![file("config.json", config.to_string().as_bytes())];
    for ((layer, how), name) in layers.iter().zip(how).zip(&names) {
        things.push(file(name, &pack(how, layer)));
    }
    things.push(file("manifest.json", manifest.to_string().as_bytes()));
    fs::write(path, tar(&things)).unwrap();
}

fn config() -> serde_json::Value {
    json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["x"] } })
}

/// Writes two archives and compares them.
fn archives(a: &[Vec<u8>], how_a: &[&str], b: &[Vec<u8>], how_b: &[&str]) -> remint::verify::diff::Comparison {
    let dir = tempfile::tempdir().unwrap();
    docker_archive(&dir.path().join("a.tar"), a, how_a, config());
    docker_archive(&dir.path().join("b.tar"), b, how_b, config());
    compared(dir.path(), "docker-archive:a.tar", "docker-archive:b.tar")
}

fn directory(path: &str) -> Thing {
    thing(path, EntryType::Directory).mode(0o755)
}

#[test]
fn another_compression_is_no_difference() {
    let layers = [tar(&[file("a", &b"text ".repeat(500))])];
    for (one, other) in
        [("plain", "gzip"), ("gzip", "gzip-fast"), ("zstd", "xz"), ("zstd", "zstd-high"), ("gzip", "zstd")]
    {
        let comparison = archives(&layers, &[one], &layers, &[other]);
        assert_ne!(comparison.verdict, Verdict::Different, "{one} {other}");
        if one.split('-').next() != other.split('-').next() {
            assert_eq!(comparison.verdict, Verdict::SameFiles, "{one} {other}");
            assert_eq!(comparison.platforms[0].layers[0].relation, Relation::OtherEncoding);
        }
    }
}

#[test]
fn the_same_files_in_other_layers_are_no_difference() {
    let whole = [tar(&[
        directory("etc"),
        file("etc/a", b"a"),
        file("etc/b", b"new"),
        directory("opt"),
        file("opt/only", b"o"),
        link("etc/c", "etc/a", EntryType::Link),
        link("etc/l", "a", EntryType::Symlink),
    ])];
    let parts = [
        tar(&[
            directory("etc"),
            file("etc/a", b"a"),
            file("etc/b", b"old"),
            file("etc/gone", b"x"),
            file("opt/x/y", b"h"),
        ]),
        tar(&[file("etc/b", b"new"), file("etc/.wh.gone", b""), link("etc/l", "b", EntryType::Symlink)]),
        tar(&[
            directory("opt"),
            file("opt/.wh..wh..opq", b""),
            file("opt/only", b"o"),
            link("etc/l", "a", EntryType::Symlink),
        ]),
        tar(&[link("etc/c", "etc/a", EntryType::Link)]),
    ];
    let comparison = archives(&whole, &["gzip"], &parts, &["plain", "zstd", "gzip", "xz"]);
    assert_eq!(comparison.verdict, Verdict::SameFiles, "{comparison:#?}");
    assert_eq!(comparison.platforms[0].files, []);
    let relations: Vec<Relation> = comparison.platforms[0].layers.iter().map(|pair| pair.relation).collect();
    assert_eq!(relations, [Relation::Different, Relation::Alone, Relation::Alone, Relation::Alone]);
}

#[test]
fn what_layers_hide_is_told_and_is_no_difference() {
    let top = tar(&[file("etc/.wh.secret", b""), file("etc/a", b"a")]);
    let lower = |text: &[u8]| tar(&[directory("etc"), file("etc/secret", text), file("etc/a", b"0")]);
    let comparison = archives(&[lower(b"one"), top.clone()], &["gzip"; 2], &[lower(b"two"), top], &["gzip"; 2]);
    assert_eq!(comparison.verdict, Verdict::SameFiles, "{comparison:#?}");
    let [first, second] = &comparison.platforms[0].layers[..] else { panic!("{comparison:#?}") };
    assert_eq!((first.relation, second.relation), (Relation::Different, Relation::Same));
    assert_eq!(first.findings[0].within, ["/etc/secret"]);
}

#[test]
fn a_difference_names_the_layers_that_wrote_it() {
    let lower = tar(&[directory("etc"), file("etc/a", b"0")]);
    let upper = |text: &[u8]| tar(&[file("etc/a", text)]);
    let config = |step: &str| {
        let mut config = config();
        config["history"] = json!([{ "created_by": "COPY etc /etc" }, { "created_by": "ENV X=1", "empty_layer": true },
            { "created_by": step }]);
        config
    };
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8], step: &str| {
        docker_archive(&dir.path().join(name), &[lower.clone(), upper(text)], &["gzip"; 2], config(step));
    };
    write("a.tar", b"at 2026-11-23\n", "RUN date > /etc/a");
    write("b.tar", b"at 2026-11-24\n", "RUN date > /etc/a");
    write("c.tar", b"at 2026-11-23\n", "RUN date >> /etc/a");
    let comparison = compared(dir.path(), "docker-archive:a.tar", "docker-archive:b.tar");
    let platform = &comparison.platforms[0];
    let [only] = &platform.files[..] else { panic!("{platform:#?}") };
    assert_eq!((&*only.path, only.layer_a, only.layer_b), ("/etc/a", Some(2), Some(2)));
    let layer = platform.layers[1].b.as_ref().unwrap();
    assert_eq!((layer.created_by.as_deref(), layer.number), (Some("RUN date > /etc/a"), 2));
    let comparison = compared(dir.path(), "docker-archive:a.tar", "docker-archive:c.tar");
    let [value] = &comparison.platforms[0].config[..] else { panic!("{comparison:#?}") };
    assert_eq!((value.within.join("."), value.field), ("history.2.created_by".to_owned(), Field::Value));
    assert_eq!(comparison.verdict, Verdict::Different);
}

#[test]
fn every_form_of_an_image_is_the_same_image() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]);
    handmade::image(&store, "other", Encoding::Gzip, &[native()]);
    for (form, name) in [("oci", "layout"), ("oci-archive", "o.tar"), ("docker-archive", "d.tar"), ("tar", "flat.tar")]
    {
        let output: Output = format!("{form}:{}", dir.path().join(name).display()).parse().unwrap();
        output.write(&store, std::slice::from_ref(&image)).unwrap();
        let comparison = compared(dir.path(), "web", &format!("{form}:{name}"));
        let expected = if form.starts_with("oci") { Verdict::Identical } else { Verdict::SameFiles };
        assert_eq!(comparison.verdict, expected, "{form}: {comparison:#?}");
    }
    for (reference, found) in
        [("oci:layout:web", true), ("docker-archive:d.tar:web", true), ("oci:layout:nothing", false)]
    {
        assert_eq!(super::try_compared(dir.path(), "cache:web", reference).is_ok(), found, "{reference}");
    }
    let comparison = compared(dir.path(), "web", "other");
    assert_eq!(comparison.verdict, Verdict::SameFiles, "{comparison:#?}");
}

/// Since 25, `docker save` writes an image layout with a `manifest.json` beside it, both of which name the same plain layers.
#[test]
fn an_archive_of_two_forms_is_one_image_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Plain, &[native()]);
    let only = &image.platforms[0];
    let blobs = only.layers.iter().map(|layer| layer.blob).chain([only.config, only.manifest]);
    let name = |blob: &remint::oci::Blob| format!("blobs/sha256/{}", blob.digest.hex());
    let names: BTreeSet<(String, PathBuf)> = blobs.map(|blob| (name(&blob), store.blob_path(&blob.digest))).collect();
    let mut things: Vec<Thing> = names.iter().map(|(name, path)| file(name, &fs::read(path).unwrap())).collect();
    let index = json!({ "schemaVersion": 2, "manifests": [{ "mediaType": remint::oci::media::MANIFEST,
        "digest": only.manifest.digest, "size": only.manifest.size, "annotations": {
        "io.containerd.image.name": "library/web:latest", "org.opencontainers.image.ref.name": "latest" } }] });
    let layers: Vec<String> = only.layers.iter().map(|layer| name(&layer.blob)).collect();
    let manifest = json!([{ "Config": name(&only.config), "RepoTags": ["web:latest"], "Layers": layers }]);
    things.push(file("index.json", index.to_string().as_bytes()));
    things.push(file("manifest.json", manifest.to_string().as_bytes()));
    things.push(file("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}"));
    fs::write(dir.path().join("saved.tar"), tar(&things)).unwrap();
    for written in [
        "docker-archive:saved.tar",
        "docker-archive:saved.tar:web",
        "oci-archive:saved.tar",
        "oci-archive:saved.tar:latest",
        "oci-archive:saved.tar:library/web:latest",
    ] {
        let comparison = compared(dir.path(), "web", written);
        assert_eq!((comparison.verdict, comparison.platforms[0].files.len()), (Verdict::Identical, 0), "{written}");
    }
}

#[test]
fn platforms_are_compared_with_their_like() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let both = [Arch::Amd64, Arch::Arm64].map(platform);
    handmade::image(&store, "multi", Encoding::Zstd, &both);
    handmade::image(&store, "gzipped", Encoding::Gzip, &both);
    let single: Image = handmade::image(&store, "single", Encoding::Zstd, &both[..1]);
    let comparison = compared(dir.path(), "multi", "gzipped");
    assert_eq!((comparison.verdict, comparison.platforms.len()), (Verdict::SameFiles, 2));
    let comparison = compared(dir.path(), "multi", "single");
    assert_eq!(comparison.verdict, Verdict::Different);
    assert_eq!(comparison.platforms[1].presence, Presence::OnlyA);
    assert_eq!(comparison.platforms[0].verdict, Verdict::Identical);
    let comparison = compared(dir.path(), "multi@linux/amd64", "single");
    assert_eq!(comparison.verdict, Verdict::Identical, "{comparison:#?}");
    assert_eq!(comparison.b.digest, Some(single.root.digest));
}

#[test]
fn attestations_beside_an_image_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]);
    for (name, text) in [("one", "{\"made\": 1}"), ("two", "{\"made\": 2}")] {
        let attestation = store.put(text.as_bytes()).unwrap();
        let manifest = |blob: remint::oci::Blob, more: serde_json::Value| {
            let mut entry =
                json!({ "digest": blob.digest, "size": blob.size, "mediaType": remint::oci::media::MANIFEST });
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            entry
        };
        let index = json!({ "schemaVersion": 2, "manifests": [
            manifest(image.root, json!({})),
            manifest(attestation, json!({ "platform": { "os": "unknown", "architecture": "unknown" },
                "annotations": { "vnd.docker.reference.type": "attestation-manifest" } })),
        ]});
        let blob = store.put(index.to_string().as_bytes()).unwrap();
        store.set_images(&[remint::store::IndexEntry::new(name, remint::oci::media::INDEX, blob)]).unwrap();
    }
    let comparison = compared(dir.path(), "one", "two");
    assert_eq!((comparison.verdict, comparison.index[0].class), (Verdict::Different, Class::Attestation));
    assert_eq!(comparison.platforms[0].verdict, Verdict::Identical);
}

/// A file too large for memory is compared by the piece in which the difference lies.
#[test]
fn a_large_file_is_compared_by_a_piece() {
    let mut bytes: Vec<u8> =
        (0..20_u32 << 20).map(|at| u8::try_from(at.wrapping_mul(7919) >> 11 & 0xff).unwrap()).collect();
    let a = tar(&[file("big", &bytes)]);
    bytes[17 << 20] ^= 1;
    let b = tar(&[file("big", &bytes)]);
    let comparison = archives(&[a], &["plain"], &[b], &["zstd"]);
    let finding = &comparison.platforms[0].files[0].findings[0];
    assert_eq!((finding.class, finding.offset), (Class::Content, Some(17 << 20)), "{finding:?}");
    let Some(Excerpt::Hex { a, .. }) = &finding.excerpt else { panic!("{finding:?}") };
    assert!(a[0].starts_with("010ffff0"), "counted from the file's beginning: {a:?}");
}

#[test]
fn damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]);
    handmade::image(&store, "other", Encoding::Plain, &[native()]);
    let layer = store.blob_path(&image.platforms[0].layers[0].blob.digest);
    let mut bytes = fs::read(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&layer, bytes).unwrap();
    let error = super::try_compared(dir.path(), "web", "other").unwrap_err();
    assert!(error.contains("is damaged: expected sha256:"), "{error}");
}

//! Images that mean harm: each is refused by name, or compared without harm, and never taken for the answer.

use super::making::{Thing, file, link, pack, tar, thing};
use super::{remint, try_compared};
use remint::digest::Digest;
use remint::image::DockerArchive;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tar::EntryType;

/// Writes a layout of one image whose documents were changed before they were named.
fn layout(dir: &Path, layer: &[u8], change: impl Fn(&mut Value, &mut Value)) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        json!({ "digest": digest, "size": bytes.len(), "mediaType": "application/vnd.oci.image.manifest.v1+json" })
    };
    let mut config = json!({ "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(layer)] } });
    let mut manifest = json!({ "schemaVersion": 2, "layers": [put(layer)] });
    change(&mut config, &mut manifest);
    manifest["config"] = put(config.to_string().as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [put(manifest.to_string().as_bytes())] });
    fs::write(dir.join("index.json"), index.to_string()).unwrap();
    fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
}

fn plain() -> Vec<u8> {
    tar(&[file("etc/a", b"a")])
}

/// What is changed in an image, and the words of its refusal.
type Case = (&'static str, fn(&Path), &'static str);

const CASES: &[Case] = &[
    (
        "another DiffId",
        |dir| layout(dir, &plain(), |config, _| config["rootfs"]["diff_ids"][0] = json!(Digest::of(b"x"))),
        "another DiffId",
    ),
    (
        "a configuration of a great many values",
        |dir| layout(dir, &plain(), |config, _| config["x"] = json!(vec![json!({ "": 0 }); 100_000])),
        "has more values than a document may have",
    ),
    (
        "another DiffId of a packed layer",
        |dir| {
            layout(dir, &pack("gzip", &plain()), |config, _| config["rootfs"]["diff_ids"][0] = json!(Digest::of(b"x")));
        },
        "another DiffId",
    ),
    ("no DiffIds", |dir| layout(dir, &plain(), |config, _| config["rootfs"] = json!({})), "has no DiffIds"),
    (
        "an architecture without end",
        |dir| layout(dir, &plain(), |config, _| config["architecture"] = json!("a".repeat(3 << 20))),
        "says more than 100 bytes under `architecture`",
    ),
    (
        "a variant without end",
        |dir| layout(dir, &plain(), |config, _| config["variant"] = json!("a".repeat(101))),
        "says more than 100 bytes under `variant`",
    ),
    (
        "an attestation of a kind without end",
        |dir| {
            layout(dir, &plain(), |_, _| {});
            let mut index = serde_json::from_slice::<Value>(&fs::read(dir.join("index.json")).unwrap()).unwrap();
            index["manifests"][0]["annotations"] = json!({ "vnd.docker.reference.type": "a".repeat(101) });
            fs::write(dir.join("index.json"), index.to_string()).unwrap();
        },
        "says more than 100 bytes under `vnd.docker.reference.type`",
    ),
    (
        "more layers than DiffIds",
        |dir| {
            layout(dir, &plain(), |_, manifest| {
                let layer = manifest["layers"][0].clone();
                manifest["layers"] = json!([layer, layer]);
            });
        },
        "has 2 layers, its config has 1 DiffIds",
    ),
    (
        "a layer of another size",
        |dir| layout(dir, &plain(), |_, manifest| manifest["layers"][0]["size"] = json!(9)),
        "is damaged",
    ),
    (
        "a layer of an absurd size",
        |dir| layout(dir, &plain(), |_, manifest| manifest["layers"][0]["size"] = json!(u64::MAX)),
        "is damaged",
    ),
    (
        "a layer that is not there",
        |dir| layout(dir, &plain(), |_, manifest| manifest["layers"][0]["digest"] = json!(Digest::of(b"x"))),
        "has no `blobs/sha256/",
    ),
    (
        "a digest that is none",
        |dir| {
            layout(dir, &plain(), |_, manifest| manifest["layers"][0]["digest"] = json!("sha256:../../../etc/passwd"));
        },
        "without a size or a sha256 digest",
    ),
    (
        "very many layers",
        |dir| {
            layout(dir, &plain(), |config, manifest| {
                manifest["layers"] = json!(vec![manifest["layers"][0].clone(); 3000]);
                config["rootfs"]["diff_ids"] = json!(vec![config["rootfs"]["diff_ids"][0].clone(); 3000]);
            });
        },
        "has more than 2000 layers",
    ),
    (
        "another blob",
        |dir| {
            layout(dir, &plain(), |_, _| {});
            fs::write(dir.join("blobs/sha256").join(Digest::of(&plain()).hex()), vec![0; plain().len()]).unwrap();
        },
        "is damaged",
    ),
    (
        "another blob of the same tar",
        |dir| {
            layout(dir, &pack("gzip", &plain()), |config, _| {
                config["rootfs"]["diff_ids"][0] = json!(Digest::of(&plain()));
            });
            let mut blob = pack("gzip", &plain());
            let name = Digest::of(&blob).hex();
            blob[4] ^= 1; // the time of its making (RFC 1952, section 2.3.1)
            fs::write(dir.join("blobs/sha256").join(name), blob).unwrap();
        },
        "is damaged",
    ),
    (
        "a cut blob",
        |dir| {
            layout(dir, &pack("gzip", &plain()), |config, _| {
                config["rootfs"]["diff_ids"][0] = json!(Digest::of(&plain()));
            });
            let blob = dir.join("blobs/sha256").join(Digest::of(&pack("gzip", &plain())).hex());
            fs::write(&blob, &pack("gzip", &plain())[..40]).unwrap();
        },
        "is damaged",
    ),
    ("a layer that is no tar", |dir| layout(dir, &[7; 2000], |_, _| {}), "cannot be compared"),
    (
        "a hard link to nothing",
        |dir| layout(dir, &tar(&[link("a", "b", EntryType::Link)]), |_, _| {}),
        "to `/b`, which is not there",
    ),
    (
        "hard links in a circle",
        |dir| layout(dir, &tar(&[link("a", "b", EntryType::Link), link("b", "a", EntryType::Link)]), |_, _| {}),
        "which is not there",
    ),
    (
        "an index in itself",
        |dir| {
            // No index can name its own digest: it is as deep as it gets.
            layout(dir, &plain(), |_, _| {});
            let mut below = serde_json::from_slice::<Value>(&fs::read(dir.join("index.json")).unwrap()).unwrap();
            for _ in 0..6 {
                let bytes = below.to_string();
                let digest = Digest::of(bytes.as_bytes());
                fs::write(dir.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
                below = json!({ "schemaVersion": 2, "manifests": [{ "digest": digest, "size": bytes.len(),
                "mediaType": "application/vnd.oci.image.index.v1+json" }] });
            }
            fs::write(dir.join("index.json"), below.to_string()).unwrap();
        },
        "is an index more than 3 deep",
    ),
    (
        "an index of very many",
        |dir| {
            layout(dir, &plain(), |_, _| {});
            let one = json!({ "digest": Digest::of(b"x"), "size": 1 });
            fs::write(dir.join("index.json"), json!({ "manifests": vec![one; 1001] }).to_string()).unwrap();
        },
        "names more than 1000 images",
    ),
    (
        "an index that is deep JSON",
        |dir| {
            layout(dir, &plain(), |_, _| {});
            fs::write(dir.join("index.json"), "[".repeat(200_000)).unwrap();
        },
        "is not as the image specification says",
    ),
    (
        "a document that is too long",
        |dir| {
            layout(dir, &plain(), |_, _| {});
            fs::write(dir.join("index.json"), " ".repeat((16 << 20) + 1)).unwrap();
        },
        "has more than the 16777216 bytes",
    ),
];

#[test]
fn each_hostile_image_is_refused_by_name() {
    for (name, make, expected) in CASES {
        let dir = tempfile::tempdir().unwrap();
        let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
        layout(&good, &tar(&[file("etc/a", b"good")]), |_, _| {});
        make(&bad);
        let error = try_compared(dir.path(), "oci:good", "oci:bad").map(|comparison| comparison.verdict).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(error.contains("oci:bad"), "{name}: the image is not named: {error}");
        let (code, stdout, stderr) = remint(dir.path(), &["diff", "oci:bad", "oci:good"]);
        assert_eq!((code, &*stdout), (Some(4), ""), "{name}: {stderr}");
    }
}

/// A failure never looks like an answer: 1 is for images that differ, and for nothing else.
#[test]
fn what_is_no_answer_has_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.tar"), plain()).unwrap();
    fs::write(dir.path().join("cut.tar"), &tar(&[file("x", &[7; 2000])])[..1500]).unwrap();
    fs::write(dir.path().join("text"), "no archive\n").unwrap();
    fs::write(dir.path().join("long"), "no archive\n".repeat(500)).unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    for (other, code) in [
        ("tar:missing", 2),
        ("tar:a.tar", 0),
        ("tar:cut.tar", 4),
        ("tar:text", 2),
        ("tar:long", 2),
        ("tar:empty", 2),
        ("oci:empty", 2),
        ("oci:missing", 2),
        ("oci-archive:missing", 2),
        ("docker-archive:a.tar", 2),
        ("docker-archive:cut.tar", 4),
        ("oci-archive:cut.tar", 4),
        ("docker-archive:text", 2),
        ("oci-archive:text", 2),
        ("oci-archive:long", 2),
        ("tar:/dev/null", 2),
        ("web", 2),
    ] {
        let (found, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", other]);
        assert_eq!(found, Some(code), "{other}: {stderr}");
    }
    for (other, expected) in [
        ("oci:missing", "there is no directory `missing`"),
        ("oci:missing:web", "there is no directory `missing:web`"),
        ("oci:text", "`oci:text` is not a directory"),
        ("oci:empty", "`oci:empty` has no `index.json`"),
        ("tar:missing", "there is no file `missing`"),
        ("tar:/dev/null", "`tar:/dev/null` is not a file"),
        ("tar:empty", "`tar:empty` is not a file"),
    ] {
        let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", other]);
        assert!(code == Some(2) && stderr.contains(expected), "{other}: {stderr}");
    }
    let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", "tar:a.tar", "--report", "no/such/page.html"]);
    assert!(code == Some(2) && stderr.contains("cannot write"), "{stderr}");
}

/// An archive that ends early is told from a file that is none, and where it ends.
#[test]
fn a_truncated_archive_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let whole = tar(&[file("x", &[7; 2000]), file("y", b"y")]);
    fs::write(dir.path().join("a.tar"), &whole).unwrap();
    fs::write(dir.path().join("text"), "no archive\n".repeat(500)).unwrap();
    fs::write(dir.path().join("short"), "no archive\n").unwrap();
    for (name, how) in [("tar.gz", "gzip"), ("tar.zst", "zstd"), ("tar.xz", "xz")] {
        let bytes = pack(how, &whole);
        let end = bytes.len() - 9;
        fs::write(dir.path().join(format!("cut.{name}")), &bytes[..end]).unwrap();
        let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", &format!("tar:cut.{name}")]);
        assert!(code == Some(4) && stderr.contains(&format!("cut.{name}` ends at byte {end}, ")), "{stderr}");
    }
    // In a content, behind it, in the second header, in front of the zeros at the end; in the first header.
    for end in [700, 2512, 2560, 3000, whole.len() - 1024, 300] {
        fs::write(dir.path().join("cut.tar"), &whole[..end]).unwrap();
        for kind in ["tar", "docker-archive", "oci-archive"] {
            let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", &format!("{kind}:cut.tar")]);
            assert_eq!(code, Some(4), "{kind} {end}: {stderr}");
            let place = match end {
                700 => "inside `x`, whose header says 2000 bytes",
                _ => "before the tar in it does",
            };
            let told = format!("cut.tar` ends at byte {end}, {place}\n");
            assert!(stderr.contains(&told), "{kind} {end}: {stderr}");
            assert!(stderr.contains("hint: copy, download or save it again"), "{kind} {end}: {stderr}");
        }
    }
    // A header that lies is not told from a file that is cut.
    let mut lying = whole.clone();
    lying[124..135].copy_from_slice(b"00000777777");
    lying[148..156].fill(b' ');
    let sum: u32 = lying[..512].iter().map(|&byte| u32::from(byte)).sum();
    lying[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    for (name, bytes) in [("lying.tar", lying.clone()), ("lying.tar.gz", pack("gzip", &lying))] {
        fs::write(dir.path().join(name), &bytes).unwrap();
        let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", &format!("tar:{name}")]);
        let told = format!("{name}` ends at byte {}, inside `x`, whose header says 262143 bytes\n", bytes.len());
        assert!(code == Some(4) && stderr.contains(&told), "{stderr}");
        assert!(stderr.contains("either it is cut off, or a header in it is wrong"), "{stderr}");
    }
    fs::write(dir.path().join("few"), "12345").unwrap();
    fs::write(dir.path().join("none"), "").unwrap();
    for (name, size) in [
        ("text", "a file of 5500 bytes"),
        ("short", "a file of 11 bytes"),
        ("few", "a file of 5 bytes"),
        ("none", "an empty file"),
    ] {
        for kind in ["tar", "docker-archive", "oci-archive"] {
            let (code, _, stderr) = remint(dir.path(), &["diff", "tar:a.tar", &format!("{kind}:{name}")]);
            let told = format!("{name}`, {size}, is not a tar archive\n");
            assert!(code == Some(2) && stderr.contains(&told), "{kind} {name}: {stderr}");
            assert!(
                stderr.contains("hint: give what `docker save`") && !stderr.contains("caused"),
                "{kind} {name}: {stderr}"
            );
        }
    }
}

#[test]
fn a_name_of_several_images_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let line = |config: &str| json!({ "Config": config, "RepoTags": ["web:latest"], "Layers": [] });
    let entry = |manifest: &[u8]| {
        json!({
            "digest": Digest::of(manifest),
            "size": manifest.len(),
            "annotations": { "org.opencontainers.image.ref.name": "web" },
        })
    };
    let write = |a: (&str, &[u8]), b: (&str, &[u8])| {
        let manifest = json!([line(a.0), line(b.0)]).to_string();
        fs::write(dir.path().join("d.tar"), tar(&[file("manifest.json", manifest.as_bytes())])).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": [entry(a.1), entry(b.1)] }).to_string();
        fs::write(dir.path().join("o.tar"), tar(&[file("index.json", index.as_bytes())])).unwrap();
        ["docker-archive:d.tar", "oci-archive:o.tar"]
            .map(|place| try_compared(dir.path(), &format!("{place}:web"), "tar:d.tar").unwrap_err())
    };
    let [docker, layout] = write(("a.json", b"a"), ("b.json", b"b"));
    assert_eq!(docker, "several images of `docker-archive:d.tar:web` are called `web`: a.json, b.json");
    let mut digests = [Digest::of(b"a").to_string(), Digest::of(b"b").to_string()];
    digests.sort();
    let digests = digests.join(", ");
    assert_eq!(layout, format!("several images of `oci-archive:o.tar:web` are called `web`: {digests}"));
    // One image that stands there twice is one: what is told is what it lacks here.
    for error in write(("a.json", b"a"), ("a.json", b"a")) {
        assert!(error.contains("has no `"), "{error}");
    }
}

/// Many lines of an archive may name one configuration, which is read once.
#[test]
fn an_archive_names_a_bounded_number_of_images() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.tar");
    let config = json!({ "x": "a".repeat(4 << 20) }).to_string();
    let opened = |lines: usize| {
        let manifest = json!(vec![json!({ "Config": "config.json", "Layers": [] }); lines]).to_string();
        let things = [file("manifest.json", manifest.as_bytes()), file("config.json", config.as_bytes())];
        fs::write(&path, tar(&things)).unwrap();
        DockerArchive::open("docker-archive:docker.tar".to_owned(), &path)
    };
    let error = opened(1001).unwrap_err().to_string();
    assert_eq!(error, "`manifest.json` of `docker-archive:docker.tar` names more than 1000 images");
    let archive = opened(1000).unwrap();
    let begun = Instant::now();
    let titles = archive.titles();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(titles, vec![Digest::of(config.as_bytes()).to_string(); 1000]);
}

/// Paths and links that lead out or round in circles are compared as what they are: texts.
#[test]
fn circles_and_ways_out_are_only_names() {
    let dir = tempfile::tempdir().unwrap();
    let side = |to: &str| -> Vec<Thing> {
        vec![
            link("a", "b", EntryType::Symlink),
            link("b", "a", EntryType::Symlink),
            link("self", "self", EntryType::Symlink),
            link("out", to, EntryType::Symlink),
            thing("d", EntryType::Directory).mode(0o755),
            link("d/up", "../d", EntryType::Symlink),
        ]
    };
    fs::write(dir.path().join("a.tar"), tar(&side("../../../../etc/passwd"))).unwrap();
    fs::write(dir.path().join("b.tar"), tar(&side("/etc/shadow"))).unwrap();
    let comparison = super::compared(dir.path(), "tar:a.tar", "tar:b.tar");
    let paths: Vec<&str> = comparison.platforms[0].files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, ["/out"]);
    let nested = (0..40).fold(b"x".to_vec(), |inner, _| pack("gzip", &inner));
    let other = (0..40).fold(b"y".to_vec(), |inner, _| pack("gzip", &inner));
    let comparison = super::compared_tars(&[file("deep.gz", &nested)], &[file("deep.gz", &other)]);
    let finding = &comparison.platforms[0].files[0].findings[0];
    assert!(finding.within.len() <= 6, "{finding:?}");
    assert!(finding.note.as_ref().is_some_and(|note| note.contains("5 deep in others")), "{finding:?}");
}

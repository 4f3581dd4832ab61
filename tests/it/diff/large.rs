//! Pairs of images of 500 MiB each: verdict, paths and classes right, in memory that does not grow with them.

use super::compared;
use super::corpus::{cases, together};
use super::making::{Thing, append, tar};
use super::taken::put;
use crate::support::judge;
use remint::digest::Digest;
use remint::verify::diff::{Class, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How many files there are, and how large each is in bytes: 500 MiB together.
const FILES: usize = 125;
const SIZE: usize = 4 << 20;

/// The most memory that the command may take, in MiB.
const MOST: u64 = 200;

/// Writes a root file system of many files without two equal blocks, some of them changed, with others between them.
fn write(path: &Path, things: &[Thing], change: impl Fn(usize, &mut [u8])) {
    let mut builder = tar::Builder::new(BufWriter::with_capacity(1 << 20, File::create(path).unwrap()));
    let noise: Vec<u8> =
        (0..u32::try_from(SIZE).unwrap()).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    for number in 0..FILES {
        let mut content = noise.clone();
        for block in content.chunks_mut(4096).enumerate() {
            block.1[..16].copy_from_slice(&[(number as u64).to_le_bytes(), (block.0 as u64).to_le_bytes()].concat());
        }
        change(number, &mut content);
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, format!("large/{number:03}"), &content[..]).unwrap();
        let place = |number: usize| things.len() * number / FILES;
        append(&mut builder, &things[place(number)..place(number + 1)]);
    }
    builder.into_inner().unwrap().flush().unwrap();
}

/// The whole corpus at once, and differences in the midst of large files.
#[test]
fn a_large_pair_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, mut expected) = together();
    write(&dir.path().join("a.tar"), &a, |number, content| {
        if number == 90 {
            content[3_000_000..3_000_024].copy_from_slice(b"\0made 2026-11-23 by me\0\0");
        }
    });
    write(&dir.path().join("b.tar"), &b, |number, content| match number {
        7 => content[4_000_001] ^= 1,
        90 => content[3_000_000..3_000_024].copy_from_slice(b"\0made 2026-11-24 by me\0\0"),
        _ => {}
    });
    expected.extend([("/large/007".to_owned(), Class::Content), ("/large/090".to_owned(), Class::Timestamp)]);
    assert!(expected.len() > 85, "{}", expected.len());
    for side in ["a.tar", "b.tar"] {
        assert!(fs::metadata(dir.path().join(side)).unwrap().len() > 500 << 20);
    }
    let (found, peak) = by_the_command(dir.path(), &["diff", "tar:a.tar", "tar:b.tar", "--format", "json"]);
    assert_eq!(found["verdict"], "different");
    let files = found["platforms"][0]["files"].as_array().unwrap();
    let classes: BTreeMap<String, Value> = files
        .iter()
        .map(|file| (file["path"].as_str().unwrap().to_owned(), file["findings"][0]["class"].clone()))
        .collect();
    let expected: BTreeMap<String, Value> = expected.into_iter().map(|(path, class)| (path, json!(class))).collect();
    assert_eq!(classes, expected);
    let offset = |path: &str| {
        let file = files.iter().find(|file| file["path"] == path).unwrap();
        file["findings"][0]["offset"].as_u64().unwrap()
    };
    assert_eq!((offset("/large/007"), offset("/large/090")), (4_000_001, 3_000_015));
    assert!((4..=MOST).contains(&peak), "{peak} MiB");
}

/// Runs the command as a process of its own; gives what it said, and the most memory that it had, in MiB.
fn by_the_command(dir: &Path, words: &[&str]) -> (Value, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
    command.env_clear().current_dir(dir).args(words).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        stdout.read_to_end(&mut said).map(|_| said)
    });
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(&child).unwrap_or(0));
        sleep(Duration::from_millis(1));
    }
    let said = reader.join().unwrap().unwrap();
    (serde_json::from_slice(&said).unwrap(), most)
}

/// The most memory that a process had so far, in MiB (proc(5), `VmHWM`); nothing once it ended.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib >> 10)
}

/// Each case alone, over a layer of 500 MiB that is read for each of them.
#[test]
fn each_case_alone_is_told_in_a_large_pair() {
    if !judge::long() {
        return judge::skipped("REMINT_TEST_LONG compares each case in a pair of 500 MiB of its own");
    }
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    let filler = dir.path().join("filler.tar");
    write(&filler, &[], |_, _| ());
    let size = fs::metadata(&filler).unwrap().len();
    let digest = Digest::of(&fs::read(&filler).unwrap());
    fs::rename(&filler, layout.join("blobs/sha256").join(digest.hex())).unwrap();
    let layer = |digest: Value, size: u64| json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size });
    let image = |name: &str, things: &[Thing]| {
        let mut upper = layer(Value::Null, 0);
        put(&layout, &tar(things), &mut upper);
        let config = json!({ "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [digest, upper["digest"]] } });
        let mut manifest = json!({ "schemaVersion": 2, "layers": [layer(json!(digest), size), upper],
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json" } });
        put(&layout, config.to_string().as_bytes(), &mut manifest["config"]);
        let mut entry = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "annotations": { "org.opencontainers.image.ref.name": name } });
        put(&layout, manifest.to_string().as_bytes(), &mut entry);
        entry
    };
    let mut wrong = Vec::new();
    for case in cases() {
        let entries = [image("a", &case.a), image("b", &case.b)];
        fs::write(layout.join("index.json"), json!({ "schemaVersion": 2, "manifests": entries }).to_string()).unwrap();
        let comparison = compared(dir.path(), "oci:layout:a", "oci:layout:b");
        let platform = &comparison.platforms[0];
        let read = platform.layers[0].a.as_ref().unwrap();
        assert!(read.encoding.is_some() && read.size.unwrap() > 500 << 20, "the large layer was not read: {read:?}");
        let found: Vec<(&str, Class)> =
            platform.files.iter().map(|file| (&*file.path, file.findings[0].class)).collect();
        if found != case.expected || comparison.verdict != Verdict::Different {
            wrong.push(format!("{}: expected {:?}, found {found:?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Programs that others wrote say what is in our layers.

use super::tree::{devices, directory_entries, fragments, large, layer, tricky};
use remint::digest::Digest;
use remint::layer::{CONSTANT_MTIME, Codec, END, Entry, Index, Kind};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A program to judge, or `None` if it is not installed and need not be.
#[expect(clippy::disallowed_methods, reason = "whether a judge may be missing is the environment's to say")]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn judge(program: &str) -> Option<Command> {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        return Some(command);
    }
    assert!(std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_none(), "`{program}` is required and missing");
    println!("skipped: `{program}` is not installed");
    None
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{stderr}");
    assert!(stderr.is_empty(), "{command:?} complains:\n{stderr}");
    String::from_utf8(stdout).unwrap()
}

/// The layer's tar.
fn tar(with_devices: bool) -> (Vec<u8>, Vec<Index>) {
    let (fragments, indices) = fragments(with_devices);
    ([&fragments.concat()[..], &END].concat(), indices)
}

fn entries(indices: &[Index]) -> impl Iterator<Item = &Entry> {
    indices.iter().flat_map(Index::entries).map(|indexed| &indexed.entry)
}

#[test]
fn gnu_tar_lists_every_entry() {
    let Some(mut command) = judge("tar") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("layer.tar");
    let (bytes, indices) = tar(true);
    fs::write(&file, bytes).unwrap();
    let listed = run(command.args(["--quoting-style=literal", "-tf"]).arg(&file));
    let directories = directory_entries();
    let expected: Vec<String> = directories
        .iter()
        .map(|entry| format!("{}/", entry.path))
        .chain(entries(&indices).map(|entry| entry.path.to_string()))
        .collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn gnu_tar_unpacks_what_it_then_finds_no_difference_in() {
    let Some(mut unpack) = judge("tar") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("layer.tar");
    let (bytes, indices) = tar(false);
    fs::write(&file, bytes).unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    // Owners and extended attributes are root's to give; Python below sees them in the archive.
    // Some times are in the future, which it warns of.
    let options = ["--warning=no-timestamp", "--no-same-owner", "--no-xattrs", "--delay-directory-restore", "-xpf"];
    run(unpack.args(options).arg(&file).arg("-C").arg(&root));
    let found = found(&root);
    let expected: BTreeSet<_> = entries(&indices).map(|entry| entry.path.to_string()).collect();
    assert_eq!(found, expected);
    for (entry, content) in tricky().iter().chain(large().iter().flatten()) {
        if matches!(entry.kind, Kind::File { .. }) {
            assert!(fs::read(root.join(entry.path.as_str())).unwrap() == *content, "{}", entry.path);
        }
    }
    let mut compare = Command::new("tar");
    let output = compare
        .env("LC_ALL", "C")
        .args(["--compare", "--no-xattrs", "-f"])
        .arg(&file)
        .arg("-C")
        .arg(&root)
        .output()
        .unwrap();
    let differences = String::from_utf8_lossy(&output.stdout).into_owned();
    let owners = |line: &str| line.ends_with("Uid differs") || line.ends_with("Gid differs");
    assert!(differences.lines().all(owners), "{differences}");
}

/// Every path below a directory that is no directory.
fn found(root: &Path) -> BTreeSet<String> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Prints every field of every member.
const PYTHON: &str = r#"
import hashlib, json, sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    for m in archive:
        xattrs = {k[13:]: v.encode("utf-8", "surrogateescape").hex() for k, v in m.pax_headers.items() if k.startswith("SCHILY.xattr.")}
        digest = hashlib.sha256(archive.extractfile(m).read()).hexdigest() if m.isreg() else ""
        device = [m.devmajor, m.devminor] if m.isdev() and not m.isfifo() else []
        print(json.dumps([m.name, m.type.decode(), m.mode, m.uid, m.gid, int(m.mtime), m.uname + m.gname, m.linkname, device, xattrs, digest]))
"#;

#[test]
fn python_reads_every_field() {
    let Some(mut command) = judge("python3") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("layer.tar");
    let (bytes, indices) = tar(true);
    fs::write(&file, &bytes).unwrap();
    let found: Vec<serde_json::Value> =
        run(command.args(["-c", PYTHON]).arg(&file)).lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let contents: Vec<_> = tricky().into_iter().chain(devices()).chain(large().into_iter().flatten()).collect();
    let directories = directory_entries();
    let expected: Vec<_> = directories.iter().chain(entries(&indices)).map(|entry| member(entry, &contents)).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

/// What [`PYTHON`] should print of an entry.
fn member(entry: &Entry, contents: &[(Entry, Vec<u8>)]) -> serde_json::Value {
    let (mut link, mut device, mut digest) = (String::new(), Vec::new(), String::new());
    let kind = match &entry.kind {
        Kind::File { .. } => {
            // The first name of a hard link has the content of another name in the archive.
            let name = if entry.path.as_str() == "usr/bin/aa" {
                "usr/bin/zz-first-in-the-archive"
            } else {
                entry.path.as_str()
            };
            let content =
                contents.iter().find(|(other, _)| other.path.as_str() == name).map(|(_, content)| content).unwrap();
            digest = Digest::of(content).hex();
            "0"
        }
        Kind::Hardlink { target } => {
            link = target.to_string();
            "1"
        }
        Kind::Symlink { target } => {
            link.clone_from(target);
            "2"
        }
        Kind::CharDevice { major, minor } => {
            device = vec![*major, *minor];
            "3"
        }
        Kind::BlockDevice { major, minor } => {
            device = vec![*major, *minor];
            "4"
        }
        Kind::Directory => "5",
        Kind::Fifo => "6",
    };
    let mtime = if entry.is_directory() { CONSTANT_MTIME } else { entry.mtime };
    let hex = |value: &[u8]| {
        value
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect::<String>()
    };
    let xattrs: serde_json::Map<_, _> =
        entry.xattrs.iter().map(|(name, value)| (name.clone(), hex(value).into())).collect();
    serde_json::json!([
        entry.path.as_str(),
        kind,
        entry.mode,
        entry.uid,
        entry.gid,
        mtime,
        "",
        link,
        device,
        xattrs,
        digest
    ])
}

#[test]
fn bsdtar_lists_every_entry() {
    let Some(mut command) = judge("bsdtar") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("layer.tar");
    let (bytes, indices) = tar(true);
    fs::write(&file, bytes).unwrap();
    let listed = run(command.arg("-tf").arg(&file));
    assert_eq!(listed.lines().count(), directory_entries().len() + entries(&indices).count());
}

#[test]
fn zstd_and_gzip_find_the_tar_in_the_blob() {
    for (codec, program) in [(Codec::Zstd, "zstd"), (Codec::Gzip, "gzip")] {
        let Some(mut test) = judge(program) else { continue };
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(format!("layer.{program}"));
        let (packed, blob) = layer(codec, &fragments(true).0);
        fs::write(&file, blob).unwrap();
        let ok = test.arg("-tq").stdin(fs::File::open(&file).unwrap()).status().unwrap();
        assert!(ok.success());
        let output = Command::new(program).arg("-dc").stdin(fs::File::open(&file).unwrap()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        assert_eq!(Digest::of(&output.stdout), packed.diff_id.0);
    }
}

//! Packages, judged by dpkg-deb.

use crate::support::archive::{File, Package, ar, pack, tar};
use crate::support::judge::find;
use crate::support::random::random;
use remint::source::debian::Deb;
use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;

/// What a package unpacks, and its control files, as `tar` lists the two parts that `dpkg-deb` takes out.
fn dpkg_deb(arguments: &[&str], deb: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("package.deb");
    std::fs::write(&path, deb).unwrap();
    let out = Command::new("dpkg-deb").args(arguments).arg(&path).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

pub(crate) fn compare_with_dpkg_deb(name: &str, bytes: &[u8]) {
    let deb = Deb::open(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut control = tar::Archive::new(std::io::Cursor::new(dpkg_deb(&["--ctrl-tarfile"], bytes)));
    let mut theirs = BTreeMap::new();
    for entry in control.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            theirs.insert(path, (content, entry.header().mode().unwrap() & 0o111 != 0));
        }
    }
    let ours: BTreeMap<_, _> =
        deb.control_files().iter().map(|(name, file)| (name.clone(), (file.bytes.clone(), file.executable))).collect();
    assert!(ours == theirs, "{name}: the control parts differ");
    for field in ["Package", "Version", "Architecture", "Depends"] {
        let theirs = dpkg_deb(&["--showformat", &format!("${{{field}}}"), "--show"], bytes);
        assert_eq!(deb.control().unwrap().get(field).unwrap_or_default().as_bytes(), theirs, "{name}: {field}");
    }
    let (mut data, expected) = (Vec::new(), dpkg_deb(&["--fsys-tarfile"], bytes));
    deb.into_data(expected.len() as u64).unwrap().read_to_end(&mut data).unwrap();
    assert!(data == expected, "{name}: the data parts differ");
    let short = Deb::open(bytes).unwrap().into_data(expected.len() as u64 - 1).unwrap().read_to_end(&mut data);
    assert!(short.unwrap_err().to_string().contains("expands to more than"), "{name}");
}

fn plain(content: &[u8]) -> File {
    File::Plain { content: content.to_vec(), mode: 0o644 }
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(&format!(": {error}"));
        cause = error.source();
    }
    said
}

/// Containers in the words of deb(5) and ar(5) that other programs write, or that no program does: what each is refused for.
#[test]
fn containers_that_are_odd_are_refused_by_name() {
    let good = sample("gz").deb();
    let control = good[72..].to_vec();
    let header = |name: &str, size: &str| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644);
    let after = |first: String| [b"!<arch>\n", first.as_bytes(), &control[..]].concat();
    let binary = format!("{}2.0\n", header("debian-binary", "4"));
    let then = |more: String| [b"!<arch>\n", binary.as_bytes(), more.as_bytes(), &control[..]].concat();
    for (name, file, words) in [
        ("nothing", vec![], "cannot read"),
        ("another file", b"PK\x03\x04 and more".to_vec(), "does not begin with `!<arch>`"),
        ("a thin archive", b"!<thin>\n".repeat(9), "does not begin with `!<arch>`"),
        ("an empty archive", b"!<arch>\n".to_vec(), "it is empty"),
        ("a long first member", after(header("debian-binary", "101")), "not `debian-binary`"),
        ("a first member beyond the end", after(header("debian-binary", "9999999999")), "not `debian-binary`"),
        ("a table of long names", after(header("//", "4") + "abc\n"), "no valid header"),
        ("BSD's long name", after(header("#1/4", "8") + "a..b2.0\n"), "no valid header"),
        ("a table of symbols", after(header("/", "4") + "\0\0\0\0"), "no valid header"),
        ("a name with a path", then(header("../control.tar", "0")), "no valid header"),
        ("a size that is negative", then(header("_x", "-1")), "no valid header"),
        ("a size in octal words", then(header("_x", "0x10")), "no valid header"),
        ("no size", then(header("_x", "")), "no valid header"),
        ("a member beyond the end", then(header("_x", "9999999999")), "cut off"),
        ("data before control", then(header("data.tar.xz", "0")), "no control part"),
        ("a foreign member", then(header("evil", "0")), "no control part"),
        ("control in lzma", then(header("control.tar.lzma", "0")), "`control.tar.lzma` is packed"),
        ("control in a form that is none", then(header("control.tar.", "0")), "`control.tar.` is packed"),
    ] {
        let error = Deb::open(&file[..]).err().unwrap_or_else(|| panic!("{name} is taken"));
        assert!(chain(&error).contains(words), "{name}: {}", chain(&error));
    }
}

fn sample(packing: &'static str) -> Package {
    Package::new("sample", "1:1.0-1")
        .packed(packing)
        .field("Depends", "a, b")
        .file("usr/bin/sample", vec![7; 100_000])
        .entry("usr/lib/link", File::Link { target: "../bin/sample".to_owned() })
        .entry("var/lib/sample", File::Directory { mode: 0o700 })
        .script("postinst", "#!/bin/sh\n")
        .control_file("conffiles", "/etc/sample\n")
}

#[test]
fn packages_are_read_as_dpkg_deb_reads_them() {
    if find("dpkg-deb").is_none() {
        return;
    }
    for packing in ["xz", "gz", "zst", ""] {
        compare_with_dpkg_deb(packing, &sample(packing).deb());
    }
}

#[test]
fn packages_that_are_none_are_refused() {
    let control =
        pack("xz", &tar(&[("./control".to_owned(), File::Plain { content: b"Package: a\n".to_vec(), mode: 0o644 })]));
    let data = pack("xz", &tar(&[]));
    let binary: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let refused = |members: &[(&str, &[u8])], word: &str| {
        let error = Deb::open(&ar(members)[..]).err().unwrap_or_else(|| panic!("{word}"));
        let said = chain(&error);
        assert!(said.contains(word), "{said}");
    };
    Deb::open(
        &ar(&[binary, ("_extra", b"x"), ("control.tar.xz", &control), ("_more", b"xyz"), ("data.tar.xz", &data)])[..],
    )
    .unwrap();
    refused(&[binary, ("control.tar.xz", &control)], "no data part");
    refused(&[binary, ("data.tar.xz", &data), ("control.tar.xz", &control)], "no control part");
    refused(&[("debian-binary", b"3.0\n"), ("control.tar.xz", &control), ("data.tar.xz", &data)], "format");
    refused(&[("control.tar.xz", &control), ("data.tar.xz", &data)], "debian-binary");
    refused(&[binary, ("control.tar.xz", &control), ("data.tar.bz2", &data)], "data.tar.bz2");
    refused(&[binary, ("control.tar.xz", &control), ("data.tarot", &data)], "data.tarot");
    refused(&[binary, ("control.tar.xz", &control[..40]), ("data.tar.xz", &data)], "cut off");
    for (path, file) in [
        ("./../evil", plain(b"")),
        ("./sub/file", plain(b"")),
        ("./.hidden", plain(b"")),
        ("./a b", plain(b"")),
        ("./directory/", File::Directory { mode: 0o755 }),
        ("/etc/passwd", plain(b"")),
        ("./control", File::Link { target: "/etc/passwd".to_owned() }),
    ] {
        let control = pack("gz", &tar(&[(path.to_owned(), file)]));
        let name = path.trim_start_matches("./").trim_end_matches('/');
        refused(&[binary, ("control.tar.gz", &control), ("data.tar.xz", &data)], name);
    }
    let twice = pack("", &tar(&[("./control".to_owned(), plain(b"a")), ("./control".to_owned(), plain(b"b"))]));
    refused(&[binary, ("control.tar", &twice), ("data.tar.xz", &data)], "a file twice");
    let many: Vec<_> = (0..1001).map(|number| (format!("./f{number}"), plain(b""))).collect();
    refused(&[binary, ("control.tar.gz", &pack("gz", &tar(&many))), ("data.tar.xz", &data)], "limit of 1000 entries");
    let deb = sample("xz").deb();
    for end in (0..deb.len()).step_by(97) {
        let whole = Deb::open(&deb[..end])
            .is_ok_and(|deb| deb.into_data(1 << 20).unwrap().read_to_end(&mut Vec::new()).is_ok());
        assert!(!whole, "cut off at {end}");
    }
}

#[test]
fn no_package_panics() {
    let good = sample("gz").deb();
    let mut state = 7;
    for _ in 0..3000 {
        let mut bad = good.clone();
        for _ in 0..=random(&mut state, 3) {
            let at = random(&mut state, bad.len());
            bad[at] = u8::try_from(random(&mut state, 256)).unwrap();
        }
        if let Ok(deb) = Deb::open(&bad[..]) {
            let _ = deb.control();
            let _ = deb.into_data(1 << 20).unwrap().read_to_end(&mut Vec::new());
        }
    }
}

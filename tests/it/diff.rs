//! Images compared: every class of cause, every field, and no difference where there is none.

mod attestations;
mod built;
mod built_twice;
mod code;
mod configurations;
mod corpus;
mod forms;
mod hostile;
mod indices;
mod judges;
mod large;
pub(crate) mod making;
mod memory;
mod mutations;
mod oracle;
mod taken;

use making::{Thing, file, pack, tar};
use remint::image::ImagePlace;
use remint::verify::diff::{Comparison, Hints, Options, compare};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Compares two images, which must be readable.
fn compared(dir: &Path, a: &str, b: &str) -> Comparison {
    try_compared(dir, a, b).unwrap_or_else(|error| panic!("{a} and {b}: {error}"))
}

fn try_compared(dir: &Path, a: &str, b: &str) -> Result<Comparison, String> {
    let open = |text: &str| {
        let place: ImagePlace = text.parse().map_err(|error: remint::image::PlaceError| error.to_string())?;
        place.open(&dir.join("store"), dir, &offline()).map_err(|error| chain(&error))
    };
    let options = Options { scratch: dir.to_owned(), explained: 1000, hints: Hints::default() };
    compare(&open(a)?, &open(b)?, &options).map_err(|error| chain(&error))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

/// Compares two flat root file systems.
fn compared_tars(a: &[Thing], b: &[Thing]) -> Comparison {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.tar"), tar(a)).unwrap();
    fs::write(dir.path().join("b.tar"), tar(b)).unwrap();
    compared(dir.path(), "tar:a.tar", "tar:b.tar")
}

fn remint(dir: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
    command.env_clear().current_dir(dir).args(words);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_says_what_differs_and_ends_so() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(dir.path().join(name), bytes).unwrap();
    write("a.tar", tar(&[file("etc/motd", b"hello\nbuilt 2026-01-02\nend\n"), file("x", &[0, 1, 2, 0xff])]));
    write(
        "b.tar",
        tar(&[file("etc/motd", b"hello\nbuilt 2026-03-04\nend\n"), file("x", &[0, 1, 3, 0xff]).mode(0o600)]),
    );
    write(
        "c.tar.gz",
        pack("gzip", &tar(&[file("etc/motd", b"hello\nbuilt 2026-01-02\nend\n"), file("x", &[0, 1, 2, 0xff])])),
    );
    let (code, stdout, stderr) = remint(dir.path(), &["diff", "tar:a.tar", "tar:b.tar"]);
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    snapbox::assert_data_eq!(stdout, snapbox::file!["diff/two-tars.txt"].raw());
    let (code, stdout, _) = remint(dir.path(), &["diff", "tar:a.tar", "tar:c.tar.gz"]);
    assert_eq!(
        (code, stdout.lines().next()),
        (Some(0), Some("the same files: only layers or their encoding differ")),
        "{stdout}"
    );
    let (code, stdout, _) = remint(dir.path(), &["diff", "tar:a.tar", "tar:b.tar", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &json["verdict"]), (Some(1), &"different".into()));
    assert_eq!(json["platforms"][0]["files"][0]["findings"][0]["class"], "timestamp");
    assert_eq!(json["causes"].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.tar"), tar(&[file("x", b"")])).unwrap();
    fs::write(dir.path().join("cut.tar"), &tar(&[file("x", &[7; 2000])])[..1500]).unwrap();
    fs::write(dir.path().join("a.tar.gz"), pack("gzip", &tar(&[file("x", b"")]))).unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    for (other, expected) in [
        ("tar:missing", "has no"),
        ("oci:empty", "`oci:empty` has no `index.json`"),
        ("docker-archive:a.tar", "has no `manifest.json`"),
        ("docker-archive:a.tar.gz", "it is compressed, so unpack it first"),
    ] {
        let error = try_compared(dir.path(), "tar:a.tar", other).unwrap_err();
        assert!(error.contains(expected), "{other}: {error}");
    }
    let (code, _, stderr) = remint(dir.path(), &["diff", "registry/x", "tar:a.tar"]);
    assert!(code == Some(2) && stderr.contains("hint: "), "{stderr}");
}

/// Images here are files: no registry is asked.
fn offline() -> remint::registry::Client {
    remint::registry::Client::new(remint::registry::Settings::default(), remint::event::Events::none(), |_| ())
}

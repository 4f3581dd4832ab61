//! Targets in images of others: what is inside files that differ, and whole archives of images.

use remint::image::ImagePlace;
use remint::verify::diff::{Hints, Options, compare, explain_contents};
use remint::verify::page::comparison_page;
use std::path::Path;
use tempfile::TempDir;

/// More findings than this no pair of small files has.
const FINDINGS: usize = 200;

thread_local! {
    static DIR: TempDir = tempfile::tempdir().expect("a directory");
}

/// A file beside others that are nearly the same: with another bit, with another end, and with nothing in it.
fn beside_itself(path: &str, bytes: &[u8]) {
    let mut flipped = bytes.to_vec();
    for part in 1..4 {
        if let Some(byte) = flipped.get_mut(bytes.len() * part / 4) {
            *byte ^= 1 << part;
        }
    }
    let hints = Hints { paths: vec!["/build".into()], hosts: vec!["host".into()], users: vec!["user".into()] };
    for other in [&flipped[..], &bytes[..bytes.len() - bytes.len() / 3], b""] {
        let findings = explain_contents(path, 0, bytes, other, &hints);
        assert_eq!(findings.is_empty(), bytes == other, "a difference is told, and none where there is none");
        assert!(findings.len() < FINDINGS, "{} findings", findings.len());
        for finding in findings {
            let lines = [vec![finding.line()], finding.excerpt_lines()].concat();
            assert!(!lines.iter().any(|line| line.contains(char::is_control)), "{lines:?}");
        }
    }
}

pub(super) fn ar(bytes: &[u8]) {
    beside_itself("lib.a", bytes);
}

pub(super) fn compressed(bytes: &[u8]) {
    beside_itself("x.gz", bytes);
}

pub(super) fn elf(bytes: &[u8]) {
    beside_itself("bin/x", bytes);
}

pub(super) fn json(bytes: &[u8]) {
    beside_itself("x.json", bytes);
}

pub(super) fn python(bytes: &[u8]) {
    beside_itself("x.pyc", bytes);
}

pub(super) fn sqlite(bytes: &[u8]) {
    beside_itself("x.db", bytes);
}

pub(super) fn tar(bytes: &[u8]) {
    beside_itself("x.tar", bytes);
}

pub(super) fn text(bytes: &[u8]) {
    beside_itself("x.txt", bytes);
}

pub(super) fn zip(bytes: &[u8]) {
    beside_itself("x.zip", bytes);
}

/// An archive of an image, of either kind, or a root file system, beside an empty one; what comes of it can be shown.
pub(super) fn opened(bytes: &[u8]) {
    DIR.with(|dir| {
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect("room");
        write("in.tar", bytes);
        write("none.tar", &[0; 1024]);
        let open = |text: &str| {
            let place: ImagePlace = text.parse().expect("a place");
            place.open(Path::new("/nonexistent"), dir.path(), &offline())
        };
        let options = Options { scratch: dir.path().to_owned(), explained: 100, hints: Hints::default() };
        for place in ["tar:in.tar", "docker-archive:in.tar", "oci-archive:in.tar"] {
            let Ok(image) = open(place) else { continue };
            let none = open("tar:none.tar").expect("an empty file system");
            for other in [&image, &none] {
                if let Ok(comparison) = compare(&image, other, &options) {
                    let page = comparison_page(&comparison, &[]);
                    assert!(page.len() < 5 << 20, "a page of {} bytes", page.len());
                }
            }
        }
    });
}

/// What is opened here are files: no registry is asked.
fn offline() -> remint::registry::Client {
    remint::registry::Client::new(remint::registry::Settings::default(), remint::event::Events::none(), |_| ())
}

//! A file of digests: what should come out, as a person or a script wrote it down.
//!
//! ```text
//! # a comment
//! python sha256:0ff1…                 the image: its index, or the manifest of its only platform
//! python@linux/arm64 sha256:5eed…     its manifest for one platform
//! python@sha256:0ff1…                 as the first line, as references are written
//! ```

use super::error::{Error, doing};
use super::reference::Expected;
use crate::digest::Digest;
use crate::image::ImageRef;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The largest file of digests, in bytes: a line for each of a hundred thousand images.
const LIMIT: u64 = 16 << 20;

/// Reads a file of digests.
pub(super) fn read(path: &Path) -> Result<Vec<Expected>, Error> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(doing("open", path))?;
    file.take(LIMIT).read_to_end(&mut bytes).map_err(doing("read", path))?;
    parse(path, &String::from_utf8_lossy(&bytes))
}

fn parse(path: &Path, text: &str) -> Result<Vec<Expected>, Error> {
    let mut all: BTreeMap<String, Expected> = BTreeMap::new();
    for (number, whole) in text.lines().enumerate() {
        let said = whole.split('#').next().unwrap_or_default().trim();
        if said.is_empty() {
            continue;
        }
        let line = number + 1;
        let wrong = || Error::Line { path: path.to_owned(), line, found: said.chars().take(200).collect() };
        let (image, digest) = take_apart(said).ok_or_else(wrong)?;
        let expected = all.entry(image.name.to_string()).or_insert_with(|| Expected::new(image.name.clone()));
        let before = match image.platform {
            None => expected.root.replace(digest),
            Some(platform) => expected.manifests.insert(platform.to_string(), digest),
        };
        if before.is_some_and(|before| before != digest) {
            return Err(Error::Twice { path: path.to_owned(), line, image: image.to_string() });
        }
    }
    Ok(all.into_values().collect())
}

fn take_apart(said: &str) -> Option<(ImageRef, Digest)> {
    let (image, digest) = match said.split_once(char::is_whitespace) {
        Some((image, digest)) => (image, digest.trim()),
        None => said.split_once('@').filter(|(_, digest)| digest.starts_with("sha256:"))?,
    };
    Some((image.parse().ok()?, digest.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Expected>, Error> {
        parse(Path::new("digests.txt"), text)
    }

    #[test]
    fn each_form_is_read() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let found = read(&format!("# all\n\nweb {a}  # the index\r\nweb@linux/arm64\t{b}\npython@{a}\n")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].root, found[0].manifests.len()), ("python", Some(a), 0));
        assert_eq!((found[1].root, found[1].manifests["linux/arm64"]), (Some(a), b));
    }

    #[test]
    fn what_is_no_digest_is_named_by_its_line() {
        let a = Digest::of(b"a");
        for wrong in ["web", "web sha256:1", &format!("Web {a}"), &format!("{a}"), &format!("web@vax {a}")] {
            assert!(matches!(read(&format!("\n{wrong}\n")), Err(Error::Line { line: 2, .. })), "{wrong}");
        }
        let twice = read(&format!("web {a}\nweb@{a}\nweb {}\n", Digest::of(b"b")));
        assert!(matches!(twice, Err(Error::Twice { line: 3, .. })));
    }
}

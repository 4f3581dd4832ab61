//! What the layers of an image hold that a bill of materials tells: the dpkg database, licences, the project's own files.

mod copyright;
mod expression;
mod status;

pub use copyright::Copyright;
pub use expression::Licence;
pub(super) use status::Installed;

use super::error::Error;
use super::trace::Trace;
use crate::digest::{Digest, Hasher};
use crate::image::{self, PlatformImage, Standing};
use crate::layer::Kind;
use crate::store::Store;
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Where dpkg keeps what is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// Where the distribution says what it is (os-release(5)).
const RELEASES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Where packages keep their documentation (Debian policy 12.5).
const DOC: &str = "usr/share/doc/";

/// The largest dpkg database that is read, in bytes: that of some 50,000 packages.
const LARGEST: u64 = 64 << 20;

/// The largest copyright file that is read, in bytes; of a larger one nothing is told. The largest of Debian have a fourth of it.
const LARGEST_COPYRIGHT: u64 = 8 << 20;

/// How many links lead to a copyright file at most.
const LINKS: usize = 8;

/// What is told of an image's content.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// What the dpkg database lists; empty where there is none.
    pub(super) installed: Vec<Installed>,
    /// The distribution, as os-release says.
    pub(super) release: Option<Release>,
    /// The files of layers that copy or write, by path.
    pub(super) files: Vec<OwnFile>,
    /// What copyright files say, by path.
    copyrights: BTreeMap<String, Copyright>,
    /// Links below the documentation, and where they point.
    links: BTreeMap<String, String>,
}

/// A distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// `ID`: `debian`.
    pub(super) id: String,
    /// `VERSION_ID`: `13`.
    pub(super) version: Option<String>,
}

/// A file that the project itself put into the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnFile {
    /// Its path from the root, without a slash in front.
    pub(super) path: String,
    /// The layer that put it there, from 0.
    pub(super) layer: usize,
    /// Its content's digest.
    pub(super) sha256: Digest,
    /// Its content's SHA-1 in hex, which SPDX 2.3 wants of every file (8.4).
    pub(super) sha1: String,
}

/// What was kept of a file's content.
#[derive(Default)]
struct Kept {
    sums: Option<(Digest, String)>,
    text: Option<Vec<u8>>,
    copyright: Option<Copyright>,
}

impl Contents {
    /// Reads an image's layers, each once.
    pub(super) fn read(store: &Store, image: &PlatformImage, trace: &Trace) -> Result<Self, Error> {
        let mut kept: Vec<Kept> = vec![Kept::default()];
        let mut texts: BTreeMap<String, usize> = BTreeMap::new();
        let own = |layer: usize| trace.layers.get(layer).is_some_and(super::trace::Origin::is_own);
        let standing = image::contents(store, image, &mut |layer, entry, content| {
            let path = entry.path.as_str();
            let text = path == STATUS || RELEASES.contains(&path);
            let copyright = is_copyright(path);
            if !text && !copyright && !own(layer) {
                return Ok(0);
            }
            let mut new = Kept::default();
            let mut sums = Sums::default();
            if text || copyright {
                let limit = if text { LARGEST } else { LARGEST_COPYRIGHT };
                let mut bytes = Vec::new();
                content.take(limit + 1).read_to_end(&mut bytes)?;
                sums.update(&bytes);
                let whole = bytes.len() as u64 <= limit;
                if copyright && whole {
                    new.copyright = Some(Copyright::parse(&bytes));
                }
                if text {
                    if !whole {
                        return Err(io::Error::other(format!("`/{path}` has more than {limit} bytes")));
                    }
                    // What a layer above replaces is not wanted any more.
                    if let Some(older) = texts.insert(path.to_owned(), kept.len()) {
                        kept[older].text = None;
                    }
                    new.text = Some(bytes);
                }
            }
            if own(layer) {
                io::copy(content, &mut sums)?;
                new.sums = Some(sums.finish());
            }
            kept.push(new);
            Ok(kept.len() as u64 - 1)
        })?;
        Self::assemble(&standing, &mut kept, &own)
    }

    fn assemble(standing: &[Standing], kept: &mut [Kept], own: &dyn Fn(usize) -> bool) -> Result<Self, Error> {
        let mut contents = Self::default();
        let mut releases: [Option<Release>; 2] = [None, None];
        for Standing { entry, layer, kept: at } in standing {
            let path = entry.path.as_str();
            if let Kind::Symlink { target } = &entry.kind {
                if path.starts_with(DOC) {
                    contents.links.insert(path.to_owned(), target.clone());
                }
                continue;
            }
            let Some(kept) = usize::try_from(*at).ok().and_then(|at| kept.get_mut(at)) else { continue };
            if path == STATUS
                && let Some(text) = &kept.text
            {
                contents.installed =
                    status::installed(text).map_err(|why| Error::Database { path: STATUS, why: why.to_string() })?;
            }
            if let (Some(which), Some(text)) = (RELEASES.iter().position(|name| *name == path), &kept.text) {
                releases[which] = Release::parse(&String::from_utf8_lossy(text));
            }
            if let Some(copyright) = &kept.copyright {
                contents.copyrights.insert(path.to_owned(), copyright.clone());
            }
            if let (true, Some((sha256, sha1))) = (own(*layer), &kept.sums) {
                let (sha256, sha1) = (*sha256, sha1.clone());
                contents.files.push(OwnFile { path: path.to_owned(), layer: *layer, sha256, sha1 });
            }
        }
        contents.release = releases.into_iter().flatten().next();
        Ok(contents)
    }

    /// What a package's copyright file says; `None` if it has none that machines read.
    pub(super) fn copyright(&self, package: &str) -> Option<&Copyright> {
        let mut path = format!("{DOC}{package}/copyright");
        for _ in 0..LINKS {
            if let Some(found) = self.copyrights.get(&path) {
                return Some(found);
            }
            // The whole folder may be a link to that of another package of the same source, or the file alone.
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            path = match (self.links.get(&path), self.links.get(folder)) {
                (Some(target), _) => follow(folder, target),
                (None, Some(target)) => format!("{}/copyright", follow(DOC.trim_end_matches('/'), target)),
                (None, None) => return None,
            };
        }
        None
    }
}

/// Whether a path is that of a package's copyright file.
fn is_copyright(path: &str) -> bool {
    let package = path.strip_prefix(DOC).and_then(|rest| rest.strip_suffix("/copyright"));
    package.is_some_and(|package| !package.is_empty() && !package.contains('/'))
}

/// Where a link in a folder leads, by its text alone.
fn follow(folder: &str, target: &str) -> String {
    let start = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

impl Release {
    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
            let value = line.trim().trim_matches(['"', '\'']);
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            (!value.is_empty() && value.len() <= 64 && value.chars().all(plain)).then(|| value.to_owned())
        };
        Some(Self { id: value("ID")?, version: value("VERSION_ID") })
    }
}

/// The two digests of a file.
#[derive(Default)]
struct Sums(Hasher, sha1::Sha1);

impl Sums {
    fn update(&mut self, bytes: &[u8]) {
        use sha1::Digest as _;
        self.0.update(bytes);
        self.1.update(bytes);
    }

    fn finish(self) -> (Digest, String) {
        use sha1::Digest as _;
        let hex = self.1.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.0.finish(), hex)
    }
}

impl io::Write for Sums {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_another_packages_folder_are_followed() {
        let mut contents = Contents::default();
        let free = Copyright::parse(b"Format: x/copyright-format/1.0/\n\nFiles: *\nLicense: Expat\n");
        contents.copyrights.insert("usr/share/doc/libx1/copyright".into(), free.clone());
        contents.links.insert("usr/share/doc/x-bin".into(), "libx1".into());
        contents.links.insert("usr/share/doc/x-doc".into(), "/usr/share/doc/x-bin".into());
        contents.links.insert("usr/share/doc/x-dev/copyright".into(), "../libx1/copyright".into());
        contents.links.insert("usr/share/doc/loop".into(), "loop".into());
        contents.links.insert("usr/share/doc/out".into(), "../../../../../etc".into());
        for package in ["libx1", "x-bin", "x-doc", "x-dev"] {
            assert_eq!(contents.copyright(package), Some(&free), "{package}");
        }
        for package in ["loop", "out", "none", ""] {
            assert_eq!(contents.copyright(package), None, "{package}");
        }
    }

    #[test]
    fn a_release_says_its_name() {
        let release = Release::parse("NAME=\"Debian\"\nVERSION_ID=\"13\"\nID=debian\n").unwrap();
        assert_eq!((&*release.id, release.version.as_deref()), ("debian", Some("13")));
        assert_eq!(Release::parse("ID=\"a b\"\n"), None);
        assert_eq!(Release::parse(""), None);
    }

    #[test]
    fn only_copyright_files_of_packages_are_read() {
        assert!(is_copyright("usr/share/doc/base-files/copyright"));
        for other in ["usr/share/doc/copyright", "usr/share/doc/a/b/copyright", "usr/share/doc//copyright", "x"] {
            assert!(!is_copyright(other), "{other}");
        }
    }
}

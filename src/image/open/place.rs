//! Where an image stands, as a person writes it.

use super::error::OpenError;
use super::{Opened, docker, layout, registry};
use crate::image::{ImageRef, ImageRefError};
use crate::registry::{Client, Reference, ReferenceError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where an image stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePlace {
    /// In the store, under a name.
    Store(ImageRef),
    /// In an image layout: `DIR` or `DIR:REF`.
    Layout(String),
    /// In a tar of an image layout: `FILE` or `FILE:REF`.
    LayoutArchive(String),
    /// In an archive as `docker save` writes it: `FILE` or `FILE:REF`.
    DockerArchive(String),
    /// It is a root file system in one tar.
    Tar(PathBuf),
    /// In a registry: `registry/name:tag`, `registry/name@sha256:…`.
    Registry(Reference),
}

impl FromStr for ImagePlace {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        Ok(match text.split_once(':') {
            Some(("oci", rest)) => Self::Layout(rest.to_owned()),
            Some(("oci-archive", rest)) => Self::LayoutArchive(rest.to_owned()),
            Some(("docker-archive", rest)) => Self::DockerArchive(rest.to_owned()),
            Some(("tar", rest)) => Self::Tar(rest.into()),
            Some(("cache", name)) => Self::Store(name.parse()?),
            // As others write it, and as it is pasted.
            Some(("docker", rest)) if rest.starts_with("//") => Self::Registry(rest[2..].parse()?),
            _ if text.contains('/') && !text.contains("@linux/") => Self::Registry(text.parse()?),
            _ => Self::Store(text.parse()?),
        })
    }
}

/// Why a text names no place of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It is no name in the store.
    #[error(transparent)]
    Name(#[from] ImageRefError),
    /// It is no reference into a registry.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl fmt::Display for ImagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(reference) => write!(f, "cache:{reference}"),
            Self::Layout(rest) => write!(f, "oci:{rest}"),
            Self::LayoutArchive(rest) => write!(f, "oci-archive:{rest}"),
            Self::DockerArchive(rest) => write!(f, "docker-archive:{rest}"),
            Self::Tar(path) => write!(f, "tar:{}", path.display()),
            Self::Registry(reference) => write!(f, "{reference}"),
        }
    }
}

impl ImagePlace {
    /// Opens the image; `store` is the store's directory, relative paths begin at `cwd`, and `client` reaches registries.
    pub fn open(&self, store: &Path, cwd: &Path, client: &Client) -> Result<Opened, OpenError> {
        let shown = self.to_string();
        match self {
            Self::Store(reference) => {
                let opened = layout::directory(shown, store, Some(reference.name.as_str()))?;
                match reference.platform {
                    Some(platform) => opened.narrow(&platform.to_string()),
                    None => Ok(opened),
                }
            }
            Self::Layout(rest) => {
                let (path, name) = split(rest, cwd);
                layout::directory(shown, &path, name)
            }
            Self::LayoutArchive(rest) => {
                let (path, name) = split(rest, cwd);
                layout::archive(shown, &path, name)
            }
            Self::DockerArchive(rest) => {
                let (path, name) = split(rest, cwd);
                docker::archive(shown, &path, name)
            }
            Self::Tar(path) => docker::flat(shown, &cwd.join(path)),
            Self::Registry(reference) => registry::open(client, reference, None),
        }
    }
}

/// Parts a path from the reference behind it: the whole where that is there, else the shortest beginning that is.
fn split<'a>(text: &'a str, cwd: &Path) -> (PathBuf, Option<&'a str>) {
    let whole = cwd.join(text);
    if whole.exists() {
        return (whole, None);
    }
    let parts = text.match_indices(':').map(|(at, _)| (cwd.join(&text[..at]), &text[at + 1..]));
    let mut parts = parts.filter(|(path, name)| path.exists() && !name.is_empty());
    parts.next().map_or((whole, None), |(path, name)| (path, Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        for text in [
            "cache:web",
            "cache:web@linux/arm64",
            "oci:a/b:c",
            "oci-archive:x",
            "docker-archive:x",
            "tar:x",
            "r.example/a/b:1",
        ] {
            assert_eq!(text.parse::<ImagePlace>().unwrap().to_string(), text);
        }
        assert_eq!("web".parse::<ImagePlace>().unwrap().to_string(), "cache:web");
        assert_eq!("docker://r.example/a:1".parse::<ImagePlace>().unwrap().to_string(), "r.example/a:1");
        assert!("localhost:5000/a@linux/arm64".parse::<ImagePlace>().is_err());
        for wrong in ["", "Web", "registry/web", "cache:", "zip:x"] {
            assert!(wrong.parse::<ImagePlace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_colon_may_be_part_of_a_path() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "a:b"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(split("a:b", dir.path()), (dir.path().join("a:b"), None));
        assert_eq!(split("a:web:1", dir.path()), (dir.path().join("a"), Some("web:1")));
        assert_eq!(split("c:web", dir.path()), (dir.path().join("c:web"), None));
    }
}

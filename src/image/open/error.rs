//! Why an image could not be opened or read.

use crate::digest::{DiffId, Mismatch};
use crate::layer;
use crate::registry::RegistryError;
use std::io;
use std::path::PathBuf;

/// Why an image could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refused; the path and the deed are named.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was being done, to be read before the path.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What should be an archive does not even begin like one.
    #[error("`{}`, {}, is not a tar archive{}", path.display(), a_file(*size), if *compressed { ": it is compressed, so unpack it first" } else { "" })]
    NoArchive {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        size: u64,
        /// Whether it begins like a compressed file.
        compressed: bool,
    },
    /// An archive is damaged, or holds what is not taken.
    #[error("`{}` cannot be read as a tar archive", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why.
        source: layer::Error,
    },
    /// An archive ends before the tar in it does: it is cut off, or a header in it is wrong, which nobody can tell.
    #[error("`{}` ends at byte {end}, {}", path.display(), where_in(inside.as_ref()))]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        end: u64,
        /// The file in the tar inside which it ends, and how many bytes the header of that says.
        inside: Option<(String, u64)>,
    },
    /// A part that the image needs is missing.
    #[error("`{image}` has no `{part}`")]
    Missing {
        /// The image.
        image: String,
        /// The part.
        part: String,
    },
    /// There is no image of that name, or no name was given and there are several.
    #[error("{} in `{place}`{}", wanted.as_ref().map_or_else(|| "there is not exactly one image".to_owned(), |name| format!("there is no image `{name}`")), those(there))]
    NoImage {
        /// Where it was looked for.
        place: String,
        /// The name that was asked for.
        wanted: Option<String>,
        /// The names that there are.
        there: Vec<String>,
    },
    /// One name is that of several images.
    #[error("several images of `{place}` are called `{name}`: {}", those.join(", "))]
    Several {
        /// Where it was looked for.
        place: String,
        /// The name.
        name: String,
        /// The digests that it leads to, of an archive of Docker's the files of the configurations.
        those: Vec<String>,
    },
    /// The image is not for the platform.
    #[error("`{image}` is not made for {wanted}{}", those(there))]
    NoPlatform {
        /// The image.
        image: String,
        /// The platform that was asked for.
        wanted: String,
        /// The platforms that there are.
        there: Vec<String>,
    },
    /// A document is not what the specification says.
    #[error("`{part}` of `{image}` is not as the image specification says")]
    Json {
        /// The image.
        image: String,
        /// The document.
        part: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Something has another form than the specification says.
    #[error("`{part}` of `{image}` {reason}")]
    Form {
        /// The image.
        image: String,
        /// Which part.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes are not those that the digest names.
    #[error("`{part}` of `{image}` is damaged")]
    Damaged {
        /// The image.
        image: String,
        /// Which part.
        part: String,
        /// What was expected and found.
        source: Mismatch,
    },
    /// A layer could not be decompressed or is no tar.
    #[error("layer `{part}` of `{image}` cannot be read")]
    Layer {
        /// The image.
        image: String,
        /// The layer.
        part: String,
        /// Why.
        source: io::Error,
    },
    /// A layer's tar is not the one that the config names.
    #[error("layer `{part}` of `{image}` holds a tar of another DiffId: expected {expected}, found {found}")]
    DiffId {
        /// The image.
        image: String,
        /// The layer.
        part: String,
        /// What the config says.
        expected: DiffId,
        /// What it is.
        found: DiffId,
    },
    /// The registry failed.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// A reference says neither which tag nor which digest.
    #[error("`{image}` has neither a tag nor a digest")]
    NoTag {
        /// The reference.
        image: String,
    },
    /// What was read could not be kept.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

impl OpenError {
    /// What a person can do about it, if remint knows.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::NoArchive { .. } => Some(
                "give what `docker save`, `podman save`, `skopeo copy` or `remint build -o` wrote; `remint diff` takes a root file system in a tar as `tar:FILE`"
                    .to_owned(),
            ),
            Self::Truncated { .. } => Some(
                "copy, download or save it again, and hold its size against the original's: either it is cut off, or a header in it is wrong"
                    .to_owned(),
            ),
            Self::Several { .. } => Some(
                "a name must lead to one image, or to one index of those of several platforms: save each under a name of its own"
                    .to_owned(),
            ),
            Self::NoTag { image } => Some(format!("name one, such as `{image}:latest`")),
            _ => None,
        }
    }
}

fn a_file(size: u64) -> String {
    match size {
        0 => "an empty file".to_owned(),
        1 => "a file of 1 byte".to_owned(),
        _ => format!("a file of {size} bytes"),
    }
}

fn where_in(inside: Option<&(String, u64)>) -> String {
    match inside {
        Some((path, size)) => format!("inside `{}`, whose header says {size} bytes", path.escape_debug()),
        None => "before the tar in it does".to_owned(),
    }
}

fn those(there: &[String]) -> String {
    match there {
        [] => String::new(),
        _ => format!(
            "; there {} {}",
            if there.len() == 1 { "is" } else { "are" },
            there.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

//! What keeps a comparison from being made.

use crate::digest::Digest;
use crate::image::OpenError;
use crate::registry::RegistryError;
use std::io;
use std::path::{Path, PathBuf};

/// Why images could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// A line of a file of digests is none.
    #[error("`{}`, line {line}: expected `NAME sha256:…`, `NAME@PLATFORM sha256:…` or `NAME@sha256:…`, found `{found}`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// One image has two digests in a file of them.
    #[error("`{}`, line {line}: `{image}` has another digest above", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The number of the second line, from 1.
        line: usize,
        /// The image.
        image: String,
    },
    /// It is no OCI image layout.
    #[error("`{}` is no OCI image layout: {reason}", path.display())]
    NoLayout {
        /// The directory or archive.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// An archive is not readable.
    #[error(transparent)]
    Archive(#[from] OpenError),
    /// A document is larger than any image's.
    #[error("blob {digest} has {size} bytes, more than the {limit} that a manifest or configuration may have")]
    Document {
        /// Its name.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The most that is read.
        limit: u64,
    },
    /// A document of an image is not there.
    #[error("blob {digest} is missing")]
    Missing {
        /// Its name.
        digest: Digest,
    },
    /// A document of an image has other bytes than its name says.
    #[error("blob {expected} is damaged: its bytes are {found}")]
    Damaged {
        /// Its name.
        expected: Digest,
        /// What its bytes hash to.
        found: Digest,
    },
    /// A registry has no such image.
    #[error("`{reference}` is not there")]
    NotThere {
        /// The reference.
        reference: String,
    },
    /// A reference says neither which tag nor which digest.
    #[error("`{reference}` has neither a tag nor a digest")]
    NoTag {
        /// The reference.
        reference: String,
    },
    /// An image has more documents than any needs.
    #[error("the manifests and configurations of `{reference}` are too many or too large: {limit}")]
    Documents {
        /// The reference.
        reference: String,
        /// The limit that they go beyond.
        limit: &'static str,
    },
    /// A registry failed.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// An image's documents do not fit together.
    #[error(transparent)]
    Image(#[from] crate::image::Error),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

impl From<RegistryError> for Error {
    fn from(source: RegistryError) -> Self {
        Self::Registry(Box::new(source))
    }
}

/// Names the deed and the path of an I/O error.
pub(super) fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

//! What can go wrong with the store.

use crate::digest::{Digest, Mismatch};
use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do what it was asked.
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
    /// A blob's bytes are not what its name says: rot, or a power cut.
    #[error("blob {digest} in the store is damaged")]
    Damaged {
        /// The blob's name.
        digest: Digest,
        /// What is wrong with it.
        source: Mismatch,
    },
    /// A blob is not there.
    #[error("blob {digest} is not in the store")]
    Missing {
        /// The blob's name.
        digest: Digest,
    },
    /// The list of images is not what the specification says.
    #[error("`{}` is not an OCI image index", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Names the deed and the path of an I/O error.
pub(super) fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

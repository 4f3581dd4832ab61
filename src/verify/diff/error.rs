//! Why two images could not be compared.

use crate::image::OpenError;
use crate::layer;
use std::io;
use std::path::PathBuf;

/// Why two images could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An image could not be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A layer is not a tar that engines take.
    #[error("layer {number} of `{image}` cannot be compared")]
    Layer {
        /// The image.
        image: String,
        /// Which layer, from 1.
        number: usize,
        /// Why.
        source: layer::Error,
    },
    /// A hard link to nothing that can have two names.
    #[error("layer {number} of `{image}` has a hard link `{path}` to `{target}`, which is not there")]
    Hardlink {
        /// The image.
        image: String,
        /// Which layer, from 1.
        number: usize,
        /// The link.
        path: String,
        /// Where it points.
        target: String,
    },
    /// A content was another when it was read again to be explained.
    #[error("layer {number} of `{image}` changed while it was read: `{path}` is not what it was before")]
    Changed {
        /// The image.
        image: String,
        /// Which layer, from 1.
        number: usize,
        /// The file.
        path: String,
    },
    /// The contents of differing files could not be put aside.
    #[error("could not put file contents aside in `{}`", directory.display())]
    Spool {
        /// Where the temporary file was to be.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

//! What can go wrong in an action.

use crate::digest::Digest;
use crate::layer;
use crate::native;
use crate::oci::{PathError, TreePath};
use crate::source::base::BaseError;
use crate::source::debian::pool::PoolError;
use crate::source::debian::{DebError, DependencyError};
use crate::source::path;
use crate::store;
use std::io;

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source could not be had.
    #[error("cannot get `{title}`")]
    Fetch {
        /// Which.
        title: String,
        /// Why not.
        source: Box<PoolError>,
    },
    /// A blob of an image from outside the project could not be had.
    #[error("cannot get `{title}`")]
    Base {
        /// Which.
        title: String,
        /// Why not.
        source: Box<BaseError>,
    },
    /// A package cannot be unpacked.
    #[error("cannot unpack `{title}`")]
    Deb {
        /// Which.
        title: String,
        /// Why not.
        source: DebError,
    },
    /// What a package or a recipe holds cannot become a layer.
    #[error("cannot make `{title}`")]
    Layer {
        /// What was being made.
        title: String,
        /// Why not.
        source: Box<layer::Error>,
    },
    /// The packages of a layer cannot be configured.
    #[error("cannot configure `{title}`")]
    Native {
        /// The layer.
        title: String,
        /// Why not.
        source: Box<native::Error>,
    },
    /// A file of a copied tree is no longer what it was when the build began.
    #[error("cannot copy `{}`", path.display())]
    Copy {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: path::Error,
    },
    /// A package says something that cannot be read.
    #[error("the control file of `{package}` is malformed")]
    Control {
        /// The package.
        package: String,
        /// What is wrong with it.
        source: DependencyError,
    },
    /// Two packages have the same file, and neither replaces the other's.
    #[error("`/{path}` is in both `{first}` and `{second}`, and neither replaces the other")]
    Conflict {
        /// The file.
        path: TreePath,
        /// A package.
        first: String,
        /// Another.
        second: String,
    },
    /// Two things of a layer have one path once links are followed.
    #[error("`/{path}` is there twice, once links are followed")]
    Twice {
        /// The path.
        path: TreePath,
    },
    /// A path leads through something that is no directory.
    #[error("`/{path}` cannot be made: `/{through}` is {what}")]
    Through {
        /// What was to be made.
        path: TreePath,
        /// What is in the way.
        through: TreePath,
        /// What that is.
        what: &'static str,
    },
    /// A link of the image leads out of it, or around in a circle.
    #[error("`/{path}` cannot be made: the link `/{link}` leads nowhere in the image")]
    Link {
        /// What was to be made.
        path: TreePath,
        /// The link.
        link: TreePath,
    },
    /// Two paths are one once links are followed, or cannot be joined.
    #[error("a path of the layer is not one")]
    Path(#[from] PathError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What an action left in the store is not in its form.
    #[error("blob {digest} in the store is not {expected}")]
    Form {
        /// The blob.
        digest: Digest,
        /// What it should be.
        expected: &'static str,
    },
    /// A layer that others made is not what their configuration says.
    #[error("`{title}` is the tar {found}, but its image's configuration says {expected}")]
    DiffId {
        /// The layer.
        title: String,
        /// What the configuration says.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A blob could not be read.
    #[error("cannot read blob {digest} of the store")]
    Read {
        /// The blob.
        digest: Digest,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// A layer's error under the title of what was being made.
    pub(super) fn layer(title: &str) -> impl Fn(layer::Error) -> Self {
        |source| Self::Layer { title: title.to_owned(), source: Box::new(source) }
    }

    /// A native step's error under the title of the layer.
    pub(super) fn native(title: &str) -> impl Fn(native::Error) -> Self {
        |source| Self::Native { title: title.to_owned(), source: Box::new(source) }
    }

    /// Whether the store was found damaged: what is damaged was set aside, so trying again makes it anew.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(store::Error::Damaged { .. } | store::Error::Missing { .. }) | Self::Form { .. } => true,
            Self::Layer { source, .. } => {
                matches!(**source, layer::Error::PartPacked { .. } | layer::Error::PartTar { .. })
            }
            _ => false,
        }
    }
}

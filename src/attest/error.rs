//! What can go wrong with what is said of images.

use super::key::KeyError;
use crate::image;
use crate::oci::Platform;
use crate::recipe::ImageName;
use crate::store;

/// Why something could not be said, signed or believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The image could not be read.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// A key is none, or not of a kind that remint knows.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The image in the store is not what recipes and lock say now.
    #[error("image `{image}` for {platform} is not what the recipes and remint.lock say now: {why}")]
    Differs {
        /// The image.
        image: ImageName,
        /// Its platform.
        platform: Platform,
        /// The first layer that differs.
        why: String,
    },
    /// The image's dpkg database is none.
    #[error("the dpkg database of the image, `/{path}`, cannot be read: {why}")]
    Database {
        /// Its path in the image.
        path: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A document of somebody else is not what it says it is.
    #[error("{what} is not valid: {why}")]
    Document {
        /// Which document.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A document of somebody else is too large to be one.
    #[error("{what} has {size} bytes, more than the {limit} that one may have")]
    TooLarge {
        /// Which document.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

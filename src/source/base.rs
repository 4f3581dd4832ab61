//! Images from outside the project that recipes start from: which of their blobs are wanted, and who brings them.

use crate::oci::Blob;
use crate::recipe::BaseImage;
use crate::source::debian::pool::Offline;
use crate::store::{Error as StoreError, Store};

/// A blob of an image from outside the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseBlob {
    /// The image, as the recipe names it.
    pub image: BaseImage,
    /// What it is of it, for people.
    pub title: String,
    /// How it is asked for.
    pub kind: BlobKind,
    /// What it must be.
    pub blob: Blob,
}

/// How a registry is asked for a blob (distribution-spec, "Pulling manifests" and "Pulling blobs").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobKind {
    /// As a manifest.
    Manifest,
    /// As a blob.
    Blob,
}

impl BlobKind {
    /// What it is called in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Blob => "blob",
        }
    }
}

/// Brings blobs of images from outside the project into the store.
pub trait FetchBase: Sync {
    /// Brings one in; when this returns, the store has it.
    fn fetch_base(&self, blob: &BaseBlob, store: &Store) -> Result<(), BaseError>;
}

/// Why a blob of an image from outside the project could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Nothing may be fetched, and the store does not have it.
    #[error("`{title}` is not in the store, and `--offline` forbids to fetch it")]
    Offline {
        /// The blob.
        title: String,
    },
    /// Where it should be, there is none, or another.
    #[error("`{image}` is no longer what the lock says: it has no {part} {digest}")]
    Gone {
        /// The image.
        image: BaseImage,
        /// What is missing: a manifest, or a blob.
        part: &'static str,
        /// Its digest.
        digest: crate::digest::Digest,
    },
    /// The image cannot be read.
    #[error("cannot read `{image}`")]
    Image {
        /// The image.
        image: BaseImage,
        /// What helps.
        hint: Option<String>,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BaseError {
    /// Whether it is this machine that failed, such as a full disk, and no source.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Store(_))
    }

    /// What a person can do about it, if that is not said in the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Offline { .. } => {
                Some("run once without `--offline`: what was fetched stays in the store".to_owned())
            }
            Self::Gone { image, .. } => Some(format!("`remint lock --update '{image}'` locks what is there now")),
            Self::Image { hint, .. } => hint.clone(),
            Self::Store(_) => None,
        }
    }
}

impl FetchBase for Offline {
    fn fetch_base(&self, blob: &BaseBlob, _: &Store) -> Result<(), BaseError> {
        Err(BaseError::Offline { title: blob.title.clone() })
    }
}

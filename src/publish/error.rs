//! Why an image could not be published.

use crate::registry::{AnyDigest, ReferenceError, RegistryError, Repository, Tag};
use crate::store;

/// Why an image could not be published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A tag means another image.
    #[error(transparent)]
    Taken(Box<Taken>),
    /// What is to be published is not in the store, or not whole.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What is to be attached cannot be made.
    #[error(transparent)]
    Attest(#[from] crate::attest::Error),
    /// A name cannot be one in a registry.
    #[error(transparent)]
    Name(#[from] ReferenceError),
}

/// A tag that means another image than the one to be published.
#[derive(Debug, thiserror::Error)]
#[error("the tag `{repository}:{tag}` means another image: expected {ours}, found {found}")]
pub struct Taken {
    /// Where.
    pub repository: Repository,
    /// The tag.
    pub tag: Tag,
    /// The image that was to be published.
    pub ours: AnyDigest,
    /// The image that is there.
    pub found: AnyDigest,
}

impl Error {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Taken(_) => Some("choose another tag, or leave `--immutable` out to move it".to_owned()),
            Self::Store(store::Error::Damaged { .. } | store::Error::Missing { .. }) => {
                Some("`remint build` makes it again".to_owned())
            }
            Self::Attest(crate::attest::Error::Differs { .. }) => Some(
                "`remint build` makes the image that recipes and lock say; `--no-attachments` says nothing of it"
                    .to_owned(),
            ),
            Self::Store(_) | Self::Name(_) | Self::Attest(_) => None,
        }
    }
}

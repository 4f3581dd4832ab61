//! What can go wrong with images.

use crate::digest::{DiffId, Digest};
use crate::layer;
use crate::oci::Platform;
use crate::recipe::ImageName;
use crate::store;
use std::io;
use std::path::{Path, PathBuf};

/// Why an image could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
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
    /// A tar could not be written.
    #[error("could not write `{}`", path.display())]
    Tar {
        /// The file that it would have been.
        path: PathBuf,
        /// Why not.
        source: layer::Error,
    },
    /// No image of the store has the name.
    #[error("there is no image `{name}` in the store{}", those_there(there))]
    NoImage {
        /// The name that was asked for.
        name: ImageName,
        /// The names that there are, sorted.
        there: Vec<String>,
    },
    /// The image is not made for the platform.
    #[error("image `{name}` is not made for {wanted}, only for {}", list(there))]
    NoPlatform {
        /// The image.
        name: ImageName,
        /// The platform that was asked for.
        wanted: Platform,
        /// The platforms that there are.
        there: Vec<Platform>,
    },
    /// A form of output holds one platform, and the image has several.
    #[error("`{form}:` holds one platform, and image `{name}` has {}: choose one", list(there))]
    ManyPlatforms {
        /// The form of output.
        form: &'static str,
        /// The image.
        name: ImageName,
        /// The platforms that there are.
        there: Vec<Platform>,
    },
    /// A form of output holds one image, and there are several.
    #[error("`{form}:` holds one image, and there are {}", if images.is_empty() { "none".to_owned() } else { list(images) })]
    ManyImages {
        /// The form of output.
        form: &'static str,
        /// The images.
        images: Vec<ImageName>,
    },
    /// What stands at an output's path is something that must not be replaced.
    #[error("`{}` is there and is not {expected}, so it is not replaced", path.display())]
    NotReplaced {
        /// The path.
        path: PathBuf,
        /// What it would have to be.
        expected: &'static str,
    },
    /// A document of an image is too large to be one.
    #[error("{what} {digest} has {size} bytes, more than the {limit} that one may have")]
    Document {
        /// Which document.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A document of an image is not what the specification says.
    #[error("{what} {digest} is not as the image specification says")]
    Json {
        /// Which document.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A media type that is not known in its place.
    #[error("{what} {digest} has media type `{found}`, which is none that remint knows there")]
    MediaType {
        /// What was expected.
        what: &'static str,
        /// The blob.
        digest: Digest,
        /// Its media type.
        found: String,
    },
    /// The manifest and its config disagree about how many layers there are.
    #[error("manifest {manifest} has {layers} layers, its config has {diff_ids} DiffIds")]
    LayerCount {
        /// The manifest.
        manifest: Digest,
        /// How many layers it names.
        layers: usize,
        /// How many DiffIds its config has.
        diff_ids: usize,
    },
    /// The config is for another platform than the image, or for one that remint does not know.
    #[error("config {config} is for `{found}`{}", expected.map_or(String::new(), |p| format!(", expected `{p}`")))]
    ConfigPlatform {
        /// The config.
        config: Digest,
        /// What was expected; `None`: any that remint knows.
        expected: Option<Platform>,
        /// What it says.
        found: String,
    },
    /// A base image's config has something of another type than the specification says.
    #[error("the base image's config has a `{key}` that is not {expected}")]
    BaseConfig {
        /// The key.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An image must have a layer.
    #[error("image `{name}` has no layer")]
    NoLayers {
        /// The image.
        name: ImageName,
    },
    /// A layer could not be decompressed or is no tar.
    #[error("layer {layer} cannot be read")]
    Layer {
        /// The layer blob.
        layer: Digest,
        /// Why.
        source: io::Error,
    },
    /// A layer's tar is not the one that the config names.
    #[error("layer {layer} holds a tar of another DiffId: expected {expected}, found {found}")]
    DiffId {
        /// The layer blob.
        layer: Digest,
        /// What the config says.
        expected: DiffId,
        /// What it is.
        found: DiffId,
    },
    /// A layer unpacks to more than any layer may: a bomb, or damage.
    #[error("layer {layer} unpacks to more than {limit} bytes")]
    TooLarge {
        /// The layer blob.
        layer: Digest,
        /// The limit in bytes.
        limit: u64,
    },
    /// A hard link to something that is not there.
    #[error("layer {layer} has a hard link `{path}` to `{target}`, which is not there")]
    Hardlink {
        /// The layer blob.
        layer: Digest,
        /// The link.
        path: String,
        /// Where it points.
        target: String,
    },
}

/// Names the deed and the path of an I/O error.
pub(super) fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

fn those_there(there: &[String]) -> String {
    if there.is_empty() { ", which holds none".to_owned() } else { format!("; there are {}", list(there)) }
}

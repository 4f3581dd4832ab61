//! How a layer blob is compressed, and the media types that say so.

use crate::oci::media;
use crate::recipe::Compression;

/// How a layer blob holds its tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As it is; remint writes none, other tools do.
    Plain,
    /// gzip, in one member or several.
    Gzip,
    /// zstd, in one frame or several.
    Zstd,
}

impl Encoding {
    /// Reads a layer's media type: the OCI image-spec's (layer.md) with its withdrawn non-distributable ones, or Docker's
    /// (distribution, image manifest version 2, schema 2). `None`: not a layer that a root file system is made of.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar" | "application/vnd.oci.image.layer.nondistributable.v1.tar" => {
                Some(Self::Plain)
            }
            media::LAYER_GZIP
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Some(Self::Gzip),
            media::LAYER_ZSTD | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The media type that remint writes for such a layer.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => media::LAYER_GZIP,
            Self::Zstd => media::LAYER_ZSTD,
        }
    }
}

impl From<Compression> for Encoding {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Zstd => Self::Zstd,
            Compression::Gzip => Self::Gzip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for encoding in [Encoding::Plain, Encoding::Gzip, Encoding::Zstd] {
            assert_eq!(Encoding::of_media_type(encoding.media_type()), Some(encoding));
        }
        assert_eq!(Encoding::of_media_type("application/vnd.in-toto+json"), None);
    }
}

//! The OCI image specification's data, and JSON in the one form remint writes.
//!
//! The types are those of the `oci-spec` crate. Its maps are hash maps, so nothing here is ever serialised but through
//! [`canonical_json`] (RFC 8785): sorted, no white space, one spelling for each value.

mod path;
mod platform;
pub mod time;
mod weight;

pub use oci_spec::image as spec;
pub use path::{PathError, TreePath};
pub use platform::{Arch, Platform, UnknownPlatform};
pub use weight::json_weight;

use crate::digest::Digest;
use serde::Serialize;

/// Media types of what remint writes (OCI image-spec, media-types.md).
pub mod media {
    /// An image index: one image for several platforms.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image manifest: one image for one platform.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An image configuration.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A layer, compressed with zstd.
    pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// A layer, compressed with gzip.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
}

/// A blob by digest and size: all that is needed to ask for it and to know that it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Blob {
    /// What its bytes hash to.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
}

impl Blob {
    /// Names bytes that are in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }
}

/// Writes a value as canonical JSON (RFC 8785).
///
/// # Panics
/// If the value cannot be JSON: a map whose keys are no strings, or a float that is not finite. remint's types have neither.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, canon_json::CanonicalFormatter::new());
    value.serialize(&mut serializer).expect("remint's own types are JSON");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_sorted_and_has_no_white_space() {
        let value: serde_json::Value =
            serde_json::from_str(r#"{ "b": [1, "ü\n"], "a": {"z": null, "y": true} }"#).unwrap();
        let json = String::from_utf8(canonical_json(&value)).unwrap();
        assert_eq!(json, r#"{"a":{"y":true,"z":null},"b":[1,"ü\n"]}"#);
    }
}

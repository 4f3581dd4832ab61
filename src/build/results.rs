//! What actions leave in the store.

use crate::digest::DiffId;
use crate::oci::Blob;
use crate::store::ActionResult;
use serde::{Deserialize, Serialize};

/// A fragment of a layer: its tar records, and the index that says where in them each file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// The tar records.
    pub tar: Blob,
    /// The index.
    pub index: Blob,
}

/// An unpacked `.deb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Everything but its directories.
    pub files: Fragment,
    /// A bundle: `control/<member>` for each member of control.tar, `paths` as shipped, `directories` as a fragment.
    pub package: Blob,
    /// The newest time in it, in seconds since 1970, before any clamping.
    pub newest: u64,
}

/// A layer's tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layered {
    /// The tar records of its directories, which come first.
    pub directories: Blob,
    /// The fragments of its files, in order.
    pub fragments: Vec<Fragment>,
    /// Maintainer scripts that no native step covers: package, script, what that means.
    pub uncovered: Vec<(String, String, String)>,
}

/// A layer blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedLayer {
    /// The uncompressed tar's digest.
    pub diff_id: DiffId,
    /// The uncompressed tar's size in bytes.
    pub tar_size: u64,
    /// The compressed blob.
    pub blob: Blob,
}

/// Where in a layer blob a fragment's compressed form stands, so that no fragment is ever compressed twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackedFragment {
    /// The layer blob.
    pub(super) blob: Blob,
    /// Where the fragment's part begins in it, in bytes.
    pub(super) offset: u64,
    /// How long the part is, in bytes.
    pub(super) size: u64,
    /// The fragment's CRC-32: a gzip member has that of the whole, and it tells rot.
    pub(super) crc32: u32,
    /// The part's CRC-32, to notice rot.
    pub(super) packed_crc32: u32,
}

/// A run of a copied tree's files, as a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// The files.
    pub(super) files: Fragment,
}

impl Fragment {
    fn blobs(&self) -> [Blob; 2] {
        [self.tar, self.index]
    }
}

impl ActionResult for Unpacked {
    const KIND: &'static str = "unpack";

    fn blobs(&self) -> Vec<Blob> {
        let [tar, index] = self.files.blobs();
        vec![tar, index, self.package]
    }
}

impl ActionResult for Layered {
    const KIND: &'static str = "layer";

    fn blobs(&self) -> Vec<Blob> {
        let mut blobs = vec![self.directories];
        blobs.extend(self.fragments.iter().flat_map(Fragment::blobs));
        blobs
    }
}

impl ActionResult for PackedLayer {
    const KIND: &'static str = "pack";

    fn blobs(&self) -> Vec<Blob> {
        vec![self.blob]
    }
}

impl ActionResult for PackedFragment {
    const KIND: &'static str = "packed";

    fn blobs(&self) -> Vec<Blob> {
        vec![self.blob]
    }
}

impl ActionResult for Run {
    const KIND: &'static str = "fragment";

    fn blobs(&self) -> Vec<Blob> {
        self.files.blobs().to_vec()
    }
}

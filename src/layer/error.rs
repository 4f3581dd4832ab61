//! What can go wrong between a tree and a layer.

use super::Codec;
use crate::oci::{PathError, TreePath};
use std::io;
use std::path::PathBuf;

/// Why an archive is damaged that ends too early.
pub(super) const CUT_OFF: &str = "it is cut off";

/// Why a fragment or a layer could not be written, or an archive not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The destination took no more bytes.
    #[error("cannot write the {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// Contents that are too much for memory could not be put aside.
    #[error("cannot put file contents aside in a temporary file in `{}`", .directory.display())]
    Spill {
        /// Where the temporary file was to be.
        directory: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A file's content could not be read.
    #[error("cannot read the content of `{path}`")]
    Content {
        /// The file's path in the tree.
        path: TreePath,
        /// The system's word.
        source: io::Error,
    },
    /// A file's content has another length than its entry says.
    #[error("the content of `{path}` is {} than its {expected} bytes", if *.longer { "longer" } else { "shorter" })]
    Length {
        /// The file.
        path: TreePath,
        /// The length that was promised, in bytes.
        expected: u64,
        /// Whether there was more, else less.
        longer: bool,
    },
    /// Entries of a fragment do not come in byte order.
    #[error("`{path}` cannot stand behind `{after}`: a fragment is in byte order")]
    Order {
        /// The entry that came too late.
        path: TreePath,
        /// The entry before it.
        after: TreePath,
    },
    /// Two entries have one path.
    #[error("`{path}` is there twice")]
    Duplicate {
        /// The path.
        path: TreePath,
    },
    /// Something stands below a path that is no directory.
    #[error("`{path}` is below `{parent}`, which is not a directory")]
    Below {
        /// The entry that has no place.
        path: TreePath,
        /// What should have been a directory.
        parent: TreePath,
    },
    /// A directory among files, or a file among directories.
    #[error("`{path}` cannot be in this fragment: directories and files stand in fragments of their own")]
    Mixed {
        /// The entry.
        path: TreePath,
    },
    /// A field of an entry that a tar header cannot hold.
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable {
        /// The entry.
        path: TreePath,
        /// Which field, and why.
        reason: &'static str,
    },
    /// A hard link to nothing, or to something that has no other names.
    #[error("hard link `{path}` points at `{target}`, which {reason}")]
    Link {
        /// The link.
        path: TreePath,
        /// What it points at.
        target: TreePath,
        /// What is wrong with the target.
        reason: &'static str,
    },
    /// An encoded index is not one.
    #[error("the fragment's index is damaged: {reason}")]
    Index {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An archive could not be read.
    #[error("cannot read the archive at byte {at}")]
    Archive {
        /// How far it was read.
        at: u64,
        /// The system's word.
        source: io::Error,
    },
    /// An archive is not a tar archive.
    #[error("the archive is damaged at byte {at}: {reason}")]
    Damaged {
        /// Where the record begins.
        at: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An archive ends inside a file: it is cut off, or the file's header is wrong.
    #[error("the archive ends inside `{}`, whose header says {size} bytes", .path.escape_debug())]
    Within {
        /// The file's name as the archive has it.
        path: String,
        /// How many bytes its header says that it has.
        size: u64,
    },
    /// A path in an archive is not one.
    #[error("the archive has a bad name in it")]
    Path {
        /// What is wrong with it.
        source: PathError,
    },
    /// An entry of an archive that remint does not take.
    #[error("the archive's entry `{}` is refused: {reason}", .path.escape_debug())]
    Refused {
        /// The entry's name as the archive has it.
        path: String,
        /// Why.
        reason: String,
    },
    /// An archive holds more than was allowed.
    #[error("the archive's entry `{}` goes beyond the limit of {limit} {what}", .path.escape_debug())]
    Limit {
        /// The entry that went beyond it.
        path: String,
        /// The limit.
        limit: u64,
        /// What is limited.
        what: &'static str,
    },
    /// A part of a layer could not be read.
    #[error("cannot read the {what} of part {part} of the layer")]
    Part {
        /// The part's place in the layer, from 0.
        part: usize,
        /// Its tar, or its packed bytes.
        what: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// A part of a layer has another size than was said.
    #[error("the {what} of part {part} of the layer is {} than its {expected} bytes", if *.longer { "longer" } else { "shorter" })]
    PartSize {
        /// The part's place in the layer, from 0.
        part: usize,
        /// Its tar, or its packed bytes.
        what: &'static str,
        /// The size that was promised, in bytes.
        expected: u64,
        /// Whether there was more, else less.
        longer: bool,
    },
    /// The packed bytes of a part are not what they were when they were packed.
    #[error(
        "the packed bytes of part {part} of the layer have rotted: expected CRC-32 {expected:08x}, found {found:08x}"
    )]
    PartPacked {
        /// The part's place in the layer, from 0.
        part: usize,
        /// The check sum when they were packed.
        expected: u32,
        /// The check sum now.
        found: u32,
    },
    /// The tar of a part is not what it was when it was packed.
    #[error("the tar of part {part} of the layer has rotted: expected CRC-32 {expected:08x}, found {found:08x}")]
    PartTar {
        /// The part's place in the layer, from 0.
        part: usize,
        /// The check sum when it was packed.
        expected: u32,
        /// The check sum now.
        found: u32,
    },
    /// A layer was to go on from a place that it does not have.
    #[error("the layer's parts do not lead to the mark that it was to go on from")]
    Mark,
    /// The compression library is another version than the one that format 1 is made with.
    #[error("format 1 is made with libzstd {expected}, but this program runs with {found}")]
    Library {
        /// The version that the golden vectors hold.
        expected: u32,
        /// The version that was linked.
        found: u32,
    },
    /// The compression library failed.
    #[error("cannot compress a chunk with {codec}: {reason}")]
    Compress {
        /// The codec.
        codec: Codec,
        /// The library's word.
        reason: &'static str,
    },
}

impl Error {
    /// Whether an archive ends before its own end: in a header, in a content, or without the zeros behind its last entry.
    #[must_use]
    pub fn is_truncation(&self) -> bool {
        matches!(self, Self::Damaged { reason: CUT_OFF, .. } | Self::Within { .. })
    }
}

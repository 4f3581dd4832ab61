//! File tree → format 1 bytes: the tar, the fragments, the chunks and the compressed layer.
//!
//! Invariants: every byte that leaves this room is decided by its input alone; paths cannot leave the tree; memory stays bounded
//! whatever the size of a file. `docs/format-1.md` is the specification; `tests/golden` holds it.
//!
//! A [`FragmentBuilder`] or a [`FragmentWriter`] makes fragments and their [`Index`]es, [`rewrite`] changes one without its
//! archive, [`directories`] makes the first fragment of a layer, and [`pack`] turns them all into a blob. [`read`] takes apart
//! the tar archives of others, [`scan`] shows them as they are, and [`runs`] cuts copied trees into fragments.

#[cfg(test)]
mod arbitrary;
mod builder;
mod chunk;
mod entry;
mod error;
mod fragment;
mod gzip;
mod header;
mod index;
mod job;
mod lane;
mod links;
mod member;
mod number;
mod pack;
mod pax;
mod read;
mod rewrite;
mod runs;
mod scan;
mod sink;
mod span;
mod wrapping;
mod xattr;
mod zstd;

pub use builder::{Built, FragmentBuilder};
pub use chunk::{CHUNK, Codec, Threads};
pub use entry::{CONSTANT_MTIME, Entry, Kind};
pub use error::Error;
pub use fragment::{END, FragmentWriter, directories};
pub use index::{Index, Indexed};
pub use pack::{Mark, Packed, PackedRange, Part, pack};
pub use read::{Limits, read};
pub use rewrite::{Rewrite, rewrite};
pub use runs::{RunItem, runs};
pub use scan::{Located, Seen, SeenKind, locate, scan};
pub use wrapping::Wrapping;

//! File tree → format 1 bytes: the tar, the fragments, the chunks and the compressed layer.
//!
//! Invariants: every byte that leaves this room is decided by its input alone; paths cannot leave the tree; memory stays bounded
//! whatever the size of a file. `docs/format-1.md` is the specification; `tests/golden` holds it.

mod entry;

pub use entry::{CONSTANT_MTIME, Entry, Kind};

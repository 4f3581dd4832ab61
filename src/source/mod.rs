//! Brings pinned inputs into the store: Debian archives and local trees.

pub mod debian;
pub mod fetch;
pub mod path;

//! Brings pinned inputs into the store: Debian archives, images from outside the project, and local trees.

pub mod base;
pub mod debian;
pub mod fetch;
pub mod path;

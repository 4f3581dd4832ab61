//! TOML → checked [`Recipe`]: what the user wants an image to be made of.
//!
//! Invariants: pure, reads no file and no environment; a `Recipe` that exists is well-formed, every name in it is parsed into a type
//! that cannot be wrong; every finding of a file is collected, each with its place.

mod model;

pub use model::*;

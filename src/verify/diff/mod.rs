//! What differs between two images, down to the byte, and why.
//!
//! ```text
//! index ─▶ manifest ─▶ config, field by field
//!                   ─▶ layers, each read once ─▶ merged trees, path by path ─▶ differing files, read again ─▶ cause
//! ```
//!
//! Invariants: what is no difference is not reported as one, so images with the same files in other layers or another compression
//! are said to be so; memory grows with the number of files, not with their sizes; what is inside files (archives, compressed
//! data, sections) is looked into to a bounded depth and size, and what goes beyond is named. The main function is [`compare`].

mod attestations;
mod beside;
mod class;
mod compare;
mod content;
mod document;
mod error;
mod fingerprint;
mod index;
mod layers;
mod listing;
mod manifest;
mod model;
mod pairing;
mod paths;
mod shown;
mod spool;
mod sums;
mod tree;

pub use class::Class;
pub use compare::{Options, compare};
pub use content::{Hints, explain_contents};
pub use error::Error;
pub use model::{
    Cause, Change, Comparison, Excerpt, Field, Finding, LayerPair, LayerSide, PathDifference, PlatformComparison,
    Presence, Relation, Side, Verdict, count_causes,
};
pub(super) use paths::time;
pub use shown::{plain, step_of};

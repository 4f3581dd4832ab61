//! Whether images come out bit for bit when they are built again, elsewhere, under other circumstances.
//!
//! ```text
//! Reference ── what should come out: the store, a file of digests, a layout, an archive, a registry
//! Variation ── what is changed around the rebuild, all of it from one seed
//! Comparison ─ each action's result as it appears, then each image: index, manifest, config, layers
//! Verdict ──── of each image and platform, as text, JSON, Markdown and JUnit
//! ```
//!
//! The rebuild itself is a process of its own, which the `cli` room starts: only so can all be varied that a process inherits.
//! Nothing here changes what is compared; damage is told and left where it is.

mod compare;
mod digests;
mod documents;
mod error;
mod explained;
mod junit;
mod paths;
mod quick;
mod reference;
mod registry;
mod results;
mod stated;
mod summary;
mod variation;
mod verdict;

pub use compare::{compare, compare_digests};
pub use documents::Documents;
pub use error::Error;
pub use junit::junit;
pub use quick::recompute;
pub use reference::{Expected, Reference};
pub use registry::bring_layer;
pub use results::Results;
pub use stated::stated;
pub use summary::summary;
pub use variation::Variation;
pub use verdict::{Difference, ImageVerdict, MadeLayer, Verdict};

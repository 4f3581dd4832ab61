//! Compares images, explains differences, rebuilds to prove.
//!
//! Invariants: whatever is compared stays as it is; a difference is never reported where there is none, and none is passed over
//! in silence.

pub mod diff;
pub mod page;
pub mod rebuild;
pub mod vouch;

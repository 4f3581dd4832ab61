//! Compares images, explains their differences, and rebuilds to prove.

pub mod diff;

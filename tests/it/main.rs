//! One integration binary.

mod debian;
mod signatures;
mod support;

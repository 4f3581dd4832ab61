//! One integration binary.

mod deb;
mod debian;
mod fetch;
mod signatures;
mod support;

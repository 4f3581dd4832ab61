//! One integration binary.

mod closure;
mod debian;
mod signatures;
mod support;

fn main() {}

//! One integration binary.

mod closure;

fn main() {}

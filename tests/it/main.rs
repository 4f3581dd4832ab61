//! One integration binary.

mod native;

fn main() {}

//! One integration binary.

mod recipe;

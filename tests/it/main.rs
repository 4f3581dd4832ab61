//! One integration binary.

mod layer;
mod recipe;

//! One integration binary.

mod layer;

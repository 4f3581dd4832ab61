//! One integration binary: every file of this directory is a module here.

mod image;
mod layer;
mod recipe;
mod support;

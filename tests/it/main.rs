//! One integration binary: every file of this directory is a module here.

mod image;
mod layer;
mod recipe;
mod support;
//! One integration binary: a file of `tests/it/` is a module of it, and `floors` notices one that is not.

mod cli;
mod floors;
mod house;
mod judge;
mod tokens;

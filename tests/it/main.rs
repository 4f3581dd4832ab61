//! One integration binary: a file of `tests/it/` is a module of it, and `floors` notices one that is not.

mod attest;
mod bombs;
mod build;
mod cli;
mod closure;
mod deb;
mod debian;
mod diff;
mod fetch;
mod floors;
mod fuzz;
mod house;
mod image;
mod layer;
mod lock;
mod native;
mod real;
mod recipe;
mod reliability;
mod scripts;
mod signatures;
mod support;
mod tokens;
mod verify;
mod why;

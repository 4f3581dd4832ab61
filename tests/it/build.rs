//! Builds from end to end: the program, a signed archive, and every byte that comes of them.

mod damage;
mod failures;
mod golden;
mod mirror;
mod owners;
mod same;

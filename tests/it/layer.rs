//! Format 1: golden bytes, outside judges, hostile archives.

mod golden;
mod hostile;
mod judges;
mod spec;
mod tree;

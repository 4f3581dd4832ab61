//! Executes a plan in parallel: what the store has is taken from it, the rest is made and kept.

mod schedule;

//! What is promised when things go wrong: `docs/reliability.md` says which test holds which promise.

mod crash;
mod faults;
mod refused;
mod together;

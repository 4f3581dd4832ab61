//! What is promised when things go wrong: `docs/reliability.md` says which test holds which promise.

mod collect;
mod crash;
mod disk;
mod faults;
mod refused;
mod rot;
mod together;

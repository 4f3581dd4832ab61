//! What several tests need: a signed archive, a server of files.

pub mod archive;
pub mod judge;
pub mod server;
pub mod signer;

//! What several tests need: a signed archive, a server of files.

pub(crate) mod archive;
pub(crate) mod judge;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod signer;

//! What tests share: judges from outside, servers that end with their test, a signed archive, and checks of whole images.

pub(crate) mod archive;
pub(crate) mod browser;
pub(crate) mod certificate;
pub(crate) mod containerd;
pub(crate) mod docker_engine;
pub(crate) mod emulator;
pub(crate) mod file_server;
pub(crate) mod handmade;
pub(crate) mod judge;
pub(crate) mod layout;
pub(crate) mod oci_registry;
pub(crate) mod podman;
pub(crate) mod project;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod registry_server;
pub(crate) mod server;
pub(crate) mod signer;
pub(crate) mod token_server;

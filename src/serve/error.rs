//! Why there is no server.

use std::io;
use std::net::SocketAddr;

/// Why there is no server, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
    /// An address cannot be listened on: it is taken, or not this machine's.
    #[error("could not listen on `{address}`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// No connection can be taken any more.
    #[error("could not take connections on `{address}`")]
    Accept {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

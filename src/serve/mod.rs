//! The store as a read-only registry: the pull half of the OCI distribution-spec over plain HTTP/1.1, blocking, on threads.
//!
//! ```text
//! accept ─seat─▶ connection ─bytes─▶ Request ─path─▶ Route ─▶ Site ─▶ Response ─▶ connection
//!                                                             ├─ Shelf: index.json, and what each image reaches
//!                                                             └─ Verified: files whose bytes were checked
//! ```
//!
//! Invariants: nothing is given but what a named image reaches, so neither a source nor a part of a layer; no path is ever made of what
//! a client says, only of a digest that was parsed; a blob is sent only after its file was found to be what its name says; every request
//! has bounds in bytes and in time, and there are never more connections than seats; nothing is written but what the store itself does with
//! damage. The store is held open for as long as an answer is looked up, and not while it is sent: whoever collects garbage waits for moments
//! only, and what is gone then is a clean 404. The main type is [`Server`].

mod answer;
mod connection;
mod error;
mod list;
mod range;
mod reach;
mod referrers;
mod request;
mod response;
mod route;
mod seats;
mod shelf;
mod stamp;
mod verified;

pub use error::Error;
pub use range::{Range, Ranged};
pub use request::{Refusal, Request};
pub use route::{NoRoute, Route};

use crate::digest::Digest;
use crate::event::{Event, Events};
use crate::store;
use answer::Site;
use seats::Seats;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a server puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections there are at once; others wait in the kernel's queue.
    pub connections: usize,
    /// How long a request may take to come in, from its first byte.
    pub request: Duration,
    /// How long a connection may be silent between requests.
    pub idle: Duration,
    /// How long a client may take nothing of an answer.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            request: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            stall: Duration::from_secs(30),
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Site>,
    limits: Limits,
}

impl Server {
    /// Listens on the first of several addresses that is free, for a store's images: those that are named, or all, if none is.
    ///
    /// Clients that come before [`Server::run`] wait.
    pub fn bind(
        addresses: &[SocketAddr],
        store: &Path,
        images: &[String],
        limits: Limits,
        events: &Events,
    ) -> Result<Self, Error> {
        let mut taken = None;
        for address in addresses {
            let bound = TcpListener::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
            match bound {
                Ok((address, listener)) => {
                    let site = Arc::new(Site::new(store, images, events));
                    return Ok(Self { listener, address, site, limits });
                }
                Err(source) => {
                    let used = source.kind() == ErrorKind::AddrInUse;
                    taken = Some(Error::Listen { address: *address, source });
                    if !used {
                        break;
                    }
                }
            }
        }
        Err(taken.unwrap_or(Error::NoAddress))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The images that it gives now, with their digests, by name.
    pub fn images(&self) -> Result<Vec<(String, Digest)>, store::Error> {
        self.site.images()
    }

    /// Answers requests until the process ends; comes back only where no connection can be taken any more.
    #[must_use]
    pub fn run(&self) -> Error {
        let seats = Arc::new(Seats::new(self.limits.connections));
        loop {
            let seat = seats.take();
            let (stream, client) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if passes(&error) => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(source) => return Error::Accept { address: self.address, source },
            };
            let (site, limits) = (Arc::clone(&self.site), self.limits);
            let serve = move || connection::serve(&stream, client, &site, limits, &seat);
            if let Err(error) = std::thread::Builder::new().name("serve".to_owned()).spawn(serve) {
                // The connection ends with what the thread would have owned.
                self.site.events().send(Event::Warning { text: format!("cannot answer `{client}`: {error}") });
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// How long nothing is accepted after that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a failure to accept is one connection's, or will pass: a client that went away, no file left to open.
fn passes(error: &io::Error) -> bool {
    // What accept(2) on Linux lists beyond these are errors of the network, to be treated like a client that went away; those of the
    // listener itself do not pass.
    !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied)
}

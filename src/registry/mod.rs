//! The OCI distribution-spec's client, and nothing else: blobs and manifests to and from registries, on plain blocking HTTP.
//!
//! Invariants: what is returned as the bytes of a digest has that digest; bytes are bounded before they are held; nothing that
//! could have an effect twice is asked twice; credentials go to the registry that they are for and to who gives its tokens, never
//! over plain HTTP to a host for which the user did not choose it, and into no message, event or file.

mod address;
mod amend;
mod any_digest;
mod auth;
mod blob;
mod certificates;
mod challenge;
mod credentials;
mod download;
mod endpoint;
mod error;
mod exchange;
mod journal;
mod manifest;
mod mirror;
mod patience;
mod portal;
mod pull;
mod reference;
mod referrers;
mod said;
mod scope;
mod secret;
mod sent;
mod session;
mod tags;
mod token;
mod upload;

pub use amend::Amendment;
pub use any_digest::{AnyDigest, BadDigest};
pub use blob::Mounted;
pub use credentials::{CredentialError, Credentials};
pub use error::RegistryError;
pub use manifest::{Head, Manifest, Put};
pub use mirror::Mirror;
pub use pull::BlobReader;
pub use reference::{Host, Reference, ReferenceError, Repository, Selector, Tag};
pub use referrers::Referrer;
pub use said::clean;
pub use secret::Secret;
pub use session::Session;
pub use upload::Upload;

use crate::event::Events;
use crate::wire;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How registries are reached. None of it can change what bytes a digest has.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where credentials come from.
    pub credentials: Credentials,
    /// Files of certificates to trust besides the system's, in PEM form.
    pub ca_files: Vec<PathBuf>,
    /// Directories with a directory of certificates for each host, as docker and podman have them.
    pub cert_dirs: Vec<PathBuf>,
    /// Hosts that are spoken to over plain HTTP; those of this very machine are anyway, where they do not speak TLS.
    pub plain: BTreeSet<Host>,
    /// Where to look for what a registry holds before it is asked itself.
    pub mirrors: BTreeMap<Host, Vec<Mirror>>,
    /// The proxies through which they are reached.
    pub proxies: wire::Proxies,
    /// How long servers are waited for.
    pub patience: wire::Patience,
    /// How many bytes of a blob are sent in one request, where the registry does not want more: what is lost with a connection.
    pub chunk: u64,
}

impl Default for Settings {
    /// Nobody logged in, the system's certificates, no mirrors, no proxies, chunks of 64 MiB.
    fn default() -> Self {
        Self {
            credentials: Credentials::default(),
            ca_files: Vec::new(),
            cert_dirs: Vec::new(),
            plain: BTreeSet::new(),
            mirrors: BTreeMap::new(),
            proxies: wire::Proxies::default(),
            patience: wire::Patience::default(),
            chunk: 64 << 20,
        }
    }
}

/// Speaks to registries; cheap to clone, usable from any thread, with one pool of connections and of tokens.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    events: Events,
    sleep: Box<dyn Fn(Duration) + Send + Sync>,
    endpoints: Mutex<BTreeMap<Host, Arc<endpoint::Endpoint>>>,
}

impl Client {
    /// Sets up a client; no server is asked yet. `sleep` is called between attempts.
    pub fn new(settings: Settings, events: Events, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { settings, events, sleep: Box::new(sleep), endpoints: Mutex::default() }))
    }

    /// Asks a registry whether it is one, and whether it knows who asks.
    pub fn ping(&self, host: &Host) -> Result<(), RegistryError> {
        let task = format!("reach the registry `{host}`");
        let ask = exchange::Ask {
            host,
            place: host.to_string(),
            method: ureq::http::Method::GET,
            to: exchange::To::Path("/v2/".to_owned()),
            scope: scope::Scope::default(),
            headers: Vec::new(),
            body: exchange::Body::None,
            task: &task,
        };
        let answer = self.whole(&ask, said::MOST)?;
        if answer.status.is_success() { Ok(()) } else { Err(exchange::refused(&task, answer.status, &answer.bytes)) }
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

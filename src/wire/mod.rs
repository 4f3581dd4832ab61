//! Connections to servers: the way there, whom they trust, what they say of themselves, and how long they wait.
//!
//! Downloads and the registry's client share this; what is asked over the connections is theirs. Invariants: TLS is verified, always;
//! a proxy is shown its own credentials and no others, and they are in no message.

mod patience;
mod pause;
mod proxies;
mod route;
mod through;
mod tls;
mod verifier;

pub use patience::Patience;
pub use pause::pause_asked;
pub use proxies::Proxies;
pub use through::ProxyError;

use std::sync::OnceLock;
use ureq::tls::{Certificate, ClientCert};

/// What servers and proxies are told of who asks.
const AGENT: &str = concat!("remint/", env!("CARGO_PKG_VERSION"));

/// Whom a connection trusts, and who it says it is.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    system: bool,
    roots: Vec<Certificate<'static>>,
    client: Option<ClientCert>,
}

impl Trust {
    /// Those whom this machine trusts.
    #[must_use]
    pub fn system() -> Self {
        Self { system: true, ..Self::default() }
    }

    /// These as well: authorities, or a server's very own certificate.
    #[must_use]
    pub fn and(mut self, roots: impl IntoIterator<Item = Certificate<'static>>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// Shows this certificate to a server that asks for one.
    #[must_use]
    pub fn showing(mut self, client: Option<ClientCert>) -> Self {
        self.client = client;
        self
    }
}

/// What this machine trusts, read once. A machine without certificates still reaches plain servers, whose data are verified
/// all the same.
fn system() -> &'static [Certificate<'static>] {
    static SYSTEM: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
    })
}

/// A pool of connections that follows so many redirections.
#[must_use]
pub fn agent(patience: &Patience, trust: Trust, proxies: &Proxies, redirects: u32) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        // The route knows them.
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(redirects)
        .max_redirects_will_error(redirects > 0)
        .redirect_auth_headers(ureq::config::RedirectAuthHeaders::Never)
        .user_agent(AGENT)
        // What is fetched is verified as it stands on the server: nothing on the way may pack it.
        .accept_encoding("identity")
        .timeout_connect(Some(patience.silence))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence))
        .max_idle_connections(64)
        .max_idle_connections_per_host(16);
    let route = route::Route { proxies: proxies.clone(), tls: tls::Tls::new(trust) };
    ureq::Agent::with_parts(config.build(), route, route::Names(proxies.clone()))
}

/// Whether the other side's certificate, or ours, is the trouble: another attempt will not succeed.
#[must_use]
pub fn is_untrusted(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) => true,
        ureq::Error::Io(io) => io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>),
        _ => false,
    }
}

//! One registry's connections, and whether they are encrypted.

use super::address::Address;
use super::auth::{Auth, lock};
use super::certificates;
use super::error::{Failure, RegistryError};
use super::exchange::{self, Ask, To};
use super::reference::{Host, Repository};
use super::{Client, wire};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use ureq::Body;
use ureq::http::{Method, Response, StatusCode};

/// What is known of a host.
pub(super) struct Endpoint {
    host: Host,
    agent: ureq::Agent,
    pub(super) auth: Auth,
    /// Whether it speaks TLS; `None` until it was asked.
    secure: Mutex<Option<bool>>,
    /// Whether there is a registry's API on it; `None` until there was a doubt.
    pub(super) api: Mutex<Option<bool>>,
    /// Repositories that are known to have no lists of referrers; those beside them may be kept elsewhere.
    no_referrers: Mutex<BTreeSet<String>>,
}

impl Endpoint {
    /// The pool of its connections.
    pub(super) fn agent(&self) -> &ureq::Agent {
        &self.agent
    }

    /// A path's address on it.
    pub(super) fn address(&self, path: &str, task: &str) -> Result<Address, Failure> {
        let mut secure = lock(&self.secure);
        let known = match *secure {
            Some(known) => known,
            None => probe(self, task)?,
        };
        *secure = Some(known);
        Ok(Address::new(known, &self.host, path))
    }

    /// Notes that a repository has no lists of referrers, so that it is asked for one once a run and not once an image.
    pub(super) fn has_no_referrers(&self, repository: &Repository) {
        lock(&self.no_referrers).insert(repository.name().to_owned());
    }

    /// Whether it was found to have none.
    pub(super) fn lacks_referrers(&self, repository: &Repository) -> bool {
        lock(&self.no_referrers).contains(repository.name())
    }
}

impl Client {
    /// What is known of a host.
    pub(super) fn endpoint(&self, host: &Host) -> Result<Arc<Endpoint>, RegistryError> {
        let mut endpoints = lock(&self.0.endpoints);
        if let Some(endpoint) = endpoints.get(host) {
            return Ok(Arc::clone(endpoint));
        }
        let settings = self.settings();
        // Reading this machine's certificates takes longer than a request on it.
        let plain = settings.plain.contains(host);
        let trust = if plain { wire::Trust::default() } else { certificates::trust(settings, host)? };
        let agent = wire::agent(&settings.patience, trust, &settings.proxies, 0);
        let secure = if plain { Some(false) } else { (!host.is_loopback()).then_some(true) };
        let endpoint = Arc::new(Endpoint {
            host: host.clone(),
            agent,
            auth: Auth::default(),
            secure: Mutex::new(secure),
            api: Mutex::default(),
            no_referrers: Mutex::default(),
        });
        endpoints.insert(host.clone(), Arc::clone(&endpoint));
        Ok(endpoint)
    }

    /// Lets the first question to a server on this machine be the one whether it speaks TLS: it shows nothing of who asks. `None`: that
    /// is known, or it has to be asked properly.
    pub(super) fn first(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Option<Response<Body>> {
        let To::Path(path) = &ask.to else { return None };
        let repeatable = matches!(ask.method, Method::GET | Method::HEAD);
        if !repeatable || lock(&endpoint.secure).is_some() {
            return None;
        }
        let answer = self.send(endpoint.agent(), ask, &Address::new(false, &endpoint.host, path), None).ok()?;
        if answer.status() == StatusCode::BAD_REQUEST {
            return None;
        }
        *lock(&endpoint.secure) = Some(false);
        Some(answer)
    }

    /// Refuses to go where anybody could listen, unless the user chose that.
    pub(super) fn may_speak(&self, address: &Address, task: &str) -> Result<(), Failure> {
        let host = address.host();
        if address.is_secure() || host.is_loopback() || self.settings().plain.contains(host) {
            return Ok(());
        }
        let why = format!("it leads to `{host}` over plain HTTP, which was not allowed for that host");
        Err(Failure::malformed(task, why))
    }
}

/// Asks a server on this machine whether it speaks TLS; nothing is shown to it.
fn probe(endpoint: &Endpoint, task: &str) -> Result<bool, Failure> {
    let ask = |secure| endpoint.agent.get(Address::new(secure, &endpoint.host, "/v2/").url()).call();
    match ask(false) {
        // So some servers answer who speaks plainly to them; others answer in TLS, which is no HTTP.
        Ok(answer) if answer.status() == StatusCode::BAD_REQUEST => {}
        Ok(_) => return Ok(false),
        Err(ureq::Error::Protocol(_)) => {}
        Err(error) => return Err(exchange::failed(&error, &endpoint.host, task)),
    }
    match ask(true) {
        Ok(_) => Ok(true),
        Err(error) => Err(exchange::failed(&error, &endpoint.host, task)),
    }
}

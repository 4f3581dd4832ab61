//! One registry's connections, and whether they are encrypted.

use super::address::Address;
use super::auth::{Auth, lock};
use super::certificates;
use super::error::{Failure, RegistryError};
use super::exchange;
use super::reference::Host;
use super::{Client, wire};
use std::sync::{Arc, Mutex};
use ureq::http::StatusCode;

/// What is known of a host.
pub(super) struct Endpoint {
    host: Host,
    agent: ureq::Agent,
    pub(super) auth: Auth,
    /// Whether it speaks TLS; `None` until it was asked.
    secure: Mutex<Option<bool>>,
    /// Whether there is a registry's API on it; `None` until there was a doubt.
    pub(super) api: Mutex<Option<bool>>,
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
        let (secure, api) = (Mutex::new(secure), Mutex::default());
        let endpoint = Arc::new(Endpoint { host: host.clone(), agent, auth: Auth::default(), secure, api });
        endpoints.insert(host.clone(), Arc::clone(&endpoint));
        Ok(endpoint)
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

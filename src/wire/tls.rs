//! TLS on a connection. ureq brings this as well, but with no place for a verifier of one's own.

use super::Trust;
use super::verifier::Verifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, OnceLock};
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter};

/// Makes connections TLS; what it trusts is read when the first one needs it.
pub(super) struct Tls {
    trust: Trust,
    known: OnceLock<Result<Known, rustls::Error>>,
}

struct Known {
    /// Towards servers.
    server: Arc<ClientConfig>,
    /// Towards proxies, which are not shown who we are.
    proxy: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, known: OnceLock::new() }
    }

    /// TLS with a server.
    pub(super) fn wrap(&self, at: &ConnectionDetails, on: Box<dyn Transport>) -> Result<Box<dyn Transport>, Error> {
        encrypted(at, on, Arc::clone(&self.known()?.server))
    }

    /// TLS with a proxy: it does not get to see a client's certificate.
    pub(super) fn wrap_anonymous(
        &self,
        at: &ConnectionDetails,
        on: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Error> {
        encrypted(at, on, Arc::clone(&self.known()?.proxy))
    }

    fn known(&self) -> Result<&Known, Error> {
        let known = self.known.get_or_init(|| Known::read(&self.trust));
        known.as_ref().map_err(|error| Error::Rustls(error.clone()))
    }
}

impl Known {
    fn read(trust: &Trust) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let given = trust.roots.iter().map(|root| CertificateDer::from(root.der().to_vec())).collect();
        let system = if trust.system { super::system() } else { &[] };
        let system = system.iter().map(|root| CertificateDer::from(root.der()));
        let verifier = Arc::new(Verifier::new(given, system, &provider));
        let config = || {
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
            let builder = builder.with_safe_default_protocol_versions()?.dangerous();
            let verifier: Arc<Verifier> = Arc::clone(&verifier);
            Ok::<_, rustls::Error>(builder.with_custom_certificate_verifier(verifier))
        };
        let proxy = config()?.with_no_client_auth();
        let server = match &trust.client {
            None => proxy.clone(),
            Some(client) => {
                let chain = client.certs().iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
                let key = PrivateKeyDer::try_from(client.private_key().der().to_vec());
                let key = key.map_err(|why| rustls::Error::General(why.to_owned()))?;
                config()?.with_client_auth_cert(chain, key)?
            }
        };
        Ok(Self { server: Arc::new(server), proxy: Arc::new(proxy) })
    }
}

fn encrypted(
    at: &ConnectionDetails,
    on: Box<dyn Transport>,
    config: Arc<ClientConfig>,
) -> Result<Box<dyn Transport>, Error> {
    let name = at.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(|_| Error::Tls("no certificate can be for such a host name"))?;
    let mut conn = ClientConnection::new(config, name)?;
    let mut sock = TransportAdapter::new(on, at.current_time.clone());
    sock.set_timeout(at.timeout);
    conn.complete_io(&mut sock)?;
    let buffers = LazyBuffers::new(at.config.input_buffer_size(), at.config.output_buffer_size());
    Ok(Box::new(Encrypted { stream: StreamOwned { conn, sock }, buffers }))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// An encrypted connection.
struct Encrypted {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encrypted").field("on", &self.stream.sock.inner()).finish_non_exhaustive()
    }
}

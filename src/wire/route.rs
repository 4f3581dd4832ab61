//! How an address is reached: directly or through a proxy, plainly or by TLS.

use super::proxies::Proxies;
use super::through;
use super::tls::Tls;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};

/// Makes connections.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) proxies: Proxies,
    pub(super) tls: Tls,
}

impl Connector for Route {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let transport = match self.proxies.of(details.uri) {
            Some(proxy) => through::connect(details, proxy, &self.tls)?,
            None => Box::new(TcpConnector::default().connect(details, None::<()>)?.ok_or(Error::ConnectionFailed)?),
        };
        Ok(Some(if details.needs_tls() { self.tls.wrap(details, transport)? } else { transport }))
    }
}

/// Finds the addresses of names; those of what a proxy reaches are the proxy's to find.
#[derive(Debug)]
pub(super) struct Names(pub(super) Proxies);

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let own = DefaultResolver::default();
        if self.0.of(uri).is_some() { Ok(own.empty()) } else { own.resolve(uri, config, timeout) }
    }
}

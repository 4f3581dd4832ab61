//! Connections through a proxy.
//!
//! What is reached by TLS goes through a tunnel (`CONNECT`, RFC 9110, section 9.3.6). What is asked plainly is asked of the proxy with
//! the whole address in the first line (RFC 9112, section 3.2.2), since many proxies open tunnels to port 443 alone.

use super::proxies::{Place, Proxy};
use super::tls::Tls;
use std::io::{Read as _, Write as _};
use ureq::Error;
use ureq::http::{StatusCode, Uri};
use ureq::unversioned::resolver::{DefaultResolver, Resolver as _};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector as _, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};

/// A proxy's answer to `CONNECT` is no longer than this, in bytes.
const LONGEST: usize = 16 << 10;

/// Why a proxy does not help; no message holds its credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The variable does not hold a proxy that can be used.
    #[error("the variable `{variable}` names no proxy: {why}")]
    Unusable {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// There is no connection to it.
    #[error("cannot connect to the proxy `{proxy}`, which `{variable}` names: {why}")]
    Unreachable {
        /// Its address.
        proxy: String,
        /// The variable.
        variable: &'static str,
        /// Why.
        why: String,
        /// Whether that is for want of trust.
        untrusted: bool,
    },
    /// It does not connect to the server.
    #[error("the proxy `{proxy}`, which `{variable}` names, does not connect to `{server}`: it answered {status}")]
    Refused {
        /// Its address.
        proxy: String,
        /// The variable.
        variable: &'static str,
        /// The host and port that it was asked for.
        server: String,
        /// Its answer: 403 Forbidden.
        status: StatusCode,
    },
}

impl ProxyError {
    /// What a request failed by, if a proxy is the reason.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        if let Error::Other(other) = error { other.downcast_ref() } else { None }
    }

    /// Whether another attempt will not succeed.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Unusable { .. } => true,
            Self::Unreachable { untrusted, .. } => *untrusted,
            Self::Refused { status, .. } => status.is_client_error() && status.as_u16() != 429,
        }
    }
}

/// A connection for an address: a tunnel to its host, or one on which the proxy is asked for it.
pub(super) fn connect(details: &ConnectionDetails, proxy: &Proxy, tls: &Tls) -> Result<Box<dyn Transport>, Error> {
    let place = match &proxy.place {
        Ok(place) => place,
        Err(why) => return Err(said(ProxyError::Unusable { variable: proxy.variable, why })),
    };
    let unreachable = |error: &Error| {
        let untrusted = super::is_untrusted(error);
        let why = error.to_string();
        said(ProxyError::Unreachable { proxy: place.shown(), variable: proxy.variable, why, untrusted })
    };
    let transport = reach(details, place, tls).map_err(|error| unreachable(&error))?;
    if !details.needs_tls() {
        return Ok(Box::new(Asked::new(transport, details, place, proxy.variable)));
    }
    let server = format!("{}:{}", details.uri.host().unwrap_or_default(), details.uri.port_u16().unwrap_or(443));
    let mut stream = TransportAdapter::new(transport, details.current_time.clone());
    stream.set_timeout(details.timeout);
    let status = tunnel(&mut stream, &server, place).map_err(|error| unreachable(&error.into()))?;
    if status.is_success() {
        return Ok(Box::new(Tunnel(stream.into_inner())));
    }
    Err(said(ProxyError::Refused { proxy: place.shown(), variable: proxy.variable, server, status }))
}

fn said(error: ProxyError) -> Error {
    Error::Other(Box::new(error))
}

/// A connection to the proxy itself.
fn reach(details: &ConnectionDetails, place: &Place, tls: &Tls) -> Result<Box<dyn Transport>, Error> {
    let details = ConnectionDetails {
        uri: &place.uri,
        addrs: DefaultResolver::default().resolve(&place.uri, details.config, details.timeout)?,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    };
    let transport = TcpConnector::default().connect(&details, None::<()>)?.ok_or(Error::ConnectionFailed)?;
    if details.needs_tls() { tls.wrap_anonymous(&details, Box::new(transport)) } else { Ok(Box::new(transport)) }
}

/// Asks for a tunnel; the answer's status. Of the answer nothing beyond its end is read: what follows is the server's.
fn tunnel(stream: &mut TransportAdapter, server: &str, place: &Place) -> std::io::Result<StatusCode> {
    let shown = place.authorization.as_ref().map_or(String::new(), |shown| format!("Proxy-Authorization: {shown}\r\n"));
    let agent = super::AGENT;
    write!(stream, "CONNECT {server} HTTP/1.1\r\nHost: {server}\r\nUser-Agent: {agent}\r\n{shown}\r\n")?;
    let bad = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if answer.len() == LONGEST || stream.read(&mut byte)? == 0 {
            return Err(bad("it broke off its answer"));
        }
        answer.push(byte[0]);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    parsed.parse(&answer).map_err(|_| bad("its answer is not HTTP"))?;
    parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| bad("its answer is not HTTP"))
}

/// A tunnel: whether the way to the proxy is encrypted says nothing about the way to the server.
#[derive(Debug)]
struct Tunnel(Box<dyn Transport>);

impl Transport for Tunnel {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

/// A connection on which a proxy is asked for one server's addresses.
struct Asked {
    stream: TransportAdapter,
    buffers: LazyBuffers,
    /// `http://host:port`.
    server: String,
    authorization: Option<String>,
    /// The proxy's address.
    proxy: String,
    /// The variable that names it.
    variable: &'static str,
    /// Whether what is sent next begins a request.
    begins: bool,
    /// Whether what comes next begins an answer.
    unheard: bool,
}

impl Asked {
    fn new(transport: Box<dyn Transport>, details: &ConnectionDetails, place: &Place, variable: &'static str) -> Self {
        Self {
            stream: TransportAdapter::new(transport, details.current_time.clone()),
            buffers: LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size()),
            server: origin(details.uri),
            authorization: place.authorization.clone(),
            proxy: place.shown(),
            variable,
            begins: true,
            unheard: true,
        }
    }
}

/// An address's scheme, host and port, without credentials.
fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("http://{}", authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The beginning of a request as a proxy wants it: the whole address, and who asks.
fn begun(head: &[u8], server: &str, authorization: Option<&str>) -> Option<Vec<u8>> {
    let target = head.iter().position(|byte| *byte == b' ')? + 1;
    let end = head.windows(2).position(|two| two == b"\r\n")? + 2;
    let (method, line, rest) = (&head[..target], head.get(target..end)?, &head[end..]);
    let shown = authorization.map_or(String::new(), |shown| format!("Proxy-Authorization: {shown}\r\n"));
    Some([method, server.as_bytes(), line, shown.as_bytes(), rest].concat())
}

impl Transport for Asked {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        if std::mem::take(&mut self.begins) {
            let begun = begun(output, &self.server, self.authorization.as_deref()).ok_or(Error::ConnectionFailed)?;
            self.stream.write_all(&begun)?;
        } else {
            self.stream.write_all(output)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        // No server says 407: it is the proxy that wants to know who asks. The status may come in pieces.
        if let Some(status) = self.buffers.input().get(8..12).filter(|_| self.unheard) {
            self.unheard = false;
            if status == b" 407" {
                let (server, proxy, variable) = (self.server.clone(), self.proxy.clone(), self.variable);
                let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
                return Err(said(ProxyError::Refused { proxy, variable, server, status }));
            }
        }
        Ok(amount > 0)
    }

    /// This is asked between requests, when the connection goes into the pool and when it comes out again.
    fn is_open(&mut self) -> bool {
        (self.begins, self.unheard) = (true, true);
        self.stream.get_mut().is_open()
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("server", &self.server).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_asked_for_the_whole_address() {
        let server = origin(&"http://user:canary@m.example:8080/debian/x?y".parse().unwrap());
        let head = b"GET /debian/x?y HTTP/1.1\r\nhost: m.example\r\n\r\nbody";
        let plain = begun(head, &server, None).unwrap();
        let expected = "GET http://m.example:8080/debian/x?y HTTP/1.1\r\nhost: m.example\r\n\r\nbody";
        assert_eq!(String::from_utf8(plain).unwrap(), expected);
        let shown = begun(head, &server, Some("Basic eA==")).unwrap();
        let expected = expected.replace("host:", "Proxy-Authorization: Basic eA==\r\nhost:");
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
        for wrong in [&b""[..], b"GET", b"GET / HTTP/1.1", b"\r\n x"] {
            assert_eq!(begun(wrong, &server, None), None);
        }
    }
}

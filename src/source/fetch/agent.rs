//! One request to one address.

use super::{Patience, Url, Why};
use crate::digest::Mismatch;
use crate::wire;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};

/// An address's answer: bytes of the file from some offset on.
pub(super) struct Answer {
    pub(super) body: Box<dyn Read>,
    /// Where in the file the body begins: where it was asked for, or 0.
    pub(super) start: u64,
}

/// Why an address did not give the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    #[error("{why}")]
    Transient {
        /// Why.
        why: String,
        /// The pause that the server asked for.
        pause: Option<Duration>,
    },
    /// It sends so slowly that another attempt would take as long.
    #[error("{0}")]
    Slow(String),
    /// It has no such file.
    #[error("{0}")]
    Absent(String),
    /// It has it for others: the credentials are wrong, or missing.
    #[error("{0}")]
    Denied(String),
    /// No other attempt will succeed.
    #[error("{0}")]
    Refused(String),
    /// It gave another file.
    #[error("{0}")]
    Wrong(Mismatch),
    /// What was received could not be written.
    #[error("{0}")]
    Sink(io::Error),
}

impl Failure {
    /// One that may not happen again.
    pub(super) fn transient(why: String) -> Self {
        Self::Transient { why, pause: None }
    }

    /// What a person has to know of it.
    pub(super) fn why(&self) -> Why {
        match self {
            Self::Transient { .. } | Self::Slow(_) => Why::Unreachable,
            Self::Absent(_) => Why::Absent,
            Self::Denied(_) => Why::Denied,
            Self::Wrong(_) => Why::Wrong,
            Self::Refused(_) | Self::Sink(_) => Why::Refused,
        }
    }
}

/// How many redirections are followed.
const REDIRECTS: u32 = 5;

/// Connections with the certificates that this machine trusts.
pub(super) fn agent(patience: &Patience, proxies: &wire::Proxies) -> ureq::Agent {
    wire::agent(patience, wire::Trust::system(), proxies, REDIRECTS)
}

/// Asks an address for its file, from an offset on if it can.
pub(super) fn ask(agent: &ureq::Agent, url: &Url, offset: u64) -> Result<Answer, Failure> {
    match (url.path(), url.http()) {
        (Some(path), _) => open(path, offset),
        (None, Some(text)) => get(agent, text, offset),
        (None, None) => Err(Failure::Refused("it is no address".to_owned())),
    }
}

fn open(path: &std::path::Path, offset: u64) -> Result<Answer, Failure> {
    let absent = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if absent(&error) => return Err(Failure::Absent("there is no such file".to_owned())),
        Err(error) => return Err(Failure::Refused(format!("cannot open it: {error}"))),
    };
    // A pipe or a device could block for ever.
    let size = match file.metadata() {
        Ok(data) if data.is_file() => data.len(),
        Ok(_) => return Err(Failure::Absent("it is not a file".to_owned())),
        Err(error) => return Err(Failure::Refused(format!("cannot open it: {error}"))),
    };
    let start = if offset <= size { offset } else { 0 };
    file.seek(SeekFrom::Start(start)).map_err(|error| Failure::Refused(format!("cannot read it: {error}")))?;
    Ok(Answer { body: Box::new(file), start })
}

fn get(agent: &ureq::Agent, url: &str, offset: u64) -> Result<Answer, Failure> {
    let mut request = agent.get(url);
    if offset > 0 {
        request = request.header(header::RANGE, format!("bytes={offset}-"));
    }
    let response = request.call().map_err(|error| failure(&error))?;
    let status = response.status();
    let start = match status {
        // A server that does not know ranges sends the whole file.
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if offset > 0 && first_byte(&response) == Some(offset) => offset,
        // It sent another range than it was asked for; or what is there is longer than the file, and was another one.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if offset > 0 => return get(agent, url, 0),
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Failure::Absent(said(status))),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            return Err(Failure::Denied(said(status)));
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => return Err(busy(&response)),
        _ if status.is_server_error() => return Err(busy(&response)),
        _ => return Err(Failure::Refused(said(status))),
    };
    let body = response.into_body().into_with_config().limit(u64::MAX).reader();
    Ok(Answer { body: Box::new(body), start })
}

fn failure(error: &ureq::Error) -> Failure {
    use ureq::Error::{BadUri, Http, RedirectFailed, Tls, TooManyRedirects};
    if let Some(proxy) = wire::ProxyError::of(error) {
        let why = proxy.to_string();
        return if proxy.is_lasting() { Failure::Refused(why) } else { Failure::transient(why) };
    }
    match error {
        BadUri(_) | Http(_) | RedirectFailed | Tls(_) | TooManyRedirects => Failure::Refused(error.to_string()),
        // A certificate that is not trusted will not be at the next attempt.
        _ if wire::is_untrusted(error) => untrusted(error),
        _ => Failure::transient(error.to_string()),
    }
}

fn untrusted(error: &ureq::Error) -> Failure {
    Failure::Refused(format!("{error}; is the package `ca-certificates` installed, or SSL_CERT_FILE set?"))
}

/// The server cannot answer now; it may say for how long.
fn busy<T>(response: &Response<T>) -> Failure {
    let pause = wire::pause_asked(response.headers());
    Failure::Transient { why: said(response.status()), pause }
}

fn said(status: StatusCode) -> String {
    format!("the server answered {} {}", status.as_str(), status.canonical_reason().unwrap_or("")).trim_end().to_owned()
}

/// The first byte of `Content-Range: bytes 10-19/20`.
fn first_byte<T>(response: &Response<T>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

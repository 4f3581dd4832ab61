//! One request and its answer: who asks is shown to the registry and to nobody that it redirects to, and what is safe to ask
//! again is.

use super::address::Address;
use super::auth::Asker;
use super::error::{Failure, RegistryError};
use super::patience::Tries;
use super::portal::is_no_registry;
use super::reference::{Host, Repository};
use super::said::{self, said};
use super::scope::Scope;
use super::sent::Sent;
use super::{Client, wire};
use crate::event::Event;
use std::io::{self, Read};
use ureq::http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, header};

/// How many redirections are followed.
const REDIRECTS: u32 = 5;

/// How often a registry may ask to be shown something else.
const REFUSALS: u32 = 3;

/// A request.
pub(super) struct Ask<'a> {
    pub(super) host: &'a Host,
    /// `host/name`, or the host: what the credentials are for.
    pub(super) place: String,
    pub(super) method: Method,
    /// Where.
    pub(super) to: To,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Body<'a>,
    /// What is being done, for messages: get the manifest `3` of `host/name`.
    pub(super) task: &'a str,
}

/// Where a request goes.
#[derive(Clone)]
pub(super) enum To {
    /// A path on the registry.
    Path(String),
    /// Where the registry said.
    Address(Address),
}

/// What goes with a request.
pub(super) enum Body<'a> {
    None,
    Bytes(&'a [u8]),
    /// So many bytes of a source, which can be opened again.
    Stream {
        open: &'a dyn Fn() -> io::Result<Box<dyn Read>>,
        size: u64,
    },
}

/// An answer whose body was not read yet.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: ureq::Body,
    /// Who gave it.
    pub(super) from: Address,
}

/// An answer that was read.
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) from: Address,
}

impl<'a> Ask<'a> {
    /// A request to a repository.
    pub(super) fn new(repository: &'a Repository, method: Method, to: To, scope: Scope, task: &'a str) -> Self {
        Self {
            host: repository.host(),
            place: repository.to_string(),
            method,
            to,
            scope,
            headers: Vec::new(),
            body: Body::None,
            task,
        }
    }

    /// With a header.
    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    pub(super) fn body(mut self, body: Body<'a>) -> Self {
        self.body = body;
        self
    }
}

impl Client {
    /// Asks, again where an attempt fails and may not fail again, and reads the answer, of at most so many bytes. Only for what
    /// does the same when it is done twice.
    pub(super) fn whole(&self, ask: &Ask<'_>, limit: u64) -> Result<Whole, RegistryError> {
        let mut tries = Tries::new(self.settings().patience);
        loop {
            match self.whole_once(ask, limit) {
                Ok(whole) => return Ok(whole),
                Err(failure) => self.pause(&mut tries, false, failure, ask.task)?,
            }
        }
    }

    /// Asks once and reads the answer.
    pub(super) fn whole_once(&self, ask: &Ask<'_>, limit: u64) -> Result<Whole, Failure> {
        let Answer { status, headers, body, from } = self.attempt(ask)?;
        let limit = if status.is_success() { limit } else { said::MOST };
        let mut bytes = Vec::new();
        let read = body.into_with_config().limit(u64::MAX).reader().take(limit + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > limit {
            if status.is_success() {
                return Err(RegistryError::TooLarge { task: ask.task.to_owned(), limit }.into());
            }
            bytes.clear();
        }
        if !status.is_success() {
            bytes = self.endpoint(ask.host)?.auth.hide(bytes);
        }
        match read {
            Err(error) if status.is_success() => Err(Failure::transient(format!("the transfer broke off: {error}"))),
            _ => Ok(Whole { status, headers, bytes, from }),
        }
    }

    /// Waits before another attempt; fails with what a person gets to see if there is none.
    pub(super) fn pause(
        &self,
        tries: &mut Tries,
        progress: bool,
        failure: Failure,
        task: &str,
    ) -> Result<(), RegistryError> {
        let Failure::Transient { why, pause } = failure else { return Err(failure.finally(task)) };
        let Some(pause) = tries.next(progress, pause) else { return Err(Failure::transient(why).finally(task)) };
        self.0.events.send(Event::RegistryRetry { task: task.to_owned(), why });
        (self.0.sleep)(pause);
        Ok(())
    }

    /// Asks once. What comes back is an answer to act upon: neither a redirection, nor a refusal for want of credentials, nor a
    /// request to come back later.
    pub(super) fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let endpoint = self.endpoint(ask.host)?;
        let mut first = self.first(&endpoint, ask);
        let own = endpoint.address("/", ask.task)?;
        let mut address = match &ask.to {
            To::Path(path) => endpoint.address(path, ask.task)?,
            To::Address(address) => address.clone(),
        };
        let asker = Asker { client: self, host: ask.host, place: &ask.place, scope: &ask.scope, task: ask.task };
        let (mut hops, mut refusals) = (0, 0);
        loop {
            self.may_speak(&address, ask.task)?;
            let at_home = address.is_with(&own);
            let shown = if at_home && first.is_none() { endpoint.auth.show(&asker)? } else { None };
            let other = if at_home { None } else { Some(self.endpoint(address.host())?) };
            let agent = other.as_ref().unwrap_or(&endpoint).agent();
            let header = shown.as_ref().map(|shown| shown.header.expose());
            let answer = match first.take() {
                Some(answer) => answer,
                None => self.send(agent, ask, &address, header)?,
            };
            let status = answer.status();
            let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match status {
                StatusCode::UNAUTHORIZED
                    if at_home
                        && refusals < REFUSALS
                        && endpoint.auth.learn(&asker, answer.headers(), shown.as_ref())? =>
                {
                    refusals += 1;
                    // The connection can be used again once its answer was read.
                    words(answer.into_body());
                }
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let anonymous = endpoint.auth.is_anonymous(&asker);
                    let mut said = said(status, &endpoint.auth.hide(words(answer.into_body())));
                    let (task, host) = (ask.task.to_owned(), address.host().clone());
                    let redirected_by = (!at_home).then(|| ask.host.clone());
                    if redirected_by.is_some() {
                        said = format!("`{host}`: {said}").replacen("the registry answered", "answered", 1);
                    }
                    return Err(RegistryError::Denied { task, host, redirected_by, anonymous, said }.into());
                }
                _ if is_redirection(status, &ask.method) => {
                    let next = location.and_then(|location| address.join(location));
                    let bad = || {
                        Failure::malformed(ask.task, format!("`{}` redirects to what is no address", address.host()))
                    };
                    address = next.ok_or_else(bad)?;
                    hops += 1;
                    if hops > REDIRECTS {
                        return Err(Failure::malformed(ask.task, "it is redirected again and again"));
                    }
                    words(answer.into_body());
                }
                _ if is_passing(status) => {
                    let pause = wire::pause_asked(answer.headers());
                    return Err(Failure::Transient {
                        why: said(status, &endpoint.auth.hide(words(answer.into_body()))),
                        pause,
                    });
                }
                _ if is_no_registry(&endpoint, ask, status, answer.headers(), at_home) => {
                    let (task, host) = (ask.task.to_owned(), ask.host.clone());
                    return Err(RegistryError::NoRegistry { task, host }.into());
                }
                _ => {
                    let (parts, body) = answer.into_parts();
                    return Ok(Answer { status, headers: parts.headers, body, from: address });
                }
            }
        }
    }

    /// Sends a request and gives the beginning of the answer, whatever it is.
    pub(super) fn send(
        &self,
        agent: &ureq::Agent,
        ask: &Ask<'_>,
        address: &Address,
        shown: Option<&str>,
    ) -> Result<Response<ureq::Body>, Failure> {
        let mut request = Request::builder().method(ask.method.clone()).uri(address.url());
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(shown) = shown {
            request = request.header(header::AUTHORIZATION, shown);
        }
        let bad = |_| Failure::malformed(ask.task, "what is to be sent is no request");
        let failed = |error: ureq::Error| failed(&error, address.host(), ask.task);
        match &ask.body {
            Body::None => agent.run(request.body(()).map_err(bad)?).map_err(failed),
            Body::Bytes(bytes) => agent.run(request.body(*bytes).map_err(bad)?).map_err(failed),
            Body::Stream { open, size } => {
                let input = |source| RegistryError::Input { task: ask.task.to_owned(), source };
                let mut sent = Sent::new(open().map_err(input)?, *size, &self.0.events);
                let body = ureq::SendBody::from_reader(&mut sent);
                let request = request.header(header::CONTENT_LENGTH, *size).body(body).map_err(bad)?;
                let answer = agent.run(self.patient(agent, request));
                match (answer, sent.failure()) {
                    (_, Some(source)) => Err(input(source).into()),
                    (answer, None) => answer.map_err(failed),
                }
            }
        }
    }

    /// A registry may have to move what it received to where it keeps it before it answers.
    fn patient<T: ureq::AsSendBody>(&self, agent: &ureq::Agent, request: Request<T>) -> Request<T> {
        let long = self.settings().patience.silence.saturating_mul(10);
        agent.configure_request(request).timeout_recv_response(Some(long)).build()
    }
}

/// Reads an error's answer, as much of it as a message can need.
fn words(body: ureq::Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read is not shown.
    let _ = body.into_reader().take(said::MOST).read_to_end(&mut bytes);
    bytes
}

fn is_redirection(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        307 | 308 => true,
        301..=303 => matches!(*method, Method::GET | Method::HEAD),
        _ => false,
    }
}

/// Whether an answer says that another attempt may succeed.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// An answer that is neither success nor anything else that was expected.
pub(super) fn refused(task: &str, status: StatusCode, body: &[u8]) -> RegistryError {
    RegistryError::Refused { task: task.to_owned(), status: status.as_u16(), said: said(status, body) }
}

/// Why there was no answer; an address's query is not shown.
pub(super) fn failed(error: &ureq::Error, host: &Host, task: &str) -> Failure {
    use ureq::Error::{BadUri, Http, RequireHttpsOnly, Tls};
    if let Some(proxy) = wire::ProxyError::of(error) {
        let why = format!("`{host}` is reached through a proxy: {proxy}");
        return if proxy.is_lasting() { Failure::malformed(task, why) } else { Failure::transient(why) };
    }
    match error {
        BadUri(_) | Http(_) | RequireHttpsOnly(_) => {
            Failure::malformed(task, format!("`{host}` was given a bad address"))
        }
        Tls(_) => Failure::malformed(task, format!("`{host}`: {error}")),
        _ if wire::is_untrusted(error) => {
            let why = format!("`{host}`: {error}; whom to trust is read from certs.d, `--cacert` and the system");
            Failure::malformed(task, why)
        }
        _ => Failure::transient(format!("`{host}`: {error}")),
    }
}

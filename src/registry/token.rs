//! Tokens that another server gives (docker's token specification and its `OAuth2` form).

use super::address::{Address, escaped};
use super::credentials::{self, Login};
use super::error::{Failure, RegistryError};
use super::reference::Host;
use super::said::{self, said};
use super::scope::Scope;
use super::secret::Secret;
use super::wire;
use serde::Deserialize;
use std::io::Read as _;
use std::time::{Duration, Instant};
use ureq::http::{Request, StatusCode, header};

/// A token's lifetime where the server says none, in seconds.
const LIFETIME: u64 = 60;

/// Longer answers are no tokens.
const LARGEST: u64 = 1 << 20;

/// A token and how long it is worth showing.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) secret: Secret,
    until: Instant,
}

impl Token {
    /// Whether it can be shown.
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

/// What is asked of whom.
pub(super) struct Wanted<'a> {
    pub(super) realm: &'a Address,
    pub(super) service: Option<&'a str>,
    pub(super) scope: &'a Scope,
    pub(super) login: Option<&'a Login>,
    /// The registry that the token is for.
    pub(super) host: &'a Host,
    pub(super) task: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Asks for a token.
pub(super) fn ask(agent: &ureq::Agent, wanted: &Wanted<'_>) -> Result<Token, Failure> {
    let asked = Instant::now();
    let answer = match wanted.login {
        Some(Login::Identity(token)) => agent.run(exchange(wanted, token)?),
        Some(Login::Password { user, password }) => {
            let shown = format!("Basic {}", credentials::basic(user, password).expose());
            let request = Request::get(simple(wanted, Some(user)).url()).header(header::AUTHORIZATION, shown);
            agent.run(finish(wanted, request, ())?)
        }
        _ => agent.run(finish(wanted, Request::get(simple(wanted, None).url()), ())?),
    };
    let answer = answer.map_err(|error| super::exchange::failed(&error, wanted.realm.host(), wanted.task))?;
    let status = answer.status();
    let pause = wire::pause_asked(answer.headers());
    let mut body = Vec::new();
    let most = if status.is_success() { LARGEST } else { said::MOST };
    let read = answer.into_body().into_reader().take(most).read_to_end(&mut body);
    let told = || {
        let words = wanted.login.map_or(body.clone(), |login| login.hide(&body));
        format!("{} (asked for a token at `{}`)", said(status, &words), wanted.realm.host())
    };
    match status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            let (task, host) = (wanted.task.to_owned(), wanted.host.clone());
            return Err(RegistryError::Denied {
                task,
                host,
                redirected_by: None,
                anonymous: wanted.login.is_none(),
                said: told(),
            }
            .into());
        }
        _ if super::exchange::is_passing(status) => return Err(Failure::Transient { why: told(), pause }),
        _ => {
            let (task, status) = (wanted.task.to_owned(), status.as_u16());
            return Err(RegistryError::Refused { task, status, said: told() }.into());
        }
    }
    read.map_err(|error| Failure::transient(format!("the token's transfer broke off: {error}")))?;
    // The parser's message could hold a piece of the token.
    let sound = |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let answer: Option<Answer> = serde_json::from_slice(&body).ok();
    let lifetime = answer.as_ref().and_then(|answer| answer.expires_in).unwrap_or(LIFETIME).min(24 * 3600);
    let token = answer.and_then(|answer| answer.token.or(answer.access_token)).filter(sound);
    let token = token
        .ok_or_else(|| Failure::malformed(wanted.task, format!("`{}` gave no sound token", wanted.realm.host())))?;
    // The last tenth is for the way; the server's clock is not asked, since it may be wrong.
    let until = asked + Duration::from_millis(lifetime * 900);
    Ok(Token { secret: Secret::new(token), until })
}

fn simple(wanted: &Wanted<'_>, user: Option<&str>) -> Address {
    let mut address = wanted.realm.clone();
    if let Some(service) = wanted.service {
        address = address.with("service", service);
    }
    for scope in wanted.scope.iter() {
        address = address.with("scope", &scope);
    }
    user.map_or(address.clone(), |user| address.with("account", user))
}

fn exchange(wanted: &Wanted<'_>, token: &Secret) -> Result<Request<String>, Failure> {
    let scopes: Vec<String> = wanted.scope.iter().collect();
    let mut form = format!("grant_type=refresh_token&client_id=remint&refresh_token={}", escaped(token.expose()));
    form.push_str(&format!(
        "&service={}&scope={}",
        escaped(wanted.service.unwrap_or_default()),
        escaped(&scopes.join(" "))
    ));
    let request = Request::post(wanted.realm.url());
    finish(wanted, request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), form)
}

/// What a registry wants to see named in the address may be longer than an address can be.
fn finish<T>(wanted: &Wanted<'_>, request: ureq::http::request::Builder, body: T) -> Result<Request<T>, Failure> {
    let host = wanted.host;
    request.body(body).map_err(|_| Failure::malformed(wanted.task, format!("`{host}` asks for what no token can say")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::error::Failure;

    #[test]
    fn what_is_too_long_to_be_asked_for_is_no_panic() {
        let realm = Address::parse("https://a.example/token").unwrap();
        let (host, scope) = ("r.example".parse().unwrap(), Scope::default());
        // Each byte is three in an address, which has 65534 at most.
        let service = "!".repeat(30_000);
        let agent = wire::agent(&wire::Patience::default(), wire::Trust::default(), &wire::Proxies::default(), 0);
        for login in [None, Some(Login::Password { user: "u".to_owned(), password: Secret::new("hunter2".to_owned()) })]
        {
            let (service, login) = (Some(&*service), login.as_ref());
            let wanted = Wanted { realm: &realm, service, scope: &scope, login, host: &host, task: "push" };
            let Err(Failure::Final(error)) = ask(&agent, &wanted) else { panic!("it was asked") };
            assert_eq!(error.to_string(), "cannot push: `r.example` asks for what no token can say");
        }
    }
}

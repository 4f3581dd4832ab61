//! Who asks: what a registry has said that it wants to see, and what it is shown.

use super::address::Address;
use super::challenge::{self, Challenge};
use super::credentials::{self, Login};
use super::error::{Failure, RegistryError};
use super::scope::Scope;
use super::secret::Secret;
use super::token::{self, Token, Wanted};
use super::{Client, Host};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use ureq::http::HeaderMap;

/// What is known of one registry's wishes, shared by all threads.
#[derive(Default)]
pub(super) struct Auth {
    way: Mutex<Option<Way>>,
    logins: Mutex<BTreeMap<String, Option<Login>>>,
    tokens: Mutex<Tokens>,
}

/// By the place that they are for and by what they allow.
type Tokens = BTreeMap<(String, Scope), Arc<Mutex<Slot>>>;

/// How it wants to know who asks; once it said so.
#[derive(Clone, PartialEq, Eq)]
enum Way {
    Basic,
    Bearer { realm: Address, service: Option<String> },
}

/// A token for a scope, or a place for one: whoever holds the lock gets it for all.
#[derive(Default)]
struct Slot {
    /// What the registry wants beyond what was thought.
    more: Scope,
    token: Option<Token>,
}

/// What a request shows.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The header's value.
    pub(super) header: Secret,
    /// Whether it was got for this request, so that getting it again is no use.
    fresh: bool,
}

/// Whose request it is, and for what.
pub(super) struct Asker<'a> {
    pub(super) client: &'a Client,
    pub(super) host: &'a Host,
    /// `host/name`, or the host.
    pub(super) place: &'a str,
    pub(super) scope: &'a Scope,
    pub(super) task: &'a str,
}

impl Auth {
    /// What to show with a request; `None` as long as the registry has not asked, or if there is nothing to show.
    pub(super) fn show(&self, asker: &Asker<'_>) -> Result<Option<Shown>, Failure> {
        let Some(way) = lock(&self.way).clone() else { return Ok(None) };
        let login = self.login(asker)?;
        let (realm, service) = match (way, login) {
            (_, Some(Login::Bearer(token))) => {
                return Ok(Some(Shown { header: Secret::new(format!("Bearer {}", token.expose())), fresh: true }));
            }
            (Way::Basic, Some(Login::Password { user, password })) => {
                let shown = format!("Basic {}", credentials::basic(&user, &password).expose());
                return Ok(Some(Shown { header: Secret::new(shown), fresh: true }));
            }
            (Way::Basic, _) => return Ok(None),
            (Way::Bearer { realm, service }, _) => (realm, service),
        };
        let slot = self.slot(asker);
        let mut slot = lock(&slot);
        let kept = slot.token.as_ref().filter(|token| token.is_fresh()).cloned();
        let fresh = kept.is_none();
        let token = match kept {
            Some(token) => token,
            None => {
                asker.client.may_speak(&realm, asker.task)?;
                let agent = asker.client.endpoint(realm.host())?.agent().clone();
                let scope = asker.scope.clone().and(&slot.more);
                let login = self.login(asker)?;
                let wanted = Wanted {
                    realm: &realm,
                    service: service.as_deref(),
                    scope: &scope,
                    login: login.as_ref(),
                    host: asker.host,
                    task: asker.task,
                };
                let token = token::ask(&agent, &wanted)?;
                slot.token = Some(token.clone());
                token
            }
        };
        Ok(Some(Shown { header: Secret::new(format!("Bearer {}", token.secret.expose())), fresh }))
    }

    /// Learns from a refusal; whether another attempt, with something else to show, can do better.
    pub(super) fn learn(&self, asker: &Asker<'_>, headers: &HeaderMap, shown: Option<&Shown>) -> Result<bool, Failure> {
        let Some(challenge) = challenge::best(headers) else { return Ok(false) };
        let (way, scopes) = match challenge {
            Challenge::Basic => (Way::Basic, None),
            Challenge::Bearer { realm, service, scopes } => {
                let bad = || {
                    Failure::malformed(asker.task, format!("`{}` sends for tokens to what is no address", asker.host))
                };
                (Way::Bearer { realm: Address::parse(&realm).ok_or_else(bad)?, service }, Some(scopes))
            }
        };
        let is_new = lock(&self.way).replace(way.clone()).as_ref() != Some(&way);
        let Some(scopes) = scopes else {
            // The same password a second time is no better.
            return Ok(shown.is_none() && matches!(self.login(asker)?, Some(Login::Password { .. } | Login::Bearer(_))));
        };
        let slot = self.slot(asker);
        let mut slot = lock(&slot);
        let mut all = asker.scope.clone().and(&slot.more);
        let wants_more = all.extend(&scopes);
        slot.more.extend(&scopes);
        let Some(shown) = shown else { return Ok(true) };
        let is_the_kept =
            slot.token.as_ref().is_some_and(|token| shown.header.expose().ends_with(token.secret.expose()));
        if is_the_kept {
            slot.token = None;
        }
        // Somebody else has got another one meanwhile, or this one was old.
        Ok(is_new || wants_more || !is_the_kept && slot.token.is_some() || !shown.fresh)
    }

    /// Whether nobody is logged in there.
    pub(super) fn is_anonymous(&self, asker: &Asker<'_>) -> bool {
        matches!(self.login(asker), Ok(None))
    }

    /// A server's words without what it was shown, which it may say back.
    pub(super) fn hide(&self, words: Vec<u8>) -> Vec<u8> {
        let logins: Vec<Login> = lock(&self.logins).values().flatten().cloned().collect();
        let slots: Vec<_> = lock(&self.tokens).values().cloned().collect();
        // A token that is being got right now has not been shown yet.
        let tokens = slots.iter().filter_map(|slot| slot.try_lock().ok()?.token.clone());
        let logins = logins.into_iter().chain(tokens.map(|token| Login::Bearer(token.secret)));
        logins.fold(words, |words, login| login.hide(&words))
    }

    fn login(&self, asker: &Asker<'_>) -> Result<Option<Login>, Failure> {
        let mut logins = lock(&self.logins);
        if let Some(login) = logins.get(asker.place) {
            return Ok(login.clone());
        }
        let login = asker.client.settings().credentials.of(asker.place).map_err(RegistryError::from)?;
        logins.insert(asker.place.to_owned(), login.clone());
        Ok(login)
    }

    fn slot(&self, asker: &Asker<'_>) -> Arc<Mutex<Slot>> {
        let key = (asker.place.to_owned(), asker.scope.clone());
        Arc::clone(lock(&self.tokens).entry(key).or_default())
    }
}

/// Takes a lock; what a thread that panicked left there is whole, since each is written in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

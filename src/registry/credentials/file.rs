//! The files that hold credentials, or name who does (docker's `config.json`; containers-auth.json(5)).
//!
//! ```text
//! { "auths":       { "host/name": { "auth": base64("user:password"), "identitytoken": … }, … },
//!   "credHelpers": { "host": "suffix of docker-credential-", … },
//!   "credsStore":  "suffix of docker-credential-" }
//! ```

use super::{CredentialError, Login, helper};
use crate::registry::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// A larger file is something else.
const LARGEST: u64 = 4 << 20;

/// What is used of a file; the rest is other programs' settings.
#[derive(Deserialize)]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Reads a file; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<AuthFile>, CredentialError> {
    let failed = |source| CredentialError::Read { path: path.to_owned(), source };
    let form = |why: String| CredentialError::Form { path: path.to_owned(), why };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(form(format!("it has more than {LARGEST} bytes")));
    }
    // podman leaves an empty file behind.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    // The parser's message could hold a piece of the file.
    let place = |error: serde_json::Error| {
        form(format!("it is not what docker and podman write: see line {}, column {}", error.line(), error.column()))
    };
    serde_json::from_slice(&bytes).map(Some).map_err(place)
}

impl AuthFile {
    /// What it has for a repository.
    pub(super) fn of(&self, place: &str, path: &Path, patience: Duration) -> Result<Option<Login>, CredentialError> {
        let wanted = candidates(place);
        if let Some((key, suffix)) = most_specific(&self.helpers, &wanted) {
            return helper::ask(suffix, key, path, patience);
        }
        let entry = most_specific(&self.auths, &wanted);
        if let Some((key, entry)) = entry {
            let login = entry.login().map_err(|why| CredentialError::Form {
                path: path.to_owned(),
                why: format!("the entry of `{key}` {why}"),
            })?;
            if login.is_some() {
                return Ok(login);
            }
        }
        match &self.store {
            // Whoever logged in left an empty entry, whose key is the name in the store.
            Some(suffix) => {
                let server = entry.map_or_else(|| host_of(place), |(key, _)| key);
                helper::ask(suffix, server, path, patience)
            }
            None => Ok(None),
        }
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = some(&self.identitytoken) {
            return Ok(Some(Login::Identity(Secret::new(token))));
        }
        if let Some(token) = some(&self.registrytoken) {
            return Ok(Some(Login::Bearer(Secret::new(token))));
        }
        if let Some(auth) = some(&self.auth) {
            let bytes = STANDARD.decode(auth.trim()).map_err(|_| "is not base64")?;
            let text = String::from_utf8(bytes).map_err(|_| "is no text")?;
            let (user, password) = text.split_once(':').ok_or("has no colon between user and password")?;
            // docker pads with NUL.
            let password = Secret::new(password.trim_end_matches('\0').to_owned());
            return Ok(Some(Login::Password { user: user.to_owned(), password }));
        }
        match (some(&self.username), some(&self.password)) {
            (Some(user), Some(password)) => Ok(Some(Login::Password { user, password: Secret::new(password) })),
            _ => Ok(None),
        }
    }
}

/// The keys that fit a repository, the most specific first: `host/a/b`, `host/a`, `host`.
fn candidates(place: &str) -> Vec<String> {
    let mut text = place.to_owned();
    let mut all = vec![text.clone()];
    while let Some(slash) = text.rfind('/') {
        text.truncate(slash);
        all.push(text.clone());
    }
    all
}

fn host_of(place: &str) -> &str {
    place.split('/').next().unwrap_or(place)
}

/// The entry with the key that fits best, and the key as it is written.
fn most_specific<'a, T>(entries: &'a BTreeMap<String, T>, wanted: &[String]) -> Option<(&'a str, &'a T)> {
    let exact = wanted.iter().find_map(|wanted| entries.get_key_value(wanted));
    let exact =
        exact.or_else(|| wanted.iter().find_map(|wanted| entries.iter().find(|(key, _)| normal(key) == *wanted)));
    exact.map(|(key, value)| (key.as_str(), value))
}

/// A key as docker writes some, `https://index.host/v1/`, in the form of the others: `host`.
fn normal(key: &str) -> String {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let Some(bare) = bare else { return key.trim_end_matches('/').to_owned() };
    let bare = bare.trim_end_matches('/');
    let bare = bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).unwrap_or(bare);
    bare.strip_prefix("index.").unwrap_or(bare).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, place: &str) -> Option<Login> {
        let file: AuthFile = serde_json::from_str(text).unwrap();
        file.of(place, Path::new("auth.json"), Duration::from_secs(1)).unwrap()
    }

    fn user(login: Option<Login>) -> Option<String> {
        match login? {
            Login::Password { user, .. } => Some(user),
            _ => None,
        }
    }

    #[test]
    fn the_most_specific_key_counts() {
        let entry = |user: &str| format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("{user}:p:w")));
        let text = format!(
            r#"{{"auths":{{"r.example":{},"r.example/a":{},"r.example/a/b":{},"https://index.i.example/v1/":{}}}}}"#,
            entry("host"),
            entry("a"),
            entry("ab"),
            entry("index")
        );
        assert_eq!(user(of(&text, "r.example/a/b")).as_deref(), Some("ab"));
        assert_eq!(user(of(&text, "r.example/a/c")).as_deref(), Some("a"));
        assert_eq!(user(of(&text, "r.example/ab")).as_deref(), Some("host"));
        assert_eq!(user(of(&text, "i.example/x/y")).as_deref(), Some("index"));
        assert_eq!(of(&text, "other.example/a"), None);
        let Some(Login::Password { password, .. }) = of(&text, "r.example/a") else { panic!() };
        assert_eq!(password.expose(), "p:w");
    }

    #[test]
    fn every_form_of_an_entry_is_known() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let text = r#"{"auths":{"a.example":{"auth":"eA==","identitytoken":"i"},"b.example":{"registrytoken":"r"},
            "c.example":{"username":"u","password":"p"},"d.example":{}},"HttpHeaders":{"x":"y"}}"#;
        assert_eq!(of(text, "a.example/x"), Some(Login::Identity(secret("i"))));
        assert_eq!(of(text, "b.example/x"), Some(Login::Bearer(secret("r"))));
        assert_eq!(of(text, "c.example/x"), Some(Login::Password { user: "u".to_owned(), password: secret("p") }));
        assert_eq!(of(text, "d.example/x"), None);
    }

    #[test]
    fn a_bad_file_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        assert!(read(&path).unwrap().is_none());
        std::fs::write(&path, "").unwrap();
        assert!(read(&path).unwrap().is_none());
        for bad in [r#"{"auths":{"a":{"auth":hunter2}}}"#, r#"{"auths":"hunter2"}"#] {
            std::fs::write(&path, bad).unwrap();
            let Err(error) = read(&path) else { panic!() };
            let text = format!("{error} {error:?}");
            assert!(text.contains("config.json") && !text.contains("hunter2"), "{text}");
        }
        let file: AuthFile = serde_json::from_str(r#"{"auths":{"a.example":{"auth":"hunter2"}}}"#).unwrap();
        let error = file.of("a.example/b", &path, Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("a.example") && !error.contains("hunter2"), "{error}");
    }
}

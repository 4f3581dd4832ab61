//! Where credentials come from: docker's `config.json`, podman's `auth.json`, and the helper programs that they name.
//!
//! The files are asked in the order given; in each, a helper for the host comes before what the file itself holds, and that
//! before the helper for everything. Of several keys that fit, the most specific one counts.

mod file;
mod helper;

use super::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;
use std::time::Duration;

/// Which files are asked for credentials, and how long their helpers may take.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Files in the form of docker's `config.json`, the first to be asked first; one that is missing holds nothing.
    pub files: Vec<PathBuf>,
    /// After which time a helper is ended.
    pub patience: Duration,
}

/// What a registry is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// A user and a password.
    Password { user: String, password: Secret },
    /// A token that gives other tokens.
    Identity(Secret),
    /// A token for the registry itself.
    Bearer(Secret),
}

impl Login {
    /// A text without what it has of this.
    pub(super) fn hide(&self, words: &[u8]) -> Vec<u8> {
        let secrets = match self {
            Self::Password { user, password } => vec![basic(user, password), password.clone()],
            Self::Identity(secret) | Self::Bearer(secret) => vec![secret.clone()],
        };
        let mut text = String::from_utf8_lossy(words).into_owned();
        for secret in secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "…");
        }
        text.into_bytes()
    }
}

/// A user and a password as they are shown, after the word `Basic` (RFC 7617).
pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())))
}

/// Why credentials could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The file could not be read.
    #[error("cannot read the credentials in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no such file; what it holds is not shown.
    #[error("cannot read the credentials in `{}`: {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A helper failed.
    #[error("the credential helper `{program}` for `{server}`, which `{}` names, {why}", path.display())]
    Helper {
        /// The program.
        program: String,
        /// What it was asked for.
        server: String,
        /// The file that names it.
        path: PathBuf,
        /// What it did.
        why: String,
    },
}

impl CredentialError {
    /// What a person can do about it, if remint knows.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Helper { program, server, .. } => Some(format!("see what it says: `echo {server} | {program} get`")),
            _ => None,
        }
    }
}

impl Default for Credentials {
    /// None at all.
    fn default() -> Self {
        Self { files: Vec::new(), patience: Duration::from_secs(30) }
    }
}

impl Credentials {
    /// What to show for a repository, `host/name`, or a host; `None`: nobody is logged in there.
    pub(super) fn of(&self, place: &str) -> Result<Option<Login>, CredentialError> {
        for path in &self.files {
            let Some(file) = file::read(path)? else { continue };
            if let Some(login) = file.of(place, path, self.patience)? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

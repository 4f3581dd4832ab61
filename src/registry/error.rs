//! Why something with a registry failed.

use super::credentials::CredentialError;
use super::reference::Host;
use std::path::PathBuf;
use std::time::Duration;

/// Why a task with a registry failed; no message holds a credential or the query of an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There was no answer, or only ones that ask to come back later.
    #[error("cannot {task}: {why}")]
    Unreachable {
        /// What was being done: get the manifest `3` of `host/name`.
        task: String,
        /// Why, the last time.
        why: String,
    },
    /// It wants other credentials, or does not allow this.
    #[error("cannot {task}: {said}")]
    Denied {
        /// What was being done.
        task: String,
        /// Who refused.
        host: Host,
        /// The registry that redirected there, if it was one; no credentials are shown after that.
        redirected_by: Option<Host>,
        /// Whether there were no credentials to show.
        anonymous: bool,
        /// Its answer.
        said: String,
    },
    /// It does not do what was asked.
    #[error("cannot {task}: {said}")]
    Refused {
        /// What was being done.
        task: String,
        /// The status of its answer.
        status: u16,
        /// Its answer.
        said: String,
    },
    /// What answers is no registry.
    #[error("cannot {task}: `{host}` answers with pages for people, not as a registry")]
    NoRegistry {
        /// What was being done.
        task: String,
        /// Which host.
        host: Host,
    },
    /// It gave something else, or holds something else.
    #[error("cannot {task}: expected {expected}, found {found}")]
    Wrong {
        /// What was being done.
        task: String,
        /// The promised digest or size.
        expected: String,
        /// What came.
        found: String,
    },
    /// It gave too much.
    #[error("cannot {task}: it has more than {limit} bytes")]
    TooLarge {
        /// What was being done.
        task: String,
        /// How many bytes it may have.
        limit: u64,
    },
    /// Its answer breaks the protocol.
    #[error("cannot {task}: {why}")]
    Malformed {
        /// What was being done.
        task: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something here could not be read or written.
    #[error("cannot {task}: cannot {doing} `{}`", path.display())]
    Local {
        /// What was being done with the registry.
        task: String,
        /// What was being done here: `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is to be sent could not be read.
    #[error("cannot {task}: cannot read what is to be sent")]
    Input {
        /// What was being done.
        task: String,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate's file is none.
    #[error("cannot use the certificates of `{}`: {why}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The credentials could not be had.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
}

impl RegistryError {
    /// What a person can do about it, if remint knows.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { host, redirected_by: Some(registry), .. } => Some(format!(
                "`{registry}` redirects to `{host}`, which refuses; your credentials are not the reason, since they are never shown \
                 there: try again, and if it stays so, tell who runs `{registry}`"
            )),
            Self::Denied { host, anonymous: true, .. } => Some(format!(
                "there are no credentials for `{host}`: log in with `podman login {host}` or `docker login {host}`"
            )),
            Self::Denied { host, .. } => Some(format!(
                "the credentials for `{host}` do not allow this: log in again with `podman login {host}` or `docker login {host}`"
            )),
            Self::Refused { status: 405, .. } => Some(
                "it can only be read, as mirrors, caches and `remint serve` can: name the registry that can be written to, \
                 or ask who runs this one"
                    .to_owned(),
            ),
            Self::NoRegistry { host, .. } => Some(format!(
                "`{host}` does not answer as a registry does below `/v2/`: if its registry has another name, write that one, or, to read from it, \
                 `[registry.\"{host}\"]` with `mirrors = [\"THE-OTHER-NAME\"]` into remint.toml"
            )),
            Self::Credentials(error) => error.hint(),
            _ => None,
        }
    }
}

/// Why one attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    Transient {
        /// Why.
        why: String,
        /// The pause that the server asked for.
        pause: Option<Duration>,
    },
    /// No other attempt will.
    Final(Box<RegistryError>),
}

impl Failure {
    /// One that may not happen again.
    pub(super) fn transient(why: impl Into<String>) -> Self {
        Self::Transient { why: why.into(), pause: None }
    }

    /// An answer that breaks the protocol.
    pub(super) fn malformed(task: &str, why: impl Into<String>) -> Self {
        RegistryError::Malformed { task: task.to_owned(), why: why.into() }.into()
    }

    /// What a person gets to see when there is no other attempt.
    pub(super) fn finally(self, task: &str) -> RegistryError {
        match self {
            Self::Transient { why, .. } => RegistryError::Unreachable { task: task.to_owned(), why },
            Self::Final(error) => *error,
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::Final(Box::new(error))
    }
}

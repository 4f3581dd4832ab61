//! Why a file could not be fetched, and what helps.

use super::Url;
use std::io;
use std::path::PathBuf;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Every address failed.
    #[error("cannot fetch `{name}`: {}", list(.tried))]
    Failed {
        /// The file.
        name: String,
        /// Each address and why it failed.
        tried: Vec<Tried>,
    },
    /// The file into which it was to be written failed.
    #[error("cannot write `{}` while fetching `{name}`", path.display())]
    Write {
        /// The file that was fetched.
        name: String,
        /// The file that was written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An address that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where.
    pub url: Url,
    /// What happened, in words.
    pub said: String,
    /// What kind of failure it was.
    pub why: Why,
}

/// Kinds of failures, by what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The server answered that it has no such file.
    Absent,
    /// The server wants credentials, or others.
    Denied,
    /// The server gave another file.
    Wrong,
    /// No answer came, or none that was whole; it may work later.
    Unreachable,
    /// Anything else that the next attempt will not change.
    Refused,
}

impl FetchError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        let Self::Failed { tried, .. } = self else { return "is the disk full, or the directory not writable?" };
        let some = |why| tried.iter().any(|tried| tried.why == why);
        if self.is_absent() {
            "the archive no longer has it: name a mirror or a dated archive that does"
        } else if some(Why::Wrong) {
            "a mirror gave other bytes than the signed index names: it may be out of step, or somebody on the way changed them; try again \
             in a few minutes, or name another mirror"
        } else if some(Why::Denied) {
            "the server wants credentials: set REMINT_DEBIAN_MIRROR to `https://user:password@…`, or check those that are there"
        } else {
            "check the network and the address; a list of mirrors falls through to the next"
        }
    }

    /// Whether every address answered that it has no such file: it vanished, and no retry will bring it back.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Failed { tried, .. } if !tried.is_empty() && tried.iter().all(|tried| tried.why == Why::Absent))
    }
}

fn list(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "there is no address for it".to_owned();
    }
    tried.iter().map(|tried| format!("{}: {}", tried.url, tried.said)).collect::<Vec<_>>().join("; ")
}

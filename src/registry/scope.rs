//! What a token is to allow (docker's token specification, "Requesting a Token").

use super::reference::Repository;
use std::collections::BTreeSet;

/// A set of `repository:<name>:<actions>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    /// To read a repository.
    pub(super) fn pull(repository: &Repository) -> Self {
        Self::of(repository, "pull")
    }

    /// To read and write it.
    pub(super) fn push(repository: &Repository) -> Self {
        Self::of(repository, "pull,push")
    }

    /// To read it and to delete from it.
    pub(super) fn delete(repository: &Repository) -> Self {
        Self::of(repository, "delete,pull")
    }

    /// This and more.
    pub(super) fn and(mut self, more: &Self) -> Self {
        self.0.extend(more.0.iter().cloned());
        self
    }

    /// Adds what a registry says that it needs; whether that is anything new.
    pub(super) fn extend(&mut self, more: &BTreeSet<String>) -> bool {
        let before = self.0.len();
        self.0.extend(more.iter().cloned());
        self.0.len() > before
    }

    /// Each part.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn of(repository: &Repository, actions: &str) -> Self {
        Self(BTreeSet::from([format!("repository:{}:{actions}", repository.name())]))
    }
}

//! What a token is to allow (docker's token specification, "Requesting a Token").

use super::reference::Repository;
use std::collections::{BTreeMap, BTreeSet};

/// A set of `repository:<name>:<actions>`. What a registry says in other words, with the actions in another order or fewer of
/// them, is not more than what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope(
    /// The actions of each resource; what has none stands for itself.
    BTreeMap<String, BTreeSet<String>>,
);

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
        for (resource, actions) in &more.0 {
            self.0.entry(resource.clone()).or_default().extend(actions.iter().cloned());
        }
        self
    }

    /// Adds what a registry says that it needs; whether that is anything new.
    pub(super) fn extend(&mut self, more: &BTreeSet<String>) -> bool {
        let all = more.iter().fold(self.clone(), |all, part| all.and(&Self::part(part)));
        let is_new = all != *self;
        *self = all;
        is_new
    }

    /// Each part.
    pub(super) fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            if actions.is_empty() { resource.clone() } else { format!("{resource}:{}", actions.join(",")) }
        })
    }

    fn of(repository: &Repository, actions: &str) -> Self {
        Self::part(&format!("repository:{}:{actions}", repository.name()))
    }

    fn part(text: &str) -> Self {
        // A resource's name may have a port in it.
        let (resource, actions) =
            text.rsplit_once(':').filter(|(_, actions)| !actions.is_empty()).unwrap_or((text, ""));
        let actions = actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned);
        Self(BTreeMap::from([(resource.to_owned(), actions.collect())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_words_is_nothing_new() {
        let repository = "r.example/team/a".parse().unwrap();
        let said = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<BTreeSet<String>>();
        let mut scope = Scope::push(&repository);
        // docker's registry says the actions in any order, and only those of the request.
        assert!(!scope.extend(&said(&["repository:team/a:push,pull", "repository:team/a:pull"])));
        assert_eq!(scope, Scope::push(&repository));
        assert!(scope.extend(&said(&[
            "repository:team/a:delete,pull",
            "repository:host:5000/b:pull",
            "odd",
            "odd:x:"
        ])));
        let all: Vec<String> = scope.iter().collect();
        assert_eq!(all, ["odd", "odd:x:", "repository:host:5000/b:pull", "repository:team/a:delete,pull,push"]);
        assert!(!scope.extend(&said(&["odd:x:", "odd", "repository:host:5000/b:pull"])));
    }
}

//! Other places that hold what a registry holds.

use super::Client;
use super::error::RegistryError;
use super::reference::{Host, ReferenceError, Repository};
use crate::event::Event;
use std::str::FromStr;

/// A registry that holds another's repositories, each under the same name, or under a prefix: `mirror.example/proxy`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirror {
    host: Host,
    prefix: Option<String>,
}

impl Mirror {
    /// Where it holds a repository; `None`: the whole name breaks the rules there.
    fn of(&self, repository: &Repository) -> Option<Repository> {
        let name = repository.name();
        let name = self.prefix.as_ref().map_or(name.to_owned(), |prefix| format!("{prefix}/{name}"));
        Repository::new(self.host.clone(), &name).ok()
    }
}

impl FromStr for Mirror {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (host, prefix) = text.split_once('/').map_or((text, None), |(host, prefix)| (host, Some(prefix)));
        let host: Host = host.parse()?;
        if let Some(prefix) = prefix {
            Repository::new(host.clone(), prefix)?;
        }
        Ok(Self { host, prefix: prefix.map(str::to_owned) })
    }
}

impl Client {
    /// Where a repository is read: its mirrors, then itself.
    pub(super) fn places(&self, repository: &Repository) -> Vec<Repository> {
        let mirrors = self.settings().mirrors.get(repository.host()).into_iter().flatten();
        let mut places: Vec<Repository> = mirrors.filter_map(|mirror| mirror.of(repository)).collect();
        places.push(repository.clone());
        places
    }

    /// Asks each place until one has it. What goes wrong at a mirror is told and is no failure.
    pub(super) fn anywhere<T>(
        &self,
        repository: &Repository,
        mut ask: impl FnMut(&Repository) -> Result<Option<T>, RegistryError>,
    ) -> Result<Option<T>, RegistryError> {
        for place in self.places(repository) {
            match ask(&place) {
                Ok(None) if place != *repository => {}
                Err(error) if place != *repository => self.0.events.send(Event::RegistryRetry {
                    task: format!("read `{repository}` from its mirror `{place}`"),
                    why: error.to_string(),
                }),
                answer => return answer,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_keeps_names_below_its_prefix() {
        let repository: Repository = "registry.example/a/b".parse().unwrap();
        let of = |mirror: &str| mirror.parse::<Mirror>().unwrap().of(&repository).unwrap().to_string();
        assert_eq!(of("m.example:5000"), "m.example:5000/a/b");
        assert_eq!(of("m.example/proxy/x"), "m.example/proxy/x/a/b");
        for wrong in ["", "m.example/", "m.example/A", "https://m.example"] {
            assert!(wrong.parse::<Mirror>().is_err(), "{wrong}");
        }
    }
}

//! What moved between two locks, for people.

use super::{Lock, PackageKey};
use std::collections::{BTreeMap, BTreeSet};

/// A package that a lock gained, lost, or has in another version; or an image from outside the project, whose versions are digests.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The package.
    pub package: String,
    /// Its architecture; of an image, its platform.
    pub arch: String,
    /// The versions that went; empty: it is new.
    pub old: Vec<String>,
    /// The versions that came; empty: it is gone.
    pub new: Vec<String>,
}

/// Lists the packages that differ between two locks, by name and architecture, and then the images.
#[must_use]
pub fn changes(old: &Lock, new: &Lock) -> Vec<Change> {
    let (before, after) = (versions(old), versions(new));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let mut all = Vec::new();
    for at in names {
        let none = BTreeSet::new();
        let (old, new) = (before.get(&at).unwrap_or(&none), after.get(&at).unwrap_or(&none));
        if old != new {
            all.push(Change {
                package: at.0.to_owned(),
                arch: at.1.to_owned(),
                old: old.difference(new).map(|v| (*v).to_owned()).collect(),
                new: new.difference(old).map(|v| (*v).to_owned()).collect(),
            });
        }
    }
    for place in old.bases.keys().chain(new.bases.keys()).collect::<BTreeSet<_>>() {
        let digests = |lock: &Lock| lock.bases.get(place).map(|pin| pin.manifest.digest.to_string());
        let (old, new) = (digests(old), digests(new));
        if old != new {
            let (package, arch) = (place.0.clone(), place.1.to_string());
            all.push(Change { package, arch, old: old.into_iter().collect(), new: new.into_iter().collect() });
        }
    }
    all
}

fn versions(lock: &Lock) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for PackageKey { name, arch, version, .. } in lock.packages.keys() {
        all.entry((name.as_str(), arch.as_str())).or_default().insert(version.as_str());
    }
    all
}

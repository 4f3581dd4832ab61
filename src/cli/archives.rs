//! The archives that a project's packages come from: mirrors, keys, and the state of their suites.

use super::clock::now;
use super::command::Invocation;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::digest::Digest;
use crate::event::Events;
use crate::lock::{Indices, Lock, packages_layers};
use crate::oci::Blob;
use crate::source::debian::pool::{Places, Pool};
use crate::source::debian::{IndexCache, IndexError, Keyring, Mirrors, Wanted, indices};
use crate::source::fetch::Fetcher;
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// What is needed to reach the archives of a project.
pub(crate) struct Archives<'a> {
    session: &'a Session,
    fetcher: Fetcher,
    mirrors: BTreeMap<String, Mirrors>,
}

impl<'a> Archives<'a> {
    /// Finds out where the archives are, without reaching for them.
    pub(crate) fn new(invocation: Invocation<'_>, session: &'a Session, events: &Events) -> Result<Self, Failure> {
        let fetcher = Fetcher::new(events.clone(), std::thread::sleep).through(&invocation.environment.proxies);
        let environment = invocation.environment.debian_mirrors.join(" ");
        let host: Vec<(String, String)> = invocation
            .environment
            .apt_sources()
            .into_iter()
            .map(|file| (file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(), file.text))
            .collect();
        let mut mirrors = BTreeMap::new();
        for (name, archive) in &session.project.archives {
            let found = Mirrors::new(&archive.mirrors, Some(environment.as_str()), &host)
                .map_err(|error| Failure::from_error(Exit::Source, &error).hint(error.hint()))?;
            mirrors.insert(name.clone(), found);
        }
        Ok(Self { session, fetcher, mirrors })
    }

    /// What fetches packages.
    pub(crate) fn pool(&self) -> Pool {
        let archives = &self.session.project.archives;
        let places = self.mirrors.iter().map(|(name, mirrors)| {
            let snapshots = archives.get(name).map_or_else(Vec::new, |archive| archive.snapshots.clone());
            (name.clone(), Places { mirrors: mirrors.clone(), snapshots })
        });
        Pool::new(self.fetcher.clone(), places.collect())
    }

    /// Fetches and verifies the indices of every archive that a recipe uses.
    pub(crate) fn indices(&self, store: &Store, old: &Lock, allow_rollback: bool) -> Result<Indices, Failure> {
        let mut wanted: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
        for recipe in self.session.recipes.iter() {
            for (_, packages) in packages_layers(recipe) {
                let arches = wanted.entry(&packages.archive).or_default();
                arches.extend(recipe.platforms.iter().map(|platform| platform.arch.debian()));
            }
        }
        let mut all = Indices::new();
        for (name, arches) in wanted {
            let Some((archive, mirrors)) = self.session.project.archives.get(name).zip(self.mirrors.get(name)) else {
                let message =
                    format!("a recipe takes packages from the archive `{name}`, which remint.toml does not have");
                return Err(Failure::new(Exit::Recipe, message).hint(format!("add a table `[archive.{name}]`")));
            };
            let locked = old.releases.iter().filter(|((of, _), _)| of == name && !allow_rollback);
            let request = Wanted {
                suites: &archive.suites,
                components: &archive.components,
                arches: &arches.into_iter().collect::<Vec<_>>(),
                locked: &locked.map(|((_, suite), pin)| (suite.clone(), pin.date)).collect(),
                now: now().as_secs(),
            };
            let keyring = self.keyring(archive.keyring.as_deref())?;
            let found =
                indices(&self.fetcher, mirrors, &keyring, &Kept(store), &request).map_err(|error| unusable(&error))?;
            all.insert(name.to_owned(), found);
        }
        Ok(all)
    }

    fn keyring(&self, file: Option<&str>) -> Result<Keyring, Failure> {
        let Some(file) = file else { return Ok(Keyring::debian()) };
        let cannot = || format!("cannot use the keyring `{file}`");
        let bytes = std::fs::read(self.session.places.project.join(file))
            .map_err(|error| Failure::wrap(Exit::Recipe, cannot(), &error))?;
        Keyring::parse(&bytes).map_err(|error| Failure::wrap(Exit::Recipe, cannot(), &error))
    }
}

fn unusable(error: &IndexError) -> Failure {
    let failure = Failure::from_error(Exit::Source, error);
    match error {
        IndexError::Mirror(mirror) => failure.hint(mirror.hint()),
        IndexError::Fetch { source, .. } => failure.hint(source.hint()),
        IndexError::Suite { tried, .. } => {
            let hints: BTreeSet<&str> = tried.iter().filter_map(|(_, why)| why.hint()).collect();
            failure.hints(hints)
        }
        _ => failure,
    }
}

/// Keeps the text of indices in the store, under the digest that the signed Release gives it.
struct Kept<'a>(&'a Store);

impl IndexCache for Kept<'_> {
    fn load(&self, digest: &Digest) -> Option<Vec<u8>> {
        let size = std::fs::metadata(self.0.blob_path(digest)).ok()?.len();
        self.0.read(&Blob { digest: *digest, size }).ok()
    }

    fn save(&self, digest: &Digest, text: &[u8]) {
        debug_assert_eq!(*digest, Digest::of(text), "indices are verified before they are kept");
        // Without it, the next run fetches it again.
        let _ = self.0.put(text);
    }
}

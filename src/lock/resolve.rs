//! Resolves recipes to a lock: what is locked stays, what is missing is chosen as apt would, what was named moves.

use super::below::{Below, below, digest};
use super::matching::{WantedBase, bases, configured, same_suites};
use super::model::{BasePin, LayerPin, Lock, PackageKey, PackagePin, ReleasePin};
use super::stand_in::stand_in;
use super::{matches, packages_layers, wanted};
use crate::digest::Digest;
use crate::oci::{Blob, Platform};
use crate::recipe::{Packages, Project, Recipe, Recipes};
use crate::source::debian::resolve::{self, InstalledPackage, PackageRef, Request, Source, Universe};
use crate::source::debian::{Package, PackagesError, PackagesIndex, SuiteIndex, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What may move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Nothing: only what is missing is added.
    Nothing,
    /// Everything.
    All,
    /// These packages, and those made from the same sources; whatever the rest needs for it has to be named too.
    Names(BTreeSet<String>),
    /// What no index of the archives has any more.
    Vanished,
}

/// The verified indices of every archive, by its name in remint.toml.
pub type Indices = BTreeMap<String, Vec<SuiteIndex>>;

/// Images from outside the project as they are now, by name and platform.
pub type Bases = BTreeMap<(String, Platform), BasePin>;

/// The images from outside the project that have to be looked at before a lock can be made: those that it lacks, and those that move.
#[must_use]
pub fn moving_bases(recipes: &Recipes, old: &Lock, update: &Update) -> BTreeMap<(String, Platform), WantedBase> {
    let moves = |name: &String| match update {
        Update::All => true,
        Update::Names(names) => names.contains(name),
        Update::Nothing | Update::Vanished => false,
    };
    let mut all = bases(recipes);
    all.retain(|place, wanted| moves(&place.0) || !wanted.is_met(old.bases.get(place)));
    all
}

/// Why recipes could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A layer's packages cannot be had together.
    #[error("cannot resolve the packages of `{image}`, layer {layer}, on {platform}")]
    Layer {
        /// The image.
        image: String,
        /// Which of its `[[layer]]`s, from 1.
        layer: usize,
        /// The line of that `[[layer]]` in its recipe.
        line: usize,
        /// The platform.
        platform: Platform,
        /// Why not.
        source: Box<resolve::Error>,
    },
    /// A layer needs a package of its base in another version.
    #[error("`{image}`, layer {layer}, on {platform} needs `{package}` {new}, but its base has {old}")]
    Upgrade {
        /// The image.
        image: String,
        /// Which of its `[[layer]]`s, from 1.
        layer: usize,
        /// The platform.
        platform: Platform,
        /// The package.
        package: String,
        /// The version in the base.
        old: String,
        /// The version that is needed.
        new: String,
    },
    /// An image that a recipe starts from is neither locked nor looked at.
    #[error("`{image}` on {platform} is not locked")]
    Base {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
    },
    /// A name to move that the lock does not have.
    #[error("`{name}` is neither a package nor an image in the lock")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Indices that were put together from verified ones cannot be read: a package with the same fields twice, say.
    #[error("cannot hold locked packages at their versions")]
    Hold(#[from] PackagesError),
}

/// Makes a new lock from the old one.
///
/// What is kept is byte for byte what it was; a layer's date moves only with its packages. What came from a suite that
/// remint.toml no longer has moves whatever `update` says.
pub fn resolve(
    recipes: &Recipes,
    project: &Project,
    old: &Lock,
    indices: &Indices,
    found: &Bases,
    update: &Update,
) -> Result<Lock, ResolveError> {
    let moving = moving(old, project, indices, update)?;
    let mut resolver = Resolver { old, project, indices, moving, new: Lock::default() };
    for (place, wanted) in bases(recipes) {
        let pin = found.get(&place).or_else(|| old.bases.get(&place));
        let Some(pin) = pin.filter(|pin| wanted.is_met(Some(pin))) else {
            return Err(ResolveError::Base { image: place.0, platform: place.1 });
        };
        resolver.new.bases.insert(place, pin.clone());
    }
    resolver.new.releases.clone_from(&old.releases);
    for (archive, suites) in indices {
        for suite in suites {
            resolver.new.releases.insert((archive.clone(), suite.suite.clone()), release_pin(suite));
        }
    }
    // What is there already of an image from outside the project is part of what may be chosen, so the image is part of the key.
    let mut universes: BTreeMap<(String, &'static str, Option<String>), Held<'_>> = BTreeMap::new();
    for recipe in recipes.bases_first() {
        for &platform in &recipe.platforms {
            for (number, packages) in packages_layers(recipe) {
                let place = (recipe.name.clone(), number, platform);
                let below = below(&resolver.new, recipes, recipe, number, platform);
                let before = old.layers.get(&place).filter(|pin| resolver.keeps(pin, packages, &below));
                let pin = match before {
                    Some(pin) => pin.clone(),
                    None => {
                        let base = recipes.base_image(recipe.name.as_str()).map(ToString::to_string);
                        let key = (packages.archive.clone(), platform.arch.debian(), base);
                        if !universes.contains_key(&key) {
                            let base =
                                key.2.as_ref().and_then(|base| resolver.new.bases.get(&(base.clone(), platform)));
                            let there = base.and_then(|pin| pin.packages.as_deref()).unwrap_or_default();
                            universes.insert(key.clone(), resolver.hold(&key.0, key.1, there)?);
                        }
                        resolver.layer(recipe, number, platform, packages, &below, &universes[&key])?
                    }
                };
                for package in &pin.packages {
                    if let Some(found) = old.packages.get(package) {
                        resolver.new.packages.entry(package.clone()).or_insert_with(|| found.clone());
                    }
                }
                resolver.new.layers.insert(place, pin);
            }
        }
    }
    let mut lock = resolver.new;
    lock.prune();
    let used: BTreeSet<&String> = lock.layers.values().map(|layer| &layer.archive).collect();
    lock.releases.retain(|(archive, suite), _| used.contains(archive) && configured(project, archive).contains(suite));
    Ok(lock)
}

fn release_pin(suite: &SuiteIndex) -> ReleasePin {
    ReleasePin {
        date: suite.release.date,
        inrelease: suite.inrelease,
        signed_by: suite.signed_by.iter().map(|print| print.as_str().to_owned()).collect::<Vec<_>>().join(" "),
    }
}

/// Which locked packages move, by archive and name; `None`: all.
fn moving(
    old: &Lock,
    project: &Project,
    indices: &Indices,
    update: &Update,
) -> Result<Option<BTreeSet<(String, String)>>, ResolveError> {
    let mut named: BTreeSet<(String, String)> = match update {
        Update::All => return Ok(None),
        Update::Nothing => BTreeSet::new(),
        Update::Names(names) => {
            let known = |name: &String| {
                old.packages.keys().any(|key| key.name == *name) || old.bases.keys().any(|(image, _)| image == name)
            };
            if let Some(name) = names.iter().find(|name| !known(name)) {
                return Err(ResolveError::Unknown { name: name.clone() });
            }
            let all = old.packages.keys().filter(|key| names.contains(&key.name));
            all.map(|key| (key.archive.clone(), key.name.clone())).collect()
        }
        Update::Vanished => vanished(old, indices).into_iter().map(|key| (key.archive, key.name)).collect(),
    };
    let homeless = |(key, pin): &(&PackageKey, &PackagePin)| {
        indices.contains_key(&key.archive) && !configured(project, &key.archive).contains(&pin.suite)
    };
    named.extend(old.packages.iter().filter(homeless).map(|(key, _)| (key.archive.clone(), key.name.clone())));
    if named.is_empty() {
        return Ok(Some(named));
    }
    // What is made from one source moves together: its packages nearly always need each other in the same version.
    let mut sources: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for (archive, suites) in indices {
        for package in suites.iter().flat_map(|suite| &suite.packages).flat_map(|component| component.index.iter()) {
            let source = (archive.as_str(), package.source().0.to_owned());
            sources.entry(source).or_default().insert(package.name());
        }
    }
    let mut all = named.clone();
    for ((archive, _), packages) in &sources {
        let moves = |name: &&&str| named.contains(&((*archive).to_owned(), (**name).to_owned()));
        if packages.iter().any(|name| moves(&name)) {
            all.extend(packages.iter().map(|name| ((*archive).to_owned(), (*name).to_owned())));
        }
    }
    Ok(Some(all))
}

/// The locked packages that no index has any more.
#[must_use]
pub fn vanished(lock: &Lock, indices: &Indices) -> Vec<PackageKey> {
    let mut there: BTreeSet<(&str, Digest)> = BTreeSet::new();
    for (archive, suites) in indices {
        let packages = suites.iter().flat_map(|suite| &suite.packages).flat_map(|component| component.index.iter());
        there.extend(packages.map(|package| (archive.as_str(), package.sha256())));
    }
    let gone = |(key, pin): &(&PackageKey, &PackagePin)| !there.contains(&(key.archive.as_str(), pin.deb.digest));
    lock.packages.iter().filter(gone).map(|(key, _)| key.clone()).collect()
}

struct Resolver<'a> {
    old: &'a Lock,
    project: &'a Project,
    indices: &'a Indices,
    moving: Option<BTreeSet<(String, String)>>,
    new: Lock,
}

/// Indices in which packages that must not move have only the version that they are locked at.
struct Held<'a> {
    /// Suite, component and packages, in the order of the archive's own.
    sources: Vec<(String, String, HeldIndex<'a>)>,
}

/// An index as it came, or without what must not be chosen.
enum HeldIndex<'a> {
    Whole(&'a PackagesIndex),
    Cut(PackagesIndex),
}

impl HeldIndex<'_> {
    fn get(&self) -> &PackagesIndex {
        match self {
            Self::Whole(index) => index,
            Self::Cut(index) => index,
        }
    }
}

impl<'a> Resolver<'a> {
    fn moves(&self, key: &PackageKey) -> bool {
        self.moving.as_ref().is_none_or(|moving| moving.contains(&(key.archive.clone(), key.name.clone())))
    }

    /// Whether a locked layer stays as it is: it was made for this, over this, and nothing of it moves.
    fn keeps(&self, pin: &LayerPin, packages: &Packages, below: &[Below]) -> bool {
        matches(pin, packages, digest(below))
            && same_suites(self.old, self.project, &packages.archive)
            && !pin.packages.iter().any(|key| self.moves(key))
    }

    fn layer(
        &mut self,
        recipe: &Recipe,
        number: usize,
        platform: Platform,
        packages: &Packages,
        below: &[Below],
        held: &Held<'_>,
    ) -> Result<LayerPin, ResolveError> {
        let sources = held
            .sources
            .iter()
            .map(|(suite, component, index)| Source { suite, component, index: index.get() })
            .collect();
        let universe = Universe::new(platform.arch.debian(), sources);
        let installed = below.iter().filter_map(|(key, bare)| installed(&universe, key, *bare)).collect();
        let request = Request {
            wanted: packages.wanted.clone(),
            essential: packages.essential,
            dependencies: packages.dependencies,
            installed,
        };
        let line = recipe.layers.get(number - 1).map_or(0, |layer| layer.line);
        let chosen = resolve::resolve(&universe, &request).map_err(|source| ResolveError::Layer {
            image: recipe.name.to_string(),
            layer: number,
            line,
            platform,
            source: Box::new(source),
        })?;
        let mut keys = Vec::with_capacity(chosen.len());
        for package in chosen {
            let key = package_key(&packages.archive, &package);
            if let Some(there) = below.iter().map(|(there, _)| there).find(|there| there.name == key.name) {
                return Err(ResolveError::Upgrade {
                    image: recipe.name.to_string(),
                    layer: number,
                    platform,
                    package: key.name,
                    old: there.version.clone(),
                    new: key.version,
                });
            }
            let (suite, _, _) = &held.sources[package.source];
            let fresh = pin(suite, &package);
            let suites = configured(self.project, &packages.archive);
            // The suite of what is locked stays as well, as long as there is such a suite.
            let locked = self.old.packages.get(&key).filter(|old| old.deb == fresh.deb && suites.contains(&old.suite));
            self.new.packages.insert(key.clone(), locked.cloned().unwrap_or(fresh));
            keys.push(key);
        }
        keys.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
        let newest = self.indices.get(&packages.archive).into_iter().flatten().map(|suite| suite.release.date).max();
        let before = self.old.layers.get(&(recipe.name.clone(), number, platform));
        let date = match before {
            Some(before) if before.packages == keys => before.date,
            _ => newest.unwrap_or_default(),
        };
        Ok(LayerPin {
            wanted: wanted(packages),
            archive: packages.archive.clone(),
            essential: packages.essential,
            dependencies: packages.dependencies,
            below: digest(below),
            date,
            packages: keys,
        })
    }

    /// The indices for an architecture, without the versions that held packages must not move to. Held are also those that an image
    /// from outside the project has: what apt would upgrade with what is asked for, an upper layer cannot.
    fn hold(&self, archive: &str, arch: &'static str, there: &[PackageKey]) -> Result<Held<'a>, ResolveError> {
        let there: BTreeMap<&str, &str> = there.iter().map(|key| (key.name.as_str(), key.version.as_str())).collect();
        let mut held: BTreeMap<&str, Vec<&PackageKey>> = BTreeMap::new();
        for key in self.old.packages.keys() {
            if key.archive == archive && (key.arch == arch || key.arch == "all") && !self.moves(key) {
                held.entry(&key.name).or_default().push(key);
            }
        }
        let mut sources = Vec::new();
        let mut found: BTreeSet<&PackageKey> = BTreeSet::new();
        for suite in self.indices.get(archive).into_iter().flatten() {
            for component in suite.packages.iter().filter(|component| component.arch == arch || component.arch == "all")
            {
                if held.is_empty() && there.is_empty() {
                    let index = HeldIndex::Whole(&component.index);
                    sources.push((suite.suite.clone(), component.component.clone(), index));
                    continue;
                }
                let mut text = String::new();
                for package in component.index.iter() {
                    if there.get(package.name()).is_some_and(|version| *version != package.version_text()) {
                        continue;
                    }
                    if let Some(keys) = held.get(package.name()) {
                        let same = keys.iter().find(|key| {
                            key.version == package.version_text()
                                && self.old.packages[**key].deb.digest == package.sha256()
                        });
                        match same {
                            Some(key) => found.insert(key),
                            None => continue,
                        };
                    }
                    let _ = write!(text, "{}\n\n", package.stanza().trim_end());
                }
                let index = HeldIndex::Cut(PackagesIndex::parse(text.into_bytes())?);
                sources.push((suite.suite.clone(), component.component.clone(), index));
            }
        }
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        let missing = held.values().flatten().filter(|key| !found.contains(**key) && !there.contains_key(&*key.name));
        for &key in missing {
            let pin = &self.old.packages[key];
            let stanza = stand_in(key, pin, self.newest(key), |name| held.contains_key(name));
            texts.entry(&pin.suite).or_default().push_str(&stanza);
        }
        for (suite, text) in texts {
            let index = HeldIndex::Cut(PackagesIndex::parse(text.into_bytes())?);
            sources.push((suite.to_owned(), String::new(), index));
        }
        Ok(Held { sources })
    }

    /// What an archive has now of a package's name and architecture.
    fn newest(&self, key: &PackageKey) -> Option<Package<'a>> {
        let suites = self.indices.get(&key.archive)?;
        let all =
            suites.iter().flat_map(|suite| &suite.packages).flat_map(|component| component.index.named(&key.name));
        all.filter(|package| package.arch() == key.arch).max_by_key(Package::version)
    }
}

fn package_key(archive: &str, found: &PackageRef<'_>) -> PackageKey {
    PackageKey {
        archive: archive.to_owned(),
        name: found.package.name().to_owned(),
        arch: found.package.arch().to_owned(),
        version: found.package.version_text().to_owned(),
    }
}

fn pin(suite: &str, found: &PackageRef<'_>) -> PackagePin {
    let deb = Blob { digest: found.package.sha256(), size: found.package.size() };
    PackagePin { deb, suite: suite.to_owned(), path: found.package.filename().to_owned() }
}

fn installed(universe: &Universe<'_>, key: &PackageKey, bare: bool) -> Option<InstalledPackage> {
    let named = universe.named(&key.name).filter(|found| found.package.arch() == key.arch);
    let control = named
        .max_by_key(|found| (found.package.version_text() == key.version, found.package.version()))
        .map_or_else(String::new, |found| found.package.stanza().to_owned());
    Some(InstalledPackage {
        name: key.name.clone(),
        version: key.version.parse::<Version>().ok()?,
        arch: key.arch.clone(),
        control,
        bare,
    })
}

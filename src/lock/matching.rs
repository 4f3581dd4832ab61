//! Whether a lock says what the recipes ask.

use super::below::{below, digest};
use super::{BasePin, LayerPin, Lock};
use crate::digest::Digest;
use crate::oci::Platform;
use crate::recipe::{BaseImage, ImageName, LayerKind, Packages, Project, Recipe, Recipes};
use std::collections::{BTreeMap, BTreeSet};

/// A place where recipes and lock do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// A layer that the lock does not have.
    Missing(Place),
    /// A layer that was locked for another request.
    Changed {
        /// Which.
        place: Place,
        /// What the lock was made for.
        locked: Vec<String>,
        /// What the recipe asks.
        wanted: Vec<String>,
    },
    /// A layer that was locked over other packages than its image has below it now.
    Below(Place),
    /// A layer that was locked for other suites.
    Suites {
        /// Which.
        place: Place,
        /// The suites that the lock was made for.
        locked: Vec<String>,
        /// The suites of the archive in remint.toml.
        configured: Vec<String>,
    },
    /// A locked layer that no recipe has any more.
    Stale(Place),
    /// An image that a recipe starts from and that the lock does not have, or not with its packages.
    Base(String, Platform),
    /// A locked image that no recipe starts from any more.
    StaleBase(String, Platform),
}

impl Gap {
    /// Whether the lock only has more than it should.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_) | Self::StaleBase(..))
    }
}

/// A packages layer of a recipe on one platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The image.
    pub image: ImageName,
    /// Which of its `[[layer]]`s, from 1.
    pub layer: usize,
    /// The platform.
    pub platform: Platform,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (place, what) = match self {
            Self::Missing(place) => (place, "is not locked".to_owned()),
            Self::Changed { place, locked, wanted } => {
                (place, format!("asks for `{}`, the lock has `{}`", wanted.join(" "), locked.join(" ")))
            }
            Self::Below(place) => (place, "was locked over other packages than lie below it now".to_owned()),
            Self::Suites { place, locked, configured } => {
                (place, format!("is locked for {}, remint.toml says {}", locked.join(" "), configured.join(" ")))
            }
            Self::Stale(place) => (place, "is locked, but no recipe has it".to_owned()),
            Self::Base(image, platform) => return write!(f, "`{image}` on {platform} is not locked"),
            Self::StaleBase(image, platform) => {
                return write!(f, "`{image}` on {platform} is locked, but no recipe starts from it");
            }
        };
        write!(f, "`{}` layer {} on {} {what}", place.image, place.layer, place.platform)
    }
}

/// Lists where recipes and lock do not match, in order; empty: the lock is right for these recipes.
#[must_use]
pub fn gaps(lock: &Lock, recipes: &Recipes, project: &Project) -> Vec<Gap> {
    let wanted_bases = bases(recipes);
    let mut gaps: Vec<Gap> = wanted_bases
        .iter()
        .filter(|(place, wanted)| !wanted.is_met(lock.bases.get(*place)))
        .map(|((image, platform), _)| Gap::Base(image.clone(), *platform))
        .collect();
    let mut places = BTreeSet::new();
    for recipe in recipes.iter() {
        for (number, packages) in packages_layers(recipe) {
            for &platform in &recipe.platforms {
                let place = Place { image: recipe.name.clone(), layer: number, platform };
                places.insert((recipe.name.clone(), number, platform));
                let lies = || digest(&below(lock, recipes, recipe, number, platform));
                match lock.layers.get(&(recipe.name.clone(), number, platform)) {
                    None => gaps.push(Gap::Missing(place)),
                    Some(pin) if !asks(pin, packages) => gaps.push(Gap::Changed {
                        place,
                        locked: describe(&pin.wanted, &pin.archive, pin.essential, pin.dependencies),
                        wanted: describe(
                            &wanted(packages),
                            &packages.archive,
                            packages.essential,
                            packages.dependencies,
                        ),
                    }),
                    Some(_) if !same_suites(lock, project, &packages.archive) => gaps.push(Gap::Suites {
                        place,
                        locked: locked_suites(lock, &packages.archive).map(str::to_owned).collect(),
                        configured: configured(project, &packages.archive).to_vec(),
                    }),
                    Some(pin) if !matches(pin, packages, lies()) => gaps.push(Gap::Below(place)),
                    Some(_) => {}
                }
            }
        }
    }
    for (image, layer, platform) in lock.layers.keys() {
        if !places.contains(&(image.clone(), *layer, *platform)) {
            gaps.push(Gap::Stale(Place { image: image.clone(), layer: *layer, platform: *platform }));
        }
    }
    let stale = lock.bases.keys().filter(|place| !wanted_bases.contains_key(*place));
    gaps.extend(stale.map(|(image, platform)| Gap::StaleBase(image.clone(), *platform)));
    gaps
}

/// An image from outside the project, as recipes want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedBase {
    /// Where it is.
    pub image: BaseImage,
    /// Whether packages are installed over it, so that those that it has must be known.
    pub packages: bool,
}

impl WantedBase {
    /// Whether a pin says what has to be known.
    #[must_use]
    pub fn is_met(&self, pin: Option<&BasePin>) -> bool {
        pin.is_some_and(|pin| pin.packages.is_some() || !self.packages)
    }
}

/// The images from outside the project that recipes start from, by name and platform.
#[must_use]
pub fn bases(recipes: &Recipes) -> BTreeMap<(String, Platform), WantedBase> {
    let mut all: BTreeMap<(String, Platform), WantedBase> = BTreeMap::new();
    for recipe in recipes.iter() {
        let Some(image) = recipes.base_image(recipe.name.as_str()) else { continue };
        let packages = packages_layers(recipe).next().is_some();
        for &platform in &recipe.platforms {
            let place = (image.to_string(), platform);
            let wanted = all.entry(place).or_insert_with(|| WantedBase { image: image.clone(), packages: false });
            wanted.packages |= packages;
        }
    }
    all
}

/// Whether nothing has to be asked of any archive for a lock that matches these recipes.
#[must_use]
pub fn is_complete(lock: &Lock, recipes: &Recipes, project: &Project) -> bool {
    gaps(lock, recipes, project).iter().all(Gap::is_stale)
}

/// Whether a lock was made for the suites that an archive has in remint.toml.
pub(super) fn same_suites(lock: &Lock, project: &Project, archive: &str) -> bool {
    let configured: BTreeSet<&str> = configured(project, archive).iter().map(String::as_str).collect();
    locked_suites(lock, archive).collect::<BTreeSet<_>>() == configured
}

fn locked_suites<'a>(lock: &'a Lock, archive: &'a str) -> impl Iterator<Item = &'a str> {
    lock.releases.keys().filter(move |(of, _)| of == archive).map(|(_, suite)| suite.as_str())
}

/// The suites of an archive in remint.toml; none if it does not have the archive.
pub(super) fn configured<'a>(project: &'a Project, archive: &str) -> &'a [String] {
    project.archives.get(archive).map_or(&[], |archive| &archive.suites)
}

/// The packages layers of a recipe, with their numbers from 1.
pub fn packages_layers(recipe: &Recipe) -> impl Iterator<Item = (usize, &Packages)> {
    recipe.layers.iter().enumerate().filter_map(|(at, layer)| match &layer.kind {
        LayerKind::Packages(packages) => Some((at + 1, packages)),
        _ => None,
    })
}

/// What a layer asks for, as the lock records it.
#[must_use]
pub fn wanted(packages: &Packages) -> Vec<String> {
    packages.wanted.iter().map(ToString::to_string).collect()
}

/// Whether a locked layer was made for exactly this request, over exactly what lies below it.
#[must_use]
pub fn matches(pin: &LayerPin, packages: &Packages, below: Option<Digest>) -> bool {
    asks(pin, packages) && pin.below == below
}

/// Whether a locked layer was made for exactly this request.
fn asks(pin: &LayerPin, packages: &Packages) -> bool {
    pin.wanted == wanted(packages)
        && pin.archive == packages.archive
        && pin.essential == packages.essential
        && pin.dependencies == packages.dependencies
}

/// A request with its options, so that a message shows every way in which two differ.
fn describe(wanted: &[String], archive: &str, essential: bool, dependencies: bool) -> Vec<String> {
    let mut all = wanted.to_vec();
    if archive != "debian" {
        all.push(format!("archive = {archive}"));
    }
    if essential {
        all.push("essential = true".to_owned());
    }
    if !dependencies {
        all.push("dependencies = false".to_owned());
    }
    all
}

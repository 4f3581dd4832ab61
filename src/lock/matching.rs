//! Whether a lock says what the recipes ask.

use super::{LayerPin, Lock};
use crate::oci::Platform;
use crate::recipe::{ImageName, LayerKind, Packages, Recipe};

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
    /// A locked layer that no recipe has any more.
    Stale(Place),
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
            Self::Stale(place) => (place, "is locked, but no recipe has it".to_owned()),
        };
        write!(f, "`{}` layer {} on {} {what}", place.image, place.layer, place.platform)
    }
}

/// Lists where recipes and lock do not match, in order; empty: the lock is right for these recipes.
#[must_use]
pub fn gaps(lock: &Lock, recipes: &[Recipe]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut places = std::collections::BTreeSet::new();
    for recipe in recipes {
        for (number, packages) in packages_layers(recipe) {
            for &platform in &recipe.platforms {
                let place = Place { image: recipe.name.clone(), layer: number, platform };
                places.insert((recipe.name.clone(), number, platform));
                match lock.layers.get(&(recipe.name.clone(), number, platform)) {
                    None => gaps.push(Gap::Missing(place)),
                    Some(pin) if !matches(pin, packages) => gaps.push(Gap::Changed {
                        place,
                        locked: describe(&pin.wanted, &pin.archive, pin.essential, pin.dependencies),
                        wanted: describe(
                            &wanted(packages),
                            &packages.archive,
                            packages.essential,
                            packages.dependencies,
                        ),
                    }),
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
    gaps
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

/// Whether a locked layer was made for exactly this request.
#[must_use]
pub fn matches(pin: &LayerPin, packages: &Packages) -> bool {
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

//! Where each layer of an image comes from: which recipe, which of its layers, which packages.
//!
//! A trace is made of a plan, so of recipes and lock as they are now; [`Trace::check`] holds it against the image in the store. What
//! passes is said of the image; what does not would be said of another.

use super::error::Error;
use crate::build::{Layered, PackedLayer};
use crate::digest::{ActionKey, DiffId};
use crate::image::PlatformImage;
use crate::lock::{BaseLayer, PackageKey, PackagePin};
use crate::oci::{Platform, TreePath};
use crate::plan::{Action, ImagePlan, Layer, Plan, Work};
use crate::recipe::{Compression, ImageName, Recipes};
use crate::source::path::Tree;
use crate::store::Store;
use std::sync::Arc;

/// Where the layers of one image for one platform come from.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The image.
    pub image: ImageName,
    /// Its platform.
    pub platform: Platform,
    /// The recipes that it is made of, the outermost base first, its own last.
    pub recipes: Vec<ImageName>,
    /// Each layer's origin, the lowest first.
    pub layers: Vec<Origin>,
    /// Its date, in seconds since 1970.
    pub epoch: u64,
}

/// Where a layer comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The recipe.
    pub recipe: ImageName,
    /// Which of the recipe's layers, from 1; `None`: the one for its users, which no `[[layer]]` asks for.
    pub number: Option<usize>,
    /// What it is, for people.
    pub title: String,
    /// The action that makes its tree.
    pub key: ActionKey,
    /// What it is made of.
    pub kind: OriginKind,
}

/// What a layer is made of.
#[derive(Debug, Clone)]
pub enum OriginKind {
    /// Packages, in the order of their names.
    Packages(Vec<(PackageKey, PackagePin)>),
    /// A copied tree, and where it went; `None` is the root.
    Copy(Arc<Tree>, Option<TreePath>),
    /// What the recipe itself writes.
    Write,
    /// Users and groups.
    Accounts,
    /// A layer of an image that no recipe makes: which image, and the layer.
    Foreign(String, BaseLayer),
}

impl Origin {
    /// Whether its files are the project's own, and not those of packages.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.kind, OriginKind::Copy(..) | OriginKind::Write)
    }

    /// What it is in a sentence: `layer 2 of recipe web: copy site to /srv`.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.number {
            Some(number) => format!("layer {number} of recipe {}: {}", self.recipe, self.title),
            None => format!("layer of recipe {}: {}", self.recipe, self.title),
        }
    }
}

impl Trace {
    /// Follows a planned image back to its recipes.
    #[must_use]
    pub fn of(plan: &Plan, image: &ImagePlan, recipes: &Recipes) -> Self {
        let chain: Vec<ImageName> =
            recipes.chain(image.name.as_str()).iter().map(|recipe| recipe.name.clone()).collect();
        let mut layers = foreign(plan, image, recipes);
        let mut first = 0;
        for (recipe, part) in chain.iter().zip(&image.parts) {
            let own = &image.layers[first..part.layers];
            first = part.layers;
            let mut number = 0;
            for key in own {
                let Some(Action::Layer(layer)) = plan.actions.get(key) else { continue };
                let kind = match &layer.work {
                    Work::Packages(work) => OriginKind::Packages(
                        work.unpacks
                            .iter()
                            .filter_map(|key| match plan.actions.get(key) {
                                Some(Action::Unpack(unpack)) => Some((unpack.package.clone(), unpack.pin.clone())),
                                _ => None,
                            })
                            .collect(),
                    ),
                    Work::Copy(work) => OriginKind::Copy(Arc::clone(&work.tree), work.to.clone()),
                    Work::Write(_) => OriginKind::Write,
                    Work::Accounts(_) => OriginKind::Accounts,
                    Work::Foreign(layer) => OriginKind::Foreign(String::new(), *layer),
                };
                if !matches!(kind, OriginKind::Accounts) {
                    number += 1;
                }
                layers.push(Origin {
                    recipe: recipe.clone(),
                    number: (!matches!(kind, OriginKind::Accounts)).then_some(number),
                    title: layer.title.clone(),
                    key: *key,
                    kind,
                });
            }
        }
        Self { image: image.name.clone(), platform: image.platform, recipes: chain, layers, epoch: image.epoch }
    }

    /// Checks that an image of the store is what recipes and lock say now: every layer is the one that its action left.
    pub fn check(&self, store: &Store, image: &PlatformImage) -> Result<(), Error> {
        let (expected, found) = (self.layers.len(), image.layers.len());
        let differs = |why: String| Error::Differs { image: self.image.clone(), platform: self.platform, why };
        if expected != found {
            return Err(differs(format!("it has {found} layers, and the recipes say {expected}")));
        }
        for (origin, layer) in self.layers.iter().zip(&image.layers) {
            if let OriginKind::Foreign(_, pin) = &origin.kind {
                if pin.diff_id != layer.diff_id || pin.blob != layer.blob {
                    return Err(differs(origin.title.clone()));
                }
                continue;
            }
            if !made(store, &origin.key)?.contains(&layer.diff_id) {
                return Err(differs(origin.sentence()));
            }
        }
        Ok(())
    }

    /// The packages of all layers, the lowest layer's first, with the number of the layer.
    pub fn packages(&self) -> impl Iterator<Item = (usize, &PackageKey, &PackagePin)> {
        self.layers.iter().enumerate().flat_map(|(number, origin)| {
            let packages = match &origin.kind {
                OriginKind::Packages(packages) => packages.as_slice(),
                _ => &[],
            };
            packages.iter().map(move |(key, pin)| (number, key, pin))
        })
    }
}

/// The layers of the image from outside the project that an image starts from.
fn foreign(plan: &Plan, image: &ImagePlan, recipes: &Recipes) -> Vec<Origin> {
    let (Some(base), Some(name)) = (&image.base, recipes.base_image(image.name.as_str())) else { return Vec::new() };
    let recipe = recipes.chain(image.name.as_str()).first().map_or(&image.name, |first| &first.name);
    let origin = |key: &ActionKey| match plan.actions.get(key) {
        Some(Action::Layer(Layer { work: Work::Foreign(layer), title, .. })) => Some(Origin {
            recipe: recipe.clone(),
            number: None,
            title: title.clone(),
            key: *key,
            kind: OriginKind::Foreign(name.to_string(), *layer),
        }),
        _ => None,
    };
    base.keys.iter().filter_map(origin).collect()
}

/// The tars that a layer's action left, in whichever compression.
fn made(store: &Store, key: &ActionKey) -> Result<Vec<DiffId>, Error> {
    let Some(layered) = store.action::<Layered>(key)? else { return Ok(Vec::new()) };
    let mut made = Vec::new();
    for compression in [Compression::Zstd, Compression::Gzip] {
        made.extend(store.action::<PackedLayer>(&layered.pack_key(compression))?.map(|packed| packed.diff_id));
    }
    Ok(made)
}

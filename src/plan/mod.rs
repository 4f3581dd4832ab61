//! Lock → Plan: what has to be done for a set of images, as a graph of actions named by their keys.
//!
//! Invariants: pure; the same recipes, lock and trees give the same keys on any machine. A key holds everything that decides
//! the action's result and nothing else: never a recipe's name, a line number, a mirror, a path of this machine, or how many
//! cores there are.
//!
//! | in the key | unpack | layer | pack |
//! |---|---|---|---|
//! | format number, revision of the code that makes the bytes | ✓ | ✓ | ✓ |
//! | digest of the `.deb` | ✓ | | |
//! | keys of the packages' unpack actions, of the layer below | | ✓ | |
//! | what the recipe says of the layer, the layer's epoch, the architecture | | ✓ | |
//! | digests of a copied tree's files | | ✓ | |
//! | digests of a foreign layer's blob and tar | | ✓ | |
//! | digests of the layer's fragments, the codec | | | ✓ |
//!
//! A pack action's key is made from digests, so a layer whose inputs moved but whose bytes stayed is never packed again.

mod explain;
mod keys;

pub use explain::{Explained, Reason};
pub use keys::{REVISION, marks_key, pack_key, packed_key, rewrite_key, run_key};

use crate::digest::{ActionKey, Digest};
use crate::layer::CONSTANT_MTIME;
use crate::lock::{BaseLayer, Lock, PackageKey, PackagePin};
use crate::oci::{Blob, Platform, TreePath};
use crate::recipe::{
    AccountName, Base, BaseImage, Compression, Config, Configure, ImageName, LayerKind, Owner, Recipe, Recipes, User,
    Written,
};
use crate::source::base::{BaseBlob, BlobKind};
use crate::source::path::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that has to be done, and for which images.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Every action once, by its key.
    pub actions: BTreeMap<ActionKey, Action>,
    /// The images, by name and platform.
    pub images: Vec<ImagePlan>,
    /// What images from outside the project consist of, by digest.
    pub blobs: BTreeMap<Digest, BaseBlob>,
}

/// One image for one platform.
#[derive(Debug, Clone)]
pub struct ImagePlan {
    /// Its name.
    pub name: ImageName,
    /// Its platform.
    pub platform: Platform,
    /// What it starts from, if no recipe of the project makes that.
    pub base: Option<ForeignBase>,
    /// The layer actions from the bottom up, those of the recipes that it starts from included.
    pub layers: Vec<ActionKey>,
    /// What its bases and itself are made of, from the bottom up.
    pub parts: Vec<Part>,
    /// How its layers are compressed.
    pub compression: Compression,
    /// Its date: the newest among its sources, in seconds since 1970.
    pub epoch: u64,
}

/// An image from outside the project that one of it starts from: it is passed through as it is.
#[derive(Debug, Clone)]
pub struct ForeignBase {
    /// The manifest.
    pub manifest: Blob,
    /// The configuration.
    pub config: Blob,
    /// The layer blobs, the lowest first.
    pub layers: Vec<Blob>,
    /// The actions that look into them, the lowest first.
    pub keys: Vec<ActionKey>,
}

impl ForeignBase {
    /// All that it consists of.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> {
        [self.manifest, self.config].into_iter().chain(self.layers.iter().copied())
    }
}

/// What one recipe of an image's chain adds.
#[derive(Debug, Clone)]
pub struct Part {
    /// How many of the image's layers are those of this recipe and of what lies below it.
    pub layers: usize,
    /// What the recipe sets of the configuration.
    pub config: Config,
    /// The date of everything up to here, in seconds since 1970.
    pub epoch: u64,
}

/// Something to do whose result is kept under its key.
#[derive(Debug, Clone)]
pub enum Action {
    /// A `.deb` becomes a fragment.
    Unpack(Unpack),
    /// A layer's tree is made, as fragments.
    Layer(Layer),
}

/// A `.deb` becomes a fragment.
#[derive(Debug, Clone)]
pub struct Unpack {
    /// Which package.
    pub package: PackageKey,
    /// Where it is and what it must be.
    pub pin: PackagePin,
}

/// A layer's tree is made, as fragments.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The layer below, whose directories and links it must respect.
    pub lower: Option<ActionKey>,
    /// The architecture.
    pub platform: Platform,
    /// What it is made of.
    pub work: Work,
    /// What it is, for people and the image's history.
    pub title: String,
}

/// What a layer is made of.
#[derive(Debug, Clone)]
pub enum Work {
    /// Unpacked packages, configured.
    Packages(PackagesWork),
    /// A copied tree.
    Copy(CopyWork),
    /// What the recipe itself writes.
    Write(BTreeMap<TreePath, Written>),
    /// Users and groups alone, for an image without a packages layer of its own.
    Accounts(Accounts),
    /// A layer of an image from outside the project, looked into only where something is made over it.
    Foreign(BaseLayer),
}

/// Unpacked packages, configured.
#[derive(Debug, Clone)]
pub struct PackagesWork {
    /// The unpack actions, in the order of the packages' names.
    pub unpacks: Vec<ActionKey>,
    /// The names that the recipe asked for.
    pub requested: BTreeSet<String>,
    /// What is left out.
    pub exclude: Vec<String>,
    /// How they are configured.
    pub configure: Configure,
    /// Users and groups that the recipe adds.
    pub accounts: Accounts,
    /// Newer times in packages are set back to this, in seconds since 1970.
    pub epoch: u64,
}

/// A copied tree.
#[derive(Debug, Clone)]
pub struct CopyWork {
    /// Where it stands on this machine; never in a key.
    pub root: PathBuf,
    /// What it holds.
    pub tree: Arc<Tree>,
    /// Where it goes; `None` is the root.
    pub to: Option<TreePath>,
    /// Who owns it.
    pub owner: Owner,
    /// The permission bits of every file, if the recipe sets them.
    pub mode: Option<u32>,
}

/// Users and groups that a recipe adds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// The users, by name.
    pub users: BTreeMap<AccountName, User>,
    /// The groups beyond the users' own, by name.
    pub groups: BTreeMap<AccountName, u32>,
}

impl Accounts {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

/// A scanned tree and where it stands, by the image and the number of the layer that copies it, from 1.
pub type Trees = BTreeMap<(ImageName, usize), (PathBuf, Arc<Tree>)>;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// All recipes of the project, checked.
    pub recipes: &'a Recipes,
    /// A lock that matches them.
    pub lock: &'a Lock,
    /// The scanned trees of every copy layer that is needed.
    pub trees: &'a Trees,
    /// How layers are compressed whose recipe does not say.
    pub compression: Compression,
    /// A date to use in place of the sources' own, in seconds since 1970.
    pub source_date_epoch: Option<u64>,
}

impl Inputs<'_> {
    fn recipe(&self, name: &ImageName) -> &Recipe {
        self.recipes.get(name.as_str()).expect("checked recipes have no dangling `from`")
    }
}

/// Plans images: each of the named ones for each of the given platforms that its recipe has.
///
/// # Panics
/// If the lock does not match the recipes or a tree is missing: [`crate::lock::gaps`] has to be empty.
#[must_use]
pub fn plan(inputs: &Inputs<'_>, names: &BTreeSet<ImageName>, platforms: Option<&[Platform]>) -> Plan {
    let mut plan = Plan::default();
    let mut planned = Planned::new();
    for name in names {
        let recipe = inputs.recipe(name);
        for &platform in &recipe.platforms {
            if platforms.is_none_or(|wanted| wanted.contains(&platform)) {
                let image = plan_image(inputs, recipe, platform, &mut plan, &mut planned);
                plan.images.push(image);
            }
        }
    }
    plan
}

/// The images that are planned already: many stand on the same.
type Planned = BTreeMap<(ImageName, Platform), ImagePlan>;

fn plan_image(
    inputs: &Inputs<'_>,
    recipe: &Recipe,
    platform: Platform,
    plan: &mut Plan,
    planned: &mut Planned,
) -> ImagePlan {
    let place = (recipe.name.clone(), platform);
    if let Some(image) = planned.get(&place) {
        return image.clone();
    }
    let empty = || ImagePlan {
        name: recipe.name.clone(),
        platform,
        base: None,
        layers: Vec::new(),
        parts: Vec::new(),
        compression: inputs.compression,
        epoch: inputs.source_date_epoch.unwrap_or(CONSTANT_MTIME),
    };
    let mut image = match &recipe.from {
        Some(Base::Recipe(name)) => plan_image(inputs, inputs.recipe(name), platform, plan, planned),
        Some(Base::Image(base)) => start_from(inputs, base, empty(), plan),
        None => empty(),
    };
    let actions = &mut plan.actions;
    image.name = recipe.name.clone();
    image.compression = recipe.compression.unwrap_or(inputs.compression);

    let mut accounts = Accounts { users: recipe.users.clone(), groups: recipe.groups.clone() };
    let configured =
        |kind: &LayerKind| matches!(kind, LayerKind::Packages(packages) if packages.configure == Configure::Native);
    if !accounts.is_empty() && !recipe.layers.iter().any(|layer| configured(&layer.kind)) {
        let accounts = std::mem::take(&mut accounts);
        let names: Vec<&str> = accounts.users.keys().chain(accounts.groups.keys()).map(AccountName::as_str).collect();
        let title = format!("users {}", names.join(" "));
        push(&mut image, actions, Work::Accounts(accounts), title);
    }
    for (at, layer) in recipe.layers.iter().enumerate() {
        let number = at + 1;
        let (work, title) = match &layer.kind {
            LayerKind::Packages(packages) => {
                let pin = inputs
                    .lock
                    .layers
                    .get(&(recipe.name.clone(), number, platform))
                    .expect("the lock matches the recipes");
                let epoch = inputs.source_date_epoch.unwrap_or(pin.date);
                image.epoch = image.epoch.max(epoch);
                let mut unpacks = Vec::with_capacity(pin.packages.len());
                for package in &pin.packages {
                    let unpack = Unpack { package: package.clone(), pin: inputs.lock.packages[package].clone() };
                    let key = keys::unpack(&unpack);
                    actions.entry(key).or_insert(Action::Unpack(unpack));
                    unpacks.push(key);
                }
                let names: Vec<&str> = packages.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
                let title = match (packages.essential, names.is_empty()) {
                    (true, true) => "packages essential".to_owned(),
                    (true, false) => format!("packages essential {}", names.join(" ")),
                    (false, _) => format!("packages {}", names.join(" ")),
                };
                let work = PackagesWork {
                    unpacks,
                    requested: packages.wanted.iter().map(|wanted| wanted.name.clone()).collect(),
                    exclude: packages.exclude.clone(),
                    configure: packages.configure,
                    accounts: if configured(&layer.kind) { std::mem::take(&mut accounts) } else { Accounts::default() },
                    epoch,
                };
                (Work::Packages(work), title)
            }
            LayerKind::Copy(copy) => {
                let (root, tree) = &inputs.trees[&(recipe.name.clone(), number)];
                let to = copy.to.as_ref().map_or_else(|| "/".to_owned(), |to| format!("/{to}"));
                let work = CopyWork {
                    root: root.clone(),
                    tree: Arc::clone(tree),
                    to: copy.to.clone(),
                    owner: copy.owner,
                    mode: copy.mode,
                };
                (Work::Copy(work), format!("copy {} to {to}", copy.from))
            }
            LayerKind::Write(written) => {
                let title = match written.first_key_value() {
                    Some((path, _)) if written.len() == 1 => format!("write /{path}"),
                    _ => format!("write {} paths", written.len()),
                };
                (Work::Write(written.clone()), title)
            }
        };
        push(&mut image, actions, work, title);
    }
    image.parts.push(Part { layers: image.layers.len(), config: recipe.config.clone(), epoch: image.epoch });
    planned.insert(place, image.clone());
    image
}

/// Lays an image over one from outside the project.
fn start_from(inputs: &Inputs<'_>, from: &BaseImage, mut image: ImagePlan, plan: &mut Plan) -> ImagePlan {
    let pin = inputs.lock.bases.get(&(from.to_string(), image.platform)).expect("the lock matches the recipes");
    let mut base = ForeignBase {
        manifest: pin.manifest,
        config: pin.config,
        layers: pin.layers.iter().map(|layer| layer.blob).collect(),
        keys: Vec::with_capacity(pin.layers.len()),
    };
    let mut add = |blob: Blob, part| {
        let (image, title) = (from.clone(), format!("{from} {} {}", part, blob.digest.short()));
        let kind = if part == "manifest" { BlobKind::Manifest } else { BlobKind::Blob };
        plan.blobs.entry(blob.digest).or_insert(BaseBlob { image, title, kind, blob });
    };
    add(pin.manifest, "manifest");
    add(pin.config, "config");
    for layer in &pin.layers {
        add(layer.blob, "layer");
        let title = format!("{from} layer {}", layer.blob.digest.short());
        let lower = base.keys.last().copied();
        let layer = Layer { lower, platform: image.platform, work: Work::Foreign(*layer), title };
        let key = keys::layer(&layer);
        plan.actions.entry(key).or_insert(Action::Layer(layer));
        base.keys.push(key);
    }
    image.epoch = inputs.source_date_epoch.unwrap_or(image.epoch.max(pin.date));
    image.base = Some(base);
    image
}

fn push(image: &mut ImagePlan, actions: &mut BTreeMap<ActionKey, Action>, work: Work, title: String) {
    let below = image.layers.last().or_else(|| image.base.as_ref()?.keys.last());
    let layer = Layer { lower: below.copied(), platform: image.platform, work, title };
    let key = keys::layer(&layer);
    actions.entry(key).or_insert(Action::Layer(layer));
    image.layers.push(key);
}

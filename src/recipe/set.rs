//! All recipes of a project, checked against each other.

use super::accounts::Accounts;
use super::draft::{Draft, RecipeFile, read_heads};
use super::finding::{Findings, Report};
use super::inherit::{Chain, chain, check_accounts, check_bases, check_depths, check_platforms};
use super::layers::Around;
use super::model::{Base, BaseImage, Compression, ImageName, Project, Recipe};
use super::walk::Table;
use super::{config, layers, sources};
use std::collections::{BTreeMap, BTreeSet};

/// Recipes that fit together: each base is one of them, none starts from itself, and platforms are never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipes {
    recipes: BTreeMap<ImageName, Recipe>,
    files: BTreeMap<ImageName, Box<str>>,
}

impl Recipes {
    /// The recipe of an image.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Recipe> {
        self.recipes.get(name)
    }

    /// The path of a recipe's file in the project, as [`RecipeFile::path`] gave it.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|path| &**path)
    }

    /// The folder in the project that a recipe's paths are relative to; empty for the project itself.
    #[must_use]
    pub fn folder(&self, name: &str) -> Option<&str> {
        self.file(name).map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder))
    }

    /// Compresses every image so, whatever its recipe says.
    pub fn compress(&mut self, compression: Compression) {
        for recipe in self.recipes.values_mut() {
            recipe.compression = Some(compression);
        }
    }

    /// All recipes, by name.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Recipe> {
        self.recipes.values()
    }

    /// A recipe and what it starts from: the outermost base first, the recipe itself last; empty if there is no such recipe.
    #[must_use]
    pub fn chain(&self, name: &str) -> Vec<&Recipe> {
        let mut chain = Vec::new();
        let mut next = self.get(name);
        while let Some(recipe) = next {
            chain.push(recipe);
            next = match &recipe.from {
                Some(Base::Recipe(base)) => self.get(base.as_str()),
                Some(Base::Image(_)) | None => None,
            };
        }
        chain.reverse();
        chain
    }

    /// The image from outside the project that a recipe, or the outermost of its bases, starts from.
    #[must_use]
    pub fn base_image(&self, name: &str) -> Option<&BaseImage> {
        match self.chain(name).first()?.from.as_ref()? {
            Base::Image(image) => Some(image),
            Base::Recipe(_) => None,
        }
    }

    /// All recipes in an order in which each stands behind what it starts from; otherwise by name.
    #[must_use]
    pub fn bases_first(&self) -> Vec<&Recipe> {
        let mut placed = BTreeSet::new();
        let mut order = Vec::with_capacity(self.recipes.len());
        for name in self.recipes.keys() {
            order.extend(self.chain(name.as_str()).into_iter().filter(|recipe| placed.insert(&recipe.name)));
        }
        order
    }

    /// The recipe whose name is nearest to a name that there is not.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&ImageName> {
        let near = super::suggest::nearest(name, self.recipes.keys().map(ImageName::as_str))?;
        self.recipes.get_key_value(near).map(|(name, _)| name)
    }
}

/// Parses all recipes of a project and checks them against each other; findings of all files come together.
///
/// A recipe that says nothing about platforms gets the project's.
pub fn parse_recipes(project: &Project, files: &[RecipeFile<'_>]) -> Result<Recipes, Findings> {
    let mut report = Report::default();
    let drafts = read_heads(files, &mut report);
    let mut recipes = BTreeMap::new();
    let sound = check_bases(&drafts, &mut report);
    for draft in drafts.values() {
        let chain = chain(&drafts, draft, sound.contains(&draft.name));
        check_platforms(project, &drafts, draft, &mut report);
        check_accounts(&chain, draft, &mut report);
        if let Some(recipe) = read_rest(project, &drafts, draft, &chain, &mut report) {
            recipes.insert(draft.name.clone(), recipe);
        }
    }
    let files = drafts.iter().map(|(name, draft)| (name.clone(), draft.input.path.into())).collect();
    let recipes = Recipes { recipes, files };
    check_depths(&drafts, &sound, &recipes, &mut report);
    report.finish(Some(recipes))
}

/// Parses one recipe that starts from nothing, as [`parse_recipes`] does.
pub fn parse_recipe(project: &Project, file: RecipeFile<'_>) -> Result<Recipe, Findings> {
    let recipes = parse_recipes(project, &[file])?;
    Ok(recipes.recipes.into_values().next().expect("a recipe without findings is there"))
}

/// Reads what no other recipe depends on; `None` if the file is no TOML.
fn read_rest(
    project: &Project,
    drafts: &BTreeMap<ImageName, Draft<'_>>,
    draft: &Draft<'_>,
    chain: &Chain<'_, '_>,
    report: &mut Report,
) -> Option<Recipe> {
    let document = draft.document.as_ref()?;
    let elsewhere = chain.bases.first().map_or_else(|| draft.starts_elsewhere(), |base| base.starts_elsewhere());
    let mut accounts = if elsewhere { Accounts::elsewhere() } else { Accounts::debian() };
    for head in chain.bases.iter().map(|base| &base.head).chain([&draft.head]) {
        accounts.add(&head.users, &head.groups);
    }
    if !chain.complete {
        accounts.incomplete();
    }
    let root = Table::root(document);
    let mut walk = draft.walk(report);
    let depth = draft.input.path.split('/').filter(|part| !matches!(*part, "" | ".")).count().saturating_sub(1);
    let sources = sources::read(&mut walk, &root, depth);
    let names: Vec<&str> = sources.keys().map(String::as_str).collect();
    let recipes: Vec<&str> = drafts.keys().map(ImageName::as_str).collect();
    let around = Around { project, accounts: &accounts, depth, sources: &names, recipes: &recipes };
    let layers = layers::read(&mut walk, &root, &around);
    let config = config::read(&mut walk, &root, &accounts);
    Some(Recipe {
        name: draft.name.clone(),
        from: draft.head.from.as_ref().map(|(base, _)| base.clone()),
        platforms: draft.head.platforms.as_ref().map_or(project.platforms.clone(), |(own, _)| own.clone()),
        layers,
        sources,
        users: draft.head.users.clone(),
        groups: draft.head.groups.clone(),
        config,
        compression: draft.head.compression,
    })
}

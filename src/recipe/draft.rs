//! One recipe file on its way through the checks: parsed as TOML, its head read, the rest not yet.

use super::finding::{Report, without_secrets};
use super::head::Head;
use super::model::{Base, ImageName};
use super::section::RECIPE;
use super::walk::{Table, Walk};
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeTable;

/// The most recipes that one project may have.
const MAX_RECIPES: usize = 4096;

/// A recipe file that was read and is not yet parsed.
#[derive(Debug, Clone, Copy)]
pub struct RecipeFile<'a> {
    /// The image's name: the name of the folder that the file is in.
    pub name: &'a str,
    /// The file's path in the project, with `/` between folders: shown in messages, and what `copy` is relative to.
    pub path: &'a str,
    /// What the file holds.
    pub text: &'a str,
}

/// One file on its way through the checks.
pub(super) struct Draft<'a> {
    pub(super) input: RecipeFile<'a>,
    pub(super) name: ImageName,
    pub(super) path: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) document: Option<Spanned<DeTable<'a>>>,
    pub(super) head: Head,
}

impl Draft<'_> {
    /// Goes on with the checks of this file.
    pub(super) fn walk<'r>(&self, report: &'r mut Report) -> Walk<'r> {
        Walk::new(&self.path, &self.text, report)
    }

    /// The recipe that it starts from.
    pub(super) fn base(&self) -> Option<&ImageName> {
        match &self.head.from {
            Some((Base::Recipe(name), _)) => Some(name),
            Some((Base::Image(_), _)) | None => None,
        }
    }

    /// Whether it starts from an image that no recipe of the project makes.
    pub(super) fn starts_elsewhere(&self) -> bool {
        matches!(self.head.from, Some((Base::Image(_), _)))
    }
}

/// Parses every file as TOML and reads its head. Only files whose names are wrong are left out.
pub(super) fn read_heads<'a>(files: &[RecipeFile<'a>], report: &mut Report) -> BTreeMap<ImageName, Draft<'a>> {
    let mut drafts: BTreeMap<ImageName, Draft<'a>> = BTreeMap::new();
    for input in files {
        let (path, text) = (Arc::from(input.path), without_secrets(input.text));
        let mut walk = Walk::new(&path, &text, report);
        if drafts.len() == MAX_RECIPES {
            walk.wrong(0..0, format!("the project has more than {MAX_RECIPES} recipes"));
            break;
        }
        let Some(name) = ImageName::parse(input.name) else {
            walk.wrong(0..0, format!("the recipe's folder `{}` is not an image's name", input.name))
                .expected("lower-case letters and digits, with `.`, `_` or `-` between them")
                .hint("rename the folder");
            continue;
        };
        if let Some(other) = drafts.get(&name) {
            walk.wrong(0..0, format!("there are two recipes for image `{name}`"))
                .hint(format!("the other is {}: rename the folder of one", other.path));
            continue;
        }
        let document = walk.parse(input.text);
        let head = match &document {
            Some(document) => {
                let root = Table::root(document);
                walk.check_keys(&root, &RECIPE);
                Head::read(&mut walk, &root, input.path.rsplit_once('/').map_or("", |(folder, _)| folder))
            }
            None => Head { from_unreadable: true, ..Head::default() },
        };
        drafts.insert(name.clone(), Draft { input: *input, name, path, text, document, head });
    }
    drafts
}

//! Recipes and remint.toml from their text to checked values, and to messages as the screen shows them.
//!
//! Every file below `tests/it/recipe/` is a case: `wrong/<case>.toml` is a recipe, `project/<case>.toml` a remint.toml, and
//! `set/<case>/` a project; the `.txt` beside it (`out.txt` in it) is what is shown. `SNAPSHOTS=overwrite cargo test --test it
//! recipe` writes those and the files in `schema/` anew; the difference is then reviewed in git.

mod disk;
mod equality;
mod golden;
mod meaning;
mod schema;

use remint::recipe::{Project, Recipe, RecipeFile, parse_recipe};
use std::path::{Path, PathBuf};

/// A recipe that uses the whole language of this version.
const WHOLE: &str = include_str!("recipe/whole.toml");

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn parse(text: &str) -> Result<Recipe, remint::recipe::Findings> {
    parse_recipe(&project(), RecipeFile { name: "whole", path: "recipes/whole/recipe.toml", text })
}

/// A project that has every archive that [`WHOLE`] names.
fn project() -> Project {
    remint::recipe::parse_project("remint.toml", include_str!("recipe/remint.toml")).unwrap_or_else(|e| panic!("{e}"))
}

/// Compares a text with a file, or writes the file when `SNAPSHOTS=overwrite` is set.
fn same_as_file(actual: &str, path: &Path) {
    let expected = snapbox::Data::read_from(path, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(actual, expected);
}

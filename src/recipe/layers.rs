//! The `[[layer]]` tables.

use super::accounts::Accounts;
use super::model::{Layer, LayerKind, Project};
use super::section::LAYER_KINDS;
use super::variant::variant;
use super::walk::{Table, Value, Walk};
use super::{copy, later, packages, write};

/// The most layers that an image may have with those it inherits: overlayfs stacks no more than 128 directories in containers'
/// runtimes, one of which is the container's own.
pub(super) const MAX_LAYERS: usize = 127;

/// What a layer is checked against.
pub(super) struct Around<'a> {
    /// The project's settings.
    pub(super) project: &'a Project,
    /// The users and groups that can be named.
    pub(super) accounts: &'a Accounts,
    /// How many folders deep in the project the recipe's folder is.
    pub(super) depth: usize,
    /// The names of the recipe's sources.
    pub(super) sources: &'a [&'a str],
    /// The names of all recipes.
    pub(super) recipes: &'a [&'a str],
}

/// Reads all layers of a recipe; a wrong one is reported and left out.
pub(super) fn read(walk: &mut Walk<'_>, root: &Table<'_>, around: &Around<'_>) -> Vec<Layer> {
    let Some(value) = root.get("layer") else { return Vec::new() };
    if value.get_ref().is_table() {
        walk.wrong(value.span(), "`layer` is a table, but an image has a list of layers").hint("write `[[layer]]`");
        return Vec::new();
    }
    let Some(items) = walk.list(value, "`layer`", "tables") else { return Vec::new() };
    if items.len() > MAX_LAYERS {
        walk.wrong(value.span(), format!("the recipe has {} layers", items.len()))
            .expected(format!("at most {MAX_LAYERS}, since container runtimes stack no more"));
        return Vec::new();
    }
    items.iter().filter_map(|item| read_layer(walk, item, around)).collect()
}

fn read_layer(walk: &mut Walk<'_>, item: &Value<'_>, around: &Around<'_>) -> Option<Layer> {
    let line = walk.line(&item.span());
    let (kind, table) = variant(walk, item, "a layer", LAYER_KINDS)?;
    let kind = match kind {
        "packages" => LayerKind::Packages(packages::read(walk, &table, around)?),
        "copy" => LayerKind::Copy(copy::read(walk, &table, around)?),
        "write" => LayerKind::Write(write::read(walk, &table, around)?),
        "extract" => return later::extract(walk, &table, around),
        _ => return later::run(walk, &table, around),
    };
    Some(Layer { kind, line })
}

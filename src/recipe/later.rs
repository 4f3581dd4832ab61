//! The layers that the language has and this version cannot make: checked for form, then refused, never ignored.

use super::copy::{exclude, owner, to};
use super::head::image_name;
use super::layers::Around;
use super::model::Layer;
use super::paths;
use super::walk::{Table, Value, Walk};

/// Checks an `extract` layer, which unpacks a source, and refuses it.
pub(super) fn extract(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<Layer> {
    let (key, value) = table.entry("extract")?;
    source(walk, value, "`extract`", around);
    to(walk, table, None);
    owner(walk, table, around);
    table.get("exclude").map(|value| exclude(walk, value));
    refuse(walk, key.span(), "`extract` layers, which unpack a source, are not in this version of remint");
    None
}

/// Checks a `run` layer, which runs a command in the sandbox, and refuses it.
pub(super) fn run(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<Layer> {
    let (key, value) = table.entry("run")?;
    if walk.string(value, "`run`").is_some_and(|command| command.trim().is_empty()) {
        walk.wrong(value.span(), "`run` is empty").expected("a shell command");
    }
    if let Some(value) = table.get("in")
        && let Some(text) = walk.string(value, "`in`")
        && let Some(name) = image_name(walk, value.span(), text, "`in`")
        && !around.recipes.contains(&name.as_str())
    {
        let hint = walk.did_you_mean(name.as_str(), around.recipes.iter().copied());
        walk.wrong(value.span(), format!("there is no recipe `{name}`")).expected("the name of a recipe").hint_if(hint);
    }
    if let Some(inputs) = table.get("inputs").and_then(|value| walk.open_table(value, "`inputs`")) {
        for (path, value) in inputs.entries() {
            paths::image_path(walk, path.span(), path.get_ref(), "the input's place");
            source(walk, value, "an input", around);
        }
    }
    if let Some(value) = table.get("output")
        && let Some(text) = walk.string(value, "`output`")
    {
        paths::image_path(walk, value.span(), text, "`output`");
    }
    refuse(walk, key.span(), "`run` layers, which run a command in the sandbox, are not in this version of remint");
    None
}

/// The name of a source that the recipe defines.
fn source(walk: &mut Walk<'_>, value: &Value<'_>, what: &str, around: &Around<'_>) {
    let Some(name) = walk.string(value, what) else { return };
    if !around.sources.contains(&name) {
        let hint = walk
            .did_you_mean(name, around.sources.iter().copied())
            .unwrap_or_else(|| format!("define it in `[sources.{name}]`"));
        walk.wrong(value.span(), format!("there is no source `{name}`")).expected("a name from `[sources]`").hint(hint);
    }
}

fn refuse(walk: &mut Walk<'_>, span: std::ops::Range<usize>, sentence: &str) {
    walk.wrong(span, sentence).expected("`packages`, `copy` or `write`");
}

//! The `copy` layer.

use super::layers::Around;
use super::model::{Copy, Owner};
use super::paths::{self, Place};
use super::walk::{Table, Value, Walk};

/// Reads a `copy` layer.
pub(super) fn read(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<Copy> {
    let value = table.get("copy")?;
    let from =
        walk.string(value, "`copy`").and_then(|text| paths::beside(walk, value.span(), text, "`copy`", around.depth));
    let to = to(walk, table, from.as_deref());
    let owner = owner(walk, table, around);
    let mode = table.get("mode").map_or(Some(None), |value| paths::mode(walk, value).map(Some));
    let exclude = table.get("exclude").map_or_else(|| Some(Vec::new()), |value| exclude(walk, value));
    Some(Copy { from: from?, to: to?.path(), owner: owner?, mode: mode?, exclude: exclude? })
}

/// Where it goes. A slash at the end is refused: in other tools it means "into", and only for files.
pub(super) fn to(walk: &mut Walk<'_>, table: &Table<'_>, from: Option<&str>) -> Option<Place> {
    let Some(value) = table.get("to") else {
        walk.wrong(table.span.clone(), "the layer does not say where its files go")
            .expected("`to`, an absolute path in the image")
            .hint("`to = \"/\"` is the root");
        return None;
    };
    let text = walk.string(value, "`to`")?;
    let path = paths::image_path(walk, value.span(), text, "`to`")?;
    if text.len() > 1 && text.ends_with('/') {
        let hint = match (&path, from.and_then(|from| from.rsplit('/').next())) {
            (Place::Root, _) => "write `/`".to_owned(),
            (Place::Path(path), None | Some("." | "..")) => format!("write `/{path}`"),
            (Place::Path(path), Some(name)) => format!("for a folder, write `/{path}`; for a file, `/{path}/{name}`"),
        };
        walk.wrong(value.span(), format!("`to` ends in a slash: `{text}`"))
            .expected("the path that the copied file or folder itself gets")
            .hint(hint);
        return None;
    }
    Some(path)
}

/// The owner of a table, root unless it says otherwise.
pub(super) fn owner(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<Owner> {
    let Some(value) = table.get("owner") else { return Some(Owner::default()) };
    let text = walk.string(value, "`owner`")?;
    around.accounts.owner(walk, &value.span(), text)
}

/// Globs relative to what is copied, in the order written.
pub(super) fn exclude(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<Vec<String>> {
    let of = ("`exclude`", "what is copied");
    let globs = walk.strings(value, "`exclude`")?;
    Some(globs.into_iter().filter_map(|(span, text)| paths::relative_glob(walk, span, text, of)).collect())
}

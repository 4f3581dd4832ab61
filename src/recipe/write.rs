//! The `write` layer: files, links and directories that stand in the recipe itself.

use super::copy::owner;
use super::layers::Around;
use super::model::{Owner, Written};
use super::paths::{self, Place};
use super::section::WRITTEN_KINDS;
use super::variant::variant;
use super::walk::{Table, Value, Walk};
use crate::oci::TreePath;
use std::collections::BTreeMap;
use std::ops::Range;

/// Reads a `write` layer.
pub(super) fn read(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<BTreeMap<TreePath, Written>> {
    let value = table.get("write")?;
    let table = walk.open_table(value, "`write`")?;
    let mut made: BTreeMap<TreePath, Written> = BTreeMap::new();
    let mut spans: BTreeMap<TreePath, Range<usize>> = BTreeMap::new();
    for (key, value) in table.entries() {
        let path = paths::image_path(walk, key.span(), key.get_ref(), "the path");
        let written = written(walk, value, around);
        let path = match path {
            Some(Place::Path(path)) => path,
            Some(Place::Root) => {
                walk.wrong(key.span(), "the path is the image's root, which every image has");
                continue;
            }
            None => continue,
        };
        if let Some(first) = spans.get(&path) {
            let (first, second) =
                if first.start < key.span().start { (first.clone(), key.span()) } else { (key.span(), first.clone()) };
            walk.wrong(second, format!("path `/{path}` is written twice")).related(first, "first written here");
            continue;
        }
        spans.insert(path.clone(), key.span());
        if let Some(written) = written {
            made.insert(path, written);
        }
    }
    below_files(walk, &made, &spans);
    if table.entries().next().is_none() {
        walk.wrong(table.span, "`write` is empty").expected("at least one path");
    }
    Some(made)
}

/// Reports every path below a path that is a file or a link.
fn below_files(walk: &mut Walk<'_>, made: &BTreeMap<TreePath, Written>, spans: &BTreeMap<TreePath, Range<usize>>) {
    for (path, span) in spans {
        for above in path.ancestors() {
            let kind = match made.get(&above) {
                Some(Written::Text { .. }) => "a file",
                Some(Written::Link { .. }) => "a link",
                _ => continue,
            };
            let finding = walk.wrong(span.clone(), format!("`/{path}` is below `/{above}`, which is {kind}"));
            if let Some(place) = spans.get(&above) {
                finding.related(place.clone(), "written here");
            }
        }
    }
}

fn written(walk: &mut Walk<'_>, value: &Value<'_>, around: &Around<'_>) -> Option<Written> {
    if let Some(text) = value.get_ref().as_str() {
        return Some(Written::Text { text: text.to_owned(), owner: Owner::default(), mode: 0o644 });
    }
    if !value.get_ref().is_table() {
        walk.wrong_type(value, "what is written", "the text, or a table with `text`, `link` or `directory`");
        return None;
    }
    let (kind, table) = variant(walk, value, "what is written", WRITTEN_KINDS)?;
    let content = table.get(kind)?;
    let owner = owner(walk, &table, around);
    match kind {
        "text" => {
            let text = walk.string(content, "`text`").map(str::to_owned);
            let mode = mode(walk, &table, 0o644);
            Some(Written::Text { text: text?, owner: owner?, mode: mode? })
        }
        "link" => {
            let target = walk.string(content, "`link`").and_then(|target| link_target(walk, content.span(), target));
            Some(Written::Link { target: target?, owner: owner? })
        }
        _ => {
            let is_directory = walk.boolean(content, "`directory`");
            if is_directory == Some(false) {
                walk.wrong(content.span(), "`directory` cannot be `false`")
                    .expected("`true`, or `text` or `link` instead");
                return None;
            }
            let mode = mode(walk, &table, 0o755);
            is_directory?;
            Some(Written::Directory { owner: owner?, mode: mode? })
        }
    }
}

fn mode(walk: &mut Walk<'_>, table: &Table<'_>, default: u32) -> Option<u32> {
    table.get("mode").map_or(Some(default), |value| paths::mode(walk, value))
}

/// A link's target is text that may lead anywhere; it only has to fit (Linux `PATH_MAX`).
fn link_target(walk: &mut Walk<'_>, span: Range<usize>, target: &str) -> Option<String> {
    if target.is_empty() || target.len() > 4095 || target.contains(char::is_control) {
        walk.wrong(span, "`link` is no target that a link can have").expected("a path of at most 4095 bytes");
        return None;
    }
    Some(target.to_owned())
}

//! The `[sources]` table.

use super::model::Source;
use super::section::SOURCE_KINDS;
use super::variant::variant;
use super::walk::{Table, Walk};
use super::{head, paths};
use crate::digest::Digest;
use std::collections::BTreeMap;

/// Reads the sources of a recipe; a wrong one is reported and left out.
pub(super) fn read(walk: &mut Walk<'_>, root: &Table<'_>, depth: usize) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    let Some(table) = root.get("sources").and_then(|value| walk.open_table(value, "`[sources]`")) else {
        return sources;
    };
    for (key, value) in table.entries() {
        let name = head::image_name(walk, key.span(), key.get_ref(), "the source's name");
        let Some((kind, table)) = variant(walk, value, "a source", SOURCE_KINDS) else { continue };
        if let (Some(source), Some(name)) = (source(walk, kind, &table, depth), name) {
            sources.insert(name.to_string(), source);
        }
    }
    sources
}

fn source(walk: &mut Walk<'_>, kind: &str, table: &Table<'_>, depth: usize) -> Option<Source> {
    let value = table.get(kind)?;
    let text = walk.string(value, &format!("`{kind}`"));
    match kind {
        "url" => {
            let url = text.and_then(|text| paths::address(walk, value.span(), text, "`url`", &["https://", "http://"]));
            let sha256 = table.get("sha256").map_or(Some(None), |value| {
                let text = walk.string(value, "`sha256`")?;
                let digest = Digest::from_hex(text.strip_prefix("sha256:").unwrap_or(text));
                if digest.is_none() {
                    walk.wrong(value.span(), "`sha256` is no digest").expected("64 lower-case hex digits");
                }
                digest.map(Some)
            });
            Some(Source::Url { url: url?, sha256: sha256? })
        }
        "git" => {
            let schemes = ["https://", "http://", "ssh://", "git://"];
            let git = text.and_then(|text| paths::address(walk, value.span(), text, "`git`", &schemes));
            let Some(rev) = table.get("rev") else {
                walk.wrong(table.span.clone(), "the `git` source has no `rev`")
                    .expected("`rev`, a commit, tag or branch");
                return None;
            };
            let text = walk.string(rev, "`rev`")?;
            // What git-check-ref-format(1) refuses in any name, and an option in disguise.
            let odd = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
            if text.is_empty() || text.len() > 255 || text.starts_with('-') || text.contains("..") || text.contains(odd)
            {
                walk.wrong(rev.span(), format!("`rev` cannot be `{text}`")).expected("a commit, tag or branch");
                return None;
            }
            Some(Source::Git { git: git?, rev: text.to_owned() })
        }
        _ => Some(Source::Path { path: paths::beside(walk, value.span(), text?, "`path`", depth)? }),
    }
}

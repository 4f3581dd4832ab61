//! Where images are published and how registries are reached, as remint.toml says.

use super::model::{ImageName, Publish, Registry};
use super::reference::{host_fault, is_tag};
use super::walk::{Table, Value, Walk};
use std::ops::Range;

/// What a template of a tag may have in braces, and something that it can stand for.
const PLACES: [(&str, &str); 4] = [("{date}", "20260101"), ("{git}", "0"), ("{recipe}", "a"), ("{lock}", "0")];

/// Reads `[publish]`.
pub(super) fn publish(walk: &mut Walk<'_>, table: &Table<'_>) -> Publish {
    let to = table.get("to").and_then(|value| {
        let text = walk.string(value, "`to`")?;
        repository(walk, value, text)
    });
    let tags = table.get("tags").and_then(|value| walk.strings(value, "`tags`")).unwrap_or_default();
    let tags = tags.into_iter().filter_map(|(span, text)| {
        let filled = PLACES.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value));
        if is_tag(&filled) {
            return Some(text.to_owned());
        }
        walk.wrong(span, format!("`{text}` cannot be a tag"))
            .expected("letters, digits, `.`, `_` and `-`, with `{date}`, `{git}`, `{recipe}` or `{lock}` among them");
        None
    });
    let tags = tags.collect();
    Publish { to, tags }
}

/// A repository, or the beginning of one.
fn repository(walk: &mut Walk<'_>, value: &Value<'_>, text: &str) -> Option<String> {
    let filled = text.replace("{recipe}", "a");
    let (host, name) = filled.split_once('/').unwrap_or((&filled, ""));
    let wrong = host_fault(host).or_else(|| {
        let fits = name.is_empty() || name.split('/').all(|part| ImageName::parse(part).is_some());
        (!fits || name.len() > 255)
            .then_some("its name has other characters than lower-case letters, digits, `.`, `_`, `-` and `/`")
    });
    match wrong {
        None => Some(text.to_owned()),
        Some(wrong) => {
            walk.wrong(value.span(), format!("`to` is not a repository: {wrong}")).expected("`registry/name`");
            None
        }
    }
}

/// Reads `[registry."HOST"]`.
pub(super) fn registry(walk: &mut Walk<'_>, table: &Table<'_>) -> Registry {
    let mirrors = table.get("mirrors").and_then(|value| walk.strings(value, "`mirrors`")).unwrap_or_default();
    let mirrors = mirrors.into_iter().filter_map(|(span, text)| {
        let of = text.split_once('/').map_or(text, |(of, _)| of);
        host(walk, span, of, "a mirror").map(|_| text.to_owned())
    });
    let mirrors = mirrors.collect();
    let plain_http = table.get("plain-http").and_then(|value| walk.boolean(value, "`plain-http`"));
    Registry { mirrors, plain_http: plain_http.unwrap_or_default() }
}

/// A registry's host, with its port where it has one.
pub(super) fn host(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) -> Option<String> {
    match host_fault(text) {
        None => Some(text.to_owned()),
        Some(_) => {
            walk.wrong(span, format!("{what} cannot be `{text}`"))
                .expected("a host with a dot or a port in it, such as `registry.example`");
            None
        }
    }
}

//! remint.toml: settings that all recipes of a project share.

use super::finding::{Findings, Report, without_secrets};
use super::head::COMPRESSIONS;
use super::model::{Archive, Project};
use super::section::{ARCHIVE, PROJECT, PUBLISH, REGISTRY};
use super::walk::{Table, Value, Walk};
use super::{head, paths, publish};
use std::ops::Range;
use std::sync::Arc;

/// Parses remint.toml. `file` is its path as messages show it.
///
/// What it does not say has its default, so an empty text gives [`Project::default`].
pub fn parse_project(file: &str, text: &str) -> Result<Project, Findings> {
    let mut report = Report::default();
    let mut walk = Walk::new(&Arc::from(file), &without_secrets(text), &mut report);
    let project = walk.parse(text).map(|document| {
        let root = Table::root(&document);
        walk.check_keys(&root, &PROJECT);
        read(&mut walk, &root)
    });
    report.finish(project)
}

fn read(walk: &mut Walk<'_>, root: &Table<'_>) -> Project {
    let mut project = Project::default();
    if let Some(value) = root.get("recipes") {
        let of = ("`recipes`", "the project");
        let globs = walk.strings(value, "`recipes`").unwrap_or_default();
        project.recipes =
            globs.into_iter().filter_map(|(span, text)| paths::relative_glob(walk, span, text, of)).collect();
        not_empty(walk, value, "`recipes`", "a glob of recipe files");
    }
    if let Some(platforms) = root.get("platforms").and_then(|value| paths::platforms(walk, value)) {
        project.platforms = platforms;
    }
    if let Some(compression) = root.get("compression").and_then(|value| walk.word(value, "`compression`", COMPRESSIONS))
    {
        project.compression = compression;
    }
    if let Some(table) = root.get("archive").and_then(|value| walk.open_table(value, "`[archive]`")) {
        for (key, value) in table.entries() {
            let name = head::image_name(walk, key.span(), key.get_ref(), "the archive's name");
            let archive = walk.table(value, &ARCHIVE).map(|table| archive(walk, &table, key.get_ref()));
            if let (Some(name), Some(archive)) = (name, archive) {
                project.archives.insert(name.to_string(), archive);
            }
        }
    }
    if let Some(table) = root.get("publish").and_then(|value| walk.table(value, &PUBLISH)) {
        project.publish = publish::publish(walk, &table);
    }
    if let Some(table) = root.get("registry").and_then(|value| walk.open_table(value, "`[registry]`")) {
        for (key, value) in table.entries() {
            let host = publish::host(walk, key.span(), key.get_ref(), "a registry");
            let registry = walk.table(value, &REGISTRY).map(|table| publish::registry(walk, &table));
            if let (Some(host), Some(registry)) = (host, registry) {
                project.registries.insert(host, registry);
            }
        }
    }
    project
}

fn archive(walk: &mut Walk<'_>, table: &Table<'_>, name: &str) -> Archive {
    let mut archive = Archive::default();
    match table.get("suites") {
        Some(value) => archive.suites = words(walk, value, "`suites`", "a suite"),
        // Only Debian's own archive can be guessed to have Debian's suites.
        None if name != "debian" => {
            walk.wrong(table.span.clone(), format!("archive `{name}` has no `suites`")).expected("`suites`, a list");
        }
        None => {}
    }
    if let Some(value) = table.get("components") {
        archive.components = words(walk, value, "`components`", "a component");
    }
    archive.mirrors = table.get("mirror").map_or_else(Vec::new, |value| addresses(walk, value, "`mirror`"));
    archive.keyring = table.get("keyring").and_then(|value| {
        let text = walk.string(value, "`keyring`")?;
        paths::beside(walk, value.span(), text, "`keyring`", 0)
    });
    archive.snapshots = table.get("snapshot").map_or_else(Vec::new, |value| snapshots(walk, value));
    archive
}

/// Suites or components: words that can stand in a URL's path, each once.
fn words(walk: &mut Walk<'_>, value: &Value<'_>, what: &str, each: &str) -> Vec<String> {
    let mut words: Vec<(Range<usize>, &str)> = Vec::new();
    for (span, text) in walk.strings(value, what).unwrap_or_default() {
        let fit = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~'))
        };
        if text.len() > 128 || !text.split('/').all(fit) {
            walk.wrong(span, format!("`{text}` is not the name of {each}"))
                .expected("letters, digits, `.`, `_`, `-`, `+`, `~`, with `/` between words");
        } else if let Some((first, _)) = words.iter().find(|(_, word)| *word == text) {
            walk.wrong(span, format!("{each} is listed twice: `{text}`")).related(first.clone(), "first listed here");
        } else {
            words.push((span, text));
        }
    }
    not_empty(walk, value, what, each);
    words.into_iter().map(|(_, word)| word.to_owned()).collect()
}

/// One address or a list of them, tried in order.
fn addresses(walk: &mut Walk<'_>, value: &Value<'_>, what: &str) -> Vec<String> {
    texts(walk, value, what).into_iter().map(|(_, text)| text).collect()
}

fn texts(walk: &mut Walk<'_>, value: &Value<'_>, what: &str) -> Vec<(Range<usize>, String)> {
    let texts = match value.get_ref().as_str() {
        Some(text) => vec![(value.span(), text)],
        None if value.get_ref().is_array() => {
            not_empty(walk, value, what, "an address");
            walk.strings(value, what).unwrap_or_default()
        }
        None => {
            walk.wrong_type(value, what, "an address, or a list of addresses");
            Vec::new()
        }
    };
    let schemes = ["https://", "http://"];
    let address = |(span, text): (Range<usize>, &str)| {
        let address = paths::address(walk, span.clone(), text, what, &schemes)?;
        Some((span, address))
    };
    texts.into_iter().filter_map(address).collect()
}

/// One address of a dated archive or a list of them, each with a place for the date.
fn snapshots(walk: &mut Walk<'_>, value: &Value<'_>) -> Vec<String> {
    let mut addresses = Vec::new();
    for (span, address) in texts(walk, value, "`snapshot`") {
        if address.contains("{date}") {
            addresses.push(address);
        } else {
            walk.wrong(span, "`snapshot` does not say where the date goes").expected("`{date}` in the address");
        }
    }
    addresses
}

fn not_empty(walk: &mut Walk<'_>, value: &Value<'_>, what: &str, of: &str) {
    if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
        walk.wrong(value.span(), format!("{what} is empty")).expected(format!("at least {of}"));
    }
}

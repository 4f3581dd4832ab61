//! The `packages` layer.

use super::layers::Around;
use super::model::{Configure, PackageRequest, Packages};
use super::paths;
use super::suggest::one_of;
use super::walk::{Table, Value, Walk};
use std::collections::BTreeMap;
use std::ops::Range;

/// What `exclude` knows by a word; anything else is a glob of absolute paths.
const WORDS: &[&str] = &["doc", "man", "locale"];

/// Reads a `packages` layer.
pub(super) fn read(walk: &mut Walk<'_>, table: &Table<'_>, around: &Around<'_>) -> Option<Packages> {
    let wanted = wanted(walk, table.get("packages")?);
    let archive = match table.get("archive") {
        None => Some("debian".to_owned()),
        Some(value) => archive(walk, value, around),
    };
    let essential = table.get("essential").map_or(Some(false), |value| walk.boolean(value, "`essential`"));
    let dependencies = table.get("dependencies").map_or(Some(true), |value| walk.boolean(value, "`dependencies`"));
    let exclude = table.get("exclude").map_or_else(|| Some(Vec::new()), |value| exclude(walk, value));
    let configure = table.get("configure").map_or(Some(Configure::Native), |value| configure(walk, value));
    let (wanted, essential) = (wanted?, essential?);
    let asked = table.get("packages")?;
    if asked.get_ref().as_array().is_some_and(|items| items.is_empty()) && !essential {
        walk.wrong(asked.span(), "`packages` is empty").expected("at least one package, or `essential = true`");
        return None;
    }
    Some(Packages {
        wanted,
        archive: archive?,
        essential,
        dependencies: dependencies?,
        exclude: exclude?,
        configure: configure?,
    })
}

fn wanted(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<Vec<PackageRequest>> {
    let mut seen: BTreeMap<String, (Option<String>, Range<usize>)> = BTreeMap::new();
    for (span, text) in walk.strings(value, "`packages`")? {
        let Some(request) = request(walk, &span, text) else { continue };
        if let Some((_, first)) = seen.get(&request.name) {
            walk.wrong(span, format!("package `{}` is listed twice", request.name))
                .related(first.clone(), "first listed here");
        } else {
            seen.insert(request.name, (request.version, span));
        }
    }
    Some(seen.into_iter().map(|(name, (version, _))| PackageRequest { name, version }).collect())
}

/// Reads `name`, `name=version` or `name=pattern`.
fn request(walk: &mut Walk<'_>, span: &Range<usize>, text: &str) -> Option<PackageRequest> {
    let (name, version) = match text.split_once('=') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    if let Some((bare, arch)) = name.split_once(':') {
        walk.wrong(
            span.clone(),
            format!("`{text}` asks for architecture `{arch}`, but a layer's packages are of its platform's"),
        )
        .hint(format!("write `{bare}`, and the architecture in `platforms`"));
        return None;
    }
    if !is_package_name(name) {
        let finding = walk.wrong(span.clone(), format!("`{text}` is not a package"));
        finding.expected("`name`, `name=version` or `name=1.22.*`");
        if name.contains(['(', '<', '>', ' ']) {
            finding.hint("write a version behind `=`, with `*` for any part of it");
        } else if is_package_name(&name.to_ascii_lowercase()) {
            finding.hint(format!("names of packages are lower-case: `{}`", name.to_ascii_lowercase()));
        }
        return None;
    }
    if let Some(version) = version.filter(|version| !is_version_pattern(version)) {
        walk.wrong(span.clone(), format!("`{version}` is not a version of `{name}`"))
            .expected("a Debian version, in which `*` stands for anything");
        return None;
    }
    Some(PackageRequest { name: name.to_owned(), version: version.map(str::to_owned) })
}

/// Debian policy 5.6.1: two or more of `a-z0-9+-.`, the first a letter or digit.
fn is_package_name(name: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (2..=128).contains(&name.len())
        && name.bytes().next().is_some_and(alphanumeric)
        && name.bytes().all(|b| alphanumeric(b) || matches!(b, b'+' | b'-' | b'.'))
}

/// Debian policy 5.6.12: letters, digits and `.+~:-`, a digit or a star first; here also `*`.
fn is_version_pattern(version: &str) -> bool {
    version.len() <= 128
        && version.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'*')
        && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'~' | b':' | b'-' | b'*'))
}

fn archive(walk: &mut Walk<'_>, value: &Value<'_>, around: &Around<'_>) -> Option<String> {
    let name = walk.string(value, "`archive`")?;
    if around.project.archives.contains_key(name) {
        return Some(name.to_owned());
    }
    let known: Vec<&str> = around.project.archives.keys().map(String::as_str).collect();
    let hint = walk
        .did_you_mean(name, known.iter().copied())
        .unwrap_or_else(|| format!("define it in remint.toml as `[archive.{name}]`"));
    walk.wrong(value.span(), format!("archive `{name}` is not defined")).expected(one_of(&known)).hint(hint);
    None
}

fn exclude(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<Vec<String>> {
    let mut globs = Vec::new();
    for (span, text) in walk.strings(value, "`exclude`")? {
        if WORDS.contains(&text) {
            globs.push(text.to_owned());
        } else if text.starts_with('/') {
            globs.extend(paths::glob(walk, span, text, "`exclude`"));
        } else {
            let hint = walk.did_you_mean(text, WORDS.iter().copied());
            walk.wrong(span, format!("`exclude` knows no `{text}`"))
                .expected("`doc`, `man`, `locale`, or a glob of absolute paths")
                .hint_if(hint);
        }
    }
    globs.sort();
    globs.dedup();
    Some(globs)
}

fn configure(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<Configure> {
    if value.get_ref().as_str() == Some("scripts") {
        walk.wrong(value.span(), "`configure = \"scripts\"` runs maintainer scripts in the sandbox, which this version of remint does not have")
            .expected("`native` or `none`");
        return None;
    }
    walk.word(value, "`configure`", &[("native", Configure::Native), ("none", Configure::None)])
}

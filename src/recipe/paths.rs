//! Paths, globs, modes and addresses as both files write them.

use super::suggest::{nearest, one_of};
use super::walk::{Value, Walk};
use crate::oci::{Platform, TreePath};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most bytes of a path (Linux `PATH_MAX` less the NUL).
const MAX_PATH: usize = 4095;

/// A place inside an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The root directory.
    Root,
    /// Anything in it.
    Path(TreePath),
}

impl Place {
    /// The path; `None` is the root.
    pub(super) fn path(self) -> Option<TreePath> {
        match self {
            Self::Root => None,
            Self::Path(path) => Some(path),
        }
    }
}

/// An absolute path inside an image.
pub(super) fn image_path(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) -> Option<Place> {
    if !text.starts_with('/') {
        walk.wrong(span, format!("{what} `{text}` is not absolute"))
            .expected("a path from the image's root")
            .hint(format!("write `/{}`", text.trim_start_matches("./")));
        return None;
    }
    if text.split('/').all(|part| matches!(part, "" | ".")) {
        return Some(Place::Root);
    }
    match TreePath::parse(text) {
        Ok(path) => Some(Place::Path(path)),
        Err(error) => {
            walk.wrong(span, error.to_string()).expected("an absolute path inside the image");
            None
        }
    }
}

/// An absolute path inside an image that is kept as text, with one spelling.
pub(super) fn image_path_text(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) -> Option<String> {
    let path = image_path(walk, span, text, what)?;
    Some(path.path().map_or_else(|| "/".to_owned(), |path| format!("/{path}")))
}

/// A path relative to a folder that is `depth` folders deep in the project and that may not leave the project.
///
/// Only leading `..` are taken: `a/../b` is `b` only where `a` is no link. The result has one spelling; `.` is the folder.
pub(super) fn beside(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str, depth: usize) -> Option<String> {
    if text.starts_with('/') {
        walk.wrong(span, format!("{what} `{text}` is absolute"))
            .expected("a path relative to this file's folder")
            .hint("copy or move what it names into the project: a recipe depends on nothing outside");
        return None;
    }
    let mut parts = Vec::new();
    for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && parts.iter().any(|part| *part != "..") {
            walk.wrong(span, format!("{what} `{text}` has `..` behind a name")).expected("`..` only in front");
            return None;
        }
        parts.push(part);
    }
    let up = parts.iter().filter(|part| **part == "..").count();
    if up > depth {
        walk.wrong(span, format!("{what} `{text}` leaves the project"))
            .expected("a path inside the project")
            .hint("move what it names into the project: a recipe depends on nothing outside");
        return None;
    }
    let unfit = text.is_empty() || text.len() > MAX_PATH || text.contains(char::is_control);
    if unfit || text.split('/').any(|part| part.len() > 255) {
        walk.wrong(span, format!("{what} is no path that a file can have")).expected("a relative path");
        return None;
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// A glob as `globset` reads it.
pub(super) fn glob(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_PATH || text.contains(char::is_control) {
        walk.wrong(span, format!("{what} is no glob")).expected("a pattern such as `**/*.pyc`");
        return None;
    }
    match globset::GlobBuilder::new(text).literal_separator(true).build() {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            walk.wrong(span, format!("{what} `{text}` is no glob: {}", error.kind()));
            None
        }
    }
}

/// A glob that is relative to something and stays inside it.
pub(super) fn relative_glob(walk: &mut Walk<'_>, span: Range<usize>, text: &str, of: (&str, &str)) -> Option<String> {
    let (what, inside) = of;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        let fault = if text.starts_with('/') { "is absolute".to_owned() } else { format!("leads out of {inside}") };
        walk.wrong(span, format!("{what} `{text}` {fault}")).expected(format!("a glob relative to {inside}"));
        return None;
    }
    glob(walk, span, text, what)
}

/// Permission bits, written as octal digits in a string.
pub(super) fn mode(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<u32> {
    const WANTED: &str = "three or four octal digits in a string, such as `\"0644\"`";
    if value.get_ref().is_integer() {
        let digits = walk.text(value).trim_start_matches("0o").to_owned();
        let finding = walk.wrong_type(value, "`mode`", WANTED);
        if digits.len() <= 4 && digits.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
            finding.hint(format!("write `\"{digits:0>4}\"`"));
        }
        return None;
    }
    let text = walk.string(value, "`mode`")?;
    let digits = matches!(text.len(), 3 | 4) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = digits.then(|| u32::from_str_radix(text, 8).ok()).flatten();
    if mode.is_none() {
        walk.wrong(value.span(), format!("`mode` cannot be `{text}`")).expected(WANTED);
    }
    mode
}

/// An address that begins with one of these schemes, such as `https://`, and has a host.
pub(super) fn address(
    walk: &mut Walk<'_>,
    span: Range<usize>,
    text: &str,
    what: &str,
    schemes: &[&str],
) -> Option<String> {
    let host = text.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or(text);
    if let Some((user, _)) = host.split_once('@')
        && (user.contains(':') || !text.starts_with("ssh://"))
    {
        walk.wrong(span, format!("{what} has a user name or password in it"))
            .expected("an address without secrets, since this file and the lock are committed");
        return None;
    }
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let fine = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if !fine || text.len() > MAX_PATH || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        walk.wrong(span, format!("{what} `{text}` is no address"))
            .expected(format!("an address that begins with {}", one_of(schemes)));
        return None;
    }
    Some(text.to_owned())
}

/// A list of platforms, sorted; a repetition is a finding.
pub(super) fn platforms(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<Vec<Platform>> {
    let mut seen = BTreeMap::new();
    let items = walk.strings(value, "`platforms`")?;
    if items.is_empty() {
        walk.wrong(value.span(), "`platforms` is empty").expected("at least one platform, such as `linux/amd64`");
    }
    let names = Platform::names();
    for (span, text) in items {
        let Ok(platform) = text.parse::<Platform>() else {
            let near = alias(text).or_else(|| nearest(text, names.iter().map(String::as_str)).map(str::to_owned));
            let finding = walk.wrong(span, format!("`{text}` is not a platform that remint knows"));
            finding.expected(one_of(&names));
            if let Some(near) = near {
                finding.hint(format!("did you mean `{near}`?"));
            }
            continue;
        };
        if let Some(first) = seen.insert(platform, span.clone()) {
            walk.wrong(span, format!("platform `{platform}` is listed twice")).related(first, "first listed here");
        }
    }
    Some(seen.into_keys().collect())
}

/// The platform that another tool's name for an architecture means.
fn alias(text: &str) -> Option<String> {
    let arch = text.strip_prefix("linux/").unwrap_or(text);
    let oci = match arch {
        "x86_64" | "x64" => "amd64",
        "aarch64" => "arm64",
        "armhf" | "armv7" | "armv7l" => "arm",
        "i386" | "i686" | "x86" => "386",
        "ppc64el" => "ppc64le",
        _ => arch,
    };
    let name = format!("linux/{oci}");
    Platform::names().contains(&name).then_some(name)
}

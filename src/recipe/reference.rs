//! What an image starts from: another recipe's name, or an image in a registry, a layout or an archive.

use super::head::image_name;
use super::model::{Base, BaseImage, ImageName};
use super::paths;
use super::walk::Walk;
use crate::digest::Digest;
use std::ops::Range;

/// Reads `from`: a bare name is a recipe, `oci:` and `docker-archive:` name files beside the recipe, whose folder in the project is
/// `folder`, and anything else with `/`, `:` or `@` is a reference.
pub(super) fn base(walk: &mut Walk<'_>, span: Range<usize>, text: &str, folder: &str) -> Option<Base> {
    if !text.contains(['/', ':', '@']) {
        return image_name(walk, span, text, "`from`").map(Base::Recipe);
    }
    for (scheme, form) in
        [("oci:", BaseImage::Layout as fn(String) -> BaseImage), ("docker-archive:", BaseImage::DockerArchive)]
    {
        if let Some(path) = text.strip_prefix(scheme) {
            return in_project(walk, span, path, folder).map(|path| Base::Image(form(path)));
        }
    }
    if let Some(wrong) = fault(text) {
        walk.wrong(span, format!("`from` is not a reference to an image: {wrong}"))
            .expected("a recipe's name, `registry/name:tag`, `oci:DIR` or `docker-archive:FILE`");
        return None;
    }
    Some(Base::Image(BaseImage::Registry(text.to_owned())))
}

/// A path beside the recipe, perhaps with an image's name behind a colon, as a path from the project.
fn in_project(walk: &mut Walk<'_>, span: Range<usize>, text: &str, folder: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    // What stands behind a colon may be an image's name, in which anything is allowed.
    let (path, name) = text.split_once(':').map_or((text, ""), |(path, _)| (path, &text[path.len()..]));
    let path = paths::beside(walk, span, path, "the path in `from`", parts.len())?;
    for part in path.split('/').filter(|part| *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    Some(format!("{}{name}", if parts.is_empty() { ".".to_owned() } else { parts.join("/") }))
}

/// What is wrong with a reference (distribution-spec, "Pulling manifests": name, tag; image-spec, descriptor.md: digest).
fn fault(text: &str) -> Option<&'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if digest.is_some_and(|digest| digest.parse::<Digest>().is_err()) {
        return Some("what follows `@` is no `sha256:` digest");
    }
    let Some((registry, path)) = rest.split_once('/') else {
        return Some("it names no registry");
    };
    if let Some(wrong) = host_fault(registry) {
        return Some(wrong);
    }
    let (name, tag) = match path.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (path, None),
    };
    if name.len() > 255 || !name.split('/').all(|part| ImageName::parse(part).is_some()) {
        return Some("its name has other characters than lower-case letters, digits, `.`, `_`, `-` and `/`");
    }
    match tag {
        Some(tag) if !is_tag(tag) => Some("its tag has other characters than letters, digits, `.`, `_` and `-`"),
        None if digest.is_none() => Some("it has neither a tag nor a digest"),
        _ => None,
    }
}

/// What is wrong with a registry's host and port.
pub(super) fn host_fault(registry: &str) -> Option<&'static str> {
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if host.is_empty() || !host.chars().all(named) || !(host.contains('.') || host == "localhost" || port.is_some()) {
        return Some("it names no registry");
    }
    port.is_some_and(|port| port.parse::<u16>().is_err()).then_some("its registry has no such port")
}

/// Whether a text can be a tag (distribution-spec, "Pulling manifests").
pub(super) fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = tag.bytes().next().is_some_and(word);
    first && tag.len() <= 128 && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn references_are_checked_for_form() {
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for right in [
            "r.example/a:1",
            "localhost/a/b:x_Y-1",
            "h:5000/a:1",
            &format!("r.example/a@{digest}"),
            &format!("h:1/a:t@{digest}"),
        ] {
            assert_eq!(fault(right), None, "{right}");
        }
        for wrong in [
            "python:3.12",
            "library/python:3",
            "/a:1",
            "r.example/:1",
            "r.example/A:1",
            "r.example/a",
            "r.example/a:",
            "h:99999/a:1",
            "r.example/a@sha256:1",
            "r.example/a:.b",
            "r.example/a//b:1",
        ] {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
    }
}

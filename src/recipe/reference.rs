//! What an image starts from: another recipe's name, or a reference to an image in a registry.

use super::head::image_name;
use super::model::{Base, ImageName};
use super::walk::Walk;
use crate::digest::Digest;
use std::ops::Range;

/// Reads `from`: a bare name is a recipe, anything with `/`, `:` or `@` is a reference.
pub(super) fn base(walk: &mut Walk<'_>, span: Range<usize>, text: &str) -> Option<Base> {
    if !text.contains(['/', ':', '@']) {
        return image_name(walk, span, text, "`from`").map(Base::Recipe);
    }
    if let Some(wrong) = fault(text) {
        walk.wrong(span, format!("`from` is not a reference to an image: {wrong}"))
            .expected("a recipe's name, or `registry/name:tag`");
        return None;
    }
    walk.wrong(
        span,
        format!("`from` names an image in a registry, `{text}`, which this version of remint cannot start from"),
    )
    .expected("another recipe of this project")
    .hint("build what it has with a recipe of its own and start from that");
    None
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
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if host.is_empty() || !host.chars().all(named) || !(host.contains('.') || host == "localhost" || port.is_some()) {
        return Some("it names no registry");
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some("its registry has no such port");
    }
    let (name, tag) = match path.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (path, None),
    };
    if name.len() > 255 || !name.split('/').all(|part| ImageName::parse(part).is_some()) {
        return Some("its name has other characters than lower-case letters, digits, `.`, `_`, `-` and `/`");
    }
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = |tag: &str| {
        tag.len() <= 128
            && tag.bytes().next().is_some_and(word)
            && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
    };
    match tag {
        Some(tag) if !fits(tag) => Some("its tag has other characters than letters, digits, `.`, `_` and `-`"),
        None if digest.is_none() => Some("it has neither a tag nor a digest"),
        _ => None,
    }
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

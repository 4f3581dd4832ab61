//! Stanzas for locked packages that no index has any more.
//!
//! What such a package needed is no longer known, but what replaced it needs nearly the same. Only versions differ: what
//! was locked beside it was made for it, so constraints on that are taken as met.

use super::model::{PackageKey, PackagePin};
use crate::source::debian::Package;
use std::fmt::Write;

/// What a package says of itself; the rest is taken from what replaced it.
const OWN: [&str; 8] = ["Version", "Filename", "Size", "SHA256", "MD5sum", "SHA1", "Package", "Architecture"];

/// A locked package's own identity, with the relations of what replaced it, without constraints on the versions of what
/// is held as well.
pub(super) fn stand_in(
    key: &PackageKey,
    pin: &PackagePin,
    like: Option<Package<'_>>,
    held: impl Fn(&str) -> bool,
) -> String {
    let mut text = format!(
        "Package: {}\nVersion: {}\nArchitecture: {}\nFilename: {}\nSize: {}\nSHA256: {}\n",
        key.name,
        key.version,
        key.arch,
        pin.path,
        pin.deb.size,
        pin.deb.digest.hex()
    );
    for (name, value) in like.iter().flat_map(|package| fields(package.stanza())) {
        let own = OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
        let value = match name.to_ascii_lowercase().as_str() {
            _ if own => continue,
            "depends" | "pre-depends" => without_versions(&value, &held),
            "breaks" | "conflicts" => without_enemies(&value, &held),
            _ => value,
        };
        if !value.trim().is_empty() {
            let _ = writeln!(text, "{name}:{value}");
        }
    }
    text.push('\n');
    text
}

/// The fields of a stanza, each with its continuation lines.
fn fields(stanza: &str) -> Vec<(&str, String)> {
    let mut all: Vec<(&str, String)> = Vec::new();
    for line in stanza.lines().filter(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), all.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push('\n');
                value.push_str(line);
            }
            (false, _, Some((name, value))) => all.push((name, value.to_owned())),
            _ => {}
        }
    }
    all
}

/// Dependencies, without constraints on the versions of what is held.
fn without_versions(value: &str, held: impl Fn(&str) -> bool) -> String {
    let one = |alternative: &str| match alternative.split_once('(') {
        Some((before, after)) if held(name(alternative)) => {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            format!("{}{after}", before.trim_end())
        }
        _ => alternative.to_owned(),
    };
    let all = value.split(',').map(|group| group.split('|').map(one).collect::<Vec<_>>().join("|"));
    all.collect::<Vec<_>>().join(",")
}

/// Breaks and Conflicts, without those with some versions of what is held: the name alone would mean all of them.
fn without_enemies(value: &str, held: impl Fn(&str) -> bool) -> String {
    let kept = value.split(',').filter(|one| !(one.contains('(') && held(name(one))));
    let all = kept.map(str::trim).collect::<Vec<_>>().join(", ");
    if all.is_empty() { all } else { format!(" {all}") }
}

fn name(relation: &str) -> &str {
    let relation = relation.trim_start();
    relation.find(|c: char| c.is_whitespace() || "(:[<".contains(c)).map_or(relation, |end| &relation[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str) -> bool {
        matches!(name, "a" | "b")
    }

    #[test]
    fn only_held_names_lose_their_versions() {
        for (from, to) in [
            (" a (= 1), c (= 1)", " a, c (= 1)"),
            (" c (= 1) | a:any (>= 2) | b,\n b(<< 3) [amd64]", " c (= 1) | a:any | b,\n b [amd64]"),
            (" aa (= 1), b", " aa (= 1), b"),
        ] {
            assert_eq!(without_versions(from, held), to);
        }
    }

    #[test]
    fn versioned_enemies_that_are_held_go_and_others_stay() {
        assert_eq!(without_enemies(" a (<< 2), c (<< 2), b", held), " c (<< 2), b");
        assert_eq!(without_enemies(" a (<< 2)", held), "");
    }
}

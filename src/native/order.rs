//! The order in which packages are configured: what a package depends on comes before it.

use super::{Error, Package};
use std::collections::{BTreeMap, BTreeSet};

/// Orders packages: the essential ones first, then by name, but each after what it depends on; in a circle, the one that is met first
/// comes last.
pub(super) fn configuration(packages: &[Package]) -> Result<Vec<&Package>, Error> {
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut provided: BTreeMap<String, &str> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, &Package> = BTreeMap::new();
    let (mut essential, mut others) = (Vec::new(), Vec::new());
    for package in packages {
        let stanza = package.stanza()?;
        let of = |field: &str| stanza.get(field).map(names).unwrap_or_default();
        needs.insert(&package.name, [of("Pre-Depends"), of("Depends")].concat());
        for name in of("Provides") {
            provided.entry(name).or_insert(&package.name);
        }
        by_name.insert(&package.name, package);
        if stanza.get("Essential") == Some("yes") { &mut essential } else { &mut others }.push(package);
    }
    let real = |name: &String| {
        by_name.get_key_value(name.as_str()).map(|(key, _)| *key).or_else(|| provided.get(name).copied())
    };
    let mut ordered = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for package in essential.into_iter().chain(others) {
        // A walk in depth with a stack of its own: a chain of dependencies may be long.
        let mut stack: Vec<(&str, usize)> = Vec::new();
        if seen.insert(&package.name) {
            stack.push((&package.name, 0));
        }
        while let Some((name, at)) = stack.last_mut() {
            let next = needs.get(name).and_then(|needs| needs.get(*at));
            *at += 1;
            match next {
                Some(need) => {
                    if let Some(need) = real(need).filter(|need| seen.insert(need)) {
                        stack.push((need, 0));
                    }
                }
                None => {
                    ordered.extend(by_name.get(name).copied());
                    stack.pop();
                }
            }
        }
    }
    Ok(ordered)
}

/// The names in a relation field, all alternatives of each.
pub(super) fn names(field: &str) -> Vec<String> {
    let name = |alternative: &str| {
        let end = alternative.trim().find(|c: char| c == '(' || c == '[' || c == ':' || c.is_whitespace());
        let alternative = alternative.trim();
        alternative[..end.unwrap_or(alternative.len())].to_owned()
    };
    field.split([',', '|']).map(name).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_come_first_and_circles_end() {
        let package = |name: &str, more: &str| Package {
            name: name.to_owned(),
            version: "1".to_owned(),
            arch: "all".to_owned(),
            control: BTreeMap::from([("control".to_owned(), format!("Package: {name}\n{more}\n").into_bytes())]),
            paths: Vec::new(),
        };
        let all = [
            package("a", "Depends: v (>= 1) | x, c:any"),
            package("b", "Pre-Depends: z"),
            package("c", "Depends: a"),
            package("d", "Essential: yes"),
            package("p", "Provides: v (= 1), w"),
        ];
        let order: Vec<_> = configuration(&all).unwrap().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(order, ["d", "p", "c", "a", "b"]);
    }
}

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
        let of = |field: &str| stanza.get(field).map(groups).unwrap_or_default().concat();
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
            if let Some(need) = next {
                if let Some(need) = real(need).filter(|need| seen.insert(need)) {
                    stack.push((need, 0));
                }
            } else {
                ordered.extend(by_name.get(name).copied());
                stack.pop();
            }
        }
    }
    Ok(ordered)
}

/// The names of packages that are configured before others are unpacked: what others need beforehand, with all that it needs.
pub(super) fn early(packages: &[Package]) -> Result<BTreeSet<String>, Error> {
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut todo = Vec::new();
    for package in packages {
        let stanza = package.stanza()?;
        let of = |field: &str| stanza.get(field).map(groups).unwrap_or_default().concat();
        todo.extend(of("Pre-Depends"));
        for name in of("Provides") {
            needs.entry(name).or_default().push(package.name.clone());
        }
        needs.entry(package.name.clone()).or_default().extend([of("Pre-Depends"), of("Depends")].concat());
    }
    let mut early = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if let Some(more) = needs.get(&name).filter(|_| early.insert(name.clone())) {
            todo.extend(more.iter().cloned());
        }
    }
    Ok(early)
}

/// The names in a relation field: for each relation, its alternatives.
pub(super) fn groups(field: &str) -> Vec<Vec<String>> {
    let name = |alternative: &str| {
        let alternative = alternative.trim();
        let end = alternative.find(|c: char| c == '(' || c == '[' || c == ':' || c.is_whitespace());
        alternative[..end.unwrap_or(alternative.len())].to_owned()
    };
    let group = |group: &str| group.split('|').map(name).filter(|name| !name.is_empty()).collect();
    field.split(',').map(group).collect()
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
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(early(&all).unwrap(), BTreeSet::new());
        let more = [package("e", "Pre-Depends: w"), package("f", ""), package("p", "Provides: w\nDepends: f")];
        assert_eq!(early(&more).unwrap(), names("f p w"));
    }
}

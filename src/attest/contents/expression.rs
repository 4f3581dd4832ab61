//! Licences as copyright files write them, and as SPDX does.
//!
//! A name becomes an SPDX identifier only where the mapping is certain: the names of DEP-5 ("License specification", "Short name") whose
//! meaning it fixes, and a few that are SPDX's own. `MIT`, `BSD`, `Artistic`, `public-domain` or a GPL without a version are not:
//! packages mean different texts by them. Those become a `LicenseRef-` with the name and, where the file has it, the text.

use crate::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// A licence as an SPDX expression (SPDX 2.3, annex D).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// The expression.
    pub expression: String,
    /// The licences in it that SPDX does not list: name and text, by `LicenseRef-` identifier.
    pub others: BTreeMap<String, (String, String)>,
}

/// What one `License` field names: any of some combinations, or all of some choices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Terms {
    /// A name.
    One(String),
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
}

/// The longest field that is taken apart, in words; a longer one is a name as a whole.
const WORDS: usize = 200;

/// What stands for the text of a licence that the file only names.
const NO_TEXT: &str = "The package's copyright file names this licence without giving its text.";

/// SPDX identifiers of names that mean the same in both, but for their case.
const SAME: [&str; 44] = [
    "0BSD",
    "Apache-1.0",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CC-BY-1.0",
    "CC-BY-2.0",
    "CC-BY-2.5",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-1.0",
    "CC-BY-SA-2.0",
    "CC-BY-SA-2.5",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CDDL-1.0",
    "CDDL-1.1",
    "CPL-1.0",
    "EFL-1.0",
    "EFL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.1",
    "EUPL-1.2",
    "FSFAP",
    "FSFUL",
    "FSFULLR",
    "ISC",
    "LPPL-1.0",
    "LPPL-1.1",
    "LPPL-1.2",
    "LPPL-1.3c",
    "MPL-1.0",
    "MPL-1.1",
    "MPL-2.0",
    "OFL-1.1",
    "Python-2.0",
    "W3C",
    "Zlib",
];

/// Names that SPDX calls otherwise.
const OTHERWISE: [(&str, &str); 6] = [
    ("CC0", "CC0-1.0"),
    ("Expat", "MIT"),
    ("Unlicense", "Unlicense"),
    ("Zope-1.1", "ZPL-1.1"),
    ("Zope-2.0", "ZPL-2.0"),
    ("Zope-2.1", "ZPL-2.1"),
];

/// GNU licences and the versions that there are of each.
const GNU: [(&str, &[&str]); 5] = [
    ("GPL", &["1", "2", "3"]),
    ("LGPL", &["2", "2.1", "3"]),
    ("AGPL", &["3"]),
    ("GFDL", &["1.1", "1.2", "1.3"]),
    ("GFDL-NIV", &["1.1", "1.2", "1.3"]),
];

impl Terms {
    /// Reads the first line of a `License` field. `and` binds more than `or`, and a comma before either turns that round.
    pub(super) fn parse(field: &str) -> Option<Self> {
        let words: Vec<&str> = field.split_whitespace().collect();
        if words.is_empty() {
            return None;
        }
        if words.len() > WORDS {
            return Some(Self::One(words[..WORDS].join(" ")));
        }
        // The parts between commas, each with the word that joins it to those before.
        let mut parts: Vec<(bool, Self)> = Vec::new();
        let mut part: Vec<&str> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let (word, comma) = word.strip_suffix(',').map_or((*word, false), |word| (word, true));
            if !word.is_empty() {
                part.push(word);
            }
            if comma || at + 1 == words.len() {
                let (or, rest) = match part.first() {
                    Some(&"or") => (true, &part[1..]),
                    Some(&"and") => (false, &part[1..]),
                    _ => (false, &part[..]),
                };
                parts.extend(choices(rest).map(|terms| (or, terms)));
                part.clear();
            }
        }
        let mut parts = parts.into_iter();
        let (_, first) = parts.next()?;
        Some(parts.fold(first, |left, (or, right)| {
            let both = vec![left, right];
            if or { Self::Any(both) } else { Self::All(both) }
        }))
    }

    /// Writes the SPDX expression, and says whether it joins several, which stand in parentheses inside another.
    fn write(
        &self,
        texts: &BTreeMap<String, String>,
        others: &mut BTreeMap<String, (String, String)>,
    ) -> (String, bool) {
        let (all, word) = match self {
            Self::One(name) => return (identifier(name, texts, others), false),
            Self::All(all) => (all, " AND "),
            Self::Any(all) => (all, " OR "),
        };
        let parts: BTreeSet<(String, bool)> = all.iter().map(|terms| terms.write(texts, others)).collect();
        if parts.len() == 1 {
            return parts.into_iter().next().unwrap_or_default();
        }
        let part = |(text, joins): &(String, bool)| if *joins { format!("({text})") } else { text.clone() };
        (parts.iter().map(part).collect::<Vec<_>>().join(word), true)
    }
}

/// Reads names joined by `and` and `or`.
fn choices(words: &[&str]) -> Option<Terms> {
    let one = |words: &[&str]| (!words.is_empty()).then(|| Terms::One(words.join(" ")));
    let join = |mut all: Vec<Terms>, make: fn(Vec<Terms>) -> Terms| match all.len() {
        0 | 1 => all.pop(),
        _ => Some(make(all)),
    };
    let any = words.split(|word| *word == "or").filter_map(|all| {
        join(all.split(|word| matches!(*word, "and" | "and/or")).filter_map(one).collect(), Terms::All)
    });
    join(any.collect(), Terms::Any)
}

impl Licence {
    /// All of some terms together.
    pub(super) fn all_of(terms: &BTreeSet<Terms>, texts: &BTreeMap<String, String>) -> Self {
        let mut others = BTreeMap::new();
        let flat = terms.iter().flat_map(|terms| match terms {
            Terms::All(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        });
        let (expression, _) = Terms::All(flat.cloned().collect()).write(texts, &mut others);
        Self { expression, others }
    }
}

/// The identifier of a name; one that SPDX does not list is noted with its text.
fn identifier(name: &str, texts: &BTreeMap<String, String>, others: &mut BTreeMap<String, (String, String)>) -> String {
    if let Some(id) = listed(name) {
        return id;
    }
    let text = texts.get(name).map_or(NO_TEXT, String::as_str);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(64).collect();
    let sum = Digest::of(format!("{name}\0{text}").as_bytes()).hex();
    let id = format!("LicenseRef-{}-{}", plain.trim_matches('-'), &sum[..8]);
    others.insert(id.clone(), (name.to_owned(), text.to_owned()));
    id
}

/// The SPDX identifier of a name, where it is certain.
fn listed(name: &str) -> Option<String> {
    let same = |known: &str| plain(known).eq_ignore_ascii_case(plain(name));
    if let Some(id) = SAME.iter().find(|id| same(id)) {
        return Some((*id).to_owned());
    }
    if let Some((_, id)) = OTHERWISE.iter().find(|(known, _)| same(known)) {
        return Some((*id).to_owned());
    }
    let (rest, later) = name.strip_suffix('+').map_or((name, false), |rest| (rest, true));
    let (family, version) = rest.rsplit_once('-')?;
    let (family, versions) = GNU.iter().find(|(known, _)| known.eq_ignore_ascii_case(family))?;
    let version = versions.iter().find(|known| **known == plain(version))?;
    let version = if version.contains('.') { (*version).to_owned() } else { format!("{version}.0") };
    let ending = if later { "or-later" } else { "only" };
    Some(match *family {
        "GFDL-NIV" => format!("GFDL-{version}-no-invariants-{ending}"),
        family => format!("{family}-{version}-{ending}"),
    })
}

/// A name without the zeros that its version ends with: 2.0.0, 2.0 and 2 are the same (DEP-5, "Short name").
fn plain(mut name: &str) -> &str {
    while let Some(rest) = name.strip_suffix(".0") {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spdx(field: &str) -> String {
        let terms = Terms::parse(field).into_iter().collect();
        Licence::all_of(&terms, &BTreeMap::new()).expression
    }

    #[test]
    fn names_that_are_certain_become_identifiers() {
        for (name, id) in [
            ("Expat", "MIT"),
            ("GPL-2", "GPL-2.0-only"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("gpl-3+", "GPL-3.0-or-later"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("GFDL-1.2", "GFDL-1.2-only"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("Apache-2.0", "Apache-2.0"),
            ("Apache-2", "Apache-2.0"),
            ("MPL-2.0.0", "MPL-2.0"),
            ("CC0", "CC0-1.0"),
        ] {
            assert_eq!(spdx(name), id);
        }
        for name in [
            "MIT",
            "BSD",
            "Artistic",
            "GPL",
            "GPL-4",
            "LGPL-2.2",
            "public-domain",
            "Perl",
            "GPL-2+ with OpenSSL exception",
            "+",
            "-",
        ] {
            assert!(spdx(name).starts_with("LicenseRef-"), "{name}: {}", spdx(name));
        }
    }

    #[test]
    fn and_or_and_commas_join() {
        for (field, expression) in [
            ("GPL-2+ or ISC", "GPL-2.0-or-later OR ISC"),
            ("GPL-2 and ISC or Zlib", "(GPL-2.0-only AND ISC) OR Zlib"),
            ("GPL-2 or ISC, and Zlib", "(GPL-2.0-only OR ISC) AND Zlib"),
            ("GPL-2, and ISC, or Zlib", "(GPL-2.0-only AND ISC) OR Zlib"),
            ("ISC or ISC", "ISC"),
            ("ISC,", "ISC"),
            ("or ISC and", "ISC"),
        ] {
            assert_eq!(spdx(field), expression, "{field}");
        }
        assert_eq!(Terms::parse("  "), None);
        assert_eq!(Terms::parse("or"), None);
    }

    #[test]
    fn a_field_without_end_is_one_name() {
        let long = "GPL-2 or ".repeat(10_000);
        assert!(spdx(&long).starts_with("LicenseRef-"));
    }
}

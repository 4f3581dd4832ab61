//! The order in which names are first mentioned: apt's last tie-break between providers that are alike.
//!
//! apt numbers a package when it first meets its name, be it in a Package field or in a relation of another package, and prefers the
//! higher number (apt-pkg/depcache.cc, `CompareProviders`; apt-pkg/deb/deblistparser.cc, `NewVersion`, for the order of the fields).
//! Such ties are rare, so the place is searched in the text when one comes up, instead of numbering all names of all indices.

use super::universe::bare_name;
use crate::source::debian::{PackagesIndex, Stanza};

/// Where a name is first mentioned; the greater, the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    source: usize,
    place: usize,
    /// 0 for the Package field, then the relation fields in apt's order.
    field: usize,
    member: usize,
}

/// The fields that mention names, in the order in which apt reads them.
const FIELDS: [&str; 9] =
    ["Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances", "Provides"];

impl Mention {
    /// Of a name that no index has, as one that only the base has: apt reads the base last.
    pub(super) const NEVER: Self = Self { source: usize::MAX, place: 0, field: 0, member: 0 };

    /// Finds the first mention of a name in one index.
    pub(super) fn find(source: usize, index: &PackagesIndex, name: &str) -> Option<Self> {
        let finder = memchr::memmem::Finder::new(name);
        for (place, package) in index.iter().enumerate() {
            if package.name() == name {
                return Some(Self { source, place, field: 0, member: 0 });
            }
            if finder.find(package.stanza().as_bytes()).is_none() {
                continue;
            }
            let Ok(stanza) = Stanza::parse(package.stanza()) else { continue };
            for (field, label) in FIELDS.iter().enumerate() {
                let members = stanza.get(label).unwrap_or_default().split([',', '|']).map(str::trim_ascii);
                // `name:any` is a name of its own to apt.
                let mut names = members.map(|text| (bare_name(text), text));
                if let Some(member) = names.position(|(n, text)| n == name && !text[n.len()..].starts_with(':')) {
                    return Some(Self { source, place, field: field + 1, member });
                }
            }
        }
        None
    }
}

//! `Packages`: the index of an archive's binary packages for one component and architecture.

use super::entry::{Entry, Name, narrow, offset};
use super::stanza::{Scanner, Token};
use super::{Dependency, DependencyError, StanzaError, Version};
use crate::digest::Digest;

/// An index: its text, and a table of where each package's fields stand in it.
///
/// Everything that identifies and fetches a package is checked when the index is read; relations are parsed when they are asked for, since a
/// closure looks at a hundredth of an archive.
pub struct PackagesIndex {
    text: String,
    /// In the order of the text.
    entries: Vec<Entry>,
    /// Numbers of entries, sorted by name, and by place in the text among equal names.
    by_name: Vec<u32>,
}

/// One package of an index; cheap to copy.
#[derive(Clone, Copy)]
pub struct Package<'a> {
    text: &'a str,
    entry: &'a Entry,
}

/// Whether packages of several architectures can stand together, and for whom they satisfy relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MultiArch {
    /// One architecture at a time, which satisfies relations of its own architecture.
    #[default]
    No,
    /// Several architectures stand side by side, in the same version.
    Same,
    /// It satisfies relations of any architecture.
    Foreign,
    /// It satisfies relations of any architecture that say `:any`.
    Allowed,
}

/// Why a text is no index of packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackagesError {
    /// It is not UTF-8.
    #[error("byte {at} is not UTF-8")]
    Encoding {
        /// The first byte that is not.
        at: usize,
    },
    /// It is larger than an index may be.
    #[error("it has {size} bytes, more than the {LARGEST} that are read")]
    Large {
        /// Its size in bytes.
        size: usize,
    },
    /// It is no control data.
    #[error(transparent)]
    Stanza(#[from] StanzaError),
    /// A package lacks a field that every package has.
    #[error("package `{package}` has no {field}")]
    Missing {
        /// The package, or where it stands if its name is what it lacks.
        package: String,
        /// The field.
        field: &'static str,
    },
    /// A package has a field twice.
    #[error("package `{package}` has its {field} twice")]
    Twice {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
    },
    /// A field's value is not what it has to be.
    #[error("package `{package}`: `{value}` is not a valid {field}")]
    Invalid {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// Its value, cut to a length that fits a message.
        value: String,
    },
}

/// The largest index that is read, in bytes; Debian's largest has about 60 MB.
pub(super) const LARGEST: usize = 1 << 30;

impl PackagesIndex {
    /// Reads an index and refuses it if any package lacks what identifies or verifies it.
    pub fn parse(text: Vec<u8>) -> Result<Self, PackagesError> {
        if text.len() > LARGEST {
            return Err(PackagesError::Large { size: text.len() });
        }
        let text = String::from_utf8(text).map_err(|e| PackagesError::Encoding { at: e.utf8_error().valid_up_to() })?;
        let mut entries = Vec::with_capacity(text.len() / 800);
        let mut scanner = Scanner::new(&text);
        let mut entry = Entry::new();
        let mut start = None;
        loop {
            match scanner.step()? {
                Some(Token::Field(field)) => {
                    start.get_or_insert_with(|| offset(&text, field.name));
                    if let Some(name) = Name::of(field.name) {
                        entry.set(&text, name, field.value)?;
                    }
                }
                Some(Token::End(end)) => {
                    entry.stanza = (narrow(start.take().unwrap_or(end)), narrow(end));
                    entry.check(&text)?;
                    entries.push(std::mem::replace(&mut entry, Entry::new()));
                }
                None => break,
            }
        }
        let mut by_name: Vec<u32> = (0..narrow(entries.len())).collect();
        by_name.sort_by_key(|i| entries[*i as usize].get(&text, Name::Package));
        Ok(Self { text, entries, by_name })
    }

    /// How many packages it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no package.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The package at a place in the index's order.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Package<'_>> {
        self.entries.get(place).map(|entry| Package { text: &self.text, entry })
    }

    /// Every package in the index's order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Package<'_>> + Clone {
        self.entries.iter().map(|entry| Package { text: &self.text, entry })
    }

    /// The places of the packages of a name, in the index's order.
    #[must_use]
    pub fn places<'a>(&'a self, name: &str) -> impl ExactSizeIterator<Item = usize> + Clone + use<'a> {
        let name_of = |i: &u32| self.entries[*i as usize].get(&self.text, Name::Package).unwrap_or("");
        let start = self.by_name.partition_point(|i| name_of(i) < name);
        let count = self.by_name[start..].partition_point(|i| name_of(i) == name);
        self.by_name[start..start + count].iter().map(|i| *i as usize)
    }

    /// The packages of a name, in the index's order.
    #[must_use]
    pub fn named<'a>(&'a self, name: &str) -> impl ExactSizeIterator<Item = Package<'a>> + Clone + use<'a> {
        self.places(name).map(|place| Package { text: &self.text, entry: &self.entries[place] })
    }

    /// Every name once, sorted by bytes: for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let mut last = None;
        let names = self.by_name.iter().filter_map(|i| self.entries[*i as usize].get(&self.text, Name::Package));
        names.filter(move |name| last.replace(*name) != Some(*name))
    }
}

impl<'a> Package<'a> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.get(Name::Package).unwrap_or_default()
    }

    /// Its version as written.
    #[must_use]
    pub fn version_text(&self) -> &'a str {
        self.get(Name::Version).unwrap_or_default()
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::parse(self.version_text()).expect("the index was checked when it was read")
    }

    /// Its architecture: `amd64` and its like, or `all`.
    #[must_use]
    pub fn arch(&self) -> &'a str {
        self.get(Name::Architecture).unwrap_or_default()
    }

    /// How it stands beside other architectures.
    #[must_use]
    pub fn multi_arch(&self) -> MultiArch {
        match self.get(Name::MultiArch) {
            Some("same") => MultiArch::Same,
            Some("foreign") => MultiArch::Foreign,
            Some("allowed") => MultiArch::Allowed,
            _ => MultiArch::No,
        }
    }

    /// Whether every system has it.
    #[must_use]
    pub fn essential(&self) -> bool {
        self.get(Name::Essential) == Some("yes")
    }

    /// Whether a system that boots has it (deb-control(5), "Protected").
    #[must_use]
    pub fn protected(&self) -> bool {
        self.get(Name::Protected) == Some("yes")
    }

    /// Its priority: `required`, `important`, `standard`, `optional`, `extra`; empty if it has none.
    #[must_use]
    pub fn priority(&self) -> &'a str {
        self.get(Name::Priority).unwrap_or_default()
    }

    /// Its section: `libs`, `non-free/net`; empty if it has none.
    #[must_use]
    pub fn section(&self) -> &'a str {
        self.get(Name::Section).unwrap_or_default()
    }

    /// The name and the version of the source package that it was built from: its own, where it says nothing else.
    #[must_use]
    pub fn source(&self) -> (&'a str, &'a str) {
        let Some(source) = self.get(Name::Source) else { return (self.name(), self.version_text()) };
        match source.split_once('(') {
            None => (source, self.version_text()),
            Some((name, version)) => (name.trim_ascii(), version.trim_end_matches(')').trim_ascii()),
        }
    }

    /// What has to be configured for it to be configured.
    pub fn depends(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::Depends)
    }

    /// What has to be configured before it is even unpacked.
    pub fn pre_depends(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::PreDepends)
    }

    /// What may not be unpacked together with it.
    pub fn conflicts(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::Conflicts)
    }

    /// What may not be configured together with it.
    pub fn breaks(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::Breaks)
    }

    /// Under which further names, in which versions, it satisfies relations.
    pub fn provides(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::Provides)
    }

    /// Whose files it may overwrite, or which packages it takes the place of.
    pub fn replaces(&self) -> Result<Vec<Dependency<'a>>, DependencyError> {
        self.relations(Name::Replaces)
    }

    /// The text of its Provides, for those who look for names in all packages before they parse any.
    #[must_use]
    pub fn provides_text(&self) -> &'a str {
        self.get(Name::Provides).unwrap_or_default()
    }

    /// Where it stands in the archive, relative to the base address; no part of it leads upward.
    #[must_use]
    pub fn filename(&self) -> &'a str {
        self.get(Name::Filename).unwrap_or_default()
    }

    /// The size of its file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.entry.size
    }

    /// The digest of its file.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        let digest = self.get(Name::Sha256).and_then(Digest::from_hex);
        digest.expect("the index was checked when it was read")
    }

    /// An estimate of the bytes that it takes when unpacked, if it gives one; the field counts KiB.
    #[must_use]
    pub fn installed_size(&self) -> Option<u64> {
        self.get(Name::InstalledSize)?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Its whole stanza, without the line break at its end.
    #[must_use]
    pub fn stanza(&self) -> &'a str {
        let (start, end) = self.entry.stanza;
        self.text[start as usize..end as usize].trim_ascii_end()
    }

    fn get(&self, name: Name) -> Option<&'a str> {
        self.entry.get(self.text, name)
    }

    fn relations(&self, name: Name) -> Result<Vec<Dependency<'a>>, DependencyError> {
        Dependency::parse_list(self.get(name).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn stanza(name: &str, version: &str, more: &str) -> String {
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{more}Filename: pool/{name}.deb\nSize: 12\nSHA256: {SHA256}\n\n"
        )
    }

    fn index(text: &str) -> Result<PackagesIndex, PackagesError> {
        PackagesIndex::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn a_package_says_what_its_stanza_says() {
        let more = "Multi-Arch: same\nEssential: yes\nPriority: required\nSource: src (1.0-1)\nInstalled-Size: 3\nSection: libs\n\
                    Depends: x (>= 1), y | z\nPre-Depends: p\nConflicts: c\nBreaks: b (<< 2)\nReplaces: r\nProvides: v (= 1)\n";
        let text = stanza("a", "1.0-1+b1", more);
        let index = index(&text).unwrap();
        let a = index.named("a").next().unwrap();
        assert_eq!((a.name(), a.version_text(), a.arch()), ("a", "1.0-1+b1", "amd64"));
        assert_eq!((a.multi_arch(), a.essential(), a.protected()), (MultiArch::Same, true, false));
        assert_eq!((a.source(), a.installed_size(), a.size()), (("src", "1.0-1"), Some(3072), 12));
        assert_eq!((a.priority(), a.section(), a.filename()), ("required", "libs", "pool/a.deb"));
        assert_eq!(a.depends().unwrap().len(), 2);
        for field in [a.pre_depends(), a.conflicts(), a.breaks(), a.replaces(), a.provides()] {
            assert_eq!(field.unwrap().len(), 1);
        }
        assert_eq!(a.sha256().hex(), SHA256);
        assert_eq!(a.stanza(), text.trim_end());
    }

    #[test]
    fn names_are_found_whatever_the_order() {
        let text = [stanza("b", "1", ""), stanza("a", "2", ""), stanza("b", "3", ""), stanza("c", "4", "")].concat();
        let index = index(&text).unwrap();
        let versions = |name: &str| index.named(name).map(|p| p.version_text()).collect::<Vec<_>>();
        assert_eq!(versions("a"), ["2"]);
        assert_eq!(versions("b"), ["1", "3"]);
        assert!(versions("d").is_empty() && versions("").is_empty());
        assert_eq!(index.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(index.get(2).unwrap().source(), ("b", "3"));
        assert_eq!(index.len(), 4);
    }

    #[test]
    fn a_package_that_cannot_be_verified_is_named() {
        let good = stanza("good", "1", "");
        for (field, cure) in [
            ("SHA256", SHA256),
            ("Size", "12"),
            ("Filename", "pool/bad.deb"),
            ("Version", "1"),
            ("Architecture", "amd64"),
        ] {
            let text = stanza("bad", "1", "").replace(&format!("{field}: {cure}\n"), "");
            let error = index(&format!("{good}{text}")).err().unwrap().to_string();
            assert!(error.contains("bad") && error.contains(field), "{error}");
        }
        for (from, to) in [
            (SHA256, "abc"),
            ("Size: 12", "Size: -1"),
            ("Size: 12", "Size: 99999999999999999999"),
            ("pool/bad", "../bad"),
            ("pool/bad", "/bad"),
            ("Version: 1", "Version: 1 2"),
            ("Package: bad", "Package: ../bad"),
            ("Size: 12", "Size: 12\nSize: 13"),
        ] {
            assert!(index(&stanza("bad", "1", "").replace(from, to)).is_err(), "{to}");
        }
        assert!(PackagesIndex::parse(vec![b'A', 0xff]).is_err());
        assert!(index("").unwrap().is_empty());
    }
}

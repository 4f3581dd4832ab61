//! One package of an index: where its fields stand in the text, and what makes it valid.

use super::PackagesError;
use super::dependency::{is_arch, is_package_name};
use super::version::is_version;
use crate::digest::Digest;
use std::ops::Range;

macro_rules! fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The fields that the table keeps.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(super) enum Name { $($name),* }

        const NAMES: &[&str] = &[$($text),*];

        impl Name {
            /// Which field has a name; archives write the names in one way, so an exact match comes first.
            pub(super) fn of(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => { $(if text.eq_ignore_ascii_case($text) { return Some(Self::$name); })* None }
                }
            }
        }
    };
}

fields! {
    Package = "Package",
    Version = "Version",
    Architecture = "Architecture",
    Filename = "Filename",
    Size = "Size",
    Sha256 = "SHA256",
    Depends = "Depends",
    PreDepends = "Pre-Depends",
    Conflicts = "Conflicts",
    Breaks = "Breaks",
    Provides = "Provides",
    Replaces = "Replaces",
    MultiArch = "Multi-Arch",
    Essential = "Essential",
    Protected = "Protected",
    Priority = "Priority",
    Source = "Source",
    InstalledSize = "Installed-Size",
    Section = "Section",
}

/// Where a package's fields stand in the text; a range that is empty at 0 stands for a field that is missing.
pub(super) struct Entry {
    /// Where the whole stanza stands.
    pub(super) stanza: (u32, u32),
    fields: [(u32, u32); NAMES.len()],
    /// The size of the package's file, as its field says.
    pub(super) size: u64,
}

impl Entry {
    pub(super) fn new() -> Self {
        Self { stanza: (0, 0), fields: [(0, 0); NAMES.len()], size: 0 }
    }

    pub(super) fn get<'a>(&self, text: &'a str, name: Name) -> Option<&'a str> {
        let (start, end) = self.fields[name as usize];
        (end > 0).then(|| &text[start as usize..end as usize])
    }

    pub(super) fn set(&mut self, text: &str, name: Name, value: &str) -> Result<(), PackagesError> {
        if self.get(text, name).is_some() {
            return Err(PackagesError::Twice { package: self.label(text), field: NAMES[name as usize] });
        }
        let Range { start, end } = range(text, value);
        self.fields[name as usize] = (narrow(start), narrow(end));
        Ok(())
    }

    /// Checks what identifies, fetches and verifies the package.
    pub(super) fn check(&mut self, text: &str) -> Result<(), PackagesError> {
        let check = |name: Name, holds: fn(&str) -> bool| {
            let field = NAMES[name as usize];
            let Some(value) = self.get(text, name).filter(|value| !value.is_empty()) else {
                return Err(PackagesError::Missing { package: self.label(text), field });
            };
            if !holds(value) {
                let value = value.chars().take(200).collect();
                return Err(PackagesError::Invalid { package: self.label(text), field, value });
            }
            Ok(value)
        };
        check(Name::Package, is_package_name)?;
        check(Name::Version, is_version)?;
        check(Name::Architecture, is_arch)?;
        check(Name::Filename, is_archive_path)?;
        check(Name::Sha256, |value| Digest::from_hex(value).is_some())?;
        let size =
            check(Name::Size, |value| value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u64>().is_ok())?;
        self.size = size.parse().unwrap_or(0);
        Ok(())
    }

    fn label(&self, text: &str) -> String {
        match self.get(text, Name::Package) {
            Some(name) => format!("{} {}", name, self.get(text, Name::Version).unwrap_or("")).trim_end().to_owned(),
            None => format!("that ends at byte {}", self.stanza.1),
        }
    }
}

/// Whether a path stays below the archive's base address, and needs no quoting that a mirror could read in two ways.
pub(super) fn is_archive_path(path: &str) -> bool {
    path.len() <= 1024
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && path.bytes().all(|b| b.is_ascii_graphic() && !b"\\?#\"<>".contains(&b))
}

/// Offsets fit, since an index has at most [`super::packages::LARGEST`] bytes.
pub(super) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).expect("an index is smaller than 4 GiB")
}

/// Where a part of a text begins in it.
pub(super) fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

fn range(text: &str, part: &str) -> Range<usize> {
    let start = offset(text, part);
    start..start + part.len()
}

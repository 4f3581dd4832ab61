//! A package's copyright file, where machines can read it ("Machine-readable debian/copyright file", version 1.0, known as DEP-5).

use super::expression::{Licence, Terms};
use std::collections::{BTreeMap, BTreeSet};

/// What a copyright file says of licences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copyright {
    /// What applies to the package's files, all of it together; empty where machines cannot read it.
    terms: BTreeSet<Terms>,
    /// The texts of licences, by the names that the file gives them.
    texts: BTreeMap<String, String>,
}

/// The most paragraphs of a file; of one with more nothing is told. The largest of Debian have some thousand.
const PARAGRAPHS: usize = 20_000;

/// The longest text of a licence that is kept, in bytes.
const TEXT: usize = 256 << 10;

impl Copyright {
    /// Reads a copyright file; what machines cannot read says nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut paragraphs = paragraphs(&text);
        let Some(header) = paragraphs.next() else { return Self::default() };
        let format = header.iter().find(|(name, _)| name.eq_ignore_ascii_case("Format"));
        if !format.is_some_and(|(_, value)| value.contains("copyright-format/") || value.contains("dep5")) {
            return Self::default();
        }
        let mut found = Self::default();
        for (number, paragraph) in std::iter::once(header).chain(paragraphs).enumerate() {
            // Part of the terms would be wrong ones.
            if number == PARAGRAPHS {
                return Self::default();
            }
            let value = |name: &str| paragraph.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
            let Some(licence) = value("License") else { continue };
            let (names, text) = licence.split_once('\n').unwrap_or((licence, ""));
            let names = names.trim();
            let text = unfold(text);
            if !text.is_empty() {
                found.texts.entry(names.to_owned()).or_insert(text);
            }
            // A paragraph with neither is the text of a licence that others name.
            if value("Files").is_some() || value("Format").is_some() {
                found.terms.extend(Terms::parse(names));
            }
        }
        found
    }

    /// What applies to the package as one SPDX expression; `None` where that is not known.
    #[must_use]
    pub fn licence(&self) -> Option<Licence> {
        (!self.terms.is_empty()).then(|| Licence::all_of(&self.terms, &self.texts))
    }
}

/// A paragraph's fields: names, and values with their further lines.
type Paragraph<'a> = Vec<(&'a str, String)>;

/// Divides a file into paragraphs, by lines that are blank; what is no field is passed over.
fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|line| line.trim().is_empty()).is_some() {}
        lines.peek()?;
        let mut fields: Paragraph<'_> = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim(), value.trim().to_owned()));
            }
        }
        Some(fields)
    })
}

/// Takes the one space off each line that makes it a further line, and the dots that stand for blank ones.
fn unfold(text: &str) -> String {
    let line = |line: &str| {
        let line = line.trim_end();
        let line = line.strip_prefix([' ', '\t']).unwrap_or(line);
        if line.trim() == "." { String::new() } else { line.to_owned() }
    };
    let mut text = text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned();
    if text.len() > TEXT {
        let end = (0..=TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";

    fn parse(rest: &str) -> Option<Licence> {
        Copyright::parse(format!("{FORMAT}{rest}").as_bytes()).licence()
    }

    #[test]
    fn all_files_count_and_each_licence_once() {
        let licence = parse(
            "\nFiles: *\nCopyright: me\nLicense: GPL-2+\n\nFiles: a\nLicense: Expat\n Permission is\n .\n granted\n\n\
             Files: b\nLicense: GPL-2+\n\nLicense: GPL-2+\n On Debian systems, see there.\n",
        );
        let licence = licence.unwrap();
        assert_eq!(licence.expression, "GPL-2.0-or-later AND MIT");
        assert!(licence.others.is_empty());
    }

    #[test]
    fn unknown_names_carry_their_text() {
        let licence = parse("\nFiles: *\nLicense: mine\n\nLicense: mine\n Do\n .\n what you like\n").unwrap();
        let (id, (name, text)) = licence.others.first_key_value().unwrap();
        assert_eq!((&licence.expression, name.as_str(), text.as_str()), (id, "mine", "Do\n\nwhat you like"));
        assert!(id.starts_with("LicenseRef-mine-"), "{id}");
        let other = parse("\nFiles: *\nLicense: mine\n Do not\n").unwrap();
        assert_ne!(other.expression, licence.expression, "another text is another licence");
    }

    #[test]
    fn what_machines_cannot_read_says_nothing() {
        for text in ["", "\n\n", "This package was debianized by\n", "License: GPL-2\n", "\u{0}\u{1}: x"] {
            assert_eq!(Copyright::parse(text.as_bytes()).licence(), None, "{text:?}");
        }
        assert_eq!(parse("\nLicense: GPL-2\n text\n"), None, "no files, no terms");
        assert_eq!(parse("License: ISC\n").unwrap().expression, "ISC", "the header may speak for the whole");
    }
}

//! What is wrong with a file, where, and how to right it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One thing that is wrong with remint.toml or a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file's path as messages show it.
    pub file: Arc<str>,
    /// The file's text, so that its lines can be shown.
    pub source: Arc<str>,
    /// What is wrong, in bytes of `source`.
    pub span: Range<usize>,
    /// Another place of the same file that explains it, with a word about it.
    pub related: Option<(Range<usize>, String)>,
    /// What is wrong: a lower-case fragment that fits behind `error: `.
    pub message: String,
    /// What would have been right at that place.
    pub expected: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding with a place and a message, to which the rest is added.
    #[must_use]
    pub fn new(file: &Arc<str>, source: &Arc<str>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            file: Arc::clone(file),
            source: Arc::clone(source),
            span: within(source, span),
            related: None,
            message: message.into(),
            expected: None,
            hint: None,
        }
    }

    /// Says what would have been right.
    pub fn expected(&mut self, what: impl Into<String>) -> &mut Self {
        self.expected = Some(what.into());
        self
    }

    /// Says what to do; a second hint replaces the first.
    pub fn hint(&mut self, what: impl Into<String>) -> &mut Self {
        self.hint = Some(what.into());
        self
    }

    /// Says what to do, if that is known.
    pub fn hint_if(&mut self, what: Option<String>) -> &mut Self {
        self.hint = what.or(self.hint.take());
        self
    }

    /// Points at another place of the same file.
    pub fn related(&mut self, span: Range<usize>, what: impl Into<String>) -> &mut Self {
        self.related = Some((within(&self.source, span), what.into()));
        self
    }

    /// The line it begins on, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        line_of(&self.source, self.span.start)
    }

    /// The column it begins at, in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        let before = &self.source[..self.span.start];
        before.rsplit('\n').next().unwrap_or(before).chars().count() + 1
    }
}

/// A file's text as findings show it: of the same length, with `*` for the user name and password of every address.
///
/// A finding shows whole lines, and one about something else may show a line with a password.
pub(super) fn without_secrets(text: &str) -> Arc<str> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let host = after.split(|c: char| c == '/' || c == '"' || c.is_whitespace()).next().unwrap_or_default();
        let secret = host.rfind('@').unwrap_or(0);
        shown.push_str(before);
        shown.push_str("://");
        shown.extend(std::iter::repeat_n('*', secret));
        rest = &after[secret..];
    }
    shown.push_str(rest);
    shown.into()
}

/// The line, from 1, that a byte of a text stands on.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|&&b| b == b'\n').count() + 1
}

/// A span that lies inside the text and on its characters' borders, whatever the parser said.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    start..floor(text, span.end.max(start)).max(start)
}

/// The nearest border of a character at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line(), self.column(), self.message)
    }
}

/// Everything that is wrong with one or several files, by file and place; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    found: Vec<Finding>,
    dropped: usize,
}

impl Findings {
    /// The findings in the order in which they are shown: by file, then by place.
    #[must_use]
    pub fn all(&self) -> &[Finding] {
        &self.found
    }

    /// How many more there were than are kept.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.found.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(finding, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// Collects findings while files are checked.
#[derive(Debug, Default)]
pub(super) struct Report {
    found: Vec<Finding>,
    dropped: usize,
}

/// How many findings are kept: a file of one mebibyte can be wrong two hundred thousand times.
const KEPT: usize = 200;

impl Report {
    /// Adds a finding, to which more may be said; beyond [`KEPT`] the last one gives way.
    pub(super) fn push(&mut self, finding: Finding) -> &mut Finding {
        if self.found.len() == KEPT {
            self.found.pop();
            self.dropped += 1;
        }
        self.found.push(finding);
        self.found.last_mut().expect("a finding was pushed")
    }

    /// Whether no more findings are kept, so that their hints are not worth the search.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= KEPT
    }

    /// Ends the check: the value if nothing was found.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Findings> {
        if let (true, Some(value)) = (self.found.is_empty(), value) {
            return Ok(value);
        }
        assert!(!self.found.is_empty(), "what has no value has a finding that says why");
        self.found.sort_by(|a, b| (&a.file, a.span.start).cmp(&(&b.file, b.span.start)));
        self.found.dedup();
        Err(Findings { found: self.found, dropped: self.dropped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_and_stay_inside() {
        let (file, text): (Arc<str>, Arc<str>) = ("f".into(), "ä = 1\nöü = 2".into());
        let at = |span| Finding::new(&file, &text, span, "wrong");
        let third = text.find('ü').unwrap();
        assert_eq!((at(third..third + 2).line(), at(third..third + 2).column()), (2, 2));
        assert_eq!(at(third + 1..third + 2).span, third..third + 2);
        assert_eq!(at(900..1000).span, text.len()..text.len());
        assert_eq!(at(0..0).to_string(), "f:1:1: wrong");
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("a = \"https://u:p@h/x@y\" # http://ü@h", "a = \"https://***@h/x@y\" # http://**@h"),
            ("x@y ://h", "x@y ://h"),
            ("s://a@b@c", "s://***@c"),
        ] {
            assert_eq!(&*without_secrets(text), shown);
        }
    }

    #[test]
    fn a_flood_of_findings_is_cut_and_counted() {
        let (file, text): (Arc<str>, Arc<str>) = ("f".into(), "x".repeat(1000).into());
        let mut report = Report::default();
        for at in 0..KEPT + 5 {
            report.push(Finding::new(&file, &text, at..at, "wrong"));
        }
        let findings = report.finish(Some(())).unwrap_err();
        assert_eq!((findings.all().len(), findings.dropped()), (KEPT, 5));
    }
}

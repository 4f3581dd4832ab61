//! Walks a TOML document value by value and collects what is wrong, where serde would stop at the first error.

use super::finding::{Finding, Report, line_of};
use super::section::Section;
use super::suggest::{nearest, one_of};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A key with its place.
pub(super) type Key<'d> = Spanned<DeString<'d>>;
/// A value with its place.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// The largest file that is read, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// The most entries that one list or table may have.
pub(super) const MAX_ENTRIES: usize = 4096;

/// For how many keys that are written twice the first place is looked up, which costs a walk over the document.
const MAX_DOUBLES: usize = 20;

/// One file that is being checked, and the report that its findings go to.
pub(super) struct Walk<'r> {
    file: Arc<str>,
    source: Arc<str>,
    report: &'r mut Report,
}

/// A table whose keys have been checked against a [`Section`].
#[derive(Clone)]
pub(super) struct Table<'d> {
    /// Where findings about the whole table point: its header or its braces.
    pub(super) span: Range<usize>,
    entries: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// The whole document.
    pub(super) fn root(document: &'d Spanned<DeTable<'d>>) -> Self {
        Self { span: 0..0, entries: document.get_ref() }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'d Value<'d>> {
        self.entries.get(key)
    }

    /// A key and its value.
    pub(super) fn entry(&self, key: &str) -> Option<(&'d Key<'d>, &'d Value<'d>)> {
        self.entries.get_key_value(key)
    }

    /// All keys and values, sorted by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'d Key<'d>, &'d Value<'d>)> + use<'d> {
        self.entries.iter()
    }
}

impl<'r> Walk<'r> {
    /// Begins to check a file, whose text is what [`without_secrets`](super::finding::without_secrets) gave.
    pub(super) fn new(file: &Arc<str>, source: &Arc<str>, report: &'r mut Report) -> Self {
        Self { file: Arc::clone(file), source: Arc::clone(source), report }
    }

    /// Reports a finding, to which more can be said.
    pub(super) fn wrong(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Finding {
        self.report.push(Finding::new(&self.file, &self.source, span, message))
    }

    /// A value as it stands in the file.
    pub(super) fn text(&self, value: &Value<'_>) -> &str {
        self.source.get(value.span()).unwrap_or_default()
    }

    /// "did you mean `…`?", if something is near.
    pub(super) fn did_you_mean<'c>(&self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
        let near = if self.report.is_full() { None } else { nearest(word, candidates) };
        near.map(|candidate| format!("did you mean `{candidate}`?"))
    }

    /// The line, from 1, of a place.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        line_of(&self.source, span.start)
    }

    /// Parses the document. `None` if its syntax is so wrong that what it means is a guess; each error is reported.
    pub(super) fn parse<'d>(&mut self, text: &'d str) -> Option<Spanned<DeTable<'d>>> {
        if text.len() > MAX_BYTES {
            self.wrong(0..0, format!("the file has {} bytes, more than the {MAX_BYTES} that are read", text.len()));
            return None;
        }
        let (document, errors) = DeTable::parse_recoverable(text);
        let (mut readable, mut doubles) = (true, 0);
        let mut lines = BTreeSet::new();
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            let (message, expected) = match error.message().split_once(", expected ") {
                Some((message, expected)) => (message, Some(expected)),
                None => (error.message(), None),
            };
            if message == "duplicate key" {
                // The first of the two stands in the document, which can be walked all the same.
                let name = text.get(span.clone()).unwrap_or_default();
                let mut first = Vec::new();
                doubles += 1;
                if doubles <= MAX_DOUBLES {
                    earlier_keys(document.get_ref(), name.trim_matches(['"', '\'']), span.start, &mut first);
                }
                let finding = self.wrong(span, format!("the key `{name}` is written twice"));
                if let [first] = &first[..] {
                    finding.related(first.clone(), "first written here");
                }
                continue;
            }
            readable = false;
            // What follows on the same line is mostly a consequence of the first.
            if lines.insert(text.get(..span.start).and_then(|before| before.rfind('\n'))) {
                let finding = self.wrong(span, format!("not TOML: {message}"));
                if let Some(expected) = expected.filter(|expected| *expected != "nothing") {
                    finding.expected(expected);
                }
            }
        }
        readable.then_some(document)
    }

    /// A table that has only the keys of a section.
    pub(super) fn table<'d>(&mut self, value: &'d Value<'d>, section: &Section) -> Option<Table<'d>> {
        let table = self.open_table(value, section.what)?;
        self.check_keys(&table, section);
        Some(table)
    }

    /// A table whose keys are names that the user chose.
    pub(super) fn open_table<'d>(&mut self, value: &'d Value<'d>, what: &str) -> Option<Table<'d>> {
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(value, what, "a table");
            return None;
        };
        self.bounded(value, entries.len(), what)?;
        Some(Table { span: value.span(), entries })
    }

    /// Reports every key that the section does not have.
    pub(super) fn check_keys(&mut self, table: &Table<'_>, section: &Section) {
        for (key, _) in table.entries() {
            if section.keys.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let hint = self.did_you_mean(key.get_ref(), section.keys.iter().copied());
            let finding = self.wrong(key.span(), format!("{} has no key `{}`", section.what, key.get_ref()));
            finding.expected(one_of(section.keys));
            if let Some(hint) = hint.or_else(|| section.hint.map(str::to_owned)) {
                finding.hint(hint);
            }
        }
    }

    /// A text.
    pub(super) fn string<'d>(&mut self, value: &'d Value<'d>, what: &str) -> Option<&'d str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                let plain = !other.is_array() && !other.is_table();
                let hint = format!("quote it: `\"{}\"`", self.text(value));
                let finding = self.wrong_type(value, what, "a string");
                if plain {
                    finding.hint(hint);
                }
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, value: &Value<'_>, what: &str) -> Option<bool> {
        if let DeValue::Boolean(value) = value.get_ref() {
            return Some(*value);
        }
        self.wrong_type(value, what, "`true` or `false`");
        None
    }

    /// A whole number up to `max`.
    pub(super) fn number(&mut self, value: &Value<'_>, what: &str, max: u32) -> Option<u32> {
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(value, what, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|&number| number <= max);
        if number.is_none() {
            self.wrong(value.span(), format!("{what} is out of range"))
                .expected(format!("a whole number from 0 to {max}"));
        }
        number
    }

    /// A list of values.
    pub(super) fn list<'d>(&mut self, value: &'d Value<'d>, what: &str, of: &str) -> Option<&'d [Value<'d>]> {
        let DeValue::Array(items) = value.get_ref() else {
            let text = self.text(value);
            let short = value.get_ref().is_str() && text.len() < 60 && !text.contains('\n');
            let hint = short.then(|| format!("write `[{text}]`"));
            let finding = self.wrong_type(value, what, &format!("a list of {of}"));
            if let Some(hint) = hint {
                finding.hint(hint);
            }
            return None;
        };
        self.bounded(value, items.len(), what)?;
        Some(items)
    }

    /// A list of texts, each with its place; what is no text is reported and left out.
    pub(super) fn strings<'d>(&mut self, value: &'d Value<'d>, what: &str) -> Option<Vec<(Range<usize>, &'d str)>> {
        let items = self.list(value, what, "strings")?;
        let each = format!("an entry of {what}");
        Some(items.iter().filter_map(|item| Some((item.span(), self.string(item, &each)?))).collect())
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, value: &Value<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(value, what, &one_of(&names));
            return None;
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| word == text) {
            return Some(*meaning);
        }
        let hint = self.did_you_mean(text, names.iter().copied());
        self.wrong(value.span(), format!("{what} cannot be `{text}`")).expected(one_of(&names)).hint_if(hint);
        None
    }

    /// Reports a value of another type than is wanted.
    pub(super) fn wrong_type(&mut self, value: &Value<'_>, what: &str, wanted: &str) -> &mut Finding {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(value.span(), format!("{what} cannot be {found}")).expected(wanted)
    }

    fn bounded(&mut self, value: &Value<'_>, len: usize, what: &str) -> Option<()> {
        if len <= MAX_ENTRIES {
            return Some(());
        }
        self.wrong(value.span(), format!("{what} has {len} entries, more than the {MAX_ENTRIES} that are read"));
        None
    }
}

/// All keys of that name before a place. The parser limits how deep tables nest.
fn earlier_keys(table: &DeTable<'_>, name: &str, before: usize, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == name && key.span().start < before {
            found.push(key.span());
        }
        earlier_keys_of_value(value.get_ref(), name, before, found);
    }
}

fn earlier_keys_of_value(value: &DeValue<'_>, name: &str, before: usize, found: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => earlier_keys(table, name, before, found),
        DeValue::Array(items) => {
            items.iter().for_each(|item| earlier_keys_of_value(item.get_ref(), name, before, found));
        }
        _ => {}
    }
}

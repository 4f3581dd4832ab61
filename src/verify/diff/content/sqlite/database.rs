//! The pages of a database and the trees that they make (`SQLite` file format, 1.3 "The Database Header" and 1.6 "B-tree Pages").

use super::record::{Value, values, varint};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// At most so many tables.
const TABLES: usize = 2000;

/// The most that pages and rows may have together, in bytes: more than twice what is compared of a file. With more, a database's pages
/// are compared.
const TOTAL: usize = 64 << 20;

/// What a row takes beside its values, in bytes.
const ROW: usize = 96;

/// A tree is at most this deep; `SQLite` itself stops at 20.
const DEPTH: usize = 20;

/// The table that has all others.
pub(super) const SCHEMA: &str = "sqlite_schema";

/// A database in memory.
#[derive(Debug)]
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    /// What of each page is used: the rest is reserved for extensions.
    usable: usize,
}

/// A table with its rows.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) name: String,
    /// The records by their rows' numbers; of the schema, what it says, as text and without the pages' numbers.
    pub(super) rows: BTreeMap<i64, Cow<'a, [u8]>>,
    /// The pages that its tree has.
    pages: BTreeSet<usize>,
}

impl<'a> Database<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        // 1 stands for 65,536.
        let page = match usize::from(u16::from_be_bytes(bytes.get(16..18)?.try_into().ok()?)) {
            1 => 65_536,
            page => page,
        };
        let reserved = usize::from(*bytes.get(20)?);
        let good = page.is_power_of_two() && (512..=65_536).contains(&page) && page >= reserved + 480;
        good.then(|| Self { bytes, page, usable: page - reserved })
    }

    /// The tables, by the schema's order, and whether these are all; `None` where a page is none, or where they are too many.
    pub(super) fn tables(&self) -> Option<(Vec<Table<'a>>, bool)> {
        let mut left = TOTAL;
        let new = |name: String| Table { name, rows: BTreeMap::new(), pages: BTreeSet::new() };
        let mut schema = new(SCHEMA.to_owned());
        self.walk(1, 0, &mut schema, &mut left)?;
        let (mut tables, mut all) = (Vec::new(), true);
        for row in schema.rows.values_mut() {
            let text = |value: Option<&Value<'_>>| match value {
                Some(Value::Text(text)) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            };
            let values = values(row)?;
            let [kind, name, table, sql] = [0, 1, 2, 4].map(|column| text(values.get(column)));
            let root = if let Some(Value::Integer(root)) = values.get(3) { *root } else { 0 };
            *row = Cow::Owned(format!("{kind}\n{name}\n{table}\n{sql}\n").into_bytes());
            if kind != "table" || root == 0 {
                continue;
            }
            // Tables without row numbers are trees of another kind, which are compared by their pages.
            if sql.to_ascii_uppercase().contains("WITHOUT ROWID") {
                all = false;
                continue;
            }
            let mut table = new(name);
            self.walk(usize::try_from(root).ok()?, 0, &mut table, &mut left)?;
            tables.push(table);
            if tables.len() > TABLES {
                return None;
            }
        }
        tables.push(schema);
        Some((tables, all))
    }

    /// Says which page a byte is of, and what that page is.
    pub(super) fn page_of(&self, at: u64, tables: Option<&[Table<'_>]>) -> String {
        let number = usize::try_from(at).unwrap_or(usize::MAX) / self.page + 1;
        let kind = match self.content(number).and_then(|(page, start)| page.get(start)) {
            Some(2) => "an inner page of an index",
            Some(5) => "an inner page of a table",
            Some(10) => "a leaf of an index",
            Some(13) => "a leaf of a table",
            _ => "a free page or the rest of a long row",
        };
        let table = tables.into_iter().flatten().find(|table| table.pages.contains(&number));
        let of = table.map_or_else(String::new, |table| format!(" ({})", table.name));
        format!("page {number}, {kind}{of}")
    }

    /// A page by its number from 1, and where its tree's header begins: behind the database's on the first.
    fn content(&self, number: usize) -> Option<(&'a [u8], usize)> {
        let begin = number.checked_sub(1)?.checked_mul(self.page)?;
        let page = self.bytes.get(begin..begin.checked_add(self.page)?)?;
        Some((page, if number == 1 { 100 } else { 0 }))
    }

    /// Collects the rows below a page.
    fn walk(&self, number: usize, depth: usize, table: &mut Table<'a>, left: &mut usize) -> Option<()> {
        if depth > DEPTH || !table.pages.insert(number) {
            return None;
        }
        let (page, start) = self.content(number)?;
        *left = left.checked_sub(self.page)?;
        let short = |at: usize| Some(usize::from(u16::from_be_bytes(page.get(at..at + 2)?.try_into().ok()?)));
        let word =
            |at: usize| usize::try_from(u32::from_be_bytes(page.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok();
        let (kind, count) = (*page.get(start)?, short(start + 3)?);
        let cells = start + if kind == 5 { 12 } else { 8 };
        for cell in 0..count {
            let at = short(cells + 2 * cell)?;
            match kind {
                5 => self.walk(word(at)?, depth + 1, table, left)?,
                13 => {
                    let (size, length) = varint(page, at)?;
                    let (row, more) = varint(page, at + length)?;
                    let record = self.record(page, at + length + more, usize::try_from(size).ok()?)?;
                    let copied = if let Cow::Owned(record) = &record { record.len() } else { 0 };
                    *left = left.checked_sub(copied)?.checked_sub(ROW)?;
                    table.rows.insert(row, record);
                }
                _ => return None,
            }
        }
        match kind {
            5 => self.walk(word(start + 8)?, depth + 1, table, left),
            13 => Some(()),
            _ => None,
        }
    }

    /// A record that begins in a page, with what of it stands in pages of its own (1.6, "Cell Payload Overflow Pages").
    fn record(&self, page: &'a [u8], at: usize, size: usize) -> Option<Cow<'a, [u8]>> {
        if size > self.bytes.len() {
            return None;
        }
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        let here = if size <= most {
            size
        } else {
            let fits = least + (size - least) % (self.usable - 4);
            if fits <= most { fits } else { least }
        };
        let begin = page.get(at..at.checked_add(here)?)?;
        if here == size {
            return Some(Cow::Borrowed(begin));
        }
        let mut record = begin.to_vec();
        let next =
            |bytes: &[u8], at: usize| usize::try_from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok();
        let mut number = next(page, at + here)?;
        while record.len() < size {
            let (overflow, _) = self.content(number)?;
            let take = (size - record.len()).min(self.usable - 4);
            record.extend_from_slice(overflow.get(4..4 + take)?);
            number = next(overflow, 0)?;
        }
        Some(Cow::Owned(record))
    }
}

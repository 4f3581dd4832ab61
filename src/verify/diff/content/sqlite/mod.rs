//! `SQLite` databases: tables row by row, and what is no row by its page (the `SQLite` file format).

mod database;
mod record;

use super::{Explaining, binary, first_difference};
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use database::{Database, SCHEMA, Table};
use std::collections::BTreeSet;

/// Compares two databases; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let begins = |bytes: &[u8]| bytes.len() >= 100 && bytes.starts_with(b"SQLite format 3\0");
    if !begins(a) || !begins(b) {
        return false;
    }
    // The file change counter, the version for which it is valid, and the version of the library that wrote last.
    let without_counters = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[24..28].fill(0);
        bytes[92..100].fill(0);
        bytes
    };
    let (plain_a, plain_b) = (without_counters(a), without_counters(b));
    if plain_a == plain_b {
        noted(explaining, "only the counters in the database's header", |explaining| {
            binary::compare(explaining, a, b, Some(Class::DatabaseCounter));
        });
        return true;
    }
    let databases = Database::open(a).zip(Database::open(b));
    let tables = databases.as_ref().and_then(|(a, b)| Some((a.tables()?, b.tables()?)));
    let before = explaining.findings.len();
    if let Some((tables_a, tables_b)) = &tables {
        rows(explaining, tables_a, tables_b);
    }
    if explaining.findings.len() > before {
        return true;
    }
    // All rows are the same, or could not be read.
    let at = first_difference(&plain_a, &plain_b);
    let page = databases.as_ref().map(|(a, _)| a.page_of(at, tables.as_ref().map(|(tables, _)| &tables[..])));
    let place = page.unwrap_or_else(|| format!("at byte {at} of the database"));
    if tables.is_some() {
        let note = format!("the same tables and rows, written otherwise: {place}");
        noted(explaining, &note, |explaining| binary::compare(explaining, &plain_a, &plain_b, Some(Class::Encoder)));
    } else {
        noted(explaining, &place, |explaining| binary::compare(explaining, &plain_a, &plain_b, None));
    }
    true
}

/// Puts a note in front of what a comparison finds first.
fn noted(explaining: &mut Explaining<'_>, note: &str, compare: impl FnOnce(&mut Explaining<'_>)) {
    let before = explaining.findings.len();
    compare(explaining);
    if let Some(finding) = explaining.findings.get_mut(before) {
        finding.note = Some(finding.note.take().map_or(note.to_owned(), |more| format!("{note}; {more}")));
    }
}

/// Compares tables of one name by their rows' numbers.
fn rows(explaining: &mut Explaining<'_>, a: &[Table], b: &[Table]) {
    let names: BTreeSet<&str> = a.iter().chain(b).map(|table| &*table.name).collect();
    for name in names {
        let find = |tables: &'_ [Table]| tables.iter().position(|table| table.name == name);
        let (one, other) = match (find(a), find(b)) {
            (Some(one), Some(other)) => (&a[one], &b[other]),
            (one, _) => {
                presence(explaining, one.is_some(), format!("table {name}"));
                continue;
            }
        };
        let numbers: BTreeSet<&i64> = one.rows.keys().chain(other.rows.keys()).collect();
        for number in numbers {
            let part = || format!("table {name}, row {number}");
            match (one.rows.get(number), other.rows.get(number)) {
                (Some(row), Some(row_b)) if row == row_b => {}
                (Some(row), Some(row_b)) => {
                    let text = |row: &[u8]| if name == SCHEMA { None } else { record::text(row) };
                    let (text_a, text_b) = (text(row), text(row_b));
                    match text_a.zip(text_b).filter(|(a, b)| a != b) {
                        Some((a, b)) => explaining.inside(part(), "", a.as_bytes(), b.as_bytes()),
                        None => explaining.inside(part(), "", row, row_b),
                    }
                }
                (row, _) => presence(explaining, row.is_some(), part()),
            }
        }
    }
}

fn presence(explaining: &mut Explaining<'_>, in_a: bool, within: String) {
    let class = if in_a { Class::Missing } else { Class::Additional };
    explaining.add(Finding::new(Field::Presence, class).within(&[within]));
}

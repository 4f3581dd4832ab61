//! `SQLite` databases: tables row by row, and what is no row by its page (the `SQLite` file format).

mod database;
mod record;

use super::{Explaining, binary, first_difference};
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use database::{Database, SCHEMA, Table};
use std::collections::BTreeSet;

/// A longer row is not compared value by value, in bytes.
const LONGEST: usize = 1 << 20;

/// Compares two databases; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let begins = |bytes: &[u8]| bytes.len() >= 100 && bytes.starts_with(b"SQLite format 3\0");
    if !begins(a) || !begins(b) {
        return false;
    }
    let Some(at) = first_beside_counters(a, b) else {
        noted(explaining, "only the counters in the database's header", |explaining| {
            binary::compare(explaining, a, b, Some(Class::DatabaseCounter));
        });
        return true;
    };
    let databases = Database::open(a).zip(Database::open(b));
    let tables = databases.as_ref().and_then(|(a, b)| Some((a.tables()?, b.tables()?)));
    let before = explaining.findings.len();
    if let Some(((tables_a, _), (tables_b, _))) = &tables {
        rows(explaining, tables_a, tables_b);
    }
    if explaining.findings.len() > before {
        return true;
    }
    // All rows are the same, or could not be read.
    let page = databases.as_ref().map(|(a, _)| a.page_of(at, tables.as_ref().map(|((tables, _), _)| &tables[..])));
    let place = page.unwrap_or_else(|| format!("at byte {at} of the database"));
    // The user version and the application's id are values of the user's (file format, 1.3.12 and 1.3.14).
    let is_value = (60..64).contains(&at) || (68..72).contains(&at);
    let all = tables.as_ref().is_some_and(|((_, all_a), (_, all_b))| *all_a && *all_b);
    if is_value {
        let note = "the user version or the application's id in the database's header";
        noted(explaining, note, |explaining| binary::compare_from(explaining, a, b, at, None));
    } else if all {
        let note = format!("the same tables and rows, written otherwise: {place}");
        noted(explaining, &note, |explaining| binary::compare_from(explaining, a, b, at, Some(Class::Encoder)));
    } else {
        noted(explaining, &place, |explaining| binary::compare_from(explaining, a, b, at, None));
    }
    true
}

/// The first difference beside the file change counter, the version for which it is valid, and the version of the library that wrote
/// last; `None`: there is no other.
fn first_beside_counters(a: &[u8], b: &[u8]) -> Option<u64> {
    for part in [0..24, 28..92] {
        if a[part.clone()] != b[part.clone()] {
            return Some(part.start as u64 + first_difference(&a[part.clone()], &b[part]));
        }
    }
    (a[100..] != b[100..]).then(|| 100 + first_difference(&a[100..], &b[100..]))
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
fn rows(explaining: &mut Explaining<'_>, a: &[Table<'_>], b: &[Table<'_>]) {
    let names: BTreeSet<&str> = a.iter().chain(b).map(|table| &*table.name).collect();
    for name in names {
        let find = |tables: &'_ [Table<'_>]| tables.iter().position(|table| table.name == name);
        let (one, other) = match (find(a), find(b)) {
            (Some(one), Some(other)) => (&a[one], &b[other]),
            (one, _) => {
                presence(explaining, one.is_some(), format!("table {name}"));
                continue;
            }
        };
        let numbers: BTreeSet<&i64> = one.rows.keys().chain(other.rows.keys()).collect();
        for number in numbers {
            if explaining.full() {
                return;
            }
            let part = || format!("table {name}, row {number}");
            match (one.rows.get(number), other.rows.get(number)) {
                (Some(row), Some(row_b)) if row == row_b => {}
                (Some(row), Some(row_b)) => {
                    let values = name != SCHEMA && row.len().max(row_b.len()) <= LONGEST;
                    let text = |row: &[u8]| if values { record::text(row) } else { None };
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

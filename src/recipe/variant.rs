//! Tables that are exactly one of several kinds, told apart by the key that each kind alone has.

use super::section::Section;
use super::suggest::one_of;
use super::walk::{Table, Value, Walk};

/// Finds a table's kind, checks its keys against that kind's, and gives the kind's key and the table.
///
/// Nothing is told apart by a key's value, so a wrong value never changes which keys are right.
pub(super) fn variant<'d>(
    walk: &mut Walk<'_>,
    value: &'d Value<'d>,
    what: &str,
    kinds: &[(&'static str, &'static Section)],
) -> Option<(&'static str, Table<'d>)> {
    let table = walk.open_table(value, what)?;
    let mut present = kinds.iter().filter_map(|(name, section)| Some((*name, *section, table.entry(name)?)));
    let names: Vec<&str> = kinds.iter().filter(|(_, section)| !section.later).map(|(name, _)| *name).collect();
    let Some((name, section, (key, _))) = present.next() else {
        missing_kind(walk, &table, what, kinds);
        return None;
    };
    if let Some((other, _, (other_key, _))) = present.next() {
        let (first, second) =
            if key.span().start < other_key.span().start { (key, other_key) } else { (other_key, key) };
        walk.wrong(second.span(), format!("{what} has both `{name}` and `{other}`"))
            .expected(format!("only one of {}", one_of(&names)))
            .related(first.span(), "this already says what it is");
        return None;
    }
    walk.check_keys(&table, section);
    Some((name, table))
}

/// No key says what the table is: a misspelt one is blamed, else the table.
fn missing_kind(walk: &mut Walk<'_>, table: &Table<'_>, what: &str, kinds: &[(&'static str, &'static Section)]) {
    let names: Vec<&str> = kinds.iter().filter(|(_, section)| !section.later).map(|(name, _)| *name).collect();
    let known = |key: &str| kinds.iter().any(|(_, section)| section.keys.contains(&key));
    let mut blamed = false;
    for (key, _) in table.entries().filter(|(key, _)| !known(key.get_ref())) {
        let hint = walk.did_you_mean(
            key.get_ref(),
            kinds.iter().filter(|(_, s)| !s.later).flat_map(|(_, s)| s.keys.iter().copied()),
        );
        walk.wrong(key.span(), format!("{what} has no key `{}`", key.get_ref()))
            .expected(format!("one of {}", one_of(&names)))
            .hint_if(hint);
        blamed = true;
    }
    if !blamed {
        walk.wrong(table.span.clone(), format!("{what} does not say what it is"))
            .expected(format!("exactly one of {} in it", one_of(&names)));
    }
}

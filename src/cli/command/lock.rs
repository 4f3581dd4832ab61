//! `remint lock`.

use super::Invocation;
use crate::cli::arguments::Lock;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::table::{Column, Table};

/// Writes remint.lock and prints what changed.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Lock) -> Result<Exit, Failure> {
    let _ = (invocation.places()?, arguments);
    Err(Failure::new(Exit::Bug, "`remint lock` is not joined to the rooms below yet"))
}

/// A source that a new lock pins otherwise than the old one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The package with its architecture, or the suite.
    pub package: String,
    /// Its version in the old lock; `None`: it is new.
    pub old: Option<String>,
    /// Its version in the new lock; `None`: it is gone.
    pub new: Option<String>,
}

/// The table of what changed.
#[must_use]
pub fn change_table(changes: &[Change]) -> Table {
    let mut table = Table::new([Column::prose("PACKAGE"), Column::prose("OLD"), Column::prose("NEW")]);
    for change in changes {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
        table.row([change.package.clone(), version(&change.old), version(&change.new)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_and_what_is_gone_have_a_dash() {
        let change = |package: &str, old: Option<&str>, new: Option<&str>| Change {
            package: package.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        let changes = [
            change("a (amd64)", None, Some("1")),
            change("b (amd64)", Some("1"), Some("2")),
            change("c", Some("3"), None),
        ];
        assert_eq!(
            change_table(&changes).render(None),
            "PACKAGE    OLD  NEW\na (amd64)  -    1\nb (amd64)  1    2\nc          3    -\n"
        );
    }
}

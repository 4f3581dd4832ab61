//! `remint lock`.

use super::Invocation;
use crate::cli::archives::Archives;
use crate::cli::arguments::Lock as Arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::event::Events;
use crate::lock::{self, Change, Lock, ResolveError, Update};
use crate::store::Store;

/// Writes remint.lock and prints what changed.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let session = Session::load(invocation)?;
    let old = session.lock()?.unwrap_or_default();
    let update = match &arguments.update {
        Some(names) if names.is_empty() => Update::All,
        Some(names) => Update::Names(names.iter().cloned().collect()),
        None if arguments.vanished => Update::Vanished,
        None => Update::Nothing,
    };
    let new = if update == Update::Nothing && lock::is_complete(&old, &session.recipes, &session.project) {
        // Without a question to any archive: at most, layers that no recipe has any more go.
        relock(&session, &old)?
    } else {
        let reporter =
            Reporter::start(Manner::choose(invocation.global, invocation.environment, false), invocation.environment);
        let new = resolve(invocation, &session, &old, &update, arguments.allow_rollback, &reporter.events())?;
        let _ = reporter.finish();
        new
    };
    finish(&session, &old, &new, arguments.check)
}

/// Resolves what the lock lacks or what is to move.
pub(crate) fn resolve(
    invocation: Invocation<'_>,
    session: &Session,
    old: &Lock,
    update: &Update,
    allow_rollback: bool,
    events: &Events,
) -> Result<Lock, Failure> {
    let store =
        Store::open_with(&session.places.cache, events).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let archives = Archives::new(invocation, session, events)?;
    let indices = archives.indices(&store, old, allow_rollback)?;
    lock::resolve(&session.recipes, &session.project, old, &indices, update)
        .map_err(|error| unresolved(session, &error))
}

fn relock(session: &Session, old: &Lock) -> Result<Lock, Failure> {
    lock::resolve(&session.recipes, &session.project, old, &lock::Indices::new(), &Update::Nothing)
        .map_err(|error| unresolved(session, &error))
}

/// Writes a lock.
pub(crate) fn write(session: &Session, lock: &Lock) -> Result<(), Failure> {
    // The lock that could not be written is not wrong: the disk is.
    lock::write(&session.lock_path(), lock).map_err(|error| Failure::from_error(Exit::Action, &error))
}

fn finish(session: &Session, old: &Lock, new: &Lock, check: bool) -> Result<Exit, Failure> {
    if old == new {
        screen::talk("remint.lock is up to date\n");
        return Ok(Exit::Done);
    }
    let changes = lock::changes(old, new);
    if !changes.is_empty() {
        screen::data(&change_table(&changes).render(None))?;
    }
    if check {
        let gaps: String =
            lock::gaps(old, &session.recipes, &session.project).iter().map(|gap| format!("  {gap}\n")).collect();
        return Err(Failure::new(Exit::Recipe, "remint.lock does not match the recipes")
            .details(gaps)
            .hint("run `remint lock` and commit what it writes"));
    }
    write(session, new)?;
    screen::talk(&format!("wrote remint.lock: {}\n", summary(new)));
    Ok(Exit::Done)
}

/// What a lock holds, in a few words.
pub(crate) fn summary(lock: &Lock) -> String {
    let images: std::collections::BTreeSet<_> =
        lock.layers.keys().map(|(image, _, platform)| (image, platform)).collect();
    format!("{} packages for {} images", lock.packages.len(), images.len())
}

fn unresolved(session: &Session, error: &ResolveError) -> Failure {
    let failure = Failure::from_error(Exit::Recipe, error);
    match error {
        ResolveError::Layer { image, line, .. } => {
            let file = session.recipes.file(image).unwrap_or_default();
            Failure { message: format!("{file}:{line}: {}", failure.message), ..failure }
        }
        ResolveError::Upgrade { package, .. } => {
            failure.hint(format!("move the base too: `remint lock --update {package}`"))
        }
        _ => failure,
    }
}

/// The table of what changed.
#[must_use]
pub fn change_table(changes: &[Change]) -> Table {
    let mut table = Table::new([Column::prose("PACKAGE"), Column::prose("OLD"), Column::prose("NEW")]);
    for change in changes {
        let versions = |all: &[String]| if all.is_empty() { "-".to_owned() } else { all.join(" ") };
        let package = format!("{} ({})", change.package, change.arch);
        table.row([package, versions(&change.old), versions(&change.new)]);
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
            arch: "amd64".to_owned(),
            old: old.map(str::to_owned).into_iter().collect(),
            new: new.map(str::to_owned).into_iter().collect(),
        };
        let changes = [change("a", None, Some("1")), change("b", Some("1"), Some("2")), change("c", Some("3"), None)];
        assert_eq!(
            change_table(&changes).render(None),
            "PACKAGE    OLD  NEW\na (amd64)  -    1\nb (amd64)  1    2\nc (amd64)  3    -\n"
        );
    }
}

//! `remint lock`.

use super::build::fetch;
use super::{Invocation, scripts};
use crate::build::Builder;
use crate::cli::amount::count;
use crate::cli::archives::Archives;
use crate::cli::arguments::{Lock as Arguments, Registry, TextOrJson};
use crate::cli::bases::BaseImages;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::event::{Event, Events};
use crate::lock::{self, Change, Lock, ResolveError, Update};
use crate::source::debian::pool::Offline;
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
    if arguments.offline && !lock::is_complete(&old, &session.recipes, &session.project) {
        return Err(unmatched(&session, &old, true).hint("without `--offline`, `remint lock` resolves what it lacks"));
    }
    let reporter = || {
        let manner = Manner::choose(invocation.global, invocation.environment, json(arguments));
        Reporter::start(manner, invocation.environment)
    };
    let new = if update == Update::Nothing && lock::is_complete(&old, &session.recipes, &session.project) {
        // Without a question to any archive: at most, layers that no recipe has any more go.
        relock(&session, &old)?
    } else {
        let reporter = reporter();
        let how = Resolve { update: &update, allow_rollback: arguments.allow_rollback, registry: &arguments.registry };
        let new = resolve(invocation, &session, &old, &how, &reporter.events())?;
        let _ = reporter.finish();
        new
    };
    let reporter = reporter();
    if arguments.check {
        return check(&session, &old, &new, &update, arguments, &reporter.events());
    }
    finish(&session, &old, &new, arguments, &reporter.events())?;
    survey(invocation, &session, &new, arguments, reporter)?;
    Ok(Exit::Done)
}

fn json(arguments: &Arguments) -> bool {
    arguments.format == TextOrJson::Json
}

/// How a lock is made anew.
pub(crate) struct Resolve<'a> {
    /// What may move.
    pub(crate) update: &'a Update,
    /// Whether an archive may be older than the locked one.
    pub(crate) allow_rollback: bool,
    /// How registries are reached.
    pub(crate) registry: &'a Registry,
}

/// Resolves what the lock lacks or what is to move.
pub(crate) fn resolve(
    invocation: Invocation<'_>,
    session: &Session,
    old: &Lock,
    how: &Resolve<'_>,
    events: &Events,
) -> Result<Lock, Failure> {
    let store =
        Store::open_with(&session.places.cache, events).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let archives = Archives::new(invocation, session, events)?;
    let client = registries::client(invocation, Some(&session.project), how.registry, events)?;
    let bases = BaseImages::new(session, client).look(&store, old, how.update)?;
    let indices = archives.indices(&store, old, how.allow_rollback)?;
    lock::resolve(&session.recipes, &session.project, old, &indices, &bases, how.update)
        .map_err(|error| unresolved(session, &error))
}

fn relock(session: &Session, old: &Lock) -> Result<Lock, Failure> {
    lock::resolve(&session.recipes, &session.project, old, &lock::Indices::new(), &lock::Bases::new(), &Update::Nothing)
        .map_err(|error| unresolved(session, &error))
}

/// Writes a lock.
pub(crate) fn write(session: &Session, lock: &Lock) -> Result<(), Failure> {
    // The lock that could not be written is not wrong: the disk is.
    lock::write(&session.lock_path(), lock).map_err(|error| Failure::from_error(Exit::Action, &error))
}

/// Shows what changed and writes it.
fn finish(session: &Session, old: &Lock, new: &Lock, arguments: &Arguments, events: &Events) -> Result<(), Failure> {
    if old == new {
        talk(arguments, "remint.lock is up to date");
        return Ok(());
    }
    let moved = show(old, new, arguments, events)?;
    write(session, new)?;
    talk(arguments, &format!("wrote remint.lock: {}", summary(new)));
    if !moved && old.packages == new.packages && old.layers == new.layers {
        talk(arguments, "no package moved; the archive's suites are newer than the lock had them");
    }
    Ok(())
}

/// Says what writing would change, and writes nothing.
fn check(
    session: &Session,
    old: &Lock,
    new: &Lock,
    update: &Update,
    arguments: &Arguments,
    events: &Events,
) -> Result<Exit, Failure> {
    let moved = show(old, new, arguments, events)?;
    let gaps = lock::gaps(old, &session.recipes, &session.project);
    if !gaps.is_empty() || (*update == Update::Nothing && old != new) {
        return Err(unmatched(session, old, false).hint("run `remint lock` and commit what it writes"));
    }
    // Newer suites that move no package change no image.
    if !moved {
        talk(arguments, "remint.lock is up to date");
        return Ok(Exit::Done);
    }
    let command = if *update == Update::Vanished { "--vanished" } else { "--update" };
    Err(Failure::new(Exit::Recipe, "remint.lock would change")
        .hint(format!("run `remint lock {command}` and commit what it writes")))
}

/// Prints which packages differ; whether any does.
fn show(old: &Lock, new: &Lock, arguments: &Arguments, events: &Events) -> Result<bool, Failure> {
    let changes = lock::changes(old, new);
    let moved = !changes.is_empty();
    if json(arguments) {
        for Change { package, arch, old, new } in changes {
            events.send(Event::PackageMoved { package, arch, old, new });
        }
    } else if moved {
        screen::data(&change_table(&changes).render(None))?;
    }
    Ok(moved)
}

/// Looks into the packages, for scripts that no native step covers, and lists them.
fn survey(
    invocation: Invocation<'_>,
    session: &Session,
    lock: &Lock,
    arguments: &Arguments,
    reporter: Reporter,
) -> Result<(), Failure> {
    let events = reporter.events();
    let store = Store::open(&session.places.cache).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let fetch = fetch(invocation, session, &events, arguments.offline || arguments.index_only);
    let jobs = invocation.environment.cores.get();
    let survey = Builder { store: &store, fetch: &*fetch, bases: &Offline, lock, events: &events, jobs, order: None }
        .survey(&session.recipes);
    if json(arguments) {
        for event in scripts::events(&survey) {
            events.send(event);
        }
    } else if let Some(text) = scripts::unknown(&survey) {
        events.send(Event::Warning { text });
    }
    let _ = reporter.finish();
    if !json(arguments) {
        screen::data(&scripts::text(&survey))?;
    }
    if invocation.global.verbose && survey.uncovered.is_empty() && survey.unknown.is_empty() {
        talk(arguments, "every maintainer script of the locked packages is covered");
    }
    Ok(())
}

/// Says something to a person; a machine has the events.
fn talk(arguments: &Arguments, line: &str) {
    if !json(arguments) {
        screen::talk(&format!("{line}\n"));
    }
}

/// A lock that is not what the recipes ask for, and where.
fn unmatched(session: &Session, lock: &Lock, only_lacking: bool) -> Failure {
    let gaps = lock::gaps(lock, &session.recipes, &session.project);
    let shown = gaps.iter().filter(|gap| !(only_lacking && gap.is_stale()));
    let lines: String = shown.map(|gap| format!("  {gap}\n")).collect();
    Failure::new(Exit::Recipe, "remint.lock does not match the recipes").details(lines)
}

/// What a lock holds, in a few words.
pub(crate) fn summary(lock: &Lock) -> String {
    let images: std::collections::BTreeSet<_> =
        lock.layers.keys().map(|(image, _, platform)| (image, platform)).collect();
    let bases: std::collections::BTreeSet<_> = lock.bases.keys().map(|(image, _)| image).collect();
    let mut parts = Vec::new();
    if !images.is_empty() || bases.is_empty() {
        let (packages, images) = (lock.packages.len() as u64, images.len() as u64);
        parts.push(format!("{} for {}", count(packages, "package"), count(images, "image")));
    }
    if !bases.is_empty() {
        parts.push(count(bases.len() as u64, "base image"));
    }
    parts.join(", ")
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
    use crate::digest::Digest;
    use crate::lock::BasePin;
    use crate::oci::Blob;

    #[test]
    fn a_lock_of_base_images_alone_says_so() {
        assert_eq!(summary(&Lock::default()), "0 packages for 0 images");
        let (root, manifest, config) = (Digest::of(b"r"), Blob::of(b"m"), Blob::of(b"c"));
        let mut lock = Lock::default();
        for platform in ["linux/amd64", "linux/arm64"] {
            let pin = BasePin { root, manifest, config, date: 0, layers: Vec::new(), packages: None };
            lock.bases.insert(("oci:base".to_owned(), platform.parse().unwrap()), pin);
        }
        assert_eq!(summary(&lock), "1 base image");
    }

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

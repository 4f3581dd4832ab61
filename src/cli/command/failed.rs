//! What a build says when actions failed: which, why, what is missing for it, and what helps.

use super::Invocation;
use crate::build::{Error, Failure as ActionFailure};
use crate::cli::archives::Archives;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, NO_ROOM, out_of_room};
use crate::cli::session::Session;
use crate::event::Events;
use crate::lock::{Indices, Lock, PackageKey};
use crate::plan::Plan;
use crate::store::Store;
use std::collections::BTreeSet;

/// Tells of failed actions, with the exit code of the worst.
pub(super) fn failed(
    invocation: Invocation<'_>,
    session: &Session,
    plan: &Plan,
    lock: &Lock,
    failures: &[ActionFailure],
) -> Failure {
    let mut details = String::new();
    let mut vanished = BTreeSet::new();
    let mut exit = Exit::Source;
    let mut no_room = false;
    for failure in failures {
        let mut causes = String::new();
        let mut source: Option<&dyn std::error::Error> = Some(&failure.error);
        while let Some(error) = source {
            causes.push_str(&format!("\n      {error}"));
            source = error.source();
        }
        details.push_str(&format!("  {}{causes}\n", failure.title));
        let images: BTreeSet<String> = failure
            .images
            .iter()
            .map(|number| format!("{} ({})", plan.images[*number].name, plan.images[*number].platform))
            .collect();
        if !images.is_empty() {
            let images: Vec<String> = images.into_iter().collect();
            details.push_str(&format!("      so these are missing: {}\n", images.join(", ")));
        }
        no_room |= out_of_room(&failure.error);
        match &failure.error {
            Error::Fetch { title, source } if !source.is_local() => {
                let key = lock.packages.keys().find(|key| key.title() == *title);
                vanished.extend(key.filter(|_| source.is_absent()));
            }
            _ => exit = Exit::Action,
        }
    }
    let count = failures.len();
    let message = if count == 1 { "one action failed".to_owned() } else { format!("{count} actions failed") };
    let mut result = Failure::new(exit, message).details(details);
    if no_room {
        result = result.hint(NO_ROOM);
    }
    if vanished.is_empty() { result } else { gone(invocation, session, lock, &vanished, result) }
}

/// Names each package that no mirror has, its line in the lock, what replaces it, and the command that moves only those; unless
/// the mirrors do not even have the suites, and are wrong themselves.
fn gone(
    invocation: Invocation<'_>,
    session: &Session,
    lock: &Lock,
    vanished: &BTreeSet<&PackageKey>,
    mut result: Failure,
) -> Failure {
    let indices = Store::open(&session.places.cache)
        .ok()
        .and_then(|store| Archives::new(invocation, session, &Events::none()).ok()?.indices(&store, lock, true).ok());
    let Some(indices) = indices else {
        return result.hint(
            "the mirror does not give the suites either: check its address, in REMINT_DEBIAN_MIRROR, in remint.toml, or in the \
             apt sources of this machine",
        );
    };
    let text = std::fs::read_to_string(session.lock_path()).unwrap_or_default();
    for key in vanished {
        let begins = format!("\"{} {} {} ", key.name, key.version, key.arch);
        let line = text.lines().position(|line| line.trim_start().starts_with(&begins)).map_or(0, |at| at + 1);
        let instead = match newest(&indices, key) {
            Some(version) => format!("{version} replaces it"),
            None => "nothing of its name is left".to_owned(),
        };
        result = result.hint(format!("`{}`, remint.lock:{line}, is in no mirror any more; {instead}", key.title()));
    }
    result.hint("`remint lock --vanished` moves only what has vanished, and shows it")
}

fn newest(indices: &Indices, key: &PackageKey) -> Option<String> {
    let suites = indices.get(&key.archive)?;
    let all = suites.iter().flat_map(|suite| &suite.packages).flat_map(|component| component.index.named(&key.name));
    let newest =
        all.filter(|package| package.arch() == key.arch).max_by_key(crate::source::debian::Package::version)?;
    Some(newest.version_text().to_owned())
}

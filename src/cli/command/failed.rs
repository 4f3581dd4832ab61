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
use std::collections::{BTreeMap, BTreeSet};

/// Tells of failed actions, with the exit code of the worst.
pub(super) fn failed(
    invocation: Invocation<'_>,
    session: &Session,
    plan: &Plan,
    lock: &Lock,
    failures: &[ActionFailure],
) -> Failure {
    let mut vanished = BTreeSet::new();
    let mut hints: BTreeSet<String> = BTreeSet::new();
    let mut exit = Exit::Source;
    let mut no_room = false;
    for failure in failures {
        no_room |= out_of_room(&failure.error);
        match &failure.error {
            Error::Fetch { title, source } if !source.is_local() => {
                let key = lock.packages.keys().find(|key| key.title() == *title);
                vanished.extend(key.filter(|_| source.is_absent()));
                hints.extend(source.hint().filter(|_| !source.is_absent()).map(str::to_owned));
            }
            Error::Base { source, .. } if !source.is_local() => hints.extend(source.hint()),
            _ => exit = Exit::Action,
        }
    }
    let details: String = alike(lock, failures).iter().map(|group| told(plan, group)).collect();
    let count = failures.len();
    let message = if count == 1 { "one action failed".to_owned() } else { format!("{count} actions failed") };
    let result = Failure::new(exit, message).details(details);
    if no_room {
        hints.insert(NO_ROOM.to_owned());
    }
    let result = result.hints(hints);
    if vanished.is_empty() { result } else { gone(invocation, session, lock, &vanished, result) }
}

/// How many of the actions that failed for one reason are named.
const NAMED: usize = 8;

/// Puts together what failed for one reason, in the order of the first of each: causes that differ in the package's name and path
/// alone are one.
fn alike<'a>(lock: &Lock, failures: &'a [ActionFailure]) -> Vec<Vec<&'a ActionFailure>> {
    let mut groups: Vec<Vec<&ActionFailure>> = Vec::new();
    let mut places = BTreeMap::new();
    for failure in failures {
        let mut shape = causes(failure);
        if let Error::Fetch { title, .. } = &failure.error {
            let pin = lock.packages.iter().find(|(key, _)| key.title() == *title).map(|(_, pin)| pin);
            let path = pin.map_or("", |pin| pin.path.as_str());
            for own in [path, &path.replace('%', "%25"), title].into_iter().filter(|own| !own.is_empty()) {
                shape = shape.replace(own, "…");
            }
        }
        let place = *places.entry(shape).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(failure),
            None => groups.push(vec![failure]),
        }
    }
    groups
}

/// Why an action failed, from the nearest cause on, a line each.
fn causes(failure: &ActionFailure) -> String {
    let mut causes = String::new();
    let mut source: Option<&dyn std::error::Error> = Some(&failure.error);
    while let Some(error) = source {
        let text = error.to_string();
        // A cause that only passes on what stands below it would say it twice.
        if !causes.ends_with(&text) {
            causes.push_str(&format!("\n      {text}"));
        }
        source = error.source();
    }
    causes
}

/// A number of others, in words.
fn count(others: usize) -> String {
    if others == 1 { "one other".to_owned() } else { format!("{others} others") }
}

/// The first of what failed for one reason with all its causes, how many others there are, and what is missing for it.
fn told(plan: &Plan, group: &[&ActionFailure]) -> String {
    let Some((first, others)) = group.split_first() else { return String::new() };
    let mut told = format!("  {}{}\n", first.title, causes(first));
    if !others.is_empty() {
        let named: Vec<&str> = others.iter().take(NAMED).map(|failure| failure.title.as_str()).collect();
        let rest = others.len() - named.len();
        let rest = if rest > 0 { format!(", and {rest} more") } else { String::new() };
        told.push_str(&format!("      and {} for the same reason: {}{rest}\n", count(others.len()), named.join(", ")));
    }
    let images: BTreeSet<String> = group
        .iter()
        .flat_map(|failure| &failure.images)
        .map(|number| format!("{} ({})", plan.images[*number].name, plan.images[*number].platform))
        .collect();
    if !images.is_empty() {
        let images: Vec<String> = images.into_iter().collect();
        told.push_str(&format!("      so these are missing: {}\n", images.join(", ")));
    }
    told
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

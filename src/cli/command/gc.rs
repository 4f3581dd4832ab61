//! `remint gc`: what nothing needs goes from the store.

use super::cache::name;
use super::{Invocation, no_store};
use crate::cli::amount::size;
use crate::cli::arguments::{Gc as Arguments, TextOrJson};
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::table::{Column, Table};
use crate::lock;
use crate::oci::{Blob, canonical_json};
use crate::store::{Held, Kind, Policy, Roots, Store, garbage};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// How long a hint is kept that no layer has renewed: it costs some KiB, and spares the next build of that layer half of its hashing.
const HINTS: Duration = Duration::from_secs(30 * 86_400);

/// Removes what nothing needs, or shows it.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let (place, project) = invocation.store_place()?;
    let manner = Manner::choose(invocation.global, invocation.environment, false);
    let reporter = Reporter::start(manner, invocation.environment);
    let failed = |error| Failure::from_error(Exit::Action, &error);
    let store = if arguments.dry_run {
        Store::look(&place, &reporter.events())
    } else {
        Store::open_alone(&place, &reporter.events()).map_err(failed)?
    };
    let Some(store) = store else { return Err(no_store(&place)) };
    let sources = locked_sources(project.as_deref())?;
    let held = store
        .inventory(Roots { sources: &sources, builds: arguments.keep_builds })
        .map_err(|error| failed(error).hint("`remint cache check` sets aside what is damaged"))?;
    let before = arguments.older_than.map(|age| UNIX_EPOCH + now().saturating_sub(age));
    let goes: BTreeSet<usize> =
        garbage(&held, &Policy { keep_size: arguments.keep_size, before }).into_iter().collect();
    if !arguments.dry_run {
        for at in &goes {
            store.remove(held[*at].item).map_err(failed)?;
        }
        store.forget_hints(before.unwrap_or_else(|| UNIX_EPOCH + now().saturating_sub(HINTS)));
    }
    let _ = reporter.finish();
    let held: Vec<(bool, Held)> = held.into_iter().enumerate().map(|(at, held)| (goes.contains(&at), held)).collect();
    if arguments.format == TextOrJson::Json {
        screen::data(&format!("{}\n", as_json(&held, arguments.dry_run)))?;
    } else {
        screen::data(&table(&held, arguments.dry_run).render(invocation.environment.stdout.width))?;
    }
    Ok(Exit::Done)
}

/// The sources that a project's lock pins; none, if there is no lock.
///
/// A lock that cannot be read is an error here: nobody knows what it needs.
pub(super) fn locked_sources(project: Option<&Path>) -> Result<Vec<Blob>, Failure> {
    let Some(project) = project else { return Ok(Vec::new()) };
    let lock = lock::read(&project.join("remint.lock")).map_err(|error| Failure::from_error(Exit::Recipe, &error))?;
    let lock = lock.unwrap_or_default();
    let bases = lock
        .bases
        .values()
        .flat_map(|pin| [pin.manifest, pin.config].into_iter().chain(pin.layers.iter().map(|layer| layer.blob)));
    Ok(lock.packages.values().map(|pin| pin.deb).chain(bases).collect())
}

/// A number of files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) size: u64,
}

impl Sum {
    pub(super) fn add(&mut self, held: &Held) {
        self.count += 1;
        self.size += held.size;
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.size += other.size;
    }
}

/// How much there is of each kind, and how much of that is as asked; kinds of which there is nothing are left out.
pub(super) fn sums<'a>(
    held: impl IntoIterator<Item = &'a Held>,
    asked: impl Fn(&Held) -> bool,
) -> BTreeMap<Kind, (Sum, Sum)> {
    let mut sums: BTreeMap<Kind, (Sum, Sum)> = BTreeMap::new();
    for held in held {
        let (all, some) = sums.entry(held.kind).or_default();
        all.add(held);
        if asked(held) {
            some.add(held);
        }
    }
    sums
}

fn table(held: &[(bool, Held)], dry_run: bool) -> Table {
    let mut table = Table::new([
        Column::text("KIND"),
        Column::number(if dry_run { "WOULD GO" } else { "REMOVED" }),
        Column::number("SIZE"),
        Column::number("KEPT"),
        Column::number("SIZE"),
    ]);
    let gone = sums(held.iter().filter(|(goes, _)| *goes).map(|(_, held)| held), |_| false);
    let kept = sums(held.iter().filter(|(goes, _)| !*goes).map(|(_, held)| held), |_| false);
    let (mut all_gone, mut all_kept) = (Sum::default(), Sum::default());
    let cells = |name: &str, gone: Sum, kept: Sum| {
        [name.to_owned(), gone.count.to_string(), size(gone.size), kept.count.to_string(), size(kept.size)]
    };
    for kind in Kind::ALL {
        let of = |sums: &BTreeMap<Kind, (Sum, Sum)>| sums.get(&kind).map(|(all, _)| *all);
        let (gone, kept) = (of(&gone), of(&kept));
        if gone.is_none() && kept.is_none() {
            continue;
        }
        let (gone, kept) = (gone.unwrap_or_default(), kept.unwrap_or_default());
        all_gone.join(&gone);
        all_kept.join(&kept);
        table.row(cells(name(kind), gone, kept));
    }
    table.row(cells("in all", all_gone, all_kept));
    table
}

fn as_json(held: &[(bool, Held)], dry_run: bool) -> String {
    let gone = held.iter().filter(|(goes, _)| *goes).map(|(_, held)| held);
    let removed: Vec<Value> = gone
        .clone()
        .map(|held| json!({ "kind": held.kind, "name": held.item.to_string(), "size": held.size }))
        .collect();
    let freed: u64 = gone.map(|held| held.size).sum();
    let kept: u64 = held.iter().filter(|(goes, _)| !*goes).map(|(_, held)| held.size).sum();
    let all = json!({ "dry_run": dry_run, "freed": freed, "kept": kept, "removed": removed });
    String::from_utf8(canonical_json(&all)).expect("JSON is UTF-8")
}

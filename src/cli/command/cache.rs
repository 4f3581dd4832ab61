//! `remint cache`: what the store holds and why, and whether it is whole.

use super::gc::{Sum, locked_sources, sums};
use super::{Invocation, no_store};
use crate::cli::amount::{count, size};
use crate::cli::arguments::{Cache as Arguments, CacheCommand, TextOrJson};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::table::{Column, Table};
use crate::event::Events;
use crate::oci::canonical_json;
use crate::store::{Checked, Held, Item, Kind, Reason, Roots, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// How many builds of each image count as needed here: as many as `remint gc` keeps.
const BUILDS: usize = 3;

/// Shows what the store holds, or checks it.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let (place, project) = invocation.store_place()?;
    let json = arguments.format == TextOrJson::Json;
    match arguments.command {
        Some(CacheCommand::Check) => check(invocation, &place, json),
        None => show(invocation, &place, project.as_deref(), json),
    }
}

fn show(invocation: Invocation<'_>, place: &Path, project: Option<&Path>, json: bool) -> Result<Exit, Failure> {
    let Some(store) = Store::look(place, &Events::none()) else { return Err(no_store(place)) };
    let sources = locked_sources(project)?;
    let held = store.inventory(Roots { sources: &sources, builds: BUILDS }).map_err(|error| {
        Failure::from_error(Exit::No, &error).hint("`remint cache check` sets aside what is damaged")
    })?;
    if json {
        screen::data(&format!("{}\n", as_json(place, &held)))?;
    } else {
        screen::data(&text(&held, invocation.environment.stdout.width))?;
    }
    Ok(Exit::Done)
}

/// What each image of the store has, and what it has alone.
fn images(held: &[Held]) -> BTreeMap<&str, (Sum, Sum)> {
    let mut images: BTreeMap<&str, (Sum, Sum)> = BTreeMap::new();
    for held in held.iter().filter(|held| matches!(held.item, Item::Blob(_))) {
        let named: Vec<&str> = held
            .needed_by
            .iter()
            .filter_map(|reason| if let Reason::Image(name) = reason { Some(name.as_str()) } else { None })
            .collect();
        for name in &named {
            let (all, alone) = images.entry(name).or_default();
            all.add(held);
            if named.len() == 1 {
                alone.add(held);
            }
        }
    }
    images
}

/// What a kind of file is called.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Document => "image documents",
        Kind::Layer => "layers",
        Kind::Source => "sources",
        Kind::Fragment => "fragments",
        Kind::Result => "results",
        Kind::Build => "build records",
        Kind::Download => "unfinished downloads",
        Kind::Other => "others",
    }
}

fn text(held: &[Held], width: Option<usize>) -> String {
    let mut kinds = Table::new([
        Column::text("KIND"),
        Column::number("COUNT"),
        Column::number("SIZE"),
        Column::number("GARBAGE"),
        Column::prose("NEEDED BY"),
    ]);
    let mut all = (Sum::default(), Sum::default());
    for (kind, (total, garbage)) in sums(held, |held| held.needed_by.is_empty()) {
        all.0.join(&total);
        all.1.join(&garbage);
        let of_kind = held.iter().filter(|held| held.kind == kind);
        kinds.row([
            name(kind).to_owned(),
            total.count.to_string(),
            size(total.size),
            size(garbage.size),
            needed(of_kind),
        ]);
    }
    kinds.row(["in all".to_owned(), all.0.count.to_string(), size(all.0.size), size(all.1.size)]);
    let mut text = kinds.render(width);
    let mut by_image = Table::new([Column::prose("IMAGE"), Column::number("SIZE"), Column::number("ALONE")]);
    for (name, (all, alone)) in images(held) {
        by_image.row([name.to_owned(), size(all.size), size(alone.size)]);
    }
    if !by_image.is_empty() {
        let _ = write!(text, "\n{}", by_image.render(width));
    }
    text
}

/// Who needs files of one kind, in a few words.
fn needed<'a>(held: impl Iterator<Item = &'a Held>) -> String {
    let mut who: BTreeMap<&'static str, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for reason in held.flat_map(|held| &held.needed_by) {
        match reason {
            Reason::Image(name) => who.entry("images").or_default().insert(name),
            Reason::Lock => who.entry("lock").or_default().insert(""),
            Reason::Build { image, .. } => who.entry("builds").or_default().insert(image),
        };
    }
    let words = who.into_iter().map(|(what, names)| match what {
        "images" => count(names.len() as u64, "image"),
        "builds" => format!("the last builds of {}", count(names.len() as u64, "image")),
        _ => "remint.lock".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn as_json(place: &Path, held: &[Held]) -> String {
    let kinds: Vec<Value> = sums(held, |held| held.needed_by.is_empty())
        .into_iter()
        .map(|(kind, (all, garbage))| {
            json!({ "kind": kind, "count": all.count, "size": all.size, "garbage": garbage.size })
        })
        .collect();
    let images: Vec<Value> = images(held)
        .into_iter()
        .map(|(name, (all, alone))| json!({ "name": name, "size": all.size, "alone": alone.size }))
        .collect();
    let blobs: Vec<Value> = held
        .iter()
        .filter_map(|held| {
            let Item::Blob(digest) = held.item else { return None };
            let needed_by: Vec<String> = held.needed_by.iter().map(ToString::to_string).collect();
            Some(json!({ "digest": digest, "kind": held.kind, "size": held.size, "needed_by": needed_by }))
        })
        .collect();
    let all = json!({ "store": place.display().to_string(), "kinds": kinds, "images": images, "blobs": blobs });
    String::from_utf8(canonical_json(&all)).expect("JSON is UTF-8")
}

fn check(invocation: Invocation<'_>, place: &Path, json: bool) -> Result<Exit, Failure> {
    let manner = Manner::choose(invocation.global, invocation.environment, false);
    let reporter = Reporter::start(manner, invocation.environment);
    let Some(store) = Store::look(place, &reporter.events()) else { return Err(no_store(place)) };
    let checked = store
        .check_all(invocation.environment.cores.get())
        .map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let _ = reporter.finish();
    if json {
        screen::data(&format!("{}\n", check_json(&checked)))?;
    } else {
        screen::data(&check_text(&checked))?;
    }
    Ok(if checked.wrong.is_empty() { Exit::Done } else { Exit::No })
}

/// Each thing that was wrong, and what was done about it.
fn lines(checked: &Checked) -> impl Iterator<Item = (String, String)> {
    checked.wrong.iter().map(|wrong| {
        let done = match &wrong.removed {
            None => "the next build makes it again".to_owned(),
            Some(Ok(())) => "removed: the next build makes it again".to_owned(),
            Some(Err(error)) => {
                let why = std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
                format!("{error}{why}")
            }
        };
        (wrong.what.to_string(), done)
    })
}

fn check_text(checked: &Checked) -> String {
    let mut text = String::new();
    for (what, done) in lines(checked) {
        let _ = writeln!(text, "{what}\n  {done}");
    }
    let (blobs, results) = (count(checked.blobs, "blob"), count(checked.results, "result"));
    let found = match checked.wrong.len() {
        0 => "all whole".to_owned(),
        number => format!("{number} wrong"),
    };
    let _ = writeln!(text, "{blobs} of {}, {results}: {found}", size(checked.bytes));
    text
}

fn check_json(checked: &Checked) -> String {
    let wrong: Vec<Value> = lines(checked).map(|(what, done)| json!({ "what": what, "done": done })).collect();
    let all = json!({
        "blobs": checked.blobs,
        "bytes": checked.bytes,
        "results": checked.results,
        "dangling": checked.dangling,
        "wrong": wrong,
    });
    String::from_utf8(canonical_json(&all)).expect("JSON is UTF-8")
}

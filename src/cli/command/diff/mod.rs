//! `remint diff`.

mod text;

use super::Invocation;
use super::unopened::unopened;
use super::verify::{about_run, write_file};
use crate::cli::arguments::{Diff, TextOrJson};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::event::Events;
use crate::image::{ImagePlace, OpenError, Opened, PlaceError};
use crate::oci::canonical_json;
use crate::verify::diff::{Error, Hints, Options, Verdict, compare};
use crate::verify::page::comparison_page;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many differing files are looked into.
pub(super) const EXPLAINED: usize = 500;

/// Shows what differs between two images.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Diff) -> Result<Exit, Failure> {
    let began = Instant::now();
    // Of a registry that makes wait, somebody wants to hear.
    let reporter =
        Reporter::start(Manner::choose(invocation.global, invocation.environment, false), invocation.environment);
    let events = reporter.events();
    let side = |text: &str| open(invocation, arguments, text, &events);
    let (a, b) = (side(&arguments.a)?, side(&arguments.b)?);
    let options = Options { scratch: std::env::temp_dir(), explained: EXPLAINED, hints: Hints::default() };
    let comparison = compare(&a, &b, &options).map_err(|error| {
        // Never with 1, which says that the images differ.
        match &error {
            Error::Open(error) => unopened(error),
            Error::Spool { .. } => {
                Failure::from_error(Exit::Action, &error).hint("`TMPDIR=DIR remint diff …` uses another folder")
            }
            Error::Layer { .. } | Error::Hardlink { .. } | Error::Changed { .. } => {
                Failure::from_error(Exit::Source, &error)
            }
        }
    })?;
    let _ = reporter.finish();
    if let Some(file) = &arguments.report {
        let page = comparison_page(&comparison, &about_run(began.elapsed()));
        write_file(&invocation.environment.cwd.join(file), &page, false)?;
    }
    match arguments.format {
        TextOrJson::Text => screen::data(&text::text(&comparison))?,
        TextOrJson::Json => {
            let json = String::from_utf8(canonical_json(&comparison)).expect("JSON is UTF-8");
            screen::data(&format!("{json}\n"))?;
        }
    }
    Ok(if comparison.verdict == Verdict::Different { Exit::No } else { Exit::Done })
}

/// Says it where not a part is missing but the whole that the command line names, or where it is of another kind.
fn absent(place: &ImagePlace, cwd: &Path, error: &OpenError) -> Option<String> {
    let shown = |path: &Path| path.strip_prefix(cwd).unwrap_or(path).display().to_string();
    match (place, error) {
        (ImagePlace::Tar(path), OpenError::Missing { .. }) => {
            let there = cwd.join(path).exists();
            Some(if there { format!("`{place}` is not a file") } else { format!("there is no file `{}`", shown(path)) })
        }
        (ImagePlace::Layout(rest), OpenError::Missing { .. } | OpenError::Io { .. }) => {
            // What stands behind a colon may be a reference, or part of the path.
            let ends = rest.match_indices(':').map(|(at, _)| at).chain([rest.len()]);
            let paths: Vec<PathBuf> = ends.map(|end| cwd.join(&rest[..end])).filter(|path| path.exists()).collect();
            match &paths[..] {
                [] => Some(format!("there is no directory `{}`", shown(Path::new(rest)))),
                all if !all.iter().any(|path| path.is_dir()) => Some(format!("`{place}` is not a directory")),
                _ => None,
            }
        }
        _ => None,
    }
}

fn open(invocation: Invocation<'_>, arguments: &Diff, text: &str, events: &Events) -> Result<Opened, Failure> {
    let place: ImagePlace = text.parse().map_err(|error: PlaceError| {
        Failure::from_error(Exit::Usage, &error).hint(
            "an image that is not in the store is `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `tar:FILE` or `registry/name:tag`",
        )
    })?;
    let cwd = &invocation.environment.cwd;
    let in_store = matches!(place, ImagePlace::Store(_));
    let store = if in_store { invocation.places()?.cache } else { cwd.clone() };
    if in_store && !store.is_dir() {
        let message = format!("there is no store yet in `{}`", store.display());
        return Err(Failure::new(Exit::Usage, message).hint("`remint build` fills it"));
    }
    let project = if matches!(place, ImagePlace::Registry(_)) { Session::settings(invocation)? } else { None };
    let client = registries::client(invocation, project.as_ref(), &arguments.registry, events)?;
    let opened = place.open(&store, cwd, &client).map_err(|error| {
        if let Some(message) = absent(&place, cwd, &error) {
            return Failure::new(Exit::Usage, message);
        }
        unopened(&error)
    })?;
    match arguments.platform {
        // A flat root file system is for whatever it is for.
        Some(platform) if !matches!(place, ImagePlace::Tar(_)) => {
            opened.narrow(&platform.to_string()).map_err(|error| unopened(&error))
        }
        _ => Ok(opened),
    }
}

//! `remint why`.

use super::Invocation;
use crate::build::{History, Story, ahead, configured_ahead, histories};
use crate::cli::arguments::{TextOrJson, Why};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::screen;
use crate::cli::session::Session;
use crate::event::{Event, Events};
use crate::image::{ImagePlace, ImageRef, ImageRefError};
use crate::oci::{Platform, canonical_json};
use crate::plan::{Plan, Reason};
use crate::store::Store;
use std::fmt::Write as _;
use std::path::Path;

/// At most this many reasons of one layer are shown to people.
const SHOWN: usize = 20;

/// Tells why images' layers were built by the last build that changed them.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Why) -> Result<Exit, Failure> {
    let (cache, project) = invocation.store_place()?;
    let wanted: Vec<ImageRef> =
        arguments.images.iter().map(|text| of_store(text, &arguments.platform)).collect::<Result<_, _>>()?;
    let store = Store::look(&cache, &Events::none());
    let known = |name| store.as_ref().map_or_else(Vec::new, |store| histories(store, name));
    let mut all: Vec<History> = Vec::new();
    for image in &wanted {
        let found = known(Some(image.name.as_str()));
        let there: Vec<String> = found.iter().map(|history| history.platform.clone()).collect();
        let meant = found.into_iter().filter(|history| means(arguments, image.platform, history));
        let meant: Vec<History> = meant.collect();
        if meant.is_empty() {
            return Err(unknown(invocation, arguments, &cache, image, &there));
        }
        all.extend(meant.into_iter().filter(|history| !all.contains(history)).collect::<Vec<_>>());
    }
    if wanted.is_empty() {
        all = known(None);
        all.retain(|history| means(arguments, None, history));
    }
    let (Some(store), false) = (store, all.is_empty()) else {
        let message = format!("the store in `{}` knows of no build{}", cache.display(), asked(arguments, None));
        return Err(Failure::new(Exit::No, message).hint("`remint build` builds, with `--explain` it says why"));
    };
    let lock = project.map(|project| lock_text(&project)).unwrap_or_default();
    let told: Vec<Told> = all.iter().map(|history| Told::new(history, &store, &lock)).collect();
    match arguments.format {
        TextOrJson::Text => {
            let texts: Vec<String> = told.iter().map(Told::text).collect();
            screen::data(&texts.join("\n"))?;
        }
        TextOrJson::Json => {
            let json = String::from_utf8(canonical_json(&told)).expect("JSON is UTF-8");
            screen::data(&format!("{json}\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// The image of the store that a text names, in any way in which other commands take one.
fn of_store(text: &str, platforms: &[Platform]) -> Result<ImageRef, Failure> {
    let named: Result<ImageRef, _> = text.strip_prefix("cache:").unwrap_or(text).parse();
    let image = named.map_err(|error: ImageRefError| match text.parse::<ImagePlace>() {
        Ok(place) if !matches!(place, ImagePlace::Store(_)) => {
            let message = format!("`{place}` is not in the store, which knows of its own builds alone");
            Failure::new(Exit::Usage, message)
                .hint("`remint diff A B` says what differs between two images, wherever they are")
        }
        _ => Failure::from_error(Exit::Usage, &error),
    })?;
    match image.platform {
        Some(platform) if !platforms.is_empty() && !platforms.contains(&platform) => {
            let asked: Vec<String> = platforms.iter().map(ToString::to_string).collect();
            let message = format!("`{image}` and `--platform {}` leave no platform", asked.join(","));
            Err(Failure::new(Exit::Usage, message).hint("one of the two says it all"))
        }
        _ => Ok(image),
    }
}

/// Whether a history is one that was asked for, of an image that was.
fn means(arguments: &Why, platform: Option<Platform>, history: &History) -> bool {
    let asked = platform.as_ref().map_or(&arguments.platform[..], std::slice::from_ref);
    asked.is_empty() || asked.iter().any(|platform| platform.to_string() == history.platform)
}

/// For which platforms it was asked, to stand behind a sentence.
fn asked(arguments: &Why, platform: Option<Platform>) -> String {
    let asked = platform.as_ref().map_or(&arguments.platform[..], std::slice::from_ref);
    let names: Vec<String> = asked.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!(" for {}", names.join(" or ")) }
}

/// Says that no build is known of an image, or of the platforms asked for where there are others.
fn unknown(invocation: Invocation<'_>, arguments: &Why, cache: &Path, image: &ImageRef, there: &[String]) -> Failure {
    let name = &image.name;
    // Of what neither a build nor a recipe is known, the name is wrong; recipes that cannot be read say nothing of it.
    if there.is_empty()
        && let Ok(session) = Session::load(invocation)
        && let Err(failure) = session.choose(&[name.to_string()])
    {
        return failure;
    }
    let asked = asked(arguments, image.platform);
    let failure =
        Failure::new(Exit::No, format!("the store in `{}` knows of no build of `{name}`{asked}", cache.display()));
    match there {
        [] => failure.hint(format!("`remint build {name}` builds it, with `--explain` it says why")),
        there => failure.hint(format!("there is {}", there.join(" and "))),
    }
}

/// Tells, before anything is built, which layers of a plan will be and why, and what changes of configurations.
pub(super) fn explain(store: &Store, plan: &Plan, project: &Path, events: &Events) {
    let lock = lock_text(project);
    for image in &plan.images {
        for (at, story) in ahead(store, plan, image).iter().enumerate() {
            events.send(Event::LayerExplained {
                image: image.name.to_string(),
                platform: image.platform.to_string(),
                layer: at as u64 + 1,
                title: story.title.clone(),
                built: story.built,
                why: told(story, &lock),
            });
        }
        let why: Vec<String> = configured_ahead(store, plan, image).iter().map(|reason| words(reason, &lock)).collect();
        if !why.is_empty() {
            let (image, platform) = (image.name.to_string(), image.platform.to_string());
            events.send(Event::ConfigurationExplained { image, platform, why });
        }
    }
}

/// What is told of one image for one platform.
#[derive(serde::Serialize)]
struct Told {
    image: String,
    platform: String,
    layers: Vec<ToldLayer>,
    /// What changed of the configuration, beside the layers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configuration: Vec<String>,
}

#[derive(serde::Serialize)]
struct ToldLayer {
    title: String,
    built: bool,
    why: Vec<String>,
}

impl Told {
    fn new(history: &History, store: &Store, lock: &str) -> Self {
        let layer = |story: Story| ToldLayer { why: told(&story, lock), title: story.title, built: story.built };
        let layers = history.story(store).into_iter().map(layer).collect();
        let configuration = history.configured().iter().map(|reason| words(reason, lock)).collect();
        Self { image: history.image.clone(), platform: history.platform.clone(), layers, configuration }
    }

    fn text(&self) -> String {
        let mut text = format!("{} {}\n", screen::plain(&self.image), screen::plain(&self.platform));
        for (at, layer) in self.layers.iter().enumerate() {
            let state = if layer.built { "built" } else { "reused" };
            let _ = writeln!(text, "{:>4}  {state:6}  {}", at + 1, screen::plain(&layer.title));
            reasons(&mut text, &layer.why);
        }
        if !self.configuration.is_empty() {
            let only = if self.layers.iter().any(|layer| layer.built) { "" } else { ", and all layers were reused" };
            let _ = writeln!(text, "   -  changed the configuration{only}");
            reasons(&mut text, &self.configuration);
        }
        text
    }
}

fn reasons(text: &mut String, all: &[String]) {
    for why in all.iter().take(SHOWN) {
        let _ = writeln!(text, "              {}", screen::plain(why));
    }
    if all.len() > SHOWN {
        let _ = writeln!(text, "              and {} more", all.len() - SHOWN);
    }
}

/// Why a layer was built, or is another than before.
fn told(story: &Story, lock: &str) -> Vec<String> {
    story.reasons.iter().map(|reason| words(reason, lock)).collect()
}

/// A reason in words, with the line of the lock where a package is one.
pub(super) fn words(reason: &Reason, lock: &str) -> String {
    let line = reason.package.as_ref().and_then(|[name, version, arch]| {
        let begins = format!("\"{name} {version} {arch} ");
        lock.lines().position(|line| line.trim_start().starts_with(&begins))
    });
    line.map_or_else(|| reason.text.clone(), |line| format!("{}, remint.lock line {}", reason.text, line + 1))
}

/// The text of a project's lock, to find lines in.
pub(super) fn lock_text(project: &Path) -> String {
    // Without it, only the lines are not named.
    std::fs::read_to_string(project.join("remint.lock")).unwrap_or_default()
}

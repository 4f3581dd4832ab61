//! `remint why`.

use super::Invocation;
use crate::build::{History, Story, ahead, configured_ahead, histories};
use crate::cli::arguments::{TextOrJson, Why};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::screen;
use crate::event::{Event, Events};
use crate::oci::canonical_json;
use crate::plan::{Plan, Reason};
use crate::recipe::ImageName;
use crate::store::Store;
use std::fmt::Write as _;
use std::path::Path;

/// At most this many reasons of one layer are shown to people.
const SHOWN: usize = 20;

/// Tells why an image's layers were built by the last build that changed it.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Why) -> Result<Exit, Failure> {
    let places = invocation.places()?;
    let Some(name) = ImageName::parse(&arguments.image) else {
        return Err(Failure::new(Exit::Usage, format!("`{}` is not an image's name", arguments.image)));
    };
    let unknown = || {
        let message = format!("the store in `{}` knows of no build of `{name}`", places.cache.display());
        Failure::new(Exit::No, message).hint(format!("`remint build {name}` builds it, with `--explain` it says why"))
    };
    if !places.cache.is_dir() {
        return Err(unknown());
    }
    let store = Store::open(&places.cache).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let mut all = histories(&store, name.as_str());
    all.retain(|history| arguments.platform.is_none_or(|platform| platform.to_string() == history.platform));
    if all.is_empty() {
        return Err(unknown());
    }
    let lock = lock_text(&places.project);
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
        let why: Vec<String> =
            configured_ahead(store, plan, image).iter().map(|reason| words(reason, &lock)).collect();
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
        let mut text = format!("{} {}\n", self.image, self.platform);
        for (at, layer) in self.layers.iter().enumerate() {
            let state = if layer.built { "built" } else { "reused" };
            let _ = writeln!(text, "{:>4}  {state:6}  {}", at + 1, layer.title);
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
        let _ = writeln!(text, "              {}", why.replace(char::is_control, "\u{fffd}"));
    }
    if all.len() > SHOWN {
        let _ = writeln!(text, "              and {} more", all.len() - SHOWN);
    }
}

/// Why a layer was built; one that was not says no more than that its result was there, if it is another than before.
fn told(story: &Story, lock: &str) -> Vec<String> {
    match (story.built, story.reasons.is_empty()) {
        (false, false) => vec!["it was in the store already".to_owned()],
        _ => story.reasons.iter().map(|reason| words(reason, lock)).collect(),
    }
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

//! What each image's last two builds were made of, and so why its layers were built.
//!
//! ```text
//! history/<image>@<platform, with - for />   {"image":…,"platform":…,"builds":[newest, the one before]}
//! history/inputs-<hex of a layer's key>      {"title":…,"inputs":{name: value}}
//! ```
//!
//! Written only where something was built, or a key or the configuration is another, so that a build of nothing writes nothing. Nothing is ever decided
//! by it: a record that is gone or damaged is as good as none.

mod configuration;
mod pairs;

use self::pairs::pairs;
use super::{Layered, Outcome, PackedLayer};
use crate::digest::ActionKey;
use crate::plan::{Action, Explained, ImagePlan, Plan, Reason};
use crate::recipe::Compression;
use crate::store::{Error, Store};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The builds of one image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The image's name.
    pub image: String,
    /// The platform.
    pub platform: String,
    /// The builds that changed something, the newest first: two at most.
    pub builds: Vec<Build>,
}

/// A build of one image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// How its layers are compressed.
    pub compression: String,
    /// Its layers, the lowest first.
    pub layers: Vec<BuildLayer>,
    /// What its configuration was made of, beside its layers; `None`: whoever wrote the record did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<BTreeMap<String, String>>,
}

/// A layer of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildLayer {
    /// The key of the action that made its tree.
    pub key: ActionKey,
    /// What it is.
    pub title: String,
    /// Whether it was made in that build; else it was in the store before.
    pub built: bool,
}

/// Why a layer was built, or where what it is now came from although it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What it is.
    pub title: String,
    /// Whether it was built.
    pub built: bool,
    /// Why; empty for a layer that was reused as it was.
    pub reasons: Vec<Reason>,
}

/// How many builds are remembered: the last, and the one to compare it with.
const REMEMBERED: usize = 2;

/// Remembers what came of a plan, where it differs from what is remembered.
pub fn remember(store: &Store, plan: &Plan, outcome: &Outcome) -> Result<(), Error> {
    let mut changed = Vec::new();
    for (number, layers) in &outcome.images {
        let image = &plan.images[*number];
        let mut build = build_of(plan, image, |_| false);
        for (layer, outcome) in build.layers.iter_mut().zip(layers) {
            layer.built = !outcome.reused;
        }
        let mut history = read(store, image);
        let config = |build: &Build| build.config.clone();
        let idle = build.layers.iter().all(|layer| !layer.built);
        let keys = |build: &Build| build.layers.iter().map(|layer| layer.key).collect::<Vec<_>>();
        let same = |last: &Build| last.compression == build.compression && keys(last) == keys(&build);
        match history.builds.first_mut().filter(|last| idle && same(last)) {
            Some(last) if config(last) == config(&build) => continue,
            // A record of before configurations were written down is completed, and the build before it stays told.
            Some(last) if last.config.is_none() => last.config = build.config,
            _ => {
                history.builds.insert(0, build);
                history.builds.truncate(REMEMBERED);
            }
        }
        changed.push((image, history));
    }
    if changed.is_empty() {
        return Ok(());
    }
    let _turn = store.lock_history()?;
    let keys: BTreeSet<&ActionKey> = changed.iter().flat_map(|(image, _)| &image.layers).collect();
    keys.into_par_iter().try_for_each(|key| {
        let name = inputs_name(key);
        let inputs = if store.history(&name).is_none() { Explained::of(plan, key) } else { None };
        inputs.map_or(Ok(()), |inputs| store.put_history(&name, &json(&inputs)))
    })?;
    changed.par_iter().try_for_each(|(image, history)| store.put_history(&name(image), &json(history)))?;
    forget_unused(store);
    Ok(())
}

/// The builds of an image, or of all of them, that are remembered, a history an image and platform, sorted by both.
#[must_use]
pub fn histories(store: &Store, image: Option<&str>) -> Vec<History> {
    let of_it = |name: &str| name.split_once('@').is_some_and(|(of, _)| image.is_none_or(|image| of == image));
    let names = store.histories().into_iter().filter(|name| of_it(name));
    names.filter_map(|name| parse(store, &name)).filter(|history| !history.builds.is_empty()).collect()
}

impl History {
    /// Why each layer of the last build was built.
    #[must_use]
    pub fn story(&self, store: &Store) -> Vec<Story> {
        let known = |key: &ActionKey| serde_json::from_slice(&store.history(&inputs_name(key))?).ok();
        self.builds.first().map_or_else(Vec::new, |now| story(now, self.builds.get(1), &known, &known))
    }

    /// What the last build changed of the configuration, beside what its layers are made of.
    #[must_use]
    pub fn configured(&self) -> Vec<Reason> {
        match &self.builds[..] {
            [now, before, ..] => configured(now, before),
            _ => Vec::new(),
        }
    }
}

/// What a planned image is made of otherwise than it was built last, each with the number of the layer, from 0, and its title; with
/// neither, it is the configuration. `None`: no build of it is known.
#[must_use]
pub fn changed_since(store: &Store, plan: &Plan, image: &ImagePlan) -> Option<Vec<(Option<usize>, Story)>> {
    let history = read(store, image);
    let last = history.builds.first()?;
    let there = |key: &ActionKey| last.layers.iter().any(|old| old.key == *key);
    // As if all of it was to be built: what the store has of it already is not asked.
    let known = |key: &ActionKey| serde_json::from_slice(&store.history(&inputs_name(key))?).ok();
    let now = build_of(plan, image, |_| true);
    let stories = story(&now, Some(last), &|key| Explained::of(plan, key), &known);
    let stories = stories.into_iter().zip(&image.layers).enumerate();
    let mut changed: Vec<(Option<usize>, Story)> =
        stories.filter(|(_, (_, key))| !there(key)).map(|(at, (story, _))| (Some(at), story)).collect();
    let reasons = configured(&now, last);
    if !reasons.is_empty() {
        changed.push((None, Story { title: String::new(), built: false, reasons }));
    }
    Some(changed)
}

/// What a build of a planned image would change of its configuration, beside what its layers are made of.
#[must_use]
pub fn configured_ahead(store: &Store, plan: &Plan, image: &ImagePlan) -> Vec<Reason> {
    let now = build_of(plan, image, |_| false);
    read(store, image).builds.first().map_or_else(Vec::new, |before| configured(&now, before))
}

fn configured(now: &Build, before: &Build) -> Vec<Reason> {
    let mut reasons = match (&now.config, &before.config) {
        (Some(now), Some(before)) => configuration::since(now, before),
        _ => Vec::new(),
    };
    reasons.extend(rearranged(now, before).into_iter().map(|text| Reason { text, package: None }));
    reasons
}

/// Which layers are gone, and that the rest stand in another order: what no layer that is there tells.
fn rearranged(now: &Build, before: &Build) -> Vec<String> {
    let pairs = pairs(now, before);
    let gone = before.layers.iter().enumerate().filter(|(at, _)| !pairs.contains(&Some(*at)));
    let mut texts: Vec<String> = gone.map(|(_, old)| format!("layer `{}` is gone", old.title)).collect();
    if !pairs.iter().flatten().is_sorted() {
        texts.push("its layers stand in another order".to_owned());
    }
    texts
}

/// Why each layer of a planned image would be built, or would not.
#[must_use]
pub fn ahead(store: &Store, plan: &Plan, image: &ImagePlan) -> Vec<Story> {
    let there = |key: &ActionKey| {
        let layered = store.action::<Layered>(key).ok().flatten();
        layered.is_some_and(|layered| {
            matches!(store.action::<PackedLayer>(&layered.pack_key(image.compression)), Ok(Some(_)))
        })
    };
    let now = build_of(plan, image, |key| !there(key));
    let known = |key: &ActionKey| serde_json::from_slice(&store.history(&inputs_name(key))?).ok();
    story(&now, read(store, image).builds.first(), &|key| Explained::of(plan, key), &known)
}

fn story(
    now: &Build,
    before: Option<&Build>,
    inputs_now: &dyn Fn(&ActionKey) -> Option<Explained>,
    inputs_before: &dyn Fn(&ActionKey) -> Option<Explained>,
) -> Vec<Story> {
    let say = |text: &str| vec![Reason { text: text.to_owned(), package: None }];
    let paired = before.map(|before| (before, pairs(now, before)));
    let reasons = |at: usize, layer: &BuildLayer| {
        let there = "it was in the store already";
        let Some((before, pairs)) = &paired else {
            return say(if layer.built { "first build on this store" } else { there });
        };
        let old = pairs[at].map(|old| (old, &before.layers[old].key));
        if old.is_some_and(|(_, key)| *key == layer.key) {
            return match (layer.built, before.compression == now.compression) {
                (false, true) => Vec::new(),
                (false, false) => say(&format!("compressed by {} now: {there}", now.compression)),
                (true, false) => say(&format!("compressed by {} now", now.compression)),
                (true, true) => say("nothing of it changed: its result was not in the store any more"),
            };
        }
        let mut changes = match old.map(|(old, key)| (old, inputs_now(&layer.key), inputs_before(key))) {
            None => say("it is new in this image"),
            Some((old, Some(new), Some(inputs))) => {
                let below = match at.checked_sub(1).map(|below| pairs[below]) {
                    None => "it lies on no layer now",
                    Some(Some(below)) if below + 1 == old => "it lies on a layer that changed",
                    Some(_) => "it lies on another layer now",
                };
                new.since(&inputs, below)
            }
            Some(_) if layer.built => say("what it was made of before is not known any more"),
            Some(_) => Vec::new(),
        };
        if !layer.built {
            changes.extend(say(there));
        }
        changes
    };
    let layers = now.layers.iter().enumerate();
    layers
        .map(|(at, layer)| Story { title: layer.title.clone(), built: layer.built, reasons: reasons(at, layer) })
        .collect()
}

fn build_of(plan: &Plan, image: &ImagePlan, built: impl Fn(&ActionKey) -> bool) -> Build {
    let layers = image.layers.iter().map(|key| {
        let title = match plan.actions.get(key) {
            Some(Action::Layer(layer)) => layer.title.clone(),
            _ => String::new(),
        };
        BuildLayer { key: *key, title, built: built(key) }
    });
    let compression = match image.compression {
        Compression::Zstd => "zstd",
        Compression::Gzip => "gzip",
    };
    let config = Some(configuration::inputs(image));
    Build { compression: compression.to_owned(), layers: layers.collect(), config }
}

fn read(store: &Store, image: &ImagePlan) -> History {
    parse(store, &name(image)).unwrap_or_else(|| History {
        image: image.name.to_string(),
        platform: image.platform.to_string(),
        builds: Vec::new(),
    })
}

/// A record as it is written. Nothing names it by its digest, so that its spelling is nobody's business.
fn json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("remint's own types are JSON")
}

fn parse(store: &Store, name: &str) -> Option<History> {
    serde_json::from_slice(&store.history(name)?).ok()
}

fn name(image: &ImagePlan) -> String {
    format!("{}@{}", image.name, image.platform.to_string().replace('/', "-"))
}

/// What the names of records of inputs begin with; no image's does, which is followed by an `@`.
const INPUTS: &str = "inputs-";

fn inputs_name(key: &ActionKey) -> String {
    format!("{INPUTS}{}", key.0.hex())
}

/// Removes the inputs of layers that no remembered build has.
fn forget_unused(store: &Store) {
    let (inputs, images): (Vec<String>, Vec<String>) =
        store.histories().into_iter().partition(|name| name.starts_with(INPUTS) && !name.contains('@'));
    let histories = images.iter().filter_map(|name| parse(store, name));
    let used: BTreeSet<String> = histories
        .flat_map(|history| history.builds)
        .flat_map(|build| build.layers)
        .map(|layer| inputs_name(&layer.key))
        .collect();
    for name in inputs.iter().filter(|name| !used.contains(*name)) {
        store.forget_history(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use std::collections::BTreeMap;

    fn layer(title: &str, version: &str, built: bool) -> BuildLayer {
        let key = ActionKey(Digest::of(format!("{title} {version}").as_bytes()));
        BuildLayer { key, title: title.to_owned(), built }
    }

    fn build(layers: Vec<BuildLayer>) -> Build {
        Build { compression: "zstd".to_owned(), layers, config: None }
    }

    fn told(now: &Build, before: Option<&Build>) -> Vec<String> {
        let inputs = |version: &'static str| {
            move |_: &ActionKey| {
                let inputs = BTreeMap::from([("to".to_owned(), version.to_owned())]);
                Some(Explained { title: String::new(), inputs })
            }
        };
        let stories = story(now, before, &inputs("/new"), &inputs("/old"));
        stories.into_iter().map(|one| one.reasons.into_iter().map(|reason| reason.text).collect()).collect()
    }

    #[test]
    fn each_layer_is_told_by_what_became_of_it() {
        let first = build(vec![layer("packages a", "1", true), layer("copy x to /", "1", true)]);
        assert_eq!(told(&first, None), ["first build on this store"; 2]);
        let mut again = first.clone();
        again.layers[0].built = false;
        assert_eq!(told(&again, Some(&first)), ["", "nothing of it changed: its result was not in the store any more"]);
        let other = Build { compression: "gzip".to_owned(), ..first.clone() };
        assert_eq!(told(&other, Some(&first)), ["compressed by gzip now"; 2]);
        let packed = Build { compression: "gzip".to_owned(), ..again.clone() };
        assert_eq!(told(&packed, Some(&first))[0], "compressed by gzip now: it was in the store already");
        let more = build(vec![
            layer("packages a", "1", false),
            layer("packages b", "1", true),
            layer("copy x to /", "2", true),
        ]);
        assert_eq!(told(&more, Some(&first)), ["", "it is new in this image", "`to` /old → /new"]);
        let renamed = build(vec![layer("packages a c", "1", true)]);
        assert_eq!(told(&renamed, Some(&first)), ["`to` /old → /new"]);
    }

    #[test]
    fn layers_that_are_gone_and_another_order_are_told() {
        let [a, b, c] = ["packages a", "copy b to /", "write c"].map(|title| layer(title, "1", false));
        let before = build(vec![a.clone(), b.clone(), c.clone()]);
        let told = |layers: Vec<BuildLayer>| -> Vec<String> {
            configured(&build(layers), &before).into_iter().map(|reason| reason.text).collect()
        };
        assert_eq!(told(before.layers.clone()), [""; 0]);
        assert_eq!(told(vec![a.clone(), c.clone()]), ["layer `copy b to /` is gone"]);
        // What lies above one that is gone is another, and is told by itself; so is what took its place.
        assert_eq!(told(vec![a.clone(), layer("write c", "2", true)]), ["layer `copy b to /` is gone"]);
        assert_eq!(told(vec![a.clone(), layer("copy b to /x", "1", true), c.clone()]), [""; 0]);
        let moved = |layer: &BuildLayer| BuildLayer { key: ActionKey(Digest::of(b"moved")), ..layer.clone() };
        assert_eq!(told(vec![a.clone(), c.clone(), moved(&b)]), ["its layers stand in another order"]);
        assert_eq!(told(vec![moved(&b), moved(&a), moved(&c)]), ["its layers stand in another order"]);
    }

    #[test]
    fn what_a_layer_lies_on_is_told() {
        let inputs = |key: &ActionKey| {
            let inputs = BTreeMap::from([("layer below".to_owned(), key.to_string())]);
            Some(Explained { title: String::new(), inputs })
        };
        let before = build(["packages a", "copy b to /", "write c"].map(|title| layer(title, "1", true)).to_vec());
        let told = |layers: &[BuildLayer]| -> Vec<String> {
            let stories = story(&build(layers.to_vec()), Some(&before), &inputs, &inputs);
            stories.into_iter().map(|one| one.reasons.into_iter().map(|reason| reason.text).collect()).collect()
        };
        let [a, b, c] = ["packages a", "copy b to /", "write c"].map(|title| layer(title, "2", true));
        let (changed, other) = ("it lies on a layer that changed", "it lies on another layer now");
        assert_eq!(told(&[b.clone(), a.clone(), c.clone()]), ["it lies on no layer now", other, other]);
        assert_eq!(told(&[before.layers[0].clone(), b.clone(), c.clone()])[2], changed);
        assert_eq!(told(&[before.layers[0].clone(), c.clone()])[1], other, "the one below is what it was");
        let mut reused = [before.layers[0].clone(), b, c];
        reused[2].built = false;
        assert_eq!(told(&reused)[2], format!("{changed}it was in the store already"));
    }
}

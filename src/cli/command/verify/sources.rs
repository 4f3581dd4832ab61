//! Whether an image in a registry was made from this project's recipes, lock and files, or from others, by the provenance attached
//! to it.

use super::super::publish::recipe_digests;
use super::registry::Fetched;
use crate::attest::{Materials, Stated, Trace, provenance};
use crate::cli::session::Session;
use crate::digest::Digest;
use crate::lock::{self, Lock};
use crate::plan::{ImagePlan, Plan};
use crate::recipe::ImageName;
use crate::registry::clean;
use crate::verify::rebuild::{Difference, ImageVerdict, Verdict, stated};
use std::collections::{BTreeMap, BTreeSet};

/// What the difference is called.
const WHAT: &str = "what it was made from";

/// What helps where that is something else.
const OTHERS: &str = "check out the commit that the image was built from and verify it there, or publish anew what this project gives: `remint publish`";

/// What helps where that is not known.
const UNKNOWN: &str = "if it was published from another commit, check that one out and verify it there, or publish anew what this project gives: `remint publish`";

/// What is said where nothing is another.
const SAME: &str =
    "its provenance names this project's recipes and lock, so what differs does not follow from these alone";

/// What this project has.
struct Ours<'a> {
    session: &'a Session,
    recipes: BTreeMap<ImageName, Digest>,
    lock: Option<Digest>,
    /// What says where layers come from, and the lock that it follows from; `None`: they do not match the recipes.
    planned: Option<(Lock, Plan)>,
}

/// Says of each image that differs whether it was made from something else, before all else that differs; gives what helps.
pub(super) fn explain(
    verdict: &mut Verdict,
    fetched: &Fetched<'_>,
    session: &Session,
    lock: Option<Digest>,
    epoch: Option<u64>,
) -> Vec<String> {
    let mut hints = Vec::new();
    if verdict.images.iter().all(ImageVerdict::identical) {
        return hints;
    }
    let names = fetched.references.keys().cloned().collect();
    let ours = Ours { session, recipes: recipe_digests(session), lock, planned: plan(session, &names, epoch) };
    for image in verdict.images.iter_mut().filter(|image| !image.identical()) {
        let remote = fetched.references.iter().find(|(name, _)| name.as_str() == image.name);
        let (Some((_, remote)), Some(manifest), Some(platform)) = (remote, image.expected, &image.platform) else {
            continue;
        };
        let (difference, hint) = match stated(fetched.client, &remote.repository, manifest) {
            // Published again after a change that changed no bit, it has several; the nearest tells the most.
            Ok(all) => match all.iter().map(|one| ours.others(&image.name, platform, one)).min_by_key(Vec::len) {
                None => (unknown("nothing attached to it says from which recipes and lock it was made"), Some(UNKNOWN)),
                Some(others) if others.is_empty() => (Difference::note(WHAT, SAME), None),
                Some(others) => {
                    image.other_sources = true;
                    (Difference { what: WHAT.to_owned(), notes: others, ..Difference::default() }, Some(OTHERS))
                }
            },
            Err(error) => (unknown(&format!("its provenance cannot be read: {error}")), Some(UNKNOWN)),
        };
        image.differences.insert(0, difference);
        hints.extend(hint.map(str::to_owned).filter(|hint| !hints.contains(hint)));
    }
    hints
}

/// Both possibilities, where nothing tells them apart.
fn unknown(why: &str) -> Difference {
    let either =
        "either these are others than this project's, or what is built does not follow from them alone".to_owned();
    Difference { what: WHAT.to_owned(), notes: vec![why.to_owned(), either], ..Difference::default() }
}

/// Plans the images anew: a plan knows what layers copy.
fn plan(session: &Session, names: &BTreeSet<ImageName>, epoch: Option<u64>) -> Option<(Lock, Plan)> {
    let lock = session.lock().ok()??;
    if !lock::is_complete(&lock, &session.recipes, &session.project) {
        return None;
    }
    let plan = session.plan(&lock, names, &[], epoch).ok()?;
    Some((lock, plan))
}

/// What this project has of what a statement names.
#[derive(Debug)]
struct Here {
    recipes: BTreeMap<String, Digest>,
    lock: Option<Digest>,
    /// `None`: not known.
    copies: Option<BTreeMap<String, Digest>>,
}

impl Ours<'_> {
    /// What a statement about an image names and this project has otherwise, or not.
    fn others(&self, name: &str, platform: &str, theirs: &Stated) -> Vec<String> {
        let is_it = |image: &&ImagePlan| image.name.as_str() == name && image.platform.to_string() == platform;
        let stated = self.planned.as_ref().and_then(|(lock, plan)| {
            let trace = Trace::of(plan, plan.images.iter().find(is_it)?, &self.session.recipes);
            let materials = Materials { recipes: &self.recipes, lock, lock_digest: self.lock? };
            let subject = Digest::of(b"");
            Stated::parse(&provenance(subject, &trace, &materials).bytes(), &subject)
        });
        let recipe = |name: &String| Some((name.clone(), *self.recipes.get(&ImageName::parse(name)?)?));
        let recipes = theirs.recipes.keys().filter_map(recipe).collect();
        others(&Here { recipes, lock: self.lock, copies: stated.map(|stated| stated.copies) }, theirs)
    }
}

/// What is another, as fragments of sentences.
fn others(here: &Here, theirs: &Stated) -> Vec<String> {
    let mut others = Vec::new();
    for (name, theirs) in &theirs.recipes {
        let ours = here.recipes.get(name);
        if ours != Some(theirs) {
            others.push(told(&format!("recipe `{}`", clean(name)), theirs, ours));
        }
    }
    if here.lock != Some(theirs.lock) {
        others.push(told("remint.lock", &theirs.lock, here.lock.as_ref()));
    }
    for (place, theirs) in &theirs.copies {
        // A layer that is not there any more is another recipe's.
        let ours = here.copies.as_ref().and_then(|copies| copies.get(place)).filter(|ours| *ours != theirs);
        if let Some(ours) = ours
            && let Some((recipe, layer)) = place.trim_start_matches("recipes/").split_once("/layer/")
        {
            let (recipe, layer) = (clean(recipe), clean(layer));
            others.push(format!(
                "the image was made from other files in layer {layer} of recipe `{recipe}`: {theirs}; this project's are {ours}"
            ));
        }
    }
    others
}

fn told(what: &str, theirs: &Digest, ours: Option<&Digest>) -> String {
    match ours {
        Some(ours) => format!("the image was made from another {what}: {theirs}; this project's is {ours}"),
        None => format!("the image was made from {what}, {theirs}, which this project does not have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_is_named() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let map = |all: &[(&str, Digest)]| all.iter().map(|(name, digest)| ((*name).to_owned(), *digest)).collect();
        let here =
            Here { recipes: map(&[("web", a)]), lock: Some(a), copies: Some(map(&[("recipes/web/layer/2", a)])) };
        let stated = |recipes: &[(&str, Digest)], lock, copied| Stated {
            recipes: map(recipes),
            lock,
            copies: map(&[("recipes/web/layer/2", copied), ("recipes/base/layer/1", b)]),
        };
        assert_eq!(others(&here, &stated(&[("web", a)], a, a)), [""; 0]);
        let lock = format!("the image was made from another remint.lock: {b}; this project's is {a}");
        assert_eq!(others(&here, &stated(&[("web", a)], b, a)), [lock]);
        let files =
            format!("the image was made from other files in layer 2 of recipe `web`: {b}; this project's are {a}");
        assert_eq!(others(&here, &stated(&[("web", a)], a, b)), [files]);
        let found = others(&here, &stated(&[("base", a), ("web", b)], a, a));
        assert!(found[0].contains("recipe `base`") && found[0].ends_with("does not have"), "{found:?}");
        assert!(found[1].starts_with("the image was made from another recipe `web`: "), "{found:?}");
        let unplanned = Here { copies: None, ..here };
        assert_eq!(others(&unplanned, &stated(&[("web", a)], a, b)), [""; 0]);
    }
}

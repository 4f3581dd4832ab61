//! Whether an image in a registry was made from this project's recipes and lock, or from others, by the provenance attached to it.

use super::super::publish::recipe_digests;
use super::registry::Fetched;
use crate::attest::Stated;
use crate::cli::session::Session;
use crate::digest::Digest;
use crate::recipe::ImageName;
use crate::verify::rebuild::{Difference, Verdict, stated};
use std::collections::BTreeMap;

/// What the difference is called.
const WHAT: &str = "recipes and lock";

/// What helps where these are others.
const OTHERS: &str = "check out the commit that the image was built from and verify it there, or publish anew what this project gives: `remint publish`";

/// What helps where that is not known.
const UNKNOWN: &str = "if it was published from another commit, check that one out and verify it there, or publish anew what this project gives: `remint publish`";

/// What this project has.
struct Ours {
    recipes: BTreeMap<ImageName, Digest>,
    lock: Option<Digest>,
}

/// Says of each image that differs whether it was made from other recipes or another lock, before all else that differs; gives what
/// helps.
pub(super) fn explain(
    verdict: &mut Verdict,
    fetched: &Fetched<'_>,
    session: &Session,
    lock: Option<Digest>,
) -> Vec<String> {
    let ours = Ours { recipes: recipe_digests(session), lock };
    let mut hints = Vec::new();
    for image in verdict.images.iter_mut().filter(|image| !image.identical() && image.platform.is_some()) {
        let remote = fetched.references.iter().find(|(name, _)| name.as_str() == image.name);
        let (Some((_, remote)), Some(manifest)) = (remote, image.expected) else { continue };
        let (difference, hint) = match stated(fetched.client, &remote.repository, manifest) {
            Ok(all) => match all.iter().map(|one| ours.others(one)).min_by_key(Vec::len) {
                None => (unknown("nothing attached to it says from which recipes and lock it was made"), Some(UNKNOWN)),
                Some(others) if others.is_empty() => {
                    let same = "its provenance names this project's recipes and lock: what differs follows from something else, such as the files that it copies";
                    (Difference::note(WHAT, same), None)
                }
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

impl Ours {
    /// What a statement names and this project has otherwise, or not.
    fn others(&self, stated: &Stated) -> Vec<String> {
        let mut others = Vec::new();
        for (name, theirs) in &stated.recipes {
            let ours = ImageName::parse(name).and_then(|name| self.recipes.get(&name));
            if ours != Some(theirs) {
                others.push(told(&format!("recipe `{}`", crate::registry::clean(name)), theirs, ours));
            }
        }
        if self.lock != Some(stated.lock) {
            others.push(told("remint.lock", &stated.lock, self.lock.as_ref()));
        }
        others
    }
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
        let ours = Ours { recipes: BTreeMap::from([(ImageName::parse("web").unwrap(), a)]), lock: Some(a) };
        let stated = |recipes: &[(&str, Digest)], lock| Stated {
            recipes: recipes.iter().map(|(name, digest)| ((*name).to_owned(), *digest)).collect(),
            lock,
        };
        assert_eq!(ours.others(&stated(&[("web", a)], a)), [""; 0]);
        let lock = format!("the image was made from another remint.lock: {b}; this project's is {a}");
        assert_eq!(ours.others(&stated(&[("web", a)], b)), [lock]);
        let others = ours.others(&stated(&[("base", a), ("web", b)], a));
        assert!(others[0].contains("recipe `base`") && others[0].ends_with("does not have"), "{others:?}");
        assert!(others[1].starts_with("the image was made from another recipe `web`: "), "{others:?}");
    }
}

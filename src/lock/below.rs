//! What lies below a layer: a layer was resolved over exactly these packages, and holds for no others.

use super::model::{Lock, PackageKey};
use super::packages_layers;
use crate::digest::Digest;
use crate::oci::Platform;
use crate::recipe::{Recipe, Recipes};

/// A package below a layer, and whether it was installed without what it depends on.
pub(super) type Below = (PackageKey, bool);

/// The packages that an image has below one of its layers, the lowest first.
pub(super) fn below(lock: &Lock, recipes: &Recipes, recipe: &Recipe, number: usize, platform: Platform) -> Vec<Below> {
    let base = recipes.base_image(recipe.name.as_str());
    let base = base.and_then(|base| lock.bases.get(&(base.to_string(), platform))?.packages.as_ref());
    let found = base.into_iter().flatten().map(|key| (key.clone(), false));
    let chain = recipes.chain(recipe.name.as_str());
    let places = chain.iter().flat_map(|base| packages_layers(base).map(|(at, _)| (base.name.clone(), at)));
    let ours = places
        .filter(|(name, at)| *name != recipe.name || *at < number)
        .filter_map(|(name, at)| lock.layers.get(&(name, at, platform)))
        .flat_map(|pin| pin.packages.iter().map(|key| (key.clone(), !pin.dependencies)));
    found.chain(ours).collect()
}

/// The digest of what lies below a layer, as the lock records it; `None`: nothing.
pub(super) fn digest(below: &[Below]) -> Option<Digest> {
    if below.is_empty() {
        return None;
    }
    let mut text = String::new();
    for (key, bare) in below {
        let bare = if *bare { "bare" } else { "whole" };
        // No field of a package has a NUL in it.
        text.extend([&key.archive, "\0", &key.name, "\0", &key.arch, "\0", &key.version, "\0", bare, "\n"]);
    }
    Some(Digest::of(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_so_does_the_order() {
        let key = |archive: &str, name: &str, arch: &str, version: &str| PackageKey {
            archive: archive.to_owned(),
            name: name.to_owned(),
            arch: arch.to_owned(),
            version: version.to_owned(),
        };
        let (one, two) = ((key("d", "a", "all", "1"), false), (key("d", "b", "all", "1"), false));
        let all = [
            digest(&[]),
            digest(std::slice::from_ref(&one)),
            digest(&[(key("e", "a", "all", "1"), false)]),
            digest(&[(key("d", "b", "all", "1"), false)]),
            digest(&[(key("d", "a", "amd64", "1"), false)]),
            digest(&[(key("d", "a", "all", "2"), false)]),
            digest(&[(key("d", "a", "all", "1"), true)]),
            digest(&[one.clone(), two.clone()]),
            digest(&[two, one]),
        ];
        assert_eq!(all[0], None);
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
    }
}

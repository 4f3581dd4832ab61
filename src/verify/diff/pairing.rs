//! What of two images stands for each other.

use crate::digest::Digest;
use crate::image::{Opened, OpenedPlatform};
use serde_json::Value;

/// Two things that stand for each other, or one that stands alone.
pub(super) type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Whether two things stand for each other.
pub(super) type Alike<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// Pairs the things of two lists, each once: by what says first that they are alike, and in their order. What the first list has comes
/// in its order, then what only the second has.
pub(super) fn partners<'a, T>(a: &'a [T], b: &'a [T], alike: &[Alike<'_, T>]) -> Vec<Pair<'a, T>> {
    let mut partners: Vec<Option<usize>> = vec![None; a.len()];
    let mut left: Vec<usize> = (0..b.len()).collect();
    for alike in alike {
        for (one, partner) in a.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
            if let Some(at) = left.iter().position(|&other| alike(one, &b[other])) {
                *partner = Some(left.remove(at));
            }
        }
    }
    let pairs = a.iter().zip(partners).map(|(one, at)| (Some(one), at.map(|at| &b[at])));
    pairs.chain(left.into_iter().map(|at| (None, Some(&b[at])))).collect()
}

/// The images of both sides that stand for each other.
///
/// An index may name several images of one platform: packed in several ways, or for several versions of an operating system. The same
/// image is paired with itself, one of the same configuration with the other packing of it, and the rest by platform and position.
pub(super) fn images<'a>(a: &'a Opened, b: &'a Opened) -> Vec<Pair<'a, OpenedPlatform>> {
    if let ([one], [other]) = (&a.platforms[..], &b.platforms[..]) {
        return vec![(Some(one), Some(other))];
    }
    let digest = |document: &Option<(Digest, Value)>| document.as_ref().map(|(digest, _)| *digest);
    let same = |one: Option<Digest>, other: Option<Digest>| one.is_some() && one == other;
    partners(
        &a.platforms,
        &b.platforms,
        &[
            &|one, other| same(digest(&one.manifest), digest(&other.manifest)),
            &|one, other| one.platform == other.platform && same(digest(&one.config), digest(&other.config)),
            &|one, other| one.platform == other.platform,
        ],
    )
}

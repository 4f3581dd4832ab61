//! Which attestations beside two images stand for each other.

use super::attestations::MOST;
use super::pairing::{Pair, partners};
use crate::digest::Digest;
use crate::image::{Opened, OpenedAttestation, OpenedPlatform};
use std::collections::BTreeSet;

/// The annotation of an attestation's entry that says which image it is about.
pub(super) const ABOUT: &str = "vnd.docker.reference.digest";

/// An attestation, and what tells which one it stands for.
pub(super) struct Beside<'a> {
    pub(super) it: &'a OpenedAttestation,
    /// The image that it is about, by its place among the pairs of images; `None`: none of the index.
    pub(super) about: Option<usize>,
    /// Its statements and their predicates; only looked at where several may stand for one.
    statements: BTreeSet<Digest>,
    predicates: BTreeSet<String>,
}

/// Gives the attestations that stand for each other to `visit`, then those that only the second image has.
///
/// The same one stands for itself. The rest are about images that stand for each other; of several about one image, those stand for each
/// other that have a statement in common, or say the same kinds of things.
pub(super) fn pairs(
    a: &Opened,
    b: &Opened,
    images: &[Pair<'_, OpenedPlatform>],
    mut visit: impl FnMut(Option<&Beside<'_>>, Option<&Beside<'_>>),
) {
    let (mut a, mut b) = (all(a, images, |pair| pair.0), all(b, images, |pair| pair.1));
    look_into_rivals(&mut a, &mut b);
    let same = |one: &Beside<'_>, other: &Beside<'_>| one.it.kind == other.it.kind && one.it.digest == other.it.digest;
    let pairs = partners(
        &a,
        &b,
        &[
            &|one, other| same(one, other) && one.about == other.about,
            &same,
            &|one, other| one.subject() == other.subject() && !one.statements.is_disjoint(&other.statements),
            &|one, other| one.subject() == other.subject() && one.predicates == other.predicates,
            &|one, other| one.subject() == other.subject() && !one.predicates.is_disjoint(&other.predicates),
            &|one, other| one.subject() == other.subject(),
        ],
    );
    for (one, other) in pairs {
        visit(one, other);
    }
}

impl Beside<'_> {
    /// Its kind, and the image that it is about.
    fn subject(&self) -> (&str, Option<usize>) {
        (&self.it.kind, self.about)
    }

    /// What people call it: `attestation-manifest of linux/amd64`.
    pub(super) fn name(&self, images: &[Pair<'_, OpenedPlatform>]) -> String {
        let platform = |at: usize| images.get(at).and_then(|pair| pair.0.or(pair.1)).map(|image| &*image.platform);
        let about = self.about.and_then(|at| Some((at, platform(at)?)));
        let Some((at, about)) = about else { return format!("{} of no image of the index", self.it.kind) };
        let alike = |end: usize| (0..end).filter(|&there| platform(there) == Some(about)).count();
        match alike(images.len()) {
            1 => format!("{} of {about}", self.it.kind),
            _ => format!("{} of {about}, image {}", self.it.kind, alike(at + 1)),
        }
    }
}

fn all<'a>(
    image: &'a Opened,
    images: &[Pair<'_, OpenedPlatform>],
    side: impl for<'p> Fn(&Pair<'p, OpenedPlatform>) -> Option<&'p OpenedPlatform>,
) -> Vec<Beside<'a>> {
    let manifest = |pair| side(pair).and_then(|image| image.manifest.as_ref()).map(|(digest, _)| *digest);
    let manifests: Vec<Option<Digest>> = images.iter().map(manifest).collect();
    let beside = |it: &'a OpenedAttestation| {
        let about = it.about.and_then(|digest| manifests.iter().position(|there| *there == Some(digest)));
        Beside { it, about, statements: BTreeSet::new(), predicates: BTreeSet::new() }
    };
    image.attestations.iter().map(beside).collect()
}

/// Reads what those say of which a side has several about one image, as many as are compared; what cannot be read says nothing here.
fn look_into_rivals<'a>(a: &mut [Beside<'a>], b: &mut [Beside<'a>]) {
    let digests = |side: &[Beside<'_>]| -> BTreeSet<Digest> { side.iter().map(|one| one.it.digest).collect() };
    let (in_a, in_b) = (digests(a), digests(b));
    let both: BTreeSet<Digest> = in_a.intersection(&in_b).copied().collect();
    let mut rivals = BTreeSet::new();
    for side in [&*a, &*b] {
        let mut subjects = BTreeSet::new();
        for one in side.iter().filter(|one| !both.contains(&one.it.digest)) {
            let subject = (one.it.kind.clone(), one.about);
            if !subjects.insert(subject.clone()) {
                rivals.insert(subject);
            }
        }
    }
    for side in [a, b] {
        let read = |one: &&mut Beside<'_>| {
            !both.contains(&one.it.digest) && rivals.contains(&(one.it.kind.clone(), one.about))
        };
        for one in side.iter_mut().filter(read).take(MOST) {
            let Ok((_, statements)) = one.it.read() else { continue };
            one.statements = statements.iter().map(|one| one.blob.digest).collect();
            one.predicates = statements.into_iter().map(|one| one.predicate).collect();
        }
    }
}

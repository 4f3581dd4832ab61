//! A change of one thing in an image, chosen at random, with what has to be said of it.

use crate::diff::oracle::{Root, link};
use crate::diff::taken::{Entry, Image};
use crate::support::random::random;
use remint::verify::diff::{Class, Field};
use std::collections::BTreeSet;
use tar::EntryType;

/// What was changed.
pub(super) struct Touched {
    /// The path, without a slash in front; empty where it is no entry's.
    pub(super) path: String,
    /// Which field of it.
    pub(super) field: Field,
    /// Whether another root file system comes of it, where that is known.
    pub(super) visible: Option<bool>,
    /// The changed byte, for contents.
    pub(super) offset: Option<u64>,
    /// The class of the cause, where that is known.
    pub(super) class: Option<Class>,
}

/// A change of one thing in the image of one platform; `None`: it cannot be made here.
pub(super) type Mutation = fn(&mut u64, &mut Image, &Root) -> Option<Touched>;

pub(super) fn touched(path: &str, field: Field) -> Touched {
    Touched { path: path.to_owned(), field, visible: None, offset: None, class: None }
}

/// Chooses an entry of any layer.
pub(super) fn choose(state: &mut u64, image: &Image, fits: impl Fn(usize, &Entry) -> bool) -> Option<(usize, usize)> {
    let layers = image.layers.iter().enumerate();
    let all =
        layers.flat_map(|(at, layer)| layer.entries.iter().enumerate().map(move |(number, entry)| (at, number, entry)));
    let fit: Vec<(usize, usize)> =
        all.filter(|(at, _, entry)| fits(*at, entry)).map(|(at, number, _)| (at, number)).collect();
    (!fit.is_empty()).then(|| fit[random(state, fit.len())])
}

/// Changes an entry that is chosen.
pub(super) fn change(
    state: &mut u64,
    image: &mut Image,
    root: &Root,
    field: Field,
    fits: impl Fn(&Entry) -> bool,
    change: impl FnOnce(&mut u64, &mut Entry),
) -> Option<Touched> {
    let (layer, number) = choose(state, image, |_, entry| fits(entry))?;
    let layer = &mut image.layers[layer];
    let entry = &mut layer.entries[number];
    let visible = root.shows(entry);
    change(state, entry);
    let touched = Touched { visible: Some(visible), ..touched(&entry.path, field) };
    layer.changed();
    Some(touched)
}

/// The files that hard links lead to.
pub(super) fn targets(image: &Image) -> BTreeSet<String> {
    let all = image.layers.iter().flat_map(|layer| &layer.entries);
    all.filter(|entry| entry.kind() == EntryType::Link).map(link).collect()
}

/// Whether an entry may go: no other leads to it, and nothing is below it.
pub(super) fn may_go(image: &Image) -> impl Fn(&Entry) -> bool + use<> {
    let targets = targets(image);
    let all: Vec<String> =
        image.layers.iter().flat_map(|layer| &layer.entries).map(|entry| entry.path.clone()).collect();
    move |entry| {
        let below = format!("{}/", entry.path);
        !targets.contains(&entry.path) && !entry.path.is_empty() && !all.iter().any(|other| other.starts_with(&below))
    }
}

pub(super) fn has_mode(entry: &Entry) -> bool {
    !matches!(entry.kind(), EntryType::Symlink | EntryType::Link)
}

pub(super) fn no_link(entry: &Entry) -> bool {
    entry.kind() != EntryType::Link
}

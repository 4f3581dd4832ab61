//! Changes of whole layers, and of which layer has a file.

use super::change::{Touched, choose, may_go, no_link, touched};
use crate::diff::oracle::Root;
use crate::diff::taken::{Entry, Image};
use crate::support::random::random;
use remint::verify::diff::{Class, Field};

pub(super) fn layers_swapped(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len() - 1);
    image.layers.swap(at, at + 1);
    Some(touched("", Field::Tar))
}

pub(super) fn layer_removed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    image.layers.remove(at);
    Some(touched("", Field::Tar))
}

pub(super) fn layer_twice(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let to = at + 1 + random(state, image.layers.len() - at);
    let layer = image.layers[at].clone();
    image.layers.insert(to, layer);
    Some(Touched { visible: (to == at + 1).then_some(false), ..touched("", Field::Tar) })
}

/// The same file, of another layer.
pub(super) fn moved(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let may_go = may_go(image);
    let alone = |path: &str| {
        let all = image.layers.iter().flat_map(|layer| &layer.entries);
        all.filter(|entry| entry.path == path).count() == 1
    };
    let fits = |entry: &Entry| may_go(entry) && no_link(entry) && alone(&entry.path) && root.shows(entry);
    let (from, number) = choose(state, image, |_, entry| fits(entry))?;
    let to = random(state, image.layers.len());
    if from == to {
        return None;
    }
    let entry = image.layers[from].entries.remove(number);
    let touched = Touched { visible: Some(false), ..touched(&entry.path, Field::Tar) };
    // Behind all else, so that the directories above it are there.
    image.layers[to].entries.push(entry);
    image.layers[from].changed();
    image.layers[to].changed();
    Some(touched)
}

pub(super) fn end_padding(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let layer = &mut image.layers[at];
    match random(state, 2) {
        0 => layer.end.extend([0; 512]),
        _ => layer.end.extend([7; 512]),
    }
    layer.changed();
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched("", Field::Tar) })
}

pub(super) fn encoding(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let how = ["zstd", "zstd-high", "gzip", "gzip-fast", "plain"][random(state, 5)];
    image.layers[at].packing = Some(how);
    Some(Touched { visible: Some(false), ..touched("", Field::Tar) })
}

//! Changes of which entries a layer has, in which order, and which of them are one file.

use super::change::{Touched, choose, may_go, targets, touched};
use crate::diff::oracle::{Root, is_file, link};
use crate::diff::taken::{Entry, Image};
use crate::support::random::random;
use remint::verify::diff::{Class, Field};
use tar::EntryType;

pub(super) fn removed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let may_go = may_go(image);
    let (layer, number) = choose(state, image, |_, entry| may_go(entry))?;
    let entry = image.layers[layer].entries.remove(number);
    image.layers[layer].changed();
    Some(touched(&entry.path, Field::Presence))
}

pub(super) fn added(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let (layer, number) =
        choose(state, image, |_, entry| entry.kind() == EntryType::Directory && entry.path.len() < 90)?;
    let layer = &mut image.layers[layer];
    let path = format!("{}/a{}", layer.entries[number].path, random(state, 1000)).trim_start_matches('/').to_owned();
    let kind = [EntryType::Regular, EntryType::Directory, EntryType::Symlink, EntryType::Fifo][random(state, 4)];
    let mut entry = Entry::new(&path, kind, if kind == EntryType::Regular { b"new" } else { b"" });
    if kind == EntryType::Symlink {
        entry.change(|header| header.set_link_name("x").unwrap());
    }
    layer.entries.insert(number + 1, entry);
    layer.changed();
    Some(Touched { visible: Some(true), ..touched(&path, Field::Presence) })
}

pub(super) fn renamed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let may_go = may_go(image);
    let (layer, number) = choose(state, image, |_, entry| may_go(entry) && entry.before.is_empty())?;
    let layer = &mut image.layers[layer];
    let entry = &mut layer.entries[number];
    let path = format!("{}{}", entry.path, random(state, 10));
    entry.change(|header| header.set_path(&path).unwrap());
    entry.path.clone_from(&path);
    layer.changed();
    Some(Touched { visible: Some(true), ..touched(&path, Field::Presence) })
}

/// A directory of which only what is below it tells.
pub(super) fn implied(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let (layer, number) =
        choose(state, image, |_, entry| entry.kind() == EntryType::Directory && !entry.path.is_empty())?;
    let layer = &mut image.layers[layer];
    let entry = layer.entries.remove(number);
    layer.changed();
    Some(touched(&entry.path, Field::Presence))
}

pub(super) fn whiteout(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = 1 + random(state, image.layers.len() - 1);
    let below = Root::of(&Image { layers: image.layers[..at].to_vec(), ..image.clone() });
    let linked = targets(image);
    let paths: Vec<&String> = below.paths().filter(|path| !linked.contains(*path) && path.len() < 90).collect();
    if paths.is_empty() {
        return None;
    }
    let path = paths[random(state, paths.len())].clone();
    let (parent, name) =
        path.rsplit_once('/').map_or((String::new(), &*path), |(above, name)| (format!("{above}/"), name));
    let entry = Entry::new(&format!("{parent}.wh.{name}"), EntryType::Regular, b"");
    let layer = &mut image.layers[at];
    layer.entries.insert(0, entry);
    layer.changed();
    // What it does not hide, it is named for itself.
    Some(Touched { visible: None, ..touched(&path, Field::Presence) })
}

pub(super) fn swapped(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let layer = &mut image.layers[at];
    let (one, other) = (random(state, layer.entries.len()), random(state, layer.entries.len()));
    let (one, other) = (one.min(other), one.max(other));
    if one == other || layer.entries[one..=other].iter().any(|entry| entry.kind() == EntryType::Link) {
        return None;
    }
    layer.entries.swap(one, other);
    layer.changed();
    let path = layer.entries[other].path.clone();
    Some(Touched { visible: Some(false), class: Some(Class::Order), ..touched(&path, Field::Tar) })
}

pub(super) fn unlinked(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let (layer, number) = choose(state, image, |_, entry| entry.kind() == EntryType::Link)?;
    let layer = &mut image.layers[layer];
    let to = link(&layer.entries[number]);
    let file = layer.entries.iter().find(|entry| entry.path == to)?.clone();
    let entry = &mut layer.entries[number];
    *entry = Entry { path: entry.path.clone(), before: entry.before.clone(), ..file };
    let path = entry.path.clone();
    entry.change(|header| header.set_path(&path).unwrap());
    layer.changed();
    Some(touched("", Field::Link))
}

pub(super) fn linked(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let targets = targets(image);
    let twins = |entry: &Entry, other: &Entry| {
        is_file(entry)
            && is_file(other)
            && entry.path < other.path
            && entry.content == other.content
            && entry.header.mode().unwrap() == other.header.mode().unwrap()
            && entry.header.uid().unwrap() == other.header.uid().unwrap()
            && entry.header.gid().unwrap() == other.header.gid().unwrap()
            && entry.header.mtime().unwrap() == other.header.mtime().unwrap()
    };
    let layer = random(state, image.layers.len());
    let entries = &image.layers[layer].entries;
    let pairs = (0..entries.len()).flat_map(|one| (0..entries.len()).map(move |other| (one, other)));
    let pairs: Vec<(usize, usize)> = pairs
        .filter(|&(one, other)| one < other && twins(&entries[one], &entries[other]))
        .filter(|&(_, other)| !targets.contains(&entries[other].path) && entries[other].before.is_empty())
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let (one, other) = pairs[random(state, pairs.len())];
    let to = entries[one].path.clone();
    let visible = root.shows(&entries[one]) && root.shows(&entries[other]);
    let layer = &mut image.layers[layer];
    let entry = &mut layer.entries[other];
    entry.fill(vec![]);
    entry.change(|header| {
        header.set_entry_type(EntryType::Link);
        header.set_link_name(to).unwrap();
    });
    let touched = Touched { visible: Some(visible), ..touched(&entry.path, Field::Link) };
    layer.changed();
    Some(touched)
}

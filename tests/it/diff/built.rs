//! Images that `remint build` made, in which one thing is changed at random: each change is found, and named for what it is.

use super::oracle::{Differences, Root, is_file, link};
use super::taken::{Entry, Image, Taken};
use super::{compared, remint, try_compared};
use crate::support::random::random;
use remint::verify::diff::{Change, Class, Comparison, Field, PlatformComparison, Relation, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tar::EntryType;

mod documents;
mod images;

use images::Layout;

/// What was changed.
struct Touched {
    /// The path, without a slash in front; empty where it is no entry's.
    path: String,
    /// Which field of it.
    field: Field,
    /// Whether another root file system comes of it, where that is known.
    visible: Option<bool>,
    /// The changed byte, for contents.
    offset: Option<u64>,
    /// The class of the cause, where that is known.
    class: Option<Class>,
}

/// A change of one thing in the image of one platform; `None`: it cannot be made here.
type Mutation = fn(&mut u64, &mut Image, &Root) -> Option<Touched>;

const MUTATIONS: [(&str, Mutation); 28] = [
    ("a byte", byte),
    ("a planted byte", planted),
    ("a byte more", longer),
    ("mode", mode),
    ("uid", uid),
    ("gid", gid),
    ("time", time),
    ("owner's name", owner_name),
    ("target of a symbolic link", target),
    ("extended attribute", xattr),
    ("another type", other_type),
    ("an entry less", removed),
    ("an entry more", added),
    ("another name", renamed),
    ("a directory without entry", implied),
    ("whiteout", whiteout),
    ("order of entries", swapped),
    ("a copy for a hard link", unlinked),
    ("a hard link for a copy", linked),
    ("header of a hard link", link_header),
    ("order of layers", layers_swapped),
    ("a layer less", layer_removed),
    ("a layer twice", layer_twice),
    ("another layer's", moved),
    ("padding of a file", padding),
    ("padding of a header", header_padding),
    ("padding of the end", end_padding),
    ("another encoding", encoding),
];

fn touched(path: &str, field: Field) -> Touched {
    Touched { path: path.to_owned(), field, visible: None, offset: None, class: None }
}

/// Chooses an entry of any layer.
fn choose(state: &mut u64, image: &Image, fits: impl Fn(usize, &Entry) -> bool) -> Option<(usize, usize)> {
    let layers = image.layers.iter().enumerate();
    let all =
        layers.flat_map(|(at, layer)| layer.entries.iter().enumerate().map(move |(number, entry)| (at, number, entry)));
    let fit: Vec<(usize, usize)> =
        all.filter(|(at, _, entry)| fits(*at, entry)).map(|(at, number, _)| (at, number)).collect();
    (!fit.is_empty()).then(|| fit[random(state, fit.len())])
}

/// Changes an entry that is chosen.
fn change(
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

fn byte(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let mut at = 0;
    let touched = change(
        state,
        image,
        root,
        Field::Content,
        |entry| !entry.content.is_empty(),
        |state, entry| {
            at = random(state, entry.content.len());
            entry.content[at] ^= 1 << random(state, 8);
        },
    )?;
    Some(Touched { offset: Some(at as u64), ..touched })
}

/// A byte whose meaning the tests know, having written it.
fn planted(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let (path, from, length, class) = images::PLANTED[random(state, images::PLANTED.len())];
    let at = from + random(state, length);
    let touched = change(
        state,
        image,
        root,
        Field::Content,
        |entry| entry.path == path,
        |state, entry| {
            let byte = &mut entry.content[at];
            *byte = match *byte {
                // Another digit, another letter: what it is remains.
                b'0'..=b'9' => b'0' + (*byte - b'0' + 1 + u8::try_from(random(state, 9)).unwrap()) % 10,
                b'a'..=b'z' => b'a' + (*byte - b'a' + 1 + u8::try_from(random(state, 25)).unwrap()) % 26,
                other => other ^ 1 << random(state, 8),
            };
        },
    )?;
    Some(Touched { offset: Some(at as u64), class: Some(class), ..touched })
}

fn longer(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let mut at = 0;
    let touched = change(state, image, root, Field::Content, is_file, |_, entry| {
        at = entry.content.len();
        entry.fill([&entry.content[..], b"\xff"].concat());
    })?;
    Some(Touched { offset: Some(at as u64), ..touched })
}

fn has_mode(entry: &Entry) -> bool {
    !matches!(entry.kind(), EntryType::Symlink | EntryType::Link)
}

fn no_link(entry: &Entry) -> bool {
    entry.kind() != EntryType::Link
}

fn mode(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Mode, has_mode, |state, entry| {
        let bit = 1 << random(state, 12);
        entry.change(|header| header.set_mode(header.mode().unwrap() ^ bit));
    })
}

fn uid(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Owner, no_link, |state, entry| {
        let bit = 1 << random(state, 16);
        entry.change(|header| header.set_uid(header.uid().unwrap() ^ bit));
    })
}

fn gid(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Owner, no_link, |state, entry| {
        let bit = 1 << random(state, 16);
        entry.change(|header| header.set_gid(header.gid().unwrap() ^ bit));
    })
}

fn time(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Mtime, no_link, |state, entry| {
        let bit = 1 << random(state, 31);
        entry.change(|header| header.set_mtime(header.mtime().unwrap() ^ bit));
    })
}

/// Engines go by the numbers.
fn owner_name(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let touched = change(
        state,
        image,
        root,
        Field::Tar,
        |_| true,
        |_, entry| {
            entry.change(|header| header.set_username("amy").unwrap());
        },
    )?;
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched })
}

fn target(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(
        state,
        image,
        root,
        Field::Link,
        |entry| entry.kind() == EntryType::Symlink,
        |state, entry| {
            let mut to = link(entry).into_bytes();
            let at = random(state, to.len());
            to[at] = if to[at] == b'q' { b'p' } else { b'q' };
            entry.change(|header| header.set_link_name(String::from_utf8(to).unwrap()).unwrap());
        },
    )
}

fn xattr(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Xattrs, no_link, |state, entry| {
        let name = ["user.x", "security.capability", "trusted.y"][random(state, 3)];
        entry.extend(&format!("SCHILY.xattr.{name}"), &[1, 2, 3]);
    })
}

fn other_type(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    // What other names lead to has to remain a file.
    let linked = targets(image);
    let fits = |entry: &Entry| is_file(entry) && !linked.contains(&entry.path);
    change(state, image, root, Field::Type, fits, |state, entry| {
        let kind = [EntryType::Symlink, EntryType::Directory, EntryType::Fifo, EntryType::Char][random(state, 4)];
        entry.fill(vec![]);
        entry.change(|header| {
            header.set_entry_type(kind);
            if kind == EntryType::Symlink {
                header.set_link_name("elsewhere").unwrap();
            }
        });
    })
}

/// The files that hard links lead to.
fn targets(image: &Image) -> BTreeSet<String> {
    let all = image.layers.iter().flat_map(|layer| &layer.entries);
    all.filter(|entry| entry.kind() == EntryType::Link).map(link).collect()
}

/// Whether an entry may go: no other leads to it, and nothing is below it.
fn may_go(image: &Image) -> impl Fn(&Entry) -> bool + use<> {
    let targets = targets(image);
    let all: Vec<String> =
        image.layers.iter().flat_map(|layer| &layer.entries).map(|entry| entry.path.clone()).collect();
    move |entry| {
        let below = format!("{}/", entry.path);
        !targets.contains(&entry.path) && !entry.path.is_empty() && !all.iter().any(|other| other.starts_with(&below))
    }
}

fn removed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let may_go = may_go(image);
    let (layer, number) = choose(state, image, |_, entry| may_go(entry))?;
    let entry = image.layers[layer].entries.remove(number);
    image.layers[layer].changed();
    Some(touched(&entry.path, Field::Presence))
}

fn added(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
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

fn renamed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
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
fn implied(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let (layer, number) =
        choose(state, image, |_, entry| entry.kind() == EntryType::Directory && !entry.path.is_empty())?;
    let layer = &mut image.layers[layer];
    let entry = layer.entries.remove(number);
    layer.changed();
    Some(touched(&entry.path, Field::Presence))
}

fn whiteout(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = 1 + random(state, image.layers.len() - 1);
    let below = Root::of(&Image { layers: image.layers[..at].to_vec(), ..image.clone() });
    let linked = targets(image);
    let paths: Vec<&String> = below.paths().filter(|path| !linked.contains(*path) && path.len() < 90).collect();
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

fn swapped(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
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

fn unlinked(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
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

/// A hard link has the fields of its file, whatever its own header says.
fn link_header(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let link = |entry: &Entry| entry.kind() == EntryType::Link;
    let touched = change(state, image, root, Field::Tar, link, |state, entry| {
        let field = random(state, 3);
        entry.change(|header| match field {
            0 => header.set_mode(header.mode().unwrap() ^ 0o22),
            1 => header.set_uid(header.uid().unwrap() + 1),
            _ => header.set_mtime(header.mtime().unwrap() + 1),
        });
    })?;
    Some(Touched { visible: Some(false), ..touched })
}

fn linked(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
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

fn layers_swapped(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len() - 1);
    image.layers.swap(at, at + 1);
    Some(touched("", Field::Tar))
}

fn layer_removed(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    image.layers.remove(at);
    Some(touched("", Field::Tar))
}

fn layer_twice(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let to = at + 1 + random(state, image.layers.len() - at);
    let layer = image.layers[at].clone();
    image.layers.insert(to, layer);
    Some(Touched { visible: (to == at + 1).then_some(false), ..touched("", Field::Tar) })
}

/// The same file, of another layer.
fn moved(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
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
    // In front of what is there, so that no directory is changed that others have too.
    image.layers[to].entries.push(entry);
    image.layers[from].changed();
    image.layers[to].changed();
    Some(touched)
}

fn padding(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(
        state,
        image,
        root,
        Field::Tar,
        |entry| !entry.padding.is_empty(),
        |state, entry| {
            let at = random(state, entry.padding.len());
            entry.padding[at] = 1;
        },
    )
    // Which entry is in front of it is not told.
    .map(|_| Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched("", Field::Tar) })
}

/// A byte of a header that nobody reads: behind the end of a name, or of the header itself.
fn header_padding(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let touched = change(
        state,
        image,
        root,
        Field::Tar,
        |_| true,
        |state, entry| {
            let link = random(state, 2) == 0 && entry.header.link_name_bytes().is_none();
            entry.change(|header| {
                let bytes = header.as_mut_bytes();
                // The name of a link begins at 157, and what is not used at 500.
                if link { bytes[158 + random(state, 99)] = 1 } else { bytes[500 + random(state, 12)] = 1 }
            });
        },
    )?;
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched })
}

fn end_padding(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let layer = &mut image.layers[at];
    match random(state, 2) {
        0 => layer.end.extend([0; 512]),
        _ => layer.end.extend([7; 512]),
    }
    layer.changed();
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched("", Field::Tar) })
}

fn encoding(state: &mut u64, image: &mut Image, _: &Root) -> Option<Touched> {
    let at = random(state, image.layers.len());
    let how = ["zstd", "zstd-high", "gzip", "gzip-fast", "plain"][random(state, 5)];
    image.layers[at].packing = Some(how);
    Some(Touched { visible: Some(false), ..touched("", Field::Tar) })
}

/// How many changes are made.
const ROUNDS: usize = 16 * MUTATIONS.len();

#[test]
fn every_change_of_a_built_image_is_found_and_named() {
    let mut state = 0x9e37_79b9_0000_0021;
    let layout = Layout::new();
    let taken = ["site", "top"].map(|name| Taken::apart(&layout.path(), name));
    let rounds = if crate::support::judge::long() { 10 * ROUNDS } else { ROUNDS };
    let mut made = 0;
    for round in 0.. {
        let whole = &taken[round % taken.len()];
        let (what, mutation) = MUTATIONS[made % MUTATIONS.len()];
        let mut other = whole.clone();
        let which = random(&mut state, other.images.len());
        let before = Root::of(&whole.images[which]);
        let Some(touched) = mutation(&mut state, &mut other.images[which], &before) else { continue };
        let differences = before.differences(&Root::of(&other.images[which]));
        if let Some(visible) = touched.visible {
            assert_eq!(visible, !differences.is_empty(), "{what}, {}: {differences:?}", touched.path);
        }
        layout.write(&[("a", whole.entry.clone()), ("b", other.put(&layout.path(), |_, _, _| ()))]);
        let comparison = compared(layout.dir(), "oci:layout:a", "oci:layout:b");
        let case = format!("round {round}, {what} of `{}`", touched.path);
        judge(&comparison, which, &touched, &differences, &case);
        if made % 20 == 0 {
            by_the_command(&layout, &comparison, &case);
        }
        made += 1;
        if made == rounds {
            break;
        }
    }
}

/// A hard link in front of its file leads nowhere, whichever engine unpacks it.
#[test]
fn a_hard_link_in_front_of_its_file_is_refused() {
    let layout = Layout::new();
    let whole = Taken::apart(&layout.path(), "top");
    let links: Vec<(usize, usize)> = (0..whole.images[0].layers.len())
        .flat_map(|layer| (0..whole.images[0].layers[layer].entries.len()).map(move |number| (layer, number)))
        .filter(|&(layer, number)| whole.images[0].layers[layer].entries[number].kind() == EntryType::Link)
        .collect();
    assert_eq!(links.len(), 2);
    for (layer, number) in links {
        let mut other = whole.clone();
        let layer = &mut other.images[0].layers[layer];
        let link = layer.entries.remove(number);
        let path = link.path.clone();
        layer.entries.insert(0, link);
        layer.changed();
        layout.write(&[("a", whole.entry.clone()), ("b", other.put(&layout.path(), |_, _, _| ()))]);
        let error = try_compared(layout.dir(), "oci:layout:a", "oci:layout:b").map(|found| found.verdict).unwrap_err();
        assert!(error.contains("oci:layout:b") && error.contains(&path), "{error}");
    }
}

/// Holds what was found against what was done.
fn judge(comparison: &Comparison, which: usize, touched: &Touched, expected: &Differences, case: &str) {
    let verdict = if expected.is_empty() { Verdict::SameFiles } else { Verdict::Different };
    assert_eq!(comparison.verdict, verdict, "{case}: {comparison:#?}");
    for (at, platform) in comparison.platforms.iter().enumerate().filter(|(at, _)| *at != which) {
        assert_eq!(platform.verdict, Verdict::Identical, "{case}, platform {at}: {platform:#?}");
    }
    let platform = &comparison.platforms[which];
    assert!(platform.config.is_empty() && platform.manifest.is_empty(), "{case}: {platform:#?}");
    let field = |finding: &remint::verify::diff::Finding| {
        if finding.within.is_empty() { finding.field } else { Field::Content }
    };
    let found: Differences = platform
        .files
        .iter()
        .map(|file| (file.path.clone(), (file.change, file.findings.iter().map(field).collect())))
        .collect();
    assert_eq!(&found, expected, "{case}: {platform:#?}");
    for file in &platform.files {
        for finding in &file.findings {
            let class = match field(finding) {
                Field::Mode => Class::Mode,
                Field::Owner => Class::Owner,
                Field::Mtime => Class::Mtime,
                Field::Xattrs => Class::Xattrs,
                Field::Link => Class::Link,
                Field::Type => Class::Type,
                _ => continue,
            };
            assert_eq!(finding.class, class, "{case}: {file:#?}");
        }
    }
    let path = format!("/{}", touched.path);
    let Some(file) = platform.files.iter().find(|file| file.path == path) else {
        return in_layers(platform, touched, case);
    };
    let named = file.findings.iter().any(|finding| field(finding) == touched.field || file.change != Change::Changed);
    let covered = touched.field == Field::Presence;
    assert!(named || covered, "{case}: {file:#?}");
    let first = &file.findings[0];
    if touched.field == Field::Content {
        let class = touched.class.map_or_else(|| images::classes(&touched.path), |class| vec![class]);
        assert!(class.contains(&first.class), "{case}: {class:?}, {file:#?}");
        if first.within.is_empty() {
            assert_eq!(first.offset, touched.offset, "{case}: {file:#?}");
        }
    }
}

/// What makes no other files is told of the layers.
fn in_layers(platform: &PlatformComparison, touched: &Touched, case: &str) {
    let other: Vec<_> = platform.layers.iter().filter(|pair| pair.relation != Relation::Same).collect();
    assert!(!other.is_empty(), "{case}: {platform:#?}");
    let findings: Vec<_> = other.iter().flat_map(|pair| &pair.findings).collect();
    if !platform.files.is_empty() {
        return;
    }
    if !touched.path.is_empty() {
        let path = format!("/{}", touched.path);
        let hides = path.rsplit_once('/').map(|(above, name)| format!("{above}/.wh.{name}")).unwrap();
        let named = findings.iter().any(|finding| {
            let values = [&finding.a, &finding.b].into_iter().flatten();
            finding.within.iter().chain(values).any(|text| *text == path || *text == hides)
        });
        assert!(named, "{case}: {platform:#?}");
    }
    if let Some(class) = touched.class {
        assert!(findings.iter().any(|finding| finding.class == class), "{case}: {platform:#?}");
    }
}

/// The command says the same, as text and as JSON.
fn by_the_command(layout: &Layout, comparison: &Comparison, case: &str) {
    let words = ["diff", "oci:layout:a", "oci:layout:b"];
    let (code, stdout, stderr) = remint(layout.dir(), &words);
    assert_eq!(code, Some(i32::from(comparison.verdict == Verdict::Different)), "{case}: {stdout}{stderr}");
    for file in comparison.platforms.iter().flat_map(|platform| &platform.files) {
        assert!(stdout.contains(&format!("    {}", file.path)), "{case}: {stdout}");
    }
    let (_, json, _) = remint(layout.dir(), &[&words[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verdict"], json!(comparison.verdict), "{case}");
    assert_eq!(json["platforms"], json!(comparison.platforms), "{case}");
}

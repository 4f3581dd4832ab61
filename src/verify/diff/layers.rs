//! Layers side by side: which stand for each other, and how their tars differ.

use super::class::Class;
use super::listing::{Listed, Listing};
use super::model::{Field, Finding, LayerPair, LayerSide, Relation};
use super::tree::shown;
use crate::digest::DiffId;
use crate::image::{OpenedLayer, OpenedPlatform};
use crate::layer::SeenKind;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many paths of a layer are named that differ there and nowhere else.
const NAMED: usize = 5;

/// The layers of one image, with what they hold where they were read.
pub(super) struct Layers<'a> {
    pub(super) image: &'a OpenedPlatform,
    pub(super) listings: Option<&'a [Arc<Listing>]>,
}

impl Layers<'_> {
    fn diff_id(&self, at: usize) -> Option<DiffId> {
        let read = self.listings.map(|listings| listings[at].facts.diff_id);
        read.or(self.image.layers[at].diff_id)
    }

    fn side(&self, at: usize, created_by: &[Option<String>]) -> LayerSide {
        LayerSide {
            number: at + 1,
            digest: self.image.layers[at].blob.map(|blob| blob.digest).or(self.listings.map(|all| all[at].facts.blob)),
            diff_id: self.diff_id(at),
            size: self.image.layers[at].blob.map(|blob| blob.size).or(self.listings.map(|all| all[at].facts.size)),
            encoding: self.listings.map(|listings| listings[at].facts.wrapping),
            created_by: created_by[at].clone(),
        }
    }
}

/// Pairs layers: those of one tar, and between them one by one. `hidden` is whether the trees are the same, so that what differs
/// in a layer is hidden by others, and must be told here.
pub(super) fn pairs(a: &Layers<'_>, b: &Layers<'_>, hidden: bool) -> Vec<LayerPair> {
    let ids = |side: &Layers<'_>| (0..side.image.layers.len()).map(|at| side.diff_id(at)).collect::<Vec<_>>();
    let made = (a.image.created_by(), b.image.created_by());
    let mut pairs = Vec::new();
    let mut push = |at: Option<usize>, bt: Option<usize>| {
        let (relation, findings) = match (at, bt) {
            (Some(at), Some(bt)) => relate(a, at, b, bt, hidden),
            _ => (Relation::Alone, vec![]),
        };
        let (a, b) = (at.map(|at| a.side(at, &made.0)), bt.map(|bt| b.side(bt, &made.1)));
        pairs.push(LayerPair { relation, a, b, findings });
    };
    for op in capture_diff_slices(Algorithm::Myers, &ids(a), &ids(b)) {
        let (old, new) = (op.old_range(), op.new_range());
        match op {
            DiffOp::Equal { .. } | DiffOp::Replace { .. } => {
                for step in 0..old.len().max(new.len()) {
                    let part =
                        |range: &std::ops::Range<usize>| Some(range.start + step).filter(|at| range.contains(at));
                    push(part(&old), part(&new));
                }
            }
            DiffOp::Delete { .. } => old.for_each(|at| push(Some(at), None)),
            DiffOp::Insert { .. } => new.for_each(|bt| push(None, Some(bt))),
        }
    }
    pairs
}

fn relate(a: &Layers<'_>, at: usize, b: &Layers<'_>, bt: usize, hidden: bool) -> (Relation, Vec<Finding>) {
    let (layer_a, layer_b) = (&a.image.layers[at], &b.image.layers[bt]);
    if same_blob(layer_a, layer_b) {
        return (Relation::Same, vec![]);
    }
    let (Some(read_a), Some(read_b)) = (a.listings, b.listings) else { return (Relation::Different, vec![]) };
    let (read_a, read_b) = (&*read_a[at], &*read_b[bt]);
    if read_a.facts.diff_id == read_b.facts.diff_id {
        let same = read_a.facts.blob == read_b.facts.blob;
        return (if same { Relation::Same } else { Relation::OtherEncoding }, vec![]);
    }
    match written(read_a, read_b) {
        Some(finding) => (Relation::OtherTar, vec![finding]),
        None if hidden => (Relation::Different, hidden_differences(read_a, read_b)),
        None => (Relation::Different, vec![]),
    }
}

/// Whether two layers are one blob by what the images say.
pub(super) fn same_blob(a: &OpenedLayer, b: &OpenedLayer) -> bool {
    a.same_place(b)
}

/// What of an entry makes a file: all but how its header is written.
fn essence(listed: &Listed) -> impl PartialEq + '_ {
    let seen = &listed.seen;
    // Linux has one mode for symbolic links.
    let mode = if matches!(seen.kind, SeenKind::Symlink(_)) { 0 } else { seen.mode };
    (&seen.path, &seen.kind, (mode, seen.uid, seen.gid, seen.mtime, seen.nanos), &seen.xattrs, &listed.content)
}

/// How two tars of the same entries are written otherwise; `None`: the entries differ.
fn written(a: &Listing, b: &Listing) -> Option<Finding> {
    if a.entries.len() != b.entries.len() {
        return None;
    }
    let differing = a.entries.iter().zip(&b.entries).find(|(a, b)| essence(a) != essence(b));
    if let Some((first, second)) = differing {
        let sorted = |listing: &'_ Listing| {
            let mut order: Vec<usize> = (0..listing.entries.len()).collect();
            order.sort_by(|&one, &other| listing.entries[one].seen.path.cmp(&listing.entries[other].seen.path));
            order
        };
        let same = sorted(a)
            .into_iter()
            .zip(sorted(b))
            .all(|(one, other)| essence(&a.entries[one]) == essence(&b.entries[other]));
        let order = || Finding::new(Field::Tar, Class::Order).values(shown(&first.seen.path), shown(&second.seen.path));
        return same.then(|| order().note("the same entries in another order; the first that are not in step"));
    }
    let form = a.entries.iter().zip(&b.entries).find(|(a, b)| a.seen.form != b.seen.form);
    Some(match form {
        None => Finding::new(Field::Tar, Class::TarHeader).note("what stands between or behind the entries: padding"),
        Some((one, other)) => {
            let finding = Finding::new(Field::Tar, Class::TarHeader).within(&[shown(&one.seen.path)]);
            let names = |listed: &Listed| {
                let (user, group) = &*listed.seen.names;
                format!("{}:{}", String::from_utf8_lossy(user), String::from_utf8_lossy(group))
            };
            if one.seen.names == other.seen.names {
                finding.note("the header is written in another form")
            } else {
                finding.values(names(one), names(other)).note("the owner's name, which engines do not use")
            }
        }
    })
}

/// What differs between two layers of images whose files are the same in the end.
fn hidden_differences(a: &Listing, b: &Listing) -> Vec<Finding> {
    let last = |listing: &'_ Listing| -> BTreeMap<Box<[u8]>, usize> {
        listing.entries.iter().enumerate().map(|(at, listed)| (listed.seen.path.clone(), at)).collect()
    };
    let (in_a, in_b) = (last(a), last(b));
    let mut paths: Vec<&[u8]> = in_a.keys().chain(in_b.keys()).map(|path| &**path).collect();
    paths.sort();
    paths.dedup();
    let differs = |path: &&[u8]| match (in_a.get(*path), in_b.get(*path)) {
        (Some(&at), Some(&bt)) => essence(&a.entries[at]) != essence(&b.entries[bt]),
        _ => true,
    };
    let named = paths.into_iter().filter(differs).take(NAMED).map(|path| {
        let class = match (in_a.contains_key(path), in_b.contains_key(path)) {
            (true, false) => Class::Missing,
            (false, true) => Class::Additional,
            _ => Class::Content,
        };
        Finding::new(Field::Tar, class)
            .within(&[shown(path)])
            .note("in this layer only: in the end the files are the same")
    });
    named.collect()
}

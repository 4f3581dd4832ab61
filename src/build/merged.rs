//! Trees merged of fragments: what stands where, and what is gone.

use super::results::Fragment;
use crate::layer::{Entry, Index, Kind};
use crate::oci::{Blob, TreePath};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Paths of which each stands in a fragment, is a directory, or is gone.
#[derive(Default)]
pub(super) struct Merged {
    /// The fragments; those of what lies below are counted first.
    pub(super) tars: Vec<Blob>,
    pub(super) entries: BTreeMap<TreePath, Option<Seen>>,
}

/// What stands at a path.
pub(super) struct Seen {
    pub(super) entry: Entry,
    pub(super) content: Content,
}

/// Where the bytes of a file are.
#[derive(Clone, Copy)]
pub(super) enum Content {
    None,
    /// In that fragment, at that byte.
    At(usize, u64),
}

/// A file that says that all its directory's lower content is gone (image-spec, layer.md, "Opaque Whiteout").
pub(super) const OPAQUE: &str = ".wh..wh..opq";

/// The prefix of a file that says that its namesake in a lower layer is gone (image-spec, layer.md, "Whiteouts").
pub(super) const WHITEOUT: &str = ".wh.";

impl Seen {
    pub(super) fn directory(entry: Entry) -> Self {
        Self { entry, content: Content::None }
    }
}

impl Merged {
    /// Merges directories and fragments all at once; `None` if one would take the place of another.
    pub(super) fn of<'i>(
        top: Option<&str>,
        directories: &[Entry],
        parts: impl Iterator<Item = (&'i Fragment, &'i Index)>,
    ) -> Option<Self> {
        let mut all: Vec<Seen> = directories.iter().cloned().map(Seen::directory).collect();
        let mut tars = Vec::new();
        for (fragment, index) in parts {
            all.extend(seen(top, tars.len(), index));
            tars.push(fragment.tar);
        }
        let count = all.len();
        let entries: BTreeMap<_, _> = all.into_iter().map(|seen| (seen.entry.path.clone(), Some(seen))).collect();
        (entries.len() == count).then_some(Self { tars, entries })
    }

    /// Whether nothing is there, and no fragment is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.tars.is_empty()
    }
}

/// What is seen inside a directory at any depth, in byte order, where one tree lies over another.
pub(super) fn inside<'s>(
    below: &'s Merged,
    own: &'s Merged,
    directory: &str,
) -> impl Iterator<Item = (&'s TreePath, &'s Seen)> + use<'s> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let range = |merged: &'s Merged| {
        merged.entries.range::<str, _>((Bound::Excluded(prefix.as_str()), Bound::Unbounded)).peekable()
    };
    let (mut below, mut own) = (range(below), range(own));
    let all = std::iter::from_fn(move || {
        loop {
            let order = match (below.peek(), own.peek()) {
                (Some((there, _)), Some((here, _))) => there.cmp(here),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            // Of two at one place, the own one is seen.
            let next = if order == Ordering::Less { below.next() } else { own.next() };
            if order == Ordering::Equal {
                below.next();
            }
            let (path, seen) = next?;
            if let Some(seen) = seen {
                return Some((path, seen));
            }
        }
    });
    all.take_while(move |(path, _)| path.as_str().starts_with(&prefix))
}

/// Whether a path is an entry of the root or below it; `None`: of any.
pub(super) fn is_in(top: Option<&str>, path: &TreePath) -> bool {
    top.is_none_or(|top| path.as_str().split('/').next() == Some(top))
}

/// What is seen of the entries of a fragment, by the fragment's number.
pub(super) fn seen(top: Option<&str>, at: usize, index: &Index) -> impl Iterator<Item = Seen> {
    let is_seen = move |path: &TreePath| is_in(top, path) && whiteout(path).is_none();
    index.entries().iter().filter(move |indexed| is_seen(&indexed.entry.path)).map(move |indexed| {
        let mut seen = Seen { entry: indexed.entry.clone(), content: Content::At(at, indexed.offset) };
        // A reader wants the file, by whichever of its names.
        if let Kind::Hardlink { target } = &indexed.entry.kind
            && let Some(file) = index.get(target)
        {
            seen.entry.kind = file.entry.kind.clone();
            seen.content = Content::At(at, file.offset);
        }
        seen
    })
}

/// Of what a whiteout tells that it is gone.
pub(super) fn whiteout(path: &TreePath) -> Option<TreePath> {
    let gone = path.name().strip_prefix(WHITEOUT)?;
    match path.parent() {
        Some(parent) => parent.join(gone).ok(),
        None => TreePath::parse(gone).ok(),
    }
}

//! Layers of copied trees: cut into runs of files, of which only those are made that the store lacks.

use super::alone;
use super::error::Error;
use super::place::{Resolver, add_parents, resolve};
use super::results::{Fragment, Layered, Run};
use super::trees::{Bytes, Piece, fragment, into, owned, put_directories, refuse_directories, refuse_twice};
use super::view::View;
use crate::digest::ActionKey;
use crate::layer::{Entry, RunItem, runs};
use crate::native::Root;
use crate::oci::TreePath;
use crate::plan::{CopyWork, run_key};
use crate::source::path::{ItemKind, LocalFile, Tree};
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Something of a tree that is no directory, at its real place in the image.
struct Placed<'t> {
    place: TreePath,
    kind: &'t ItemKind,
    /// Where it is in the tree; `None`: it is all that is copied.
    path: Option<&'t TreePath>,
}

/// Makes a layer of a copied tree.
pub(super) fn copy(store: &Store, view: &View<'_>, work: &CopyWork, title: &str) -> Result<Layered, Error> {
    let get = |path: &str| view.get(path);
    let mut dirs = BTreeMap::new();
    let single;
    let mut placed = match &*work.tree {
        Tree::File(file) => {
            single = ItemKind::File(*file);
            let to = work.to.as_ref().ok_or_else(|| crate::oci::PathError::Root("/".to_owned()))?;
            vec![Placed { place: resolve(to, &get)?, kind: &single, path: None }]
        }
        Tree::Directory(_) => place(view, work, &mut dirs)?,
    };
    // By their real places, since links can bring things from far apart together.
    placed.sort_by(|a, b| a.place.cmp(&b.place));
    let places = || placed.iter().map(|placed| &placed.place);
    refuse_directories(places(), view)?;
    add_parents(&mut dirs, places().chain(work.to.as_ref()), &get)?;
    refuse_twice(places(), &dirs)?;
    let weights: Vec<RunItem<'_>> =
        placed.iter().map(|placed| RunItem { path: &placed.place, size: placed.size() }).collect();
    let runs: Vec<&[Placed<'_>]> = runs(&weights).into_iter().map(|run| &placed[run]).collect();
    let find = |run: &&[Placed<'_>]| -> Result<_, Error> {
        let key = run_key(run.iter().map(|placed| (&placed.place, placed.kind)), work.owner, work.mode);
        Ok((key, store.action::<Run>(&key)?))
    };
    let found = alone::each(&runs, alone::files(runs.len()), find);
    // One after another, so that memory holds the files of one run alone.
    let fragments = runs.into_iter().zip(found).map(|(run, found)| match found? {
        (_, Some(run)) => Ok(run.files),
        (key, None) => make(store, &key, run, work, title),
    });
    let fragments = fragments.collect::<Result<_, Error>>()?;
    let directories = put_directories(store, &dirs, title)?;
    Ok(Layered { directories, fragments, uncovered: Vec::new() })
}

/// Finds the places of a directory's tree, and which directories are new.
fn place<'t>(
    view: &View<'_>,
    work: &'t CopyWork,
    dirs: &mut BTreeMap<TreePath, Entry>,
) -> Result<Vec<Placed<'t>>, Error> {
    let Tree::Directory(items) = &*work.tree else { return Ok(Vec::new()) };
    let get = |path: &str| view.get(path);
    let mut add = |place: TreePath| {
        if view.get(place.as_str()).is_none() {
            dirs.insert(place.clone(), owned(Entry::directory(place, 0o755), work.owner));
        }
    };
    let to = work.to.as_ref().map(|to| into(to, view)).transpose()?;
    to.iter().cloned().for_each(&mut add);
    let mut real = Resolver::new(&get);
    let mut placed = Vec::with_capacity(items.len());
    for item in items {
        let wanted = to.as_ref().map_or_else(|| Ok(item.path.clone()), |to| to.join(item.path.as_str()))?;
        if item.kind == ItemKind::Directory {
            add(into(&wanted, view)?);
        } else {
            placed.push(Placed { place: real.resolve(&wanted)?, kind: &item.kind, path: Some(&item.path) });
        }
    }
    Ok(placed)
}

/// Makes the fragment of a run.
fn make(store: &Store, key: &ActionKey, run: &[Placed<'_>], work: &CopyWork, title: &str) -> Result<Fragment, Error> {
    // The small files of a run are read side by side where they are much; a large one is a run of its own, and is never whole in memory.
    let pieces: Vec<_> = match run {
        [large] => vec![Ok(large.piece(work))],
        small => {
            let alone = alone::bytes(small.iter().map(Placed::size));
            alone::each(small, alone, |placed| placed.piece(work).read())
        }
    };
    let pieces = pieces.into_iter().collect::<Result<Vec<Piece>, _>>()?;
    let run = Run { files: fragment(store, pieces.iter(), title)? };
    store.put_action(key, &run)?;
    Ok(run.files)
}

impl Placed<'_> {
    /// The bytes of its content.
    fn size(&self) -> u64 {
        match self.kind {
            ItemKind::File(file) => file.content.size,
            ItemKind::Symlink(_) | ItemKind::Directory => 0,
        }
    }

    fn piece(&self, work: &CopyWork) -> Piece {
        let (entry, content) = match self.kind {
            ItemKind::Symlink(target) => (Entry::symlink(self.place.clone(), target.clone()), Bytes::None),
            ItemKind::File(file) => {
                let mode = work.mode.unwrap_or_else(|| default_mode(file));
                let entry = Entry::file(self.place.clone(), mode, file.content.size);
                (entry, Bytes::Local(self.local(work), file.content))
            }
            ItemKind::Directory => unreachable!("directories are kept apart"),
        };
        Piece { entry: owned(entry, work.owner), content }
    }

    /// Where its bytes are.
    fn local(&self, work: &CopyWork) -> PathBuf {
        self.path.map_or_else(|| work.root.clone(), |path| work.root.join(path.as_str()))
    }
}

fn default_mode(file: &LocalFile) -> u32 {
    if file.executable { 0o755 } else { 0o644 }
}

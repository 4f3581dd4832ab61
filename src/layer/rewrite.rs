//! Changes a fragment without the archive it came from: leaves entries out, renames them, makes them older.

use super::links::FirstNames;
use super::span::Spans;
use super::{Entry, Error, FragmentWriter, Index, Indexed, Kind};
use crate::oci::TreePath;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, Write};

/// What to change. Paths that the fragment does not have change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rewrite {
    /// Paths to leave out, by the old names.
    pub drop: BTreeSet<TreePath>,
    /// Old paths and the new ones they get; exact, nothing below them.
    pub rename: BTreeMap<TreePath, TreePath>,
    /// The newest mtime to leave, in seconds since 1970.
    pub clamp: Option<u64>,
}

impl Rewrite {
    /// Whether it would change anything of a fragment; if not, the fragment can be used as it is.
    #[must_use]
    pub fn changes(&self, index: &Index) -> bool {
        self.clamp.is_some_and(|newest| index.max_mtime() > newest)
            || self.drop.iter().any(|path| index.get(path).is_some())
            || self.rename.iter().any(|(old, new)| old != new && index.get(old).is_some())
    }
}

/// Writes a changed fragment, and gives its index.
///
/// `index` and `content` are the old fragment. A file whose first name goes keeps its content under the next one. Two entries
/// with one new name are an error.
pub fn rewrite(
    index: &Index,
    content: &mut (impl Read + Seek),
    change: &Rewrite,
    out: impl Write,
) -> Result<Index, Error> {
    let mut names = Vec::with_capacity(index.entries().len());
    let mut first = FirstNames::default();
    for (at, Indexed { entry, .. }) in index.entries().iter().enumerate() {
        if change.drop.contains(&entry.path) {
            continue;
        }
        let mut file = at;
        if let Kind::Hardlink { target } = &entry.kind {
            // An index has no hard link without its file.
            file = index.position(target).unwrap_or(at);
            first.several(file);
        }
        names.push((change.rename.get(&entry.path).unwrap_or(&entry.path), file));
    }
    names.sort_by_key(|(path, _)| *path);

    let mut writer = FragmentWriter::new(out);
    let mut spans = Spans::new(content);
    for (path, file) in names {
        let Indexed { entry, offset } = &index.entries()[file];
        let mut entry = Entry { path: path.clone(), ..entry.clone() };
        entry.mtime = entry.mtime.min(change.clamp.unwrap_or(u64::MAX));
        first.settle(file, &mut entry);
        if entry.size() == 0 {
            writer.add(&entry, &mut io::empty())?;
            continue;
        }
        let unreadable = |source| Error::Content { path: path.clone(), source };
        writer.add(&entry, &mut spans.span(*offset, entry.size()).map_err(unreadable)?)?;
    }
    Ok(writer.finish()?.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::arbitrary::{fragment, path, tree};
    use proptest::prelude::*;

    fn file(name: &str, content: &str) -> (Entry, Vec<u8>) {
        (Entry::file(path(name), 0o644, content.len() as u64), content.into())
    }

    fn link(name: &str, target: &str, size: u64) -> (Entry, Vec<u8>) {
        let entry = Entry::file(path(name), 0o644, size);
        (Entry { kind: Kind::Hardlink { target: path(target) }, ..entry }, Vec::new())
    }

    fn rewritten(tree: &[(Entry, Vec<u8>)], change: &Rewrite) -> Result<(Vec<u8>, Index), Error> {
        let (bytes, index) = fragment(tree);
        let mut out = Vec::new();
        let index = rewrite(&index, &mut io::Cursor::new(bytes), change, &mut out)?;
        Ok((out, index))
    }

    #[test]
    fn the_next_name_inherits_a_dropped_file() {
        let tree = [file("a", "A"), file("b", "BBB"), link("c", "a", 1), link("d", "a", 1)];
        let change = Rewrite { drop: [path("a")].into(), ..Rewrite::default() };
        assert_eq!(
            rewritten(&tree, &change).unwrap(),
            fragment(&[file("b", "BBB"), file("c", "A"), link("d", "c", 1)])
        );
    }

    #[test]
    fn a_renamed_first_name_gives_way_to_what_is_first_then() {
        let tree = [file("a", "A"), file("b", "BBB"), link("c", "a", 1)];
        let change = Rewrite { rename: [(path("a"), path("z"))].into(), ..Rewrite::default() };
        assert_eq!(
            rewritten(&tree, &change).unwrap(),
            fragment(&[file("b", "BBB"), file("c", "A"), link("z", "c", 1)])
        );
        let change = Rewrite { rename: [(path("c"), path("0"))].into(), ..Rewrite::default() };
        assert_eq!(
            rewritten(&tree, &change).unwrap(),
            fragment(&[file("0", "A"), link("a", "0", 1), file("b", "BBB")])
        );
        let change = Rewrite { rename: [(path("a"), path("b"))].into(), ..Rewrite::default() };
        assert!(matches!(rewritten(&tree, &change), Err(Error::Duplicate { .. })));
    }

    #[test]
    fn times_are_clamped_and_swaps_are_renames() {
        let mut old = [file("a", "A"), file("b", "B")];
        old[0].0.mtime = 5;
        let change = Rewrite {
            rename: [(path("a"), path("b")), (path("b"), path("a"))].into(),
            clamp: Some(7),
            ..Rewrite::default()
        };
        let mut new = [file("a", "B"), file("b", "A")];
        (new[0].0.mtime, new[1].0.mtime) = (7, 5);
        assert!(change.changes(&fragment(&old).1));
        assert_eq!(rewritten(&old, &change).unwrap(), fragment(&new));
    }

    /// A name's file: itself, or what it links to.
    fn file_of<'a>(tree: &'a [(Entry, Vec<u8>)], entry: &'a (Entry, Vec<u8>)) -> &'a (Entry, Vec<u8>) {
        match &entry.0.kind {
            Kind::Hardlink { target } => tree.iter().find(|(entry, _)| entry.path == *target).unwrap(),
            _ => entry,
        }
    }

    proptest! {
        /// A change makes what an archive gives that never had it otherwise.
        #[test]
        fn a_rewritten_fragment_is_one_built_anew(
            tree in tree(),
            fates in prop::collection::vec(0..4_u8, 20),
            clamp in prop::option::of(0..2_000_000_000_u64),
        ) {
            let mut change = Rewrite { clamp, ..Rewrite::default() };
            let mut builder = crate::layer::FragmentBuilder::new(std::path::Path::new("."), 1 << 20);
            let mut first = BTreeMap::new();
            for (at, (name, fate)) in tree.iter().zip(fates).enumerate() {
                let (file, content) = file_of(&tree, name);
                let mut new = name.0.path.clone();
                match fate {
                    0 => {
                        change.drop.insert(new);
                        continue;
                    }
                    1 => new = path(&format!("new/{}", 100 - at)),
                    _ => {}
                }
                if new != name.0.path {
                    change.rename.insert(name.0.path.clone(), new.clone());
                }
                let mut entry = Entry { path: new.clone(), ..file.clone() };
                entry.mtime = entry.mtime.min(clamp.unwrap_or(u64::MAX));
                // The first that survives in the old order need not be the first in the new.
                let mut content = &content[..];
                if let Some(target) = first.get(&file.path).filter(|_| matches!(file.kind, Kind::File { .. })) {
                    entry.kind = Kind::Hardlink { target: TreePath::clone(target) };
                    content = &[];
                } else {
                    first.insert(file.path.clone(), new);
                }
                builder.add(entry, &mut content).unwrap();
            }
            let mut bytes = Vec::new();
            let built = builder.finish(&mut bytes).unwrap();
            prop_assert!(rewritten(&tree, &change).unwrap() == (bytes, built.index));
        }

        #[test]
        fn no_change_is_no_change(tree in tree()) {
            let (bytes, index) = fragment(&tree);
            let change = Rewrite { clamp: Some(index.max_mtime()), ..Rewrite::default() };
            prop_assert!(!change.changes(&index));
            prop_assert!(rewritten(&tree, &change).unwrap() == (bytes, index));
        }
    }
}

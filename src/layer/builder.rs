//! Collects entries in the order in which an archive has them, and writes them as a fragment.

use super::links::FirstNames;
use super::sink::{Sink, expect_end};
use super::span::Spans;
use super::{Entry, Error, FragmentWriter, Index, Kind};
use crate::oci::TreePath;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Collects entries in any order and writes a fragment.
///
/// Contents stay in memory up to a bound; the rest goes to one temporary file without a name, which vanishes with the builder.
///
/// Of several entries with one path the last one counts, as for tar and dpkg, which unpack one over the other. A hard link may
/// come before its file, and may point at another hard link; one to a symbolic link, device or pipe becomes another of these.
/// All names of a file have the file's own owner, mode and time, since they are one inode.
pub struct FragmentBuilder {
    collected: Vec<Collected>,
    memory: Vec<u8>,
    memory_limit: usize,
    spill_dir: PathBuf,
    spill: Option<Sink<File>>,
    spilled: u64,
}

/// What a [`FragmentBuilder`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What is in the fragment.
    pub index: Index,
    /// The archive's directories, which are no part of the fragment, in byte order.
    pub directories: Vec<Entry>,
    /// The newest mtime in the fragment, in seconds since 1970; 0 without entries.
    pub max_mtime: u64,
}

struct Collected {
    entry: Entry,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    /// From there to there in the memory.
    Memory(usize, usize),
    /// From there in the temporary file.
    Spill(u64),
}

impl FragmentBuilder {
    /// Starts with nothing; more than `memory` bytes of contents go to a temporary file in `spill_dir`.
    #[must_use]
    pub fn new(spill_dir: &Path, memory: usize) -> Self {
        Self {
            collected: Vec::new(),
            memory: Vec::new(),
            memory_limit: memory,
            spill_dir: spill_dir.to_owned(),
            spill: None,
            spilled: 0,
        }
    }

    /// Adds an entry and, if it is a file, its content, which must have the length that the entry says.
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), Error> {
        let size = entry.size();
        let place = match usize::try_from(size) {
            Ok(size) if size <= self.memory_limit - self.memory.len() => {
                let place = self.memory.len();
                self.grow(size);
                let read = content
                    .take(size as u64)
                    .read_to_end(&mut self.memory)
                    .map_err(|source| Error::Content { path: entry.path.clone(), source })?;
                if read < size {
                    return Err(Error::Length { path: entry.path, expected: size as u64, longer: false });
                }
                expect_end(&entry.path, content, size as u64)?;
                Place::Memory(place, self.memory.len())
            }
            _ => {
                let place = self.spilled;
                let spilled = self.spill()?.copy(&entry.path, content, size);
                spilled.map_err(|error| spill_error(&self.spill_dir, error))?;
                self.spilled += size;
                Place::Spill(place)
            }
        };
        self.collected.push(Collected { entry, place });
        Ok(())
    }

    /// Writes the fragment.
    pub fn finish(mut self, out: impl Write) -> Result<Built, Error> {
        let collected = last_of_each(std::mem::take(&mut self.collected));
        let (files, mut first) = resolve(&collected)?;
        let directory = self.spill_dir;
        let mut spans = match self.spill {
            Some(sink) => {
                let file = sink.finish().map_err(|error| spill_error(&directory, error))?;
                Some(Spans::new(file))
            }
            None => None,
        };

        let mut writer = FragmentWriter::new(out);
        let mut directories = Vec::new();
        for (at, &file) in files.iter().enumerate() {
            if collected[at].entry.is_directory() {
                directories.push(collected[at].entry.clone());
                continue;
            }
            let Collected { entry, place } = &collected[file];
            let linked = (at != file).then(|| Entry { path: collected[at].entry.path.clone(), ..entry.clone() });
            let mut entry = linked.unwrap_or_else(|| entry.clone());
            first.settle(file, &mut entry);
            let size = entry.size();
            match (place, &mut spans) {
                (Place::Spill(offset), Some(spans)) if size > 0 => {
                    let span = spans.span(*offset, size);
                    let mut span = span.map_err(|source| Error::Spill { directory: directory.clone(), source })?;
                    writer.add(&entry, &mut span)?;
                }
                (Place::Memory(start, end), _) if size > 0 => {
                    writer.add(&entry, &mut &self.memory[*start..*end])?;
                }
                _ => writer.add(&entry, &mut io::empty())?,
            }
        }
        let (_, index) = writer.finish()?;
        for directory in &directories {
            refuse_below_files(&directory.path, &index)?;
        }
        let max_mtime = index.max_mtime();
        Ok(Built { index, directories, max_mtime })
    }

    /// Makes room for that many bytes more, doubling what there is, but not beyond the bound.
    fn grow(&mut self, size: usize) {
        let (length, capacity) = (self.memory.len(), self.memory.capacity());
        if size > capacity - length {
            let wanted = (2 * capacity).min(self.memory_limit).max(length + size);
            self.memory.reserve_exact(wanted - length);
        }
    }

    /// The temporary file, made when it is first needed.
    fn spill(&mut self) -> Result<&mut Sink<File>, Error> {
        match &mut self.spill {
            Some(spill) => Ok(spill),
            none => {
                let file = crate::disk::unnamed(&self.spill_dir)
                    .map_err(|source| Error::Spill { directory: self.spill_dir.clone(), source })?;
                Ok(none.insert(Sink::new(file, "temporary file")))
            }
        }
    }
}

/// Names the directory when the temporary file is what failed.
fn spill_error(directory: &Path, error: Error) -> Error {
    match error {
        Error::Write { source, .. } => Error::Spill { directory: directory.to_owned(), source },
        other => other,
    }
}

/// Sorts by path and keeps the last entry of each.
fn last_of_each(mut collected: Vec<Collected>) -> Vec<Collected> {
    // Reversed first: the sort is stable, so the last one given becomes the first of its path, which `dedup` keeps.
    collected.reverse();
    collected.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    collected.dedup_by(|a, b| a.entry.path == b.entry.path);
    collected
}

/// For each entry the number of the one that has its content: its own, but for hard links.
fn resolve(collected: &[Collected]) -> Result<(Vec<usize>, FirstNames), Error> {
    let mut files = vec![None; collected.len()];
    let mut first = FirstNames::default();
    let mut chain = Vec::new();
    for at in 0..collected.len() {
        let mut file = at;
        let found = loop {
            if let Some(found) = files[file] {
                break found;
            }
            let Collected { entry: Entry { path, kind, .. }, .. } = &collected[file];
            let Kind::Hardlink { target } = kind else { break file };
            let link = |reason| Error::Link { path: path.clone(), target: target.clone(), reason };
            chain.push(file);
            file = collected
                .binary_search_by(|other| other.entry.path.cmp(target))
                .map_err(|_| link("is not in the archive"))?;
            if collected[file].entry.is_directory() {
                return Err(link("is a directory"));
            }
            if chain.len() > collected.len() {
                return Err(link("leads back to it"));
            }
        };
        files[at] = Some(found);
        if !chain.is_empty() && matches!(collected[found].entry.kind, Kind::File { .. }) {
            first.several(found);
        }
        // Each link is walked once, so that a chain of a million costs a million steps.
        for link in chain.drain(..) {
            files[link] = Some(found);
        }
    }
    Ok((files.into_iter().enumerate().map(|(at, file)| file.unwrap_or(at)).collect(), first))
}

/// Refuses a directory that stands below something else.
fn refuse_below_files(path: &TreePath, index: &Index) -> Result<(), Error> {
    match path.ancestors().find(|above| index.get(above).is_some()) {
        Some(parent) => Err(Error::Below { path: path.clone(), parent }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::arbitrary::{fragment, path, tree};
    use proptest::prelude::*;

    type Given<'a> = (&'a str, Kind, &'a [u8]);

    fn build(memory: usize, given: &[Given<'_>]) -> Result<(Vec<u8>, Built), Error> {
        let directory = tempfile::tempdir().unwrap();
        let mut builder = FragmentBuilder::new(directory.path(), memory);
        for (at, (name, kind, content)) in given.iter().enumerate() {
            let mut entry = Entry::file(path(name), 0o644, 0);
            entry.kind = kind.clone();
            entry.uid = at.try_into().unwrap();
            builder.add(entry, &mut &content[..])?;
        }
        let mut out = Vec::new();
        builder.finish(&mut out).map(|built| (out, built))
    }

    fn file(size: u64) -> Kind {
        Kind::File { size }
    }

    fn link(target: &str) -> Kind {
        Kind::Hardlink { target: path(target) }
    }

    #[test]
    fn the_first_name_has_the_content_and_chains_are_resolved() {
        let given = [("c", link("b"), &b""[..]), ("b", link("z"), b""), ("z", file(3), b"abc"), ("a", link("c"), b"")];
        for memory in [0, 1 << 20] {
            let (bytes, built) = build(memory, &given).unwrap();
            let kinds: Vec<_> = built.index.entries().iter().map(|indexed| indexed.entry.kind.clone()).collect();
            assert_eq!(kinds, [file(3), link("a"), link("a"), link("a")]);
            assert!(built.index.entries().iter().all(|indexed| indexed.entry.uid == 2), "one inode has one owner");
            assert_eq!(built.index.entries()[0].offset, 512);
            assert_eq!(&bytes[512..515], b"abc");
        }
    }

    #[test]
    fn links_to_nothing_and_in_circles_are_refused() {
        let reason = |given: &[Given<'_>]| match build(0, given) {
            Err(Error::Link { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(&[("a", link("b"), b"")]), "is not in the archive");
        assert_eq!(reason(&[("a", link("b"), b""), ("b", link("a"), b"")]), "leads back to it");
        assert_eq!(reason(&[("a", link("a"), b"")]), "leads back to it");
        assert_eq!(reason(&[("a", link("b"), b""), ("b", Kind::Directory, b"")]), "is a directory");
    }

    #[test]
    fn a_hard_link_to_a_symbolic_link_becomes_another() {
        let target = Kind::Symlink { target: "t".to_owned() };
        let (_, built) = build(0, &[("a", link("b"), b""), ("b", target.clone(), b"")]).unwrap();
        assert!(built.index.entries().iter().all(|indexed| indexed.entry.kind == target));
    }

    #[test]
    fn the_last_entry_of_a_path_counts() {
        let given =
            [("a", file(3), &b"old"[..]), ("d", file(1), b"x"), ("a", file(4), b"new!"), ("d", Kind::Directory, b"")];
        for memory in [0, 4, 1 << 20] {
            let (bytes, built) = build(memory, &given).unwrap();
            assert_eq!(built.index.entries().len(), 1);
            assert_eq!(&bytes[512..516], b"new!");
            assert_eq!(built.directories.len(), 1);
        }
    }

    #[test]
    fn nothing_stands_below_a_file() {
        let below = [("a", file(0), &b""[..]), ("a/b", file(0), b"")];
        assert!(matches!(build(0, &below), Err(Error::Below { .. })));
        let below = [("a", file(0), &b""[..]), ("a/b/c", Kind::Directory, b"")];
        assert!(matches!(build(0, &below), Err(Error::Below { .. })));
    }

    proptest! {
        /// Neither the order of the entries nor the memory decides a byte.
        #[test]
        fn any_order_and_any_memory_give_one_fragment(
            (tree, mixed) in tree().prop_flat_map(|tree| (Just(tree.clone()), Just(tree).prop_shuffle())),
            memory in 0..5000_usize,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let mut builder = FragmentBuilder::new(directory.path(), memory);
            for (entry, content) in mixed {
                builder.add(entry, &mut &content[..]).unwrap();
            }
            let mut out = Vec::new();
            let built = builder.finish(&mut out).unwrap();
            let (bytes, index) = fragment(&tree);
            prop_assert_eq!(built.index, index);
            prop_assert!(out == bytes);
        }
    }
}

//! Writes fragments: runs of tar records in byte order, without an end.

use super::header::{self, BLOCK};
use super::index::Growing;
use super::sink::Sink;
use super::{CONSTANT_MTIME, Entry, Error, Index};
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// The end of a tar archive: two blocks of zeros behind the last fragment.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Writes a fragment of files, links, devices and pipes.
///
/// Holds in memory one buffer of 256 KiB and the index. The writer need not be buffered.
pub struct FragmentWriter<W: Write> {
    sink: Sink<W>,
    growing: Growing,
}

impl<W: Write> FragmentWriter<W> {
    /// Begins a fragment.
    pub fn new(out: W) -> Self {
        Self { sink: Sink::new(out, "fragment"), growing: Growing::default() }
    }

    /// Adds an entry and, if it is a file, its content.
    ///
    /// Refuses directories, an entry that does not stand behind all others in byte order, one below something that is no
    /// directory, a hard link to anything but a file before it, and a content of another length than the entry says. After an
    /// error what was written is no fragment.
    pub fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), Error> {
        self.sink.put(self.growing.admit(entry)?)?;
        let size = entry.size();
        if size > 0 {
            self.sink.copy(&entry.path, content, size)?;
            self.sink.pad(size.next_multiple_of(BLOCK as u64) - size)
        } else {
            super::sink::expect_end(&entry.path, content, 0)
        }
    }

    /// Ends the fragment and gives back the writer, flushed, and what was written.
    pub fn finish(self) -> Result<(W, Index), Error> {
        Ok((self.sink.finish()?, self.growing.finish()))
    }
}

/// Makes the first fragment of a layer: its directories in byte order, each with the constant mtime.
///
/// Of several directories with one path the last one given counts. Anything but a directory is refused.
pub fn directories<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Vec<u8>, Error> {
    let mut sorted = BTreeMap::new();
    for entry in entries {
        if !entry.is_directory() {
            return Err(Error::Mixed { path: entry.path.clone() });
        }
        sorted.insert(&entry.path, entry);
    }
    let mut out = Vec::with_capacity(sorted.len() * BLOCK);
    let mut header = Vec::new();
    for entry in sorted.into_values() {
        header::encode(&Entry { mtime: CONSTANT_MTIME, ..entry.clone() }, &mut header)?;
        out.extend_from_slice(&header);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Kind;
    use crate::layer::arbitrary::{fragment, path, tree};
    use proptest::prelude::*;
    use std::io;

    fn add(entries: &[(Entry, &[u8])]) -> Result<Index, Error> {
        let mut writer = FragmentWriter::new(io::sink());
        for (entry, content) in entries {
            writer.add(entry, &mut &content[..])?;
        }
        Ok(writer.finish()?.1)
    }

    fn file(name: &str, size: u64) -> Entry {
        Entry::file(path(name), 0o644, size)
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let long: &[u8] = b"12";
        let error = |entries: &[(Entry, &[u8])]| add(entries).unwrap_err();
        assert!(matches!(error(&[(file("b", 0), b""), (file("a", 0), b"")]), Error::Order { .. }));
        assert!(matches!(error(&[(file("a", 0), b""), (file("a", 0), b"")]), Error::Duplicate { .. }));
        assert!(matches!(error(&[(file("a", 1), b"")]), Error::Length { longer: false, .. }));
        assert!(matches!(error(&[(file("a", 1), long)]), Error::Length { longer: true, .. }));
        assert!(matches!(error(&[(file("a", 0), long)]), Error::Length { longer: true, .. }));
        assert!(matches!(error(&[(Entry::directory(path("a"), 0o755), b"")]), Error::Mixed { .. }));
        let below = [(Entry::symlink(path("a"), "/etc"), &b""[..]), (file("a-b", 0), b""), (file("a/b", 0), b"")];
        assert!(matches!(error(&below), Error::Below { .. }));
        let far = [(file("a", 0), &b""[..]), (file("a-b", 0), b""), (file("a-b.c", 0), b""), (file("a/b/c", 0), b"")];
        assert!(matches!(error(&far), Error::Below { .. }));
        let link = Entry { kind: Kind::Hardlink { target: path("a") }, ..file("b", 0) };
        assert!(matches!(error(&[(link.clone(), b"")]), Error::Link { .. }));
        assert!(matches!(error(&[(Entry::symlink(path("a"), "x"), b""), (link.clone(), b"")]), Error::Link { .. }));
        assert!(add(&[(file("a", 0), b""), (link, b"")]).is_ok());
        assert!(matches!(error(&[(Entry { mode: 0o10000, ..file("a", 0) }, b"")]), Error::Unwritable { .. }));
    }

    #[test]
    fn directories_are_sorted_and_have_the_constant_mtime() {
        let mut b = Entry::directory(path("b"), 0o755);
        b.mtime = 7;
        let (a, old) = (Entry::directory(path("a"), 0o755), Entry::directory(path("b"), 0o700));
        let bytes = directories([&old, &b, &a]).unwrap();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            seen.push((header.path_bytes().into_owned(), header.mode().unwrap(), header.mtime().unwrap()));
        }
        assert_eq!(seen, [(b"a/".to_vec(), 0o755, CONSTANT_MTIME), (b"b/".to_vec(), 0o755, CONSTANT_MTIME)]);
        assert!(directories([&file("f", 0)]).is_err());
    }

    proptest! {
        /// The `tar` crate, which is not what reads here, sees what was written.
        #[test]
        fn the_tar_crate_reads_what_was_written(mut tree in tree()) {
            // It takes a newline in a value for the end of a pax record: one reason why it does not do our framing.
            for value in tree.iter_mut().flat_map(|(entry, _)| &mut entry.xattrs).flat_map(|(_, value)| value) {
                *value = (*value).max(b' ');
            }
            let (bytes, index) = fragment(&tree);
            prop_assert_eq!(bytes.len() as u64, index.size());
            let mut archive = tar::Archive::new(&bytes[..]);
            let mut seen = archive.entries().unwrap();
            for (entry, content) in &tree {
                let mut found = seen.next().unwrap().unwrap();
                let path = found.path_bytes().into_owned();
                prop_assert_eq!(std::str::from_utf8(&path).unwrap(), entry.path.as_str());
                let target = found.link_name_bytes().map(|link| String::from_utf8(link.into_owned()).unwrap());
                match &entry.kind {
                    Kind::Symlink { target: expected } => prop_assert_eq!(target.as_ref(), Some(expected)),
                    Kind::Hardlink { target: expected } => prop_assert_eq!(target.as_deref(), Some(expected.as_str())),
                    _ => prop_assert_eq!(target, None),
                }
                prop_assert_eq!(found.header().mode().unwrap(), entry.mode);
                prop_assert_eq!(found.header().uid().unwrap(), u64::from(entry.uid));
                prop_assert_eq!(found.header().gid().unwrap(), u64::from(entry.gid));
                let mut bytes = Vec::new();
                found.read_to_end(&mut bytes).unwrap();
                prop_assert_eq!(&bytes, content);
                prop_assert_eq!(index.get(&entry.path).unwrap().offset, found.raw_file_position());
            }
            prop_assert!(seen.next().is_none());
        }

        #[test]
        fn our_reader_reads_what_was_written(tree in tree()) {
            let (mut bytes, _) = fragment(&tree);
            bytes.extend_from_slice(&END);
            let mut seen = Vec::new();
            crate::layer::read(&bytes[..], &crate::layer::Limits::default(), |entry, content| {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).unwrap();
                seen.push((entry, bytes));
                Ok::<_, Error>(())
            }).unwrap();
            prop_assert_eq!(seen, tree);
        }
    }
}

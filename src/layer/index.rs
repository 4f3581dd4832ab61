//! What is in a fragment and where: enough to change one, or to list a layer, without reading it.

use super::header::{self, BLOCK};
use super::number::{Cursor, put_bytes, put_number};
use super::{Entry, Error, Kind};
use crate::oci::TreePath;

/// The sorted entries of a fragment, with the place of each file's content, and the fragment's size.
///
/// Every index describes a fragment that can be: places are computed from the entries, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    entries: Vec<Indexed>,
    size: u64,
}

/// One entry of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// The entry.
    pub entry: Entry,
    /// Where its content begins in the fragment, in bytes; without content, where its header ends.
    pub offset: u64,
}

/// The first bytes of every encoded index, the last of them its version.
const MAGIC: &[u8; 5] = b"rmix\x01";

/// The largest fragment, in bytes: what a signed 64-bit file offset can reach, with room to add.
const SIZE_LIMIT: u64 = 1 << 62;

impl Index {
    /// The entries in byte order of their paths.
    #[must_use]
    pub fn entries(&self) -> &[Indexed] {
        &self.entries
    }

    /// The fragment's size in bytes, a multiple of 512.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The entry at a path.
    #[must_use]
    pub fn get(&self, path: &TreePath) -> Option<&Indexed> {
        self.position(path).map(|at| &self.entries[at])
    }

    /// The newest mtime, in seconds since 1970; 0 without entries.
    #[must_use]
    pub fn max_mtime(&self) -> u64 {
        self.entries.iter().map(|indexed| indexed.entry.mtime).max().unwrap_or(0)
    }

    /// The place of a path's entry in [`Self::entries`].
    pub(super) fn position(&self, path: &TreePath) -> Option<usize> {
        self.entries.binary_search_by(|indexed| indexed.entry.path.cmp(path)).ok()
    }

    /// Encodes the index, in remint's own form.
    ///
    /// ```text
    /// "rmix" 1                                          magic and version
    /// size, count                                       numbers: LEB128, the shortest form only
    /// count × shared, suffix                            bytes shared with the path before; the rest, with its length
    ///         kind, mode, uid, gid, mtime               kind: 0 file, 1 hard link, 2 symlink, 3 char, 4 block, 6 fifo
    ///         size | target | major, minor | nothing    by kind; the target with its length
    ///         xattrs × name, value                      their count, then each with its length
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.entries.len() * 48);
        out.extend_from_slice(MAGIC);
        put_number(&mut out, self.size);
        put_number(&mut out, self.entries.len() as u64);
        let mut before: &[u8] = &[];
        for Indexed { entry, .. } in &self.entries {
            let path = entry.path.as_str().as_bytes();
            let shared = before.iter().zip(path).take_while(|(a, b)| a == b).count();
            put_number(&mut out, shared as u64);
            put_bytes(&mut out, &path[shared..]);
            encode_rest(&mut out, entry);
            before = path;
        }
        out
    }

    /// Decodes what [`Self::encode`] wrote. The bytes may be anything: what describes no fragment is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |reason| Error::Index { reason };
        let mut cursor = Cursor(bytes);
        if cursor.take(MAGIC.len()) != Some(MAGIC) {
            return Err(damaged("it does not begin as one of version 1"));
        }
        let size = cursor.number().ok_or(damaged("its size is no number"))?;
        let count = cursor.number().ok_or(damaged("its count is no number"))?;
        let mut growing = Growing::default();
        let mut path = Vec::new();
        for _ in 0..count {
            let entry =
                decode_entry(&mut cursor, &mut path).ok_or(damaged("an entry is cut off or not in its one form"))?;
            growing.admit(&entry)?;
        }
        let index = growing.finish();
        if !cursor.0.is_empty() || index.size != size {
            return Err(damaged("its entries do not add up to its size"));
        }
        Ok(index)
    }

    /// Whether bytes that [`Self::encode`] wrote have an entry of whose path a test says yes. Nothing is taken apart for that; of bytes that
    /// are damaged the answer is yes too, so that [`Self::decode`] tells of it.
    #[must_use]
    pub fn may_have(bytes: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
        let mut cursor = Cursor(bytes);
        let mut path = Vec::new();
        let magic = cursor.take(MAGIC.len()).filter(|magic| magic == MAGIC);
        let head = magic.and_then(|_| cursor.number()).and_then(|_| cursor.number());
        let Some(count) = head else { return true };
        for _ in 0..count {
            if decode_path(&mut cursor, &mut path).is_none() || test(&path) || skip_rest(&mut cursor).is_none() {
                return true;
            }
        }
        !cursor.0.is_empty()
    }
}

fn encode_rest(out: &mut Vec<u8>, entry: &Entry) {
    out.push(match entry.kind {
        Kind::File { .. } => 0,
        Kind::Hardlink { .. } => 1,
        Kind::Symlink { .. } => 2,
        Kind::CharDevice { .. } => 3,
        Kind::BlockDevice { .. } => 4,
        // Never in a fragment of files: `Growing` refuses it.
        Kind::Directory => 5,
        Kind::Fifo => 6,
    });
    for number in [entry.mode.into(), entry.uid.into(), entry.gid.into(), entry.mtime] {
        put_number(out, number);
    }
    match &entry.kind {
        Kind::File { size } => put_number(out, *size),
        Kind::Hardlink { target } => put_bytes(out, target.as_str().as_bytes()),
        Kind::Symlink { target } => put_bytes(out, target.as_bytes()),
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            put_number(out, (*major).into());
            put_number(out, (*minor).into());
        }
        Kind::Directory | Kind::Fifo => {}
    }
    put_number(out, entry.xattrs.len() as u64);
    for (name, value) in &entry.xattrs {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value);
    }
}

/// Makes the path before an entry the entry's own.
fn decode_path(cursor: &mut Cursor<'_>, path: &mut Vec<u8>) -> Option<()> {
    let shared = usize::try_from(cursor.number()?).ok().filter(|&shared| shared <= path.len())?;
    let suffix = cursor.bytes()?;
    // One spelling: as much as can be is shared.
    if path.get(shared).is_some_and(|next| suffix.first() == Some(next)) {
        return None;
    }
    path.truncate(shared);
    path.extend_from_slice(suffix);
    Some(())
}

/// Passes over what stands behind an entry's path.
fn skip_rest(cursor: &mut Cursor<'_>) -> Option<()> {
    let [kind] = *cursor.take(1)? else { return None };
    for _ in 0..4 {
        cursor.number()?;
    }
    match kind {
        0 => drop(cursor.number()?),
        1 | 2 => drop(cursor.bytes()?),
        3 | 4 => drop((cursor.number()?, cursor.number()?)),
        _ => {}
    }
    for _ in 0..cursor.number()? {
        cursor.bytes().and_then(|_| cursor.bytes())?;
    }
    Some(())
}

fn decode_entry(cursor: &mut Cursor<'_>, before: &mut Vec<u8>) -> Option<Entry> {
    decode_path(cursor, before)?;
    let path = tree_path(before)?;
    let [kind] = *cursor.take(1)? else { return None };
    let mode = cursor.number_u32()?;
    let uid = cursor.number_u32()?;
    let gid = cursor.number_u32()?;
    let mtime = cursor.number()?;
    let kind = match kind {
        0 => Kind::File { size: cursor.number()? },
        1 => Kind::Hardlink { target: tree_path(cursor.bytes()?)? },
        2 => Kind::Symlink { target: std::str::from_utf8(cursor.bytes()?).ok()?.to_owned() },
        3 => Kind::CharDevice { major: cursor.number_u32()?, minor: cursor.number_u32()? },
        4 => Kind::BlockDevice { major: cursor.number_u32()?, minor: cursor.number_u32()? },
        6 => Kind::Fifo,
        _ => return None,
    };
    let mut xattrs = Vec::new();
    for _ in 0..cursor.number()? {
        xattrs.push((std::str::from_utf8(cursor.bytes()?).ok()?.to_owned(), cursor.bytes()?.to_vec()));
    }
    Some(Entry { path, kind, mode, uid, gid, mtime, xattrs })
}

/// A path in its one spelling.
fn tree_path(bytes: &[u8]) -> Option<TreePath> {
    TreePath::parse_bytes(bytes).ok().filter(|path| path.as_str().as_bytes() == bytes)
}

/// An index in the making: the one place where it is decided what may follow what.
#[derive(Default)]
pub(super) struct Growing {
    index: Index,
    /// The entries whose path is a textual prefix of the last one's: only these could have something below them.
    open: Vec<usize>,
    header: Vec<u8>,
}

impl Growing {
    /// Adds an entry behind the others and gives back its header, or says why it cannot stand there.
    pub(super) fn admit(&mut self, entry: &Entry) -> Result<&[u8], Error> {
        if entry.is_directory() {
            return Err(Error::Mixed { path: entry.path.clone() });
        }
        let entries = &mut self.index.entries;
        match entries.last().map(|last| &last.entry.path) {
            Some(last) if *last == entry.path => return Err(Error::Duplicate { path: entry.path.clone() }),
            Some(last) if *last > entry.path => {
                return Err(Error::Order { path: entry.path.clone(), after: last.clone() });
            }
            _ => {}
        }
        let path = entry.path.as_str();
        while self.open.pop_if(|&mut at| !path.starts_with(entries[at].entry.path.as_str())).is_some() {}
        let above = |&at: &usize| path.as_bytes().get(entries[at].entry.path.as_str().len()) == Some(&b'/');
        if let Some(at) = self.open.iter().copied().find(above) {
            return Err(Error::Below { path: entry.path.clone(), parent: entries[at].entry.path.clone() });
        }
        if let Kind::Hardlink { target } = &entry.kind {
            let file = self.index.get(target).is_some_and(|indexed| matches!(indexed.entry.kind, Kind::File { .. }));
            if !file {
                let (path, target) = (entry.path.clone(), target.clone());
                return Err(Error::Link { path, target, reason: "is no file that stands before it" });
            }
        }
        header::encode(entry, &mut self.header)?;
        let offset = self.index.size + self.header.len() as u64;
        let size = entry.size().checked_next_multiple_of(BLOCK as u64).and_then(|size| size.checked_add(offset));
        let Some(size) = size.filter(|&size| size <= SIZE_LIMIT) else {
            return Err(Error::Unwritable { path: entry.path.clone(), reason: "the fragment would be too large" });
        };
        self.index.size = size;
        self.open.push(self.index.entries.len());
        self.index.entries.push(Indexed { entry: entry.clone(), offset });
        Ok(&self.header)
    }

    /// The index of what was added.
    pub(super) fn finish(self) -> Index {
        self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::arbitrary::{fragment, tree};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_index_survives_encoding(tree in tree()) {
            let (_, index) = fragment(&tree);
            let bytes = index.encode();
            for indexed in index.entries() {
                let path = indexed.entry.path.as_str().as_bytes();
                prop_assert!(Index::may_have(&bytes, |other| other == path));
            }
            prop_assert!(!Index::may_have(&bytes, |_| false));
            prop_assert!(Index::may_have(&bytes[..bytes.len() - 1], |_| false));
            prop_assert_eq!(Index::decode(&bytes).unwrap(), index);
            for cut in 0..bytes.len() {
                prop_assert!(Index::decode(&bytes[..cut]).is_err());
            }
        }

        /// Whatever is decoded has one spelling, and anything else is an error, not a panic.
        #[test]
        fn hostile_bytes_are_an_index_or_an_error(tree in tree(), at: prop::sample::Index, byte: u8) {
            let mut bytes = fragment(&tree).1.encode();
            *at.get_mut(&mut bytes) = byte;
            if let Ok(index) = Index::decode(&bytes) {
                prop_assert_eq!(index.encode(), bytes);
            }
        }
    }

    #[test]
    fn a_count_that_lies_costs_no_memory() {
        let mut bytes = MAGIC.to_vec();
        put_number(&mut bytes, 0);
        put_number(&mut bytes, u64::MAX);
        assert!(matches!(Index::decode(&bytes), Err(Error::Index { .. })));
    }
}

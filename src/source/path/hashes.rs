//! Digests of local files, remembered by what a stat says of them, so that a file that did not change is not read again.
//!
//! ```text
//! trees: "remint trees 1\n", then a record a file, sorted: device, inode, size, mtime in ns, ctime in ns (8 bytes each,
//!        little-endian), SHA-256 (32 bytes); at the end the SHA-256 of all before it
//! ```

use crate::digest::Digest;
use crate::disk;
use crate::oci::Blob;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The time of a scan, in nanoseconds since 1970, as the clock of the files' own machine tells it.
pub type Now = i64;

/// A file that changed less than this long before the scan may change again within the same tick of its clock: not remembered.
const SETTLED_NS: i64 = 2_000_000_000;

/// More files than this are not remembered: the cache would cost more to read than it saves.
const MOST: usize = 1 << 20;

const MAGIC: &[u8] = b"remint trees 1\n";
const RECORD: usize = 5 * 8 + 32;

/// What a stat says of a file, and what it is to stay for its digest to hold.
type Stat = [u64; 5];

/// Remembers digests of local files.
#[derive(Debug)]
pub struct HashCache {
    file: Option<PathBuf>,
    now: Now,
    /// Sorted, as the file is.
    known: Vec<(Stat, Digest)>,
    new: Mutex<BTreeMap<Stat, Digest>>,
}

impl HashCache {
    /// Remembers nothing: every file is read.
    #[must_use]
    pub fn none() -> Self {
        Self { file: None, now: 0, known: Vec::new(), new: Mutex::default() }
    }

    /// Reads what was remembered in a file; one that is not there or not whole is as good as empty.
    #[must_use]
    pub fn open(file: &Path, now: Now) -> Self {
        let known = fs::read(file).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { file: Some(file.to_owned()), now, known, new: Mutex::default() }
    }

    /// Writes what is new beside what was known. A failure loses nothing but time.
    pub fn save(&self) -> io::Result<()> {
        let new = self.new.lock().expect("no holder of this lock panics");
        let Some(file) = self.file.as_ref().filter(|_| !new.is_empty()) else { return Ok(()) };
        let known = if self.known.len() + new.len() > MOST { &[][..] } else { &self.known };
        let mut all: BTreeMap<Stat, Digest> = known.iter().copied().collect();
        // A file that changed keeps its device and inode: what was known of it before is of no more use.
        for stat in new.keys() {
            let same_file: Vec<Stat> = all
                .range([stat[0], stat[1], 0, 0, 0]..=[stat[0], stat[1], u64::MAX, u64::MAX, u64::MAX])
                .map(|(old, _)| *old)
                .collect();
            for old in same_file {
                all.remove(&old);
            }
        }
        all.extend(new.iter().map(|(stat, digest)| (*stat, *digest)));
        let dir = file.parent().unwrap_or(Path::new("."));
        // Beside a store's other unfinished files, where what a killed process left is swept.
        let scratch = Some(dir.join("tmp")).filter(|tmp| tmp.is_dir());
        let temporary = disk::temporary("", 0o600, scratch.as_deref().unwrap_or(dir))?;
        disk::write_file(temporary.path(), &encode(&all))?;
        disk::persist(temporary, file).map_err(|error| error.error)?;
        Ok(())
    }

    pub(super) fn get(&self, meta: &Metadata) -> Option<Blob> {
        let at = self.known.binary_search_by_key(&stat(meta), |(known, _)| *known).ok()?;
        Some(Blob { digest: self.known[at].1, size: meta.len() })
    }

    pub(super) fn put(&self, meta: &Metadata, content: Blob) {
        let settled = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000) + ns < self.now - SETTLED_NS;
        if settled(meta.mtime(), meta.mtime_nsec()) && settled(meta.ctime(), meta.ctime_nsec()) {
            self.new.lock().expect("no holder of this lock panics").insert(stat(meta), content.digest);
        }
    }
}

/// Whether two looks at a file saw the same.
pub(super) fn same(before: &Metadata, after: &Metadata) -> bool {
    stat(before) == stat(after)
}

fn stat(meta: &Metadata) -> Stat {
    let ns = |seconds: i64, ns: i64| (seconds.wrapping_mul(1_000_000_000).wrapping_add(ns)).cast_unsigned();
    [meta.dev(), meta.ino(), meta.len(), ns(meta.mtime(), meta.mtime_nsec()), ns(meta.ctime(), meta.ctime_nsec())]
}

fn encode(all: &BTreeMap<Stat, Digest>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + all.len() * RECORD + 32);
    bytes.extend_from_slice(MAGIC);
    for (stat, digest) in all {
        for number in stat {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(digest.as_bytes());
    }
    let sum = Digest::of(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<(Stat, Digest)>> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body) != Digest::from_bytes(*sum) {
        return None;
    }
    let records = body.strip_prefix(MAGIC)?.chunks_exact(RECORD);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let record = |record: &[u8]| {
        let stat = std::array::from_fn(|at| number(&record[at * 8..at * 8 + 8]));
        Some((stat, Digest::from_bytes(record[40..].try_into().ok()?)))
    };
    let all: Vec<(Stat, Digest)> = records.map(record).collect::<Option<_>>()?;
    all.is_sorted_by(|(a, _), (b, _)| a < b).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::{Tree, scan};
    use super::*;

    /// Long after anything that a test writes.
    const LATER: Now = i64::MAX;

    #[test]
    fn a_settled_file_is_not_read_again_and_a_changed_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, cache) = (dir.path().join("file"), dir.path().join("trees"));
        fs::write(&file, "first").unwrap();
        let content = |now| {
            let hashes = HashCache::open(&cache, now);
            let Tree::File(found) = scan(&file, &[], &hashes).unwrap() else { unreachable!() };
            hashes.save().unwrap();
            found.content
        };
        assert_eq!(content(LATER), Blob::of(b"first"));
        // A digest that was planted is believed, so the file was not read.
        let known = HashCache::open(&cache, LATER).known;
        let planted: BTreeMap<Stat, Digest> =
            known.into_iter().map(|(stat, _)| (stat, Digest::of(b"planted"))).collect();
        fs::write(&cache, encode(&planted)).unwrap();
        assert_eq!(content(LATER).digest, Digest::of(b"planted"));
        fs::write(&file, "other").unwrap();
        assert_eq!(content(LATER), Blob::of(b"other"));
    }

    #[test]
    fn a_fresh_file_is_not_remembered_and_a_damaged_cache_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let (file, cache) = (dir.path().join("file"), dir.path().join("trees"));
        fs::write(&file, "x").unwrap();
        let hashes = HashCache::open(&cache, 0);
        scan(&file, &[], &hashes).unwrap();
        hashes.save().unwrap();
        assert!(!cache.exists(), "the file changed after the scan began");
        let mut bytes = encode(&BTreeMap::from([([1, 2, 3, 4, 5], Digest::of(b""))]));
        assert_eq!(decode(&bytes).unwrap().len(), 1);
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(decode(&bytes).is_none(), "{at}");
            bytes[at] ^= 1;
        }
        assert!(decode(&[]).is_none());
    }
}

//! How far layers were hashed: of one that begins as another one did, only the rest is hashed.
//!
//! A hash has to see every byte of a layer, of which a change of one file leaves most as they are. Where nothing before a place has changed,
//! it goes on from what it was there the last time.

use super::results::PackedFragment;
use crate::digest::{ActionKey, Digest, Hasher};
use crate::layer::{Mark, PackedRange};
use crate::oci::{Blob, canonical_json};
use crate::plan::marks_key;
use crate::recipe::Compression;
use crate::store::Store;
use serde::{Deserialize, Serialize};

/// Into how many pieces marks cut a tar, about.
const PIECES: u64 = 32;

/// The least that stands between two marks, in bytes: less is hashed again faster than it is looked up.
const LEAST: u64 = 1 << 20;

/// The marks of the last layer with the same first parts.
pub(super) struct Marks {
    key: ActionKey,
    known: Vec<Known>,
}

/// A mark, and the digest of all parts before it.
#[derive(Serialize, Deserialize)]
struct Known {
    before: Digest,
    mark: Mark,
}

/// Hashes what decides the bytes of parts, in the tar and in the blob.
#[derive(Clone, Default)]
struct Parts(Hasher);

impl Parts {
    fn add(&mut self, tar: &Blob, size: u64, packed_crc32: u32) {
        self.0.update(tar.digest.as_bytes());
        self.0.update(&size.to_le_bytes());
        self.0.update(&packed_crc32.to_le_bytes());
    }

    fn digest(&self) -> Digest {
        self.0.clone().finish()
    }
}

impl Marks {
    /// Reads those that there are for layers of these parts.
    pub(super) fn read(store: &Store, compression: Compression, tars: &[Blob]) -> Self {
        // Directories and the first run of files: with others in their place no mark would fit.
        let first: Vec<Digest> = tars.iter().take(2).map(|tar| tar.digest).collect();
        let key = marks_key(compression, &first);
        let known = store.hint(&key).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { key, known }
    }

    /// Forgets marks to which nothing leads.
    pub(super) fn without(self, store: &Store) -> Self {
        let _ = store.put_hint(&self.key, &canonical_json(&[(); 0]));
        Self { known: Vec::new(), ..self }
    }

    /// How far apart marks of a layer are, in bytes.
    pub(super) fn every(tars: &[Blob]) -> u64 {
        (tars.iter().map(|tar| tar.size).fold(0, u64::saturating_add) / PIECES).max(LEAST)
    }

    /// Leaves only those before which all parts are the same, and gives the last of them.
    pub(super) fn last(
        &mut self,
        tars: &[Blob],
        mut packed: impl FnMut(&Blob) -> Option<PackedFragment>,
    ) -> Option<&Mark> {
        let (mut parts, mut at) = (Parts::default(), 0);
        let same = self.known.iter().take_while(|known| {
            while at < known.mark.parts {
                let Some(tar) = tars.get(at) else { return false };
                let Some(packed) = packed(tar) else { return false };
                parts.add(tar, packed.size, packed.packed_crc32);
                at += 1;
            }
            parts.digest() == known.before
        });
        let count = same.count();
        self.known.truncate(count);
        self.known.last().map(|known| &known.mark)
    }

    /// Remembers the marks of a layer, behind those that are left.
    pub(super) fn keep(mut self, store: &Store, tars: &[Blob], ranges: &[PackedRange], marks: Vec<Mark>) {
        if marks.is_empty() {
            return;
        }
        let (mut parts, mut at) = (Parts::default(), 0);
        for mark in marks {
            for (tar, range) in tars.iter().zip(ranges).take(mark.parts).skip(at) {
                parts.add(tar, range.size, range.packed_crc32);
            }
            at = mark.parts;
            self.known.push(Known { before: parts.digest(), mark });
        }
        // Of what grew over time, every second is enough, and the last.
        while self.known.len() as u64 > 2 * PIECES {
            self.known = std::mem::take(&mut self.known).into_iter().rev().step_by(2).collect();
            self.known.reverse();
        }
        // Without it, the next run hashes all.
        let _ = store.put_hint(&self.key, &canonical_json(&self.known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::pack::pack;
    use crate::build::results::{Fragment, Layered, PackedLayer};

    /// A fragment of 700 KiB that is like no other.
    fn tar(number: u32) -> Vec<u8> {
        (0..700 << 8).flat_map(|at: u32| (at.wrapping_mul(2_654_435_761) ^ number).to_le_bytes()).collect()
    }

    fn layer(store: &Store, numbers: &[u32]) -> Layered {
        let fragment = |number: &u32| Fragment { tar: store.put(&tar(*number)).unwrap(), index: Blob::of(b"") };
        Layered {
            directories: store.put(&[7; 512]).unwrap(),
            fragments: numbers.iter().map(fragment).collect(),
            uncovered: Vec::new(),
        }
    }

    fn packed(store: &Store, numbers: &[u32], compression: Compression) -> PackedLayer {
        pack(store, &layer(store, numbers), compression, "test").unwrap()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    /// Whatever changed, the layer is the one that a store without marks makes.
    #[test]
    fn a_layer_that_goes_on_is_what_it_is_from_the_start() {
        for compression in [Compression::Zstd, Compression::Gzip] {
            let (_dir, store) = store();
            let all: [&[u32]; 8] = [
                &[0, 1, 2, 3, 4, 5, 6, 7],
                &[0, 1, 2, 3, 4, 5, 9, 7],
                &[0, 1, 2, 3, 4, 5, 6, 7, 8],
                &[0, 1, 2],
                &[0, 1, 2, 3, 4, 5, 6, 7],
                &[9, 1, 2, 3, 4, 5, 6, 7],
                &[9, 1, 2, 3, 5, 4, 6, 7],
                &[9, 1, 2, 3, 5, 4, 6, 7, 10, 11, 12, 13],
            ];
            for numbers in all {
                let (_other, cold) = self::store();
                let found = packed(&store, numbers, compression);
                assert_eq!(found, packed(&cold, numbers, compression), "{numbers:?}");
                store.check(&found.blob).unwrap();
            }
        }
    }

    /// What stands before the change is not read, and a hint that leads nowhere costs nothing but time.
    #[test]
    fn what_stands_before_the_change_is_not_hashed_again() {
        let (dir, store) = store();
        packed(&store, &[0, 1, 2, 3, 4, 5, 6, 7], Compression::Zstd);
        let early = dir.path().join("blobs/sha256").join(Digest::of(&tar(1)).hex());
        let mut bytes = std::fs::read(&early).unwrap();
        bytes[5000] ^= 1;
        std::fs::write(&early, bytes).unwrap();
        let layered = layer(&store, &[0, 1, 2, 3, 4, 5, 6, 20]);
        std::fs::write(&early, vec![0; 700 << 10]).unwrap();
        let (_other, cold) = self::store();
        let expected = packed(&cold, &[0, 1, 2, 3, 4, 5, 6, 20], Compression::Zstd);
        assert_eq!(pack(&store, &layered, Compression::Zstd, "test").unwrap(), expected);

        let key = marks_key(Compression::Zstd, &[layered.directories.digest, layered.fragments[0].tar.digest]);
        let mut known: Vec<Known> = serde_json::from_slice(&store.hint(&key).unwrap()).unwrap();
        assert!(known.len() >= 4, "{}", known.len());
        for known in &mut known {
            known.mark.tar_size += 512;
        }
        std::fs::write(&early, tar(1)).unwrap();
        store.put_hint(&key, &canonical_json(&known)).unwrap();
        assert_eq!(pack(&store, &layered, Compression::Zstd, "test").unwrap(), expected);
        let made: Vec<Known> = serde_json::from_slice(&store.hint(&key).unwrap()).unwrap();
        assert!(!made.is_empty() && made[0].mark.tar_size + 512 == known[0].mark.tar_size, "they are made anew");
    }

    /// However often a layer grows, its marks stay few, and the last one stays.
    #[test]
    fn marks_stay_few() {
        let (_dir, store) = store();
        let key = ActionKey(Digest::of(b"key"));
        let state = Hasher::new().state();
        let mark = |parts| Mark { parts, tar_size: 512, blob_size: 9, tar: state.clone(), blob: state.clone() };
        let known = |parts| Known { before: Digest::of(b""), mark: mark(parts) };
        let marks = Marks { key, known: (1..=64).map(known).collect() };
        marks.keep(&store, &[], &[], vec![mark(65)]);
        let known: Vec<Known> = serde_json::from_slice(&store.hint(&key).unwrap()).unwrap();
        let parts: Vec<usize> = known.iter().map(|known| known.mark.parts).collect();
        assert_eq!(parts, (1..=65).step_by(2).collect::<Vec<_>>());
    }
}

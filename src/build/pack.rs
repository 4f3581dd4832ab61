//! A layer's fragments become a blob: what was compressed before is copied from where it is.

use super::alone;
use super::error::Error;
use super::marks::Marks;
use super::results::{Layered, PackedFragment, PackedLayer};
use crate::digest::{ActionKey, Digest};
use crate::layer::{PackedRange, Part, Threads, pack as pack_parts};
use crate::oci::Blob;
use crate::plan::{pack_key, packed_key};
use crate::recipe::Compression;
use crate::store::Store;
use std::io::{Read, Seek, SeekFrom};

impl Layered {
    /// The key of packing the layer.
    #[must_use]
    pub fn pack_key(&self, compression: Compression) -> ActionKey {
        let fragments: Vec<Digest> = tars(self).map(|tar| tar.digest).collect();
        pack_key(compression, &fragments)
    }
}

/// Packs a layer that is in the store.
pub(super) fn pack(
    store: &Store,
    layered: &Layered,
    compression: Compression,
    title: &str,
) -> Result<PackedLayer, Error> {
    let tars: Vec<Blob> = tars(layered).collect();
    pack_from(store, &tars, compression, title, Marks::read(store, compression, &tars))
}

/// Packs fragments; where all before one of the marks are what they were, only the rest is hashed.
fn pack_from(
    store: &Store,
    tars: &[Blob],
    compression: Compression,
    title: &str,
    mut marks: Marks,
) -> Result<PackedLayer, Error> {
    let mut records = Vec::new();
    let found = |tar: &Blob| {
        let record = store.action::<PackedFragment>(&packed_key(compression, &tar.digest)).ok().flatten()?;
        records.push(record.clone());
        Some(record)
    };
    let from = marks.last(tars, found).cloned();
    // What the mark was compared with is what is copied.
    records.truncate(from.as_ref().map_or(0, |mark| mark.parts));
    let mut records = records.into_iter();
    // Each is opened at its turn: a layer may have more fragments than a process may have open files.
    let (mut failed, mut fresh) = (None, Vec::with_capacity(tars.len()));
    let parts = tars.iter().map_while(|tar| match part(store, tar, compression, records.next()) {
        Ok(part) => {
            fresh.push(matches!(part, Part::Fresh(..)));
            Some(part)
        }
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let mut writer = store.writer()?;
    let packed = pack_parts(
        compression.into(),
        threads_for(tars.iter().copied()),
        from.as_ref(),
        Marks::every(tars),
        parts,
        &mut writer,
    );
    if let Some(error) = failed {
        return Err(error);
    }
    let packed = match packed {
        Err(crate::layer::Error::Mark) if from.is_some() => {
            drop(writer);
            return pack_from(store, tars, compression, title, marks.without(store));
        }
        packed => packed.map_err(|source| damage(store, tars, compression, title, source))?,
    };
    // What stands before a mark was checked by its sum, and is not as well known as what was hashed.
    if from.is_some() {
        writer.commit_unhashed(packed.blob)?
    } else {
        writer.commit(packed.blob)?
    };
    for ((tar, range), _) in tars.iter().zip(&packed.ranges).zip(fresh).filter(|(_, fresh)| *fresh) {
        let found = PackedFragment {
            blob: packed.blob,
            offset: range.offset,
            size: range.size,
            crc32: range.crc32,
            packed_crc32: range.packed_crc32,
        };
        store.put_action(&packed_key(compression, &tar.digest), &found)?;
    }
    marks.keep(store, tars, &packed.ranges, packed.marks);
    Ok(PackedLayer { diff_id: packed.diff_id, tar_size: packed.tar_size, blob: packed.blob })
}

/// Which threads pack a layer.
pub(super) fn threads(layered: &Layered) -> Threads {
    threads_for(tars(layered))
}

fn threads_for(tars: impl Iterator<Item = Blob>) -> Threads {
    if alone::bytes(tars.map(|tar| tar.size)) { Threads::Caller } else { Threads::Pool }
}

fn tars(layered: &Layered) -> impl Iterator<Item = Blob> {
    std::iter::once(layered.directories).chain(layered.fragments.iter().map(|fragment| fragment.tar))
}

/// A part as it is packed; with a record of its packing before a mark, its tar is not read.
fn part<'a>(
    store: &Store,
    tar: &Blob,
    compression: Compression,
    before_mark: Option<PackedFragment>,
) -> Result<Part<'a>, Error> {
    let is_hashed = before_mark.is_some();
    let found = match before_mark {
        None => store.action::<PackedFragment>(&packed_key(compression, &tar.digest))?,
        record => record,
    };
    if let Some(PackedFragment { blob, offset, size, crc32, packed_crc32 }) = found {
        let mut file = store.open_file(&blob.digest)?;
        file.seek(SeekFrom::Start(offset)).map_err(|source| Error::Read { digest: blob.digest, source })?;
        let packed = Box::new(file.take(size));
        let range = PackedRange { offset, size, crc32, packed_crc32 };
        if is_hashed {
            return Ok(Part::Hashed { size: tar.size, packed, range });
        }
        let open = Box::new(store.open_file(&tar.digest)?);
        return Ok(Part::Packed { tar: open, size: tar.size, packed, range });
    }
    // Verified while it passes: what is packed once is trusted by every layer that reuses it.
    Ok(Part::Fresh(Box::new(store.open_blob(tar)?), tar.size))
}

/// Makes sure of a fragment before single files of it are read, once a process: by its check sum if it was packed before, which takes a
/// tenth of the time of its digest.
pub(super) fn ensure(store: &Store, tar: &Blob) -> Result<(), crate::store::Error> {
    store.ensure_by_sum(tar, || {
        [Compression::Zstd, Compression::Gzip].into_iter().find_map(|compression| {
            let packed = store.action::<PackedFragment>(&packed_key(compression, &tar.digest));
            Some(packed.ok()??.crc32)
        })
    })
}

/// Sets aside what a failed pack found damaged, so that the next attempt makes it anew.
fn damage(store: &Store, tars: &[Blob], compression: Compression, title: &str, source: crate::layer::Error) -> Error {
    use crate::layer::Error as Layer;
    if let Layer::PartPacked { part, .. }
    | Layer::PartTar { part, .. }
    | Layer::Part { part, .. }
    | Layer::PartSize { part, .. } = &source
        && let Some(tar) = tars.get(*part)
    {
        let key = packed_key(compression, &tar.digest);
        let packed = store.action::<PackedFragment>(&key).ok().flatten();
        store.forget(&key);
        // Reading it through sets a damaged blob aside; whichever of the two it was, the record of the packing is gone.
        let _ = packed.as_ref().map(|packed| store.check(&packed.blob));
        if store.check(tar).is_err() || packed.is_some() {
            return Error::Store(crate::store::Error::Missing { digest: tar.digest });
        }
    }
    Error::layer(title)(source)
}

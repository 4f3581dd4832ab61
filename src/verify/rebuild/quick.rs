//! Recomputes every digest of an image that a store holds, without building anything: each blob, and what each layer unpacks to.

use super::reference::Expected;
use super::verdict::{Difference, ImageVerdict};
use crate::digest::{DiffId, Digest, HashingReader};
use crate::image::{Encoding, Layer};
use crate::oci::Blob;
use crate::store::Store;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// The most bytes that a layer may unpack to: a bound for bombs.
const LIMIT: u64 = 1 << 40;

/// Reads all layers of images through; their documents were read when they were found.
///
/// Damage is told and left where it is.
#[must_use]
pub fn recompute(store: &Store, images: &[Expected]) -> Vec<ImageVerdict> {
    let all = images.iter().filter_map(|expected| expected.image.as_ref()?.as_ref().ok());
    let mut layers: Vec<Layer> =
        all.flat_map(|image| image.platforms.iter()).flat_map(|one| one.layers.clone()).collect();
    layers.sort_by_key(|layer| (layer.blob, layer.diff_id));
    layers.dedup();
    let checked: BTreeMap<(Blob, DiffId), Option<Difference>> =
        layers.par_iter().map(|layer| ((layer.blob, layer.diff_id), check(store, layer))).collect();
    images.iter().flat_map(|expected| judge(expected, &checked)).collect()
}

fn judge(expected: &Expected, checked: &BTreeMap<(Blob, DiffId), Option<Difference>>) -> Vec<ImageVerdict> {
    let Some(Ok(image)) = &expected.image else { return super::compare(expected, None, &[]) };
    let one = |platform: &crate::image::PlatformImage| {
        let layers = platform.layers.iter().enumerate();
        let differences = layers.filter_map(|(at, layer)| {
            let mut difference = checked.get(&(layer.blob, layer.diff_id))?.clone()?;
            difference.what = format!("layer {}{}", at + 1, difference.what);
            Some(difference)
        });
        let verdict = ImageVerdict {
            name: image.name.to_string(),
            platform: Some(platform.platform.to_string()),
            expected: Some(platform.manifest.digest),
            found: Some(platform.manifest.digest),
            differences: differences.collect(),
            ..ImageVerdict::default()
        };
        verdict.made_of(Some(platform))
    };
    image.platforms.iter().map(one).collect()
}

/// What is wrong with a layer, if anything is.
fn check(store: &Store, layer: &Layer) -> Option<Difference> {
    let expected = layer.blob.digest;
    let file = match store.open_file(&expected) {
        Ok(file) => file,
        Err(error) => {
            return Some(Difference {
                expected: Some(expected),
                notes: vec![error.to_string()],
                ..Difference::default()
            });
        }
    };
    let mut blob = HashingReader::new(file);
    let unpacked = unpacked(layer.encoding, &mut blob);
    // What a decoder left, or stumbled over, counts for the digest.
    let drained = io::copy(&mut blob, &mut io::sink());
    let (_, found, _) = blob.finish();
    if let Err(error) = drained {
        return Some(Difference { expected: Some(expected), notes: vec![error.to_string()], ..Difference::default() });
    }
    if found != expected {
        return Some(Difference::of(", its blob", expected, found));
    }
    match unpacked {
        Ok(found) if found == layer.diff_id.0 => None,
        Ok(found) => Some(Difference::of(", its content", layer.diff_id.0, found)),
        Err(error) => {
            Some(Difference { notes: vec![format!("it cannot be unpacked: {error}")], ..Difference::default() })
        }
    }
}

/// The digest of what a layer unpacks to.
fn unpacked(encoding: Encoding, blob: &mut impl Read) -> io::Result<Digest> {
    let blob = BufReader::with_capacity(1 << 17, blob);
    let tar: Box<dyn Read + '_> = match encoding {
        Encoding::Plain => Box::new(blob),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(blob)),
        Encoding::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(blob)?),
    };
    let mut tar = HashingReader::new(tar.take(LIMIT + 1));
    let size = io::copy(&mut tar, &mut io::sink())?;
    if size > LIMIT {
        return Err(io::Error::other(format!("it is larger than {LIMIT} bytes")));
    }
    Ok(tar.finish().1)
}

//! What stands in an image's root file system, for those who look into its files: every layer is read once.

use super::error::Error;
use super::read::PlatformImage;
use super::tree::Tree;
use crate::layer::Entry;
use crate::store::Store;
use std::io::{self, Read};

/// A file, link or device of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where and what.
    pub entry: Entry,
    /// The number of the layer that put it there, from 0.
    pub layer: usize,
    /// What [`Visit`] gave for its content; 0 for what is no file.
    pub kept: u64,
}

/// Is shown each file of each layer as it is read, with the layer's number from 0, also those that a later layer hides; what it gives
/// comes back in [`Standing::kept`].
pub type Visit<'a> = dyn FnMut(usize, &Entry, &mut dyn Read) -> io::Result<u64> + 'a;

/// Reads an image through, and lists what is in its root file system but directories, in byte order.
pub fn contents(store: &Store, image: &PlatformImage, visit: &mut Visit<'_>) -> Result<Vec<Standing>, Error> {
    let mut tree = Tree::default();
    for (number, layer) in image.layers.iter().enumerate() {
        tree.apply(store, layer, &mut |entry, content| visit(number, entry, content))?;
    }
    let all = tree.standing().map(|(entry, layer, kept)| Standing { entry, layer: layer as usize, kept });
    Ok(all.collect())
}

//! The root file system that an image's layers make together, as one tar by the rules of format 1.

use super::super::error::{Error, doing};
use super::super::read::PlatformImage;
use super::super::tree::Tree;
use super::place::{NewFile, OnDisk};
use super::tarball::Tarball;
use crate::store::Store;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Writes the tar of an image for one platform.
///
/// The files' content goes through a file without a name beside the target, since it comes in the layers' order and goes out in
/// that of the paths: memory grows with the number of files alone, and that file with the sum of the layers.
pub(super) fn write(store: &Store, image: &PlatformImage, target: &Path) -> Result<(), Error> {
    let file = NewFile::begin(target)?;
    let mut spool = BufWriter::with_capacity(1 << 17, OnDisk(file.scratch()?));
    let mut end = 0;
    let mut tree = Tree::default();
    for layer in &image.layers {
        tree.apply(store, layer, &mut |_, content| {
            let start = end;
            end += io::copy(content, &mut spool)?;
            Ok(start)
        })?;
    }
    spool.flush().map_err(doing("write a temporary file for", target))?;
    let mut spool = spool.into_inner().map_err(|e| doing("write a temporary file for", target)(e.into_error()))?.0;
    let folders: Vec<_> = tree.directories().collect();
    let mut tarball = Tarball::begin(file, &folders)?;
    for (entry, start) in tree.others() {
        let mut content = content(&mut spool, start, entry.size()).map_err(doing("read back the files of", target))?;
        tarball.add(&entry, &mut content)?;
    }
    tarball.finish()
}

fn content(spool: &mut File, start: u64, size: u64) -> io::Result<io::Take<&mut File>> {
    if size > 0 {
        spool.seek(SeekFrom::Start(start))?;
    }
    Ok(spool.take(size))
}

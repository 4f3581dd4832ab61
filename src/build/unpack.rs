//! A `.deb` becomes a fragment: decompressed, checked, sorted, its paths below the merged `/usr`.

use super::bundle;
use super::error::Error;
use super::results::{Fragment, Unpacked};
use crate::digest::HashingWriter;
use crate::layer::{Entry, FragmentBuilder, Kind, Limits, directories, read};
use crate::oci::{Blob, TreePath};
use crate::plan::Unpack;
use crate::source::debian::{ControlFile, Deb};
use crate::store::Store;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// Contents up to this many bytes are sorted in memory, larger packages by way of a temporary file.
const MEMORY: usize = 24 << 20;

/// The most that a package may expand to. The largest in Debian, game data and debug symbols, have a few GiB.
const LARGEST: u64 = 64 << 30;

/// The directories that are links into `/usr` on every merged system (`usrmerge`, `base-files` from trixie on).
const MERGED: [&str; 7] = ["bin", "lib", "lib32", "lib64", "libo32", "libx32", "sbin"];

/// Unpacks a package of the store.
pub(super) fn unpack(store: &Store, action: &Unpack) -> Result<Unpacked, Error> {
    let title = || action.package.title();
    let name = title();
    let layer_error = Error::layer(&name);
    let blob = action.pin.deb;
    // The digest is checked while the bytes pass; nothing is kept of a package whose last byte was wrong.
    let mut verified = BufReader::with_capacity(256 << 10, store.open_blob(&blob)?);
    let mut builder = FragmentBuilder::new(&store.scratch(), MEMORY);
    let mut shipped = vec!["/.".to_owned()];
    let taken = take_apart(&mut verified, &mut builder, &mut shipped, &title());
    let control = match taken {
        Ok(control) => control,
        Err(error) => return Err(blame(store, &blob, verified, error)),
    };
    io::copy(&mut verified, &mut io::sink()).map_err(|error| store.damaged(&blob.digest, error))?;

    let mut out = HashingWriter::new(store.writer()?);
    let built = builder.finish(&mut out).map_err(&layer_error)?;
    let (writer, digest, size) = out.finish();
    let tar = writer.commit(Blob { digest, size })?;
    let index = store.put(&built.index.encode())?;
    let dirs = directories(&built.directories).map_err(&layer_error)?;
    let package = store.put(&bundle::encode(&parts(control, &shipped, dirs)))?;
    Ok(Unpacked { files: Fragment { tar, index }, package, newest: built.max_mtime })
}

/// Reads a package front to back: gives its control files, and its data to the builder.
fn take_apart(
    package: impl Read,
    builder: &mut FragmentBuilder,
    shipped: &mut Vec<String>,
    title: &str,
) -> Result<BTreeMap<String, ControlFile>, Error> {
    let bad = |source| Error::Deb { title: title.to_owned(), source };
    let failed = Error::layer(title);
    let (control, mut data) = Deb::open(package).and_then(|deb| deb.into_parts(LARGEST)).map_err(bad)?;
    read(&mut data, &Limits::default(), |entry, content| collect(builder, shipped, entry, content)).map_err(failed)?;
    // What stands behind the archive's end counts for the decompressor's own check.
    io::copy(&mut data, &mut io::sink()).map_err(|source| bad(source.into()))?;
    Ok(control)
}

/// An error over a package whose bytes are wrong is the store's damage, not the package's fault.
fn blame(store: &Store, blob: &Blob, mut verified: impl Read, error: Error) -> Error {
    match io::copy(&mut verified, &mut io::sink()) {
        Ok(_) => error,
        Err(wrong) => store.damaged(&blob.digest, wrong).into(),
    }
}

fn collect(
    builder: &mut FragmentBuilder,
    shipped: &mut Vec<String>,
    mut entry: Entry,
    content: &mut dyn Read,
) -> Result<(), crate::layer::Error> {
    if entry.path.as_str().split('/').any(|name| name.starts_with(super::merged::WHITEOUT)) {
        let reason = "such a name removes files when an image is unpacked".to_owned();
        return Err(crate::layer::Error::Refused { path: entry.path.to_string(), reason });
    }
    shipped.push(format!("/{}", entry.path));
    if entry.is_directory() && MERGED.contains(&entry.path.as_str()) {
        // The package means the directory behind the link.
        entry.path = below_usr(&entry.path);
    } else {
        entry.path = merged(&entry.path);
    }
    if let Kind::Hardlink { target } = &mut entry.kind {
        *target = merged(target);
    }
    builder.add(entry, content)
}

/// Where a path stands once `/bin` and its like are links into `/usr`.
pub(super) fn merged(path: &TreePath) -> TreePath {
    match path.as_str().split_once('/') {
        Some((top, _)) if MERGED.contains(&top) => below_usr(path),
        _ => path.clone(),
    }
}

fn below_usr(path: &TreePath) -> TreePath {
    // Four more bytes can make a path too long; such a path stays, and is refused where it is written.
    TreePath::parse(&format!("usr/{path}")).unwrap_or_else(|_| path.clone())
}

fn parts(control: BTreeMap<String, ControlFile>, shipped: &[String], directories: Vec<u8>) -> bundle::Parts {
    let mut parts: bundle::Parts =
        control.into_iter().map(|(name, file)| (format!("control/{name}"), file.bytes)).collect();
    parts.insert("paths".to_owned(), shipped.join("\n").into_bytes());
    parts.insert("directories".to_owned(), directories);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_a_merged_directory_moves() {
        for (from, to) in [
            ("bin/sh", "usr/bin/sh"),
            ("lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
            ("lib64", "lib64"),
            ("library/x", "library/x"),
            ("usr/bin/sh", "usr/bin/sh"),
        ] {
            assert_eq!(merged(&TreePath::parse(from).unwrap()).as_str(), to);
        }
    }
}

//! The documents of images, out of a layout or an archive of one: read, verified, and kept beside, never changed where they are.

use super::error::{Error, doing};
use crate::digest::Digest;
use crate::image::{Image, ImageRef, OpenError, archive_file, refused_archive};
use crate::layer::{self, Kind, Limits};
use crate::oci::Blob;
use crate::recipe::ImageName;
use crate::store::{IndexEntry, Store};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest document of an image, in bytes: as for images in the store.
const LIMIT: u64 = 16 << 20;

/// The most that documents of one archive may have together, in bytes.
const TOTAL: u64 = 1 << 30;

/// How many documents one image may have: an index of all platforms there are, with attestations, has some dozens.
const MOST: usize = 4096;

/// Where documents come from.
enum Source {
    Layout(PathBuf),
    /// The small blobs of an archive, by the hex digits of their names.
    Archive(BTreeMap<String, Vec<u8>>),
}

/// The documents of a layout's images, copied into a store of their own as they are asked for.
pub struct Documents<'a> {
    place: String,
    source: Source,
    entries: Vec<IndexEntry>,
    scratch: &'a Store,
}

impl<'a> Documents<'a> {
    /// Opens a directory that is an image layout, or an archive of one, which may be compressed with gzip or zstd.
    pub fn open(path: &Path, scratch: &'a Store) -> Result<Self, Error> {
        let (source, index) = if path.is_dir() {
            let file = path.join("index.json");
            let index = File::open(&file).map_err(|error| match error.kind() {
                ErrorKind::NotFound => no_layout(path, "it has no index.json"),
                _ => doing("open", &file)(error),
            })?;
            let mut bytes = Vec::new();
            index.take(LIMIT).read_to_end(&mut bytes).map_err(doing("read", &file))?;
            (Source::Layout(path.to_owned()), bytes)
        } else {
            let mut members = archive(path)?;
            let index = members.remove("index.json").ok_or_else(|| no_layout(path, "it has no index.json"))?;
            (Source::Archive(members), index)
        };
        let bad = |error: serde_json::Error| no_layout(path, format!("its index.json is none: {error}"));
        let index: Layout = serde_json::from_slice(&index).map_err(bad)?;
        let entries = index.manifests.into_iter().map(IndexEntry).collect();
        Ok(Self { place: path.display().to_string(), source, entries, scratch })
    }

    /// The names of its images that recipes could have, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<ImageName> {
        let mut names: Vec<ImageName> =
            self.entries.iter().filter_map(|entry| ImageName::parse(entry.name()?)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What it has under none of these names, as it is called there: by its name, else by its digest.
    pub(super) fn others(&self, names: &BTreeSet<ImageName>) -> BTreeSet<String> {
        let taken: Vec<&IndexEntry> = names.iter().filter_map(|name| self.entry(name)).collect();
        let others = self.entries.iter().filter(|entry| !taken.iter().any(|one| std::ptr::eq(*one, *entry)));
        let title = |entry: &IndexEntry| {
            let digest = || entry.blob().map(|blob| blob.digest.to_string());
            entry.name().map(str::to_owned).or_else(digest)
        };
        others.filter_map(title).collect()
    }

    /// Refuses a name that several images have.
    pub fn refuse_several(&self, name: &ImageName) -> Result<(), Error> {
        let named = self.entries.iter().filter(|entry| entry.name() == Some(name.as_str()));
        let digests: BTreeSet<String> = named.filter_map(|entry| Some(entry.blob()?.digest.to_string())).collect();
        if digests.len() < 2 {
            return Ok(());
        }
        let those = digests.into_iter().collect();
        Err(OpenError::Several { place: self.place.clone(), name: name.to_string(), those }.into())
    }

    /// The digest of what a name points to.
    #[must_use]
    pub fn root(&self, name: &ImageName) -> Option<Digest> {
        Some(self.entry(name)?.blob()?.digest)
    }

    /// Reads an image's index, manifests and configurations, verified.
    pub fn image(&self, name: &ImageName) -> Result<Image, Error> {
        if let Some(entry) = self.entry(name) {
            if let Some(root) = entry.blob() {
                self.bring(root.digest)?;
            }
            let mut named = entry.clone();
            let described = IndexEntry::new(name.as_str(), "", Blob::of(b""));
            if let Some(annotations) = described.0.get("annotations") {
                named.0.insert("annotations".to_owned(), annotations.clone());
            }
            self.scratch.set_images(&[named])?;
        }
        Ok(Image::resolve(self.scratch, &ImageRef { name: name.clone(), platform: None })?)
    }

    /// The entry of a name; an only entry without a name has any.
    fn entry(&self, name: &ImageName) -> Option<&IndexEntry> {
        let named = self.entries.iter().find(|entry| entry.name() == Some(name.as_str()));
        named.or_else(|| match &self.entries[..] {
            [only] if only.name().is_none() => Some(only),
            _ => None,
        })
    }

    /// Copies a document and all that are named below it.
    fn bring(&self, root: Digest) -> Result<(), Error> {
        let mut wanted = vec![root];
        let mut brought = BTreeSet::new();
        while let Some(digest) = wanted.pop() {
            if brought.len() == MOST || !brought.insert(digest) {
                continue;
            }
            let bytes = self.read(digest)?;
            let found = self.scratch.put(&bytes)?.digest;
            if found != digest {
                return Err(Error::Damaged { expected: digest, found });
            }
            // What is no JSON is said by whoever reads the image.
            let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let below = document.get("manifests").and_then(Value::as_array).into_iter().flatten();
            // A configuration has a `config` as well, which is no descriptor and has no digest.
            let digests = below.chain(document.get("config")).filter_map(|named| named.get("digest")?.as_str());
            wanted.extend(digests.filter_map(|text| text.parse::<Digest>().ok()));
        }
        Ok(())
    }

    fn read(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        match &self.source {
            Source::Archive(members) => {
                members.get(&format!("blobs/sha256/{}", digest.hex())).cloned().ok_or(Error::Missing { digest })
            }
            Source::Layout(dir) => {
                let path = dir.join("blobs/sha256").join(digest.hex());
                let file = match File::open(&path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        return Err(Error::Missing { digest });
                    }
                    Err(error) => return Err(doing("open", &path)(error)),
                };
                let size = file.metadata().map_err(doing("look at", &path))?.len();
                if size > LIMIT {
                    return Err(Error::Document { digest, size, limit: LIMIT });
                }
                let mut bytes = Vec::new();
                file.take(LIMIT).read_to_end(&mut bytes).map_err(doing("read", &path))?;
                Ok(bytes)
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Layout {
    manifests: Vec<Map<String, Value>>,
}

fn no_layout(path: &Path, reason: impl Into<String>) -> Error {
    Error::NoLayout { path: path.to_owned(), reason: reason.into() }
}

/// The members of an archive that may be documents.
fn archive(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let (file, end) = archive_file(path)?;
    let mut magic = Vec::new();
    (&file).take(4).read_to_end(&mut magic).map_err(doing("read", path))?;
    let whole = std::io::Cursor::new(magic.clone()).chain(BufReader::with_capacity(1 << 17, &file));
    let (input, plain): (Box<dyn Read>, _) = match magic[..] {
        [0x1f, 0x8b, ..] => (Box::new(flate2::read::MultiGzDecoder::new(whole)), false),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            (Box::new(zstd::stream::read::Decoder::new(whole).map_err(doing("read", path))?), false)
        }
        _ => (Box::new(whole), true),
    };
    let mut members = BTreeMap::new();
    let mut total = 0;
    let visit = |entry: layer::Entry, content: &mut dyn Read| {
        let name = entry.path.as_str();
        let wanted = name == "index.json" || name.starts_with("blobs/sha256/");
        if let Kind::File { size } = entry.kind
            && wanted
            && size <= LIMIT
            && total + size <= TOTAL
        {
            total += size;
            let mut bytes = Vec::new();
            content.take(size).read_to_end(&mut bytes).map_err(|source| match source.kind() {
                ErrorKind::UnexpectedEof => layer::Error::Within { path: name.to_owned(), size },
                _ => layer::Error::Content { path: entry.path.clone(), source },
            })?;
            members.insert(name.to_owned(), bytes);
        }
        Ok::<(), layer::Error>(())
    };
    layer::read(input, &Limits { bytes: 1 << 40, ..Limits::default() }, visit).map_err(|source| {
        match refused_archive(path, &file, end, source) {
            // What is packed was unpacked: it is no tar all the same.
            OpenError::NoArchive { path, size, .. } if !plain => OpenError::NoArchive { path, size, compressed: false },
            refused => refused,
        }
    })?;
    Ok(members)
}

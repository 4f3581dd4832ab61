//! The files of a layout or an archive, by name.

use super::archive::Archive;
use super::error::OpenError;
use super::registry::Remote;
use crate::digest::{Digest, Mismatch, VerifyingReader};
use crate::oci::{Blob, json_weight};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// Where an image's files are.
#[derive(Debug)]
pub(super) enum Files {
    /// In a directory.
    Directory(PathBuf),
    /// In a tar.
    Archive(Archive),
    /// One file that is the only layer itself.
    Single(PathBuf),
    /// In a registry.
    Registry(Remote),
}

/// An image's files, and the image's name for messages.
#[derive(Debug)]
pub(super) struct Blobs {
    pub(super) image: String,
    pub(super) files: Files,
}

/// The largest document, in bytes: a configuration of some tens of thousands of layers and labels.
const DOCUMENT_LIMIT: u64 = 16 << 20;

/// What a document may take in memory, in bytes: a list of small objects takes a hundred times what it is long.
const DOCUMENT_WEIGHT: u64 = 64 << 20;

/// Where a blob stands in a layout (image-layout.md, "Blobs").
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Blobs {
    /// Opens a file; names of a directory are made by this room alone, so that none leads out of it.
    pub(super) fn open(&self, name: &str) -> Result<Box<dyn Read + Send>, OpenError> {
        let path = match &self.files {
            Files::Archive(archive) => return Ok(Box::new(archive.section(name).ok_or_else(|| self.missing(name))?)),
            Files::Directory(path) => path.join(name),
            Files::Single(path) => path.clone(),
            Files::Registry(remote) => return remote.open(name, || self.missing(name)),
        };
        match File::open(&path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(name)),
            Err(source) => Err(OpenError::Io { doing: "open", path, source }),
        }
    }

    /// How many bytes a file has, without reading it; `None`: that would have to be asked of a registry.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, OpenError> {
        let path = match &self.files {
            Files::Archive(archive) => return archive.size(name).map(Some).ok_or_else(|| self.missing(name)),
            Files::Directory(path) => path.join(name),
            Files::Single(path) => path.clone(),
            Files::Registry(_) => return Ok(None),
        };
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(name)),
            Err(source) => Err(OpenError::Io { doing: "look at", path, source }),
        }
    }

    /// Opens a blob, verified where it has a digest.
    pub(super) fn open_verified(&self, name: &str, blob: Option<Blob>) -> Result<Box<dyn Read + Send>, OpenError> {
        let file = self.open(name)?;
        Ok(match blob {
            Some(blob) => Box::new(VerifyingReader::new(file, blob.digest, blob.size)),
            None => file,
        })
    }

    /// Reads a file whole, verified where it has a digest; at most one byte more than `limit`.
    pub(super) fn bytes(&self, name: &str, blob: Option<Blob>, limit: u64) -> Result<Vec<u8>, OpenError> {
        let part = || name.to_owned();
        let mut bytes = Vec::new();
        let read = self.open_verified(name, blob)?.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|source| match source.get_ref().and_then(|inner| inner.downcast_ref::<Mismatch>()) {
            Some(&source) => OpenError::Damaged { image: self.image.clone(), part: part(), source },
            None => OpenError::Layer { image: self.image.clone(), part: part(), source },
        })?;
        Ok(bytes)
    }

    /// Reads a document whole; gives its digest and its bytes too.
    pub(super) fn document(&self, name: &str, blob: Option<Blob>) -> Result<(Digest, Value, Vec<u8>), OpenError> {
        let bytes = self.bytes(name, blob, DOCUMENT_LIMIT)?;
        if bytes.len() as u64 > DOCUMENT_LIMIT {
            return Err(self.form(name, format!("has more than the {DOCUMENT_LIMIT} bytes that a document may have")));
        }
        if json_weight(&bytes) > DOCUMENT_WEIGHT {
            return Err(self.form(name, "has more values than a document may have".to_owned()));
        }
        let value = serde_json::from_slice(&bytes).map_err(|source| OpenError::Json {
            image: self.image.clone(),
            part: name.to_owned(),
            source,
        })?;
        Ok((Digest::of(&bytes), value, bytes))
    }

    /// The blob that a descriptor describes.
    pub(super) fn descriptor(&self, part: &str, descriptor: &Value) -> Result<Blob, OpenError> {
        let digest = descriptor["digest"].as_str().and_then(|digest| digest.parse().ok());
        let (Some(digest), Some(size)) = (digest, descriptor["size"].as_u64()) else {
            return Err(self.form(part, "has a descriptor without a size or a sha256 digest".to_owned()));
        };
        let blob = Blob { digest, size };
        // What is embedded is for readers who then do not fetch the blob: they must get the same (image-spec, descriptor.md).
        let embedded = match &descriptor["data"] {
            Value::Null => return Ok(blob),
            // Writers in Go leave an empty one out or not, and mean none.
            Value::String(data) if data.is_empty() => return Ok(blob),
            Value::String(data) => STANDARD.decode(data).ok(),
            _ => None,
        };
        match embedded.map(|bytes| Blob::of(&bytes)) {
            Some(embedded) if embedded == blob => Ok(blob),
            Some(other) => Err(self.form(part, format!("embeds `data` for {digest} whose digest is {}", other.digest))),
            None => Err(self.form(part, format!("embeds `data` for {digest} that is no base64"))),
        }
    }

    /// A name that a part says of something, which messages and findings repeat.
    pub(super) fn name<'a>(&self, part: &str, key: &str, name: &'a str, most: usize) -> Result<&'a str, OpenError> {
        if name.len() > most {
            return Err(self.form(part, format!("says more than {most} bytes under `{key}`")));
        }
        Ok(name)
    }

    /// Where a manifest stands among the files.
    pub(super) fn manifest_name(&self, digest: &Digest) -> String {
        match self.files {
            Files::Registry(_) => Remote::manifest_name(digest),
            _ => blob_name(digest),
        }
    }

    pub(super) fn missing(&self, part: &str) -> OpenError {
        OpenError::Missing { image: self.image.clone(), part: part.to_owned() }
    }

    pub(super) fn form(&self, part: &str, reason: String) -> OpenError {
        OpenError::Form { image: self.image.clone(), part: part.to_owned(), reason }
    }
}

//! A layer's tar out of a blob that may be packed in any way that engines know.

use super::archive::refused;
use super::blobs::{Blobs, Files};
use super::error::OpenError;
use crate::digest::{DiffId, Digest, Hasher, Mismatch};
use crate::image::layer_reader::{Bounded, LIMIT, caused_by};
use crate::layer::{self, Wrapping};
use crate::oci::Blob;
use crate::store::{Error as StoreError, Store};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// How many bytes tell how a layer is packed.
const MAGIC: u64 = 6;

/// A layer of an [`super::Opened`] image.
#[derive(Debug, Clone)]
pub struct OpenedLayer {
    pub(super) blobs: Arc<Blobs>,
    /// Where it stands among the image's files.
    pub(super) name: String,
    /// The blob, where a manifest names it by digest.
    pub blob: Option<Blob>,
    /// The tar's digest, where a config says it.
    pub diff_id: Option<DiffId>,
}

/// What was found out about a layer by reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TarFacts {
    /// The blob's digest, as it was read.
    pub blob: Digest,
    /// The tar's digest.
    pub diff_id: DiffId,
    /// The tar's size in bytes.
    pub size: u64,
    /// How the blob is packed.
    pub wrapping: Wrapping,
}

/// A tar as it comes out of its blob.
type Unpacked = Bounded<Box<dyn Read + Send>>;

/// Reads a layer's tar; [`TarReader::finish`] says whether blob and tar are what they should be.
pub struct TarReader<'a> {
    layer: &'a OpenedLayer,
    wrapping: Wrapping,
    /// Of the blob's bytes so far, where nobody else names them.
    sum: Option<Arc<Mutex<Hasher>>>,
    /// Of the tar's bytes so far, where the blob is not the tar itself.
    hasher: Option<Hasher>,
    inner: Unpacked,
}

impl OpenedLayer {
    /// Opens it.
    pub fn open(&self) -> Result<TarReader<'_>, OpenError> {
        let blob = self.blobs.open_verified(&self.name, self.blob)?;
        let sum = self.blob.is_none().then(Arc::<Mutex<Hasher>>::default);
        let (wrapping, inner) = self.unpack(Summed { inner: blob, sum: sum.clone() })?;
        let hasher = (wrapping != Wrapping::Plain).then(Hasher::new);
        Ok(TarReader { layer: self, wrapping, sum, hasher, inner })
    }

    /// Looks whether the blob is there, with as many bytes as its manifest says; in a registry, only reading it would tell.
    pub fn look(&self) -> Result<(), OpenError> {
        let Some(found) = self.blobs.size(&self.name)? else { return Ok(()) };
        match self.blob {
            Some(blob) if blob.size != found => Err(self
                .blobs
                .form(&self.name, format!("is damaged: it has {found} bytes, and its manifest says {}", blob.size))),
            _ => Ok(()),
        }
    }

    /// Opens the tar of a layer that was read before, and hashes nothing: whoever reads it must know what is to come.
    pub fn open_again(&self) -> Result<impl Read + Send + use<>, OpenError> {
        self.unpack(self.blobs.open(&self.name)?).map(|(_, tar)| tar)
    }

    fn unpack(&self, blob: impl Read + Send + 'static) -> Result<(Wrapping, Unpacked), OpenError> {
        let (mut blob, mut magic) = (blob, Vec::new());
        // A connection may give them one by one.
        blob.by_ref().take(MAGIC).read_to_end(&mut magic).map_err(|source| self.failed(source))?;
        let wrapping = Wrapping::of(&magic);
        let blob = BufReader::with_capacity(1 << 17, io::Cursor::new(magic).chain(blob));
        let inner = wrapping.unwrap(blob).map_err(|source| self.failed(source))?;
        Ok((wrapping, Bounded { inner, left: LIMIT }))
    }

    /// Copies the blob, as it is packed, into the store.
    pub fn keep(&self, store: &Store) -> Result<Blob, OpenError> {
        if let Some(blob) = self.blob.filter(|blob| store.has(blob)) {
            return Ok(blob);
        }
        if let (Files::Registry(remote), Some(blob)) = (&self.blobs.files, self.blob) {
            return if remote.keep(&blob, store)? { Ok(blob) } else { Err(self.blobs.missing(&self.name)) };
        }
        let mut reader = self.blobs.open_verified(&self.name, self.blob)?;
        store.put_from(&mut reader).map_err(|error| match error {
            StoreError::Io { source, .. } if caused_by::<Mismatch>(&source).is_some() => self.failed(source),
            error => error.into(),
        })
    }

    /// Whether two layers are the same bytes of the same file.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self.blob, other.blob) {
            (Some(one), Some(other)) => one == other,
            _ => Arc::ptr_eq(&self.blobs, &other.blobs) && self.name == other.name,
        }
    }

    /// Says what it means that this layer's tar cannot be read, where the layer is a file of its own; gives the error back elsewhere.
    pub fn refused(&self, error: layer::Error) -> Result<OpenError, layer::Error> {
        match &self.blobs.files {
            Files::Single(path) if error.is_truncation() || matches!(error, layer::Error::Damaged { at: 0, .. }) => {
                let Ok(file) = File::open(path) else { return Err(error) };
                Ok(match refused(path, &file, size(path), error) {
                    // What is packed was unpacked: it is no tar all the same.
                    OpenError::NoArchive { path, size, .. } => OpenError::NoArchive { path, size, compressed: false },
                    other => other,
                })
            }
            _ => Err(error),
        }
    }

    /// Says what it means that reading a file of this layer's tar failed, whose header says so many bytes.
    #[must_use]
    pub fn failed_within(&self, error: io::Error, file: &[u8], size: u64) -> OpenError {
        match self.failed(error) {
            OpenError::Truncated { path, end, .. } => {
                OpenError::Truncated { path, end, inside: Some((String::from_utf8_lossy(file).into_owned(), size)) }
            }
            other => other,
        }
    }

    /// Says what a failed read of this layer means: bytes that are not the blob's, or a blob that is no layer.
    #[must_use]
    pub fn failed(&self, error: io::Error) -> OpenError {
        let (image, part) = (self.blobs.image.clone(), self.name.clone());
        let mismatch = caused_by::<Mismatch>(&error).copied().or_else(|| {
            // A decoder stumbles over rot before the digest shows it.
            let mut blob = self.blobs.open_verified(&self.name, self.blob).ok()?;
            let rot = io::copy(&mut blob, &mut io::sink()).err()?;
            caused_by::<Mismatch>(&rot).copied()
        });
        match (mismatch, &self.blobs.files) {
            (Some(source), _) => OpenError::Damaged { image, part, source },
            (None, Files::Single(path)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                OpenError::Truncated { path: path.clone(), end: size(path), inside: None }
            }
            _ => OpenError::Layer { image, part, source: error },
        }
    }
}

/// How many bytes a file has.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

impl TarReader<'_> {
    /// How the blob is packed.
    #[must_use]
    pub fn wrapping(&self) -> Wrapping {
        self.wrapping
    }

    /// Reads whatever is left and checks the DiffId.
    pub fn finish(mut self) -> Result<TarFacts, OpenError> {
        if let Err(error) = io::copy(&mut self, &mut io::sink()) {
            return Err(self.layer.failed(error));
        }
        // The blob is verified by now if anybody said its digest.
        let sum = self.sum.map(|sum| sum.lock().expect("no holder of this lock panics").clone().finish());
        let blob = self.layer.blob.map(|blob| blob.digest).or(sum).expect("one of them is there");
        let found = DiffId(self.hasher.map_or(blob, Hasher::finish));
        match self.layer.diff_id {
            Some(expected) if expected != found => {
                let (image, part) = (self.layer.blobs.image.clone(), self.layer.name.clone());
                Err(OpenError::DiffId { image, part, expected, found })
            }
            _ => Ok(TarFacts { blob, diff_id: found, size: LIMIT - self.inner.left, wrapping: self.wrapping }),
        }
    }
}

/// A reader that sums up what passes, where that is asked for.
struct Summed {
    inner: Box<dyn Read + Send>,
    sum: Option<Arc<Mutex<Hasher>>>,
}

impl Read for Summed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(sum) = &self.sum {
            sum.lock().expect("no holder of this lock panics").update(&buffer[..read]);
        }
        Ok(read)
    }
}

impl Read for TarReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        Ok(read)
    }
}

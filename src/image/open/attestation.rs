//! Attestations beside an image: manifests whose layers are in-toto statements (BuildKit, "Image Attestation Storage").
//!
//! ```text
//! index ─▶ manifest of an image
//!       ─▶ manifest of an attestation, which names that one ─▶ statements: provenance, SBOMs
//! ```

use super::blobs::{Blobs, blob_name};
use super::error::OpenError;
use crate::digest::Digest;
use crate::oci::Blob;
use serde_json::Value;
use std::sync::Arc;

/// The largest statement that is read, in bytes; an SBOM of ten thousand packages has some.
const LARGEST: u64 = 12 << 20;

/// An attestation has at most so many statements.
const STATEMENTS: usize = 100;

/// The most bytes of an attestation's kind, and of the type of what is stated, which is an address: both name what is found.
const KIND: usize = 100;
const PREDICATE: usize = 1000;

/// An attestation beside an [`super::Opened`] image; its documents are read when they are asked for.
#[derive(Debug, Clone)]
pub struct OpenedAttestation {
    /// What the index says that it is: `attestation-manifest`.
    pub kind: String,
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest of the image that it is about, where the index says it.
    pub about: Option<Digest>,
    /// What the index says of it.
    pub entry: Value,
    size: u64,
    blobs: Arc<Blobs>,
}

/// A statement of an attestation, by what its manifest says.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The type of what is stated, as `https://slsa.dev/provenance/v1`; else the blob's media type.
    pub predicate: String,
    /// The statement itself.
    pub blob: Blob,
}

impl OpenedAttestation {
    /// The attestation of a descriptor in an index, if it is one.
    pub(super) fn of(blobs: &Arc<Blobs>, entry: &Value, blob: Blob) -> Result<Option<Self>, OpenError> {
        let annotation = |name: &str| entry["annotations"][name].as_str();
        let key = "vnd.docker.reference.type";
        let kind = annotation(key).or((entry["platform"]["os"] == "unknown").then_some("unknown"));
        let Some(kind) = kind else { return Ok(None) };
        let kind = blobs.name(&blobs.manifest_name(&blob.digest), key, kind, KIND)?.to_owned();
        let about = annotation("vnd.docker.reference.digest").and_then(|digest| digest.parse().ok());
        let (entry, blobs) = (entry.clone(), Arc::clone(blobs));
        Ok(Some(Self { kind, digest: blob.digest, about, entry, size: blob.size, blobs }))
    }

    /// Reads the manifest: its bytes, and the statements that it names.
    pub fn read(&self) -> Result<(Vec<u8>, Vec<Statement>), OpenError> {
        let part = self.blobs.manifest_name(&self.digest);
        let blob = Blob { digest: self.digest, size: self.size };
        let (_, manifest, bytes) = self.blobs.document(&part, Some(blob))?;
        let layers = manifest["layers"].as_array().map_or(&[][..], Vec::as_slice);
        if layers.len() > STATEMENTS {
            return Err(self.blobs.form(&part, format!("has more than {STATEMENTS} layers")));
        }
        let statement = |layer: &Value| {
            let key = "in-toto.io/predicate-type";
            let predicate = layer["annotations"][key].as_str().or(layer["mediaType"].as_str()).unwrap_or("statement");
            let predicate = self.blobs.name(&part, key, predicate, PREDICATE)?.to_owned();
            Ok(Statement { predicate, blob: self.blobs.descriptor(&part, layer)? })
        };
        Ok((bytes, layers.iter().map(statement).collect::<Result<_, OpenError>>()?))
    }

    /// Reads a statement, verified.
    pub fn statement(&self, statement: &Statement) -> Result<Vec<u8>, OpenError> {
        let part = blob_name(&statement.blob.digest);
        if statement.blob.size > LARGEST {
            return Err(self
                .blobs
                .form(&part, format!("has more than the {LARGEST} bytes that are read of a statement")));
        }
        self.blobs.bytes(&part, Some(statement.blob), LARGEST)
    }
}

//! Images in registries as what should come out: documents at once, layers only where somebody asks for one.

use super::error::Error;
use super::reference::Expected;
use crate::digest::Digest;
use crate::image::{Image, ImageRef};
use crate::oci::Blob;
use crate::recipe::ImageName;
use crate::registry::{Client, Reference, Repository, Selector};
use crate::store::{IndexEntry, Store};
use serde_json::Value;
use std::collections::BTreeSet;

/// The largest configuration, in bytes: as for images in the store.
const CONFIG: u64 = 16 << 20;

/// How many documents one image may have, and how many bytes together.
const MOST: usize = 2000;
const TOTAL: u64 = 1 << 30;

/// The largest layer that is fetched, in bytes.
const LAYER: u64 = 64 << 30;

impl Expected {
    /// Takes an image of a registry, which a recipe of that name should make; copies of its documents go into `scratch`, under the name.
    ///
    /// An image whose documents do not fit together is there with the reason.
    pub fn from_registry(
        client: &Client,
        reference: &Reference,
        name: &ImageName,
        scratch: &Store,
    ) -> Result<Self, Error> {
        let shown = || reference.to_string();
        let which = reference.selector().ok_or_else(|| Error::NoTag { reference: shown() })?;
        let manifest = client.manifest(&reference.repository, &which)?;
        let manifest = manifest.ok_or_else(|| Error::NotThere { reference: shown() })?;
        let root = scratch.put(&manifest.bytes)?;
        let below = Below { client, reference, scratch };
        let image = match below.bring(root, manifest.bytes) {
            Err(error @ (Error::Missing { .. } | Error::Documents { .. })) => Err(error),
            brought => {
                brought?;
                scratch.set_images(&[IndexEntry::new(name.as_str(), &manifest.media_type, root)])?;
                Image::resolve(scratch, &ImageRef { name: name.clone(), platform: None }).map_err(Error::from)
            }
        };
        let mut expected = Self::new(name.clone());
        expected.root = Some(root.digest);
        if let Ok(image) = &image {
            let manifests = image.platforms.iter();
            expected.manifests = manifests.map(|one| (one.platform.to_string(), one.manifest.digest)).collect();
        }
        expected.image = Some(image);
        Ok(expected)
    }
}

/// Brings a layer into the store that has its image's documents.
pub fn bring_layer(client: &Client, repository: &Repository, blob: Blob, scratch: &Store) -> Result<(), Error> {
    if scratch.has(&blob) {
        return Ok(());
    }
    if blob.size > LAYER {
        return Err(Error::Document { digest: blob.digest, size: blob.size, limit: LAYER });
    }
    let partial = scratch.partial().join(blob.digest.hex());
    if !client.blob_to_file(repository, &blob.digest.into(), blob.size, &partial)? {
        return Err(Error::Missing { digest: blob.digest });
    }
    scratch.adopt(&partial, blob)?;
    Ok(())
}

/// Where the documents of one image come from and go to.
struct Below<'a> {
    client: &'a Client,
    reference: &'a Reference,
    scratch: &'a Store,
}

impl Below<'_> {
    /// Copies all that a manifest or index names and that is no layer.
    fn bring(&self, root: Blob, bytes: Vec<u8>) -> Result<(), Error> {
        let mut total = root.size;
        let mut seen = BTreeSet::from([root.digest]);
        let mut left = vec![bytes];
        while let Some(bytes) = left.pop() {
            // What is no JSON is said by whoever reads the image.
            let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let below = document.get("manifests").and_then(Value::as_array).into_iter().flatten();
            let manifests = below.filter(|entry| is_image(entry)).map(|entry| (true, entry));
            for (manifest, named) in manifests.chain(document.get("config").map(|config| (false, config))) {
                let Some(digest) = named.get("digest").and_then(Value::as_str).and_then(|text| text.parse().ok())
                else {
                    continue;
                };
                if !seen.insert(digest) {
                    continue;
                }
                let bytes = self.read(digest, manifest)?;
                total += bytes.len() as u64;
                let too_much = |limit| Error::Documents { reference: self.reference.to_string(), limit };
                if seen.len() > MOST {
                    return Err(too_much("more than 2000"));
                }
                if total > TOTAL {
                    return Err(too_much("more than 1 GiB"));
                }
                self.scratch.put(&bytes)?;
                if manifest {
                    left.push(bytes);
                }
            }
        }
        Ok(())
    }

    /// Reads a document, verified by the client.
    fn read(&self, digest: Digest, manifest: bool) -> Result<Vec<u8>, Error> {
        let repository = &self.reference.repository;
        let bytes = if manifest {
            self.client.manifest(repository, &Selector::Digest(digest.into()))?.map(|manifest| manifest.bytes)
        } else {
            self.client.blob(repository, &digest.into(), CONFIG)?
        };
        bytes.ok_or(Error::Missing { digest })
    }
}

/// Whether an index's entry is a platform's image, and not an attestation as buildkit adds them.
fn is_image(entry: &Value) -> bool {
    entry["platform"]["os"] != "unknown" && entry["annotations"]["vnd.docker.reference.type"].is_null()
}

//! The bill of materials of one image for one platform, from the lock and from what the layers hold.
//!
//! | told | where it is from |
//! |---|---|
//! | which packages, versions, architectures | the lock; the image's dpkg database, where it has one |
//! | sha256 of the `.deb`, archive, suite, path there | the lock |
//! | source package, maintainer, homepage, summary, dependencies | the dpkg database |
//! | licences | the packages' copyright files in the image |
//! | the project's own files, their digests | the layers that copy or write |
//! | which layer of which recipe | the plan |
//! | dates, names of the documents | the image's config and digest |

mod component;
mod cyclonedx;
mod purl;
mod spdx;

use super::contents::{Contents, OwnFile};
use super::error::Error;
use super::trace::{Origin, Trace};
use crate::digest::Digest;
use crate::image::PlatformImage;
use crate::oci::{canonical_json, time};
use crate::store::Store;
use component::{Component, components};

/// Everything that is told of one image for one platform.
#[derive(Debug)]
pub struct Bill {
    /// The image's name.
    image: String,
    /// Its platform: `linux/amd64`.
    platform: String,
    /// Debian's name of the architecture.
    arch: &'static str,
    /// The digest of the platform's manifest.
    digest: Digest,
    /// Its date.
    created: String,
    /// Its packages, sorted by name, architecture and version.
    packages: Vec<Component>,
    /// The project's own files, by path.
    files: Vec<OwnFile>,
    /// The layers' origins, and their DiffIds.
    layers: Vec<(Origin, Digest)>,
    /// The distribution's name and version, if the image says.
    distribution: Option<(String, Option<String>)>,
}

/// The forms that a bill can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BillFormat {
    /// SPDX 2.3.
    Spdx,
    /// `CycloneDX` 1.6.
    CycloneDx,
}

impl BillFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Spdx, Self::CycloneDx];

    /// The media type, which is the artifact type in a registry too.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Spdx => "application/spdx+json",
            Self::CycloneDx => "application/vnd.cyclonedx+json",
        }
    }

    /// What an in-toto statement with such a document as its predicate is called (in-toto attestation, `spec/predicates`); as cosign
    /// asks for it, without a version.
    #[must_use]
    pub const fn predicate_type(self) -> &'static str {
        match self {
            Self::Spdx => "https://spdx.dev/Document",
            Self::CycloneDx => "https://cyclonedx.org/bom",
        }
    }
}

impl Bill {
    /// Reads an image's layers, each once, and puts together what there is to tell. The trace has to be the image's:
    /// [`Trace::check`].
    pub fn read(store: &Store, image: &PlatformImage, trace: &Trace) -> Result<Self, Error> {
        let contents = Contents::read(store, image, trace)?;
        let packages = components(&contents, trace);
        let created = image.document["created"].as_str().filter(|text| time::parse_rfc3339(text).is_some());
        Ok(Self {
            image: trace.image.to_string(),
            platform: image.platform.to_string(),
            arch: image.platform.arch.debian(),
            digest: image.manifest.digest,
            created: created.map_or_else(|| time::format_rfc3339(trace.epoch), str::to_owned),
            packages,
            files: contents.files,
            layers: trace.layers.iter().cloned().zip(image.layers.iter().map(|layer| layer.diff_id.0)).collect(),
            distribution: contents.release.map(|release| (release.id, release.version)),
        })
    }

    /// Writes it as canonical JSON: the same image gives the same bytes.
    #[must_use]
    pub fn write(&self, format: BillFormat) -> Vec<u8> {
        canonical_json(&match format {
            BillFormat::Spdx => spdx::document(self),
            BillFormat::CycloneDx => cyclonedx::document(self),
        })
    }

    /// The package URL of the image itself (purl specification, type `oci`).
    fn purl(&self) -> String {
        purl::oci(&self.image, &self.digest, self.platform.trim_start_matches("linux/"))
    }

    /// An identifier that the image's digest alone decides, as a UUID (RFC 9562, 5.8: version 8).
    fn uuid(&self, purpose: &str) -> String {
        let mut bytes = *Digest::of(format!("remint {purpose} {}", self.digest).as_bytes()).as_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = Digest::from_bytes(bytes).hex();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
    }
}

/// A person or a group, and where they read mail: `Name <mail>` (Debian policy 5.6.2).
fn mailbox(text: &str) -> (&str, Option<&str>) {
    match text.split_once('<') {
        Some((name, mail)) => {
            (name.trim().trim_matches('"'), Some(mail.trim().trim_end_matches('>')).filter(|mail| !mail.is_empty()))
        }
        None => (text.trim(), None),
    }
}

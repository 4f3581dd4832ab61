//! Who vouches for an image in a registry, and for what: signatures and statements that are attached to it, verified with given keys.
//!
//! Nothing is believed that none of the keys signed, and nothing that is not about the very digest. What is attached is bounded in
//! number and size; what is passed over, and what is damaged, is told.

use crate::attest::{
    self, BUNDLE, BillFormat, Claim, ENVELOPE, KeyId, PAYLOAD, PublicKey, REBUILD, SIGNATURE, Verified,
    distinct_rebuilders, verify_attachment,
};
use crate::digest::Digest;
use crate::registry::{Client, Referrer, RegistryError, Repository, Selector, Tag, clean};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// How many manifests are read of those that refer to one digest, and how many blobs of them.
const MANIFESTS: usize = 300;
const BLOBS: usize = 600;

/// The largest blob that is read, in bytes, and all of one digest together.
const BLOB: u64 = 64 << 20;
const TOTAL: u64 = 1 << 30;

/// Types of what refers to an image and may be signed; cosign's tag scheme as referrers has the last two.
const SIGNED: [&str; 4] = [
    BUNDLE,
    ENVELOPE,
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.cosign.artifact.att.v1+json",
];

/// A manifest or index that may have something attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The platform; `None`: the image as a whole.
    pub platform: Option<String>,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What one key vouches for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vouched {
    /// Of which platform; `None`: of the image as a whole.
    pub platform: Option<String>,
    /// The key.
    pub key: KeyId,
    /// What it says.
    pub what: What,
}

/// What somebody says of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "says", rename_all = "kebab-case")]
pub enum What {
    /// That it is signed.
    Signed,
    /// What it is made of.
    Sbom {
        /// The form of the bill of materials.
        predicate_type: String,
    },
    /// Where it comes from.
    Provenance {
        /// The form of the provenance.
        predicate_type: String,
    },
    /// That it was built again.
    Rebuilt {
        /// Who says that of themselves.
        rebuilder: String,
        /// Whether every bit was the same.
        identical: bool,
    },
    /// Something else.
    Statement {
        /// What kind of thing.
        predicate_type: String,
    },
}

/// All that is attached to an image and signed by one of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attached {
    /// Who vouches for what, sorted, each once.
    pub vouched: BTreeSet<Vouched>,
    /// The keys that vouch for the image as a whole having been rebuilt bit for bit.
    pub rebuilders: BTreeSet<KeyId>,
    /// What was passed over, and why.
    pub notes: Vec<String>,
}

impl Attached {
    /// Whether one of the keys signed the image as a whole.
    #[must_use]
    pub fn signed(&self) -> bool {
        self.vouched.iter().any(|one| one.platform.is_none() && one.what == What::Signed)
    }

    /// Fetches and verifies what is attached to an image: cosign's tags, and what refers to its digests.
    pub fn fetch(
        client: &Client,
        repository: &Repository,
        subjects: &[Subject],
        keys: &[PublicKey],
    ) -> Result<Self, RegistryError> {
        let mut attached = Self::default();
        for subject in subjects {
            let verified =
                Reading { client, repository, subject, keys, notes: &mut attached.notes, blobs: 0, bytes: 0 }
                    .verified()?;
            if subject.platform.is_none() {
                attached.rebuilders = distinct_rebuilders(&subject.digest, &verified);
            }
            // What is said of another image, and only stands here, says nothing.
            for one in verified.into_iter().filter(|one| one.subjects.contains(&subject.digest)) {
                let platform = subject.platform.clone();
                attached.vouched.insert(Vouched { platform, key: one.key, what: What::of(one.claim) });
            }
        }
        Ok(attached)
    }
}

/// The reading of what is attached to one digest.
struct Reading<'a> {
    client: &'a Client,
    repository: &'a Repository,
    subject: &'a Subject,
    keys: &'a [PublicKey],
    notes: &'a mut Vec<String>,
    blobs: usize,
    bytes: u64,
}

impl Reading<'_> {
    fn verified(mut self) -> Result<Vec<Verified>, RegistryError> {
        let digest = self.subject.digest;
        let mut verified = Vec::new();
        for suffix in ["sig", "att"] {
            let tag = format!("sha256-{}.{suffix}", digest.hex());
            let tag: Tag = tag.parse().expect("letters, digits, a dash and a dot");
            if let Some(manifest) = self.client.manifest(self.repository, &Selector::Tag(tag))? {
                self.manifest(&manifest.bytes, &mut verified)?;
            }
        }
        let mut referrers = self.client.referrers(self.repository, &digest.into(), None)?;
        // One of no type may be anything.
        let may = |one: &Referrer| one.artifact_type.as_deref().is_none_or(|kind| SIGNED.contains(&kind));
        referrers.retain(may);
        if referrers.len() > MANIFESTS {
            self.note(&format!("{} more than {MANIFESTS} things refer to it", referrers.len() - MANIFESTS));
            referrers.truncate(MANIFESTS);
        }
        for referrer in referrers {
            match self.client.manifest(self.repository, &Selector::Digest(referrer.digest))? {
                Some(manifest) => self.manifest(&manifest.bytes, &mut verified)?,
                None => self.note(&format!("{} refers to it and is not there", referrer.digest.short())),
            }
        }
        Ok(verified)
    }

    /// Verifies the blobs of a manifest.
    fn manifest(&mut self, bytes: &[u8], verified: &mut Vec<Verified>) -> Result<(), RegistryError> {
        let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let media_type = layer["mediaType"].as_str().unwrap_or_default();
            let digest: Option<Digest> = layer["digest"].as_str().and_then(|text| text.parse().ok());
            let Some(digest) = digest.filter(|_| [PAYLOAD, ENVELOPE, BUNDLE].contains(&media_type)) else { continue };
            if self.blobs == BLOBS || self.bytes > TOTAL {
                self.note("more is attached than is read");
                return Ok(());
            }
            self.blobs += 1;
            let blob = match self.client.blob(self.repository, &digest.into(), BLOB) {
                Ok(Some(blob)) => blob,
                Ok(None) => {
                    self.note(&format!("{} is attached and not there", digest.short()));
                    continue;
                }
                Err(error @ (RegistryError::TooLarge { .. } | RegistryError::Wrong { .. })) => {
                    self.note(&error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.bytes += blob.len() as u64;
            let signature = layer["annotations"][SIGNATURE].as_str();
            match verify_attachment(media_type, &blob, signature, Some(&self.subject.bytes), self.keys) {
                Ok(found) => verified.extend(found),
                Err(error) => self.not_valid(digest, &error),
            }
        }
        Ok(())
    }

    fn not_valid(&mut self, digest: Digest, error: &attest::Error) {
        self.note(&format!("{}: {error}", digest.short()));
    }

    /// Remembers what was passed over, each thing once.
    fn note(&mut self, text: &str) {
        let text = clean(text);
        if self.notes.len() < MANIFESTS && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

impl What {
    fn of(claim: Claim) -> Self {
        let Claim::Statement { predicate_type, predicate } = claim else { return Self::Signed };
        if predicate_type == REBUILD {
            let rebuilder = predicate["rebuilder"]["id"].as_str().unwrap_or("nobody");
            return Self::Rebuilt { rebuilder: clean(rebuilder), identical: predicate["result"] == "identical" };
        }
        // Others write other versions of the same forms.
        let bills = BillFormat::ALL.map(BillFormat::predicate_type);
        let is_bill = bills.contains(&&*predicate_type)
            || ["https://spdx.dev/Document", "https://cyclonedx.org/bom"]
                .iter()
                .any(|kind| predicate_type.starts_with(kind));
        let is_provenance = predicate_type.starts_with("https://slsa.dev/provenance/");
        let predicate_type = clean(&predicate_type);
        match (is_bill, is_provenance) {
            (true, _) => Self::Sbom { predicate_type },
            (_, true) => Self::Provenance { predicate_type },
            _ => Self::Statement { predicate_type },
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Signed => "signed".to_owned(),
            Self::Sbom { predicate_type } => format!("SBOM, {predicate_type}"),
            Self::Provenance { predicate_type } => format!("provenance, {predicate_type}"),
            Self::Rebuilt { rebuilder, identical: true } => format!("rebuilt, identical, by {rebuilder}"),
            Self::Rebuilt { rebuilder, identical: false } => format!("rebuilt, different, by {rebuilder}"),
            Self::Statement { predicate_type } => predicate_type.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn statements_are_told_by_their_types() {
        let of = |kind: &str, predicate: Value| {
            What::of(Claim::Statement { predicate_type: kind.to_owned(), predicate }).words()
        };
        assert_eq!(of("https://spdx.dev/Document", json!({})), "SBOM, https://spdx.dev/Document");
        assert_eq!(of("https://cyclonedx.org/bom/v1.4", json!({})), "SBOM, https://cyclonedx.org/bom/v1.4");
        assert_eq!(of("https://slsa.dev/provenance/v1", json!({})), "provenance, https://slsa.dev/provenance/v1");
        let rebuilt = json!({ "rebuilder": { "id": "a\u{1b}[1m" }, "result": "identical" });
        assert_eq!(of(REBUILD, rebuilt), "rebuilt, identical, by a [1m");
        let turned = json!({ "rebuilder": { "id": "a\u{202e}b\u{200b}c" }, "result": "identical" });
        assert_eq!(of(REBUILD, turned), "rebuilt, identical, by a b c");
        assert_eq!(of(REBUILD, json!([])), "rebuilt, different, by nobody");
        assert_eq!(What::of(Claim::Signed(Some("a".to_owned()))), What::Signed);
    }
}

//! The statements that a registry holds of what an image was made from, found by the image's digest.

use crate::attest::{PROVENANCE, STATEMENT, Stated};
use crate::digest::Digest;
use crate::registry::{Client, Referrer, RegistryError, Repository, Selector};
use serde_json::Value;

/// How many statements of one image are read: one for each lock that it came of unchanged.
const MOST: usize = 50;

/// The largest statement that is read, in bytes: thousands of materials have less than two million.
const LARGEST: u64 = 16 << 20;

/// Fetches what the statements attached to a platform's manifest say of recipes and lock; what is damaged or something else is passed
/// over.
pub fn stated(client: &Client, repository: &Repository, manifest: Digest) -> Result<Vec<Stated>, RegistryError> {
    let referrers = client.referrers(repository, &manifest.into(), Some(STATEMENT))?;
    let mut all = Vec::new();
    for referrer in referrers.iter().filter(|one| may_be(one)).take(MOST) {
        let Some(found) = client.manifest(repository, &Selector::Digest(referrer.digest))? else { continue };
        let found: Value = serde_json::from_slice(&found.bytes).unwrap_or_default();
        let layer = &found["layers"][0];
        let digest: Option<Digest> = layer["digest"].as_str().and_then(|text| text.parse().ok());
        let Some(digest) = digest.filter(|_| layer["mediaType"] == STATEMENT) else { continue };
        match client.blob(repository, &digest.into(), LARGEST) {
            Ok(blob) => all.extend(blob.and_then(|bytes| Stated::parse(&bytes, &manifest))),
            Err(RegistryError::TooLarge { .. } | RegistryError::Wrong { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Whether a list of referrers does not say that it is something else.
fn may_be(referrer: &Referrer) -> bool {
    let kind = referrer.annotations.iter().find(|(name, _)| name == "in-toto.io/predicate-type");
    kind.is_none_or(|(_, kind)| kind == PROVENANCE)
}

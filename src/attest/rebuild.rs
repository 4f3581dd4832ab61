//! "Rebuilt, identical": what somebody says who built an image again and got the same bits, and how many have said so.

use super::statement::Statement;
use super::verify::{Claim, Verified};
use crate::digest::Digest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The predicate type of such a statement; a name, which leads nowhere.
pub const REBUILD: &str = "urn:remint:predicate:rebuild:v1";

/// What somebody says of an image that they built again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    /// The image's digest: of its index, or of its only platform's manifest.
    pub image: Digest,
    /// Who rebuilt it, in their own words.
    pub rebuilder: String,
    /// The digest of the lock that it was built from.
    pub lock: Digest,
    /// What decided under which circumstances it was built.
    pub seed: u64,
    /// Whether every bit was the same.
    pub identical: bool,
}

/// The statement for it.
#[must_use]
pub fn rebuild(rebuild: &Rebuild) -> Statement {
    let predicate = json!({
        "rebuilder": { "id": rebuild.rebuilder },
        "lock": { "sha256": rebuild.lock.hex() },
        "format": crate::lock::FORMAT,
        // As text: JSON's numbers end at 2^53.
        "seed": rebuild.seed.to_string(),
        "result": if rebuild.identical { "identical" } else { "different" },
    });
    Statement { name: None, subject: rebuild.image, predicate_type: REBUILD.to_owned(), predicate }
}

/// The keys that vouch for an image having been rebuilt bit for bit. Rebuilders are told apart by their keys alone: what they call
/// themselves, anybody can write.
#[must_use]
pub fn distinct_rebuilders(image: &Digest, verified: &[Verified]) -> BTreeSet<super::KeyId> {
    let identical = |one: &&Verified| match &one.claim {
        Claim::Statement { predicate_type, predicate } => {
            predicate_type == REBUILD && predicate.get("result").and_then(Value::as_str) == Some("identical")
        }
        Claim::Signed(_) => false,
    };
    verified.iter().filter(|one| one.subjects.contains(image)).filter(identical).map(|one| one.key).collect()
}

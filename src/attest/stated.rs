//! What the provenance that is attached to an image says it was made from: recipes and lock, by digest.

use super::provenance::{BUILD, PROVENANCE};
use super::statement::TYPE;
use crate::digest::Digest;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most recipes that are read of one statement: an image stands on a few.
const RECIPES: usize = 1000;

/// The recipes and the lock that a statement names. Nobody may have signed it, so it explains, and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The digests of the recipes' files, by the names of their images.
    pub recipes: BTreeMap<String, Digest>,
    /// The digest of the lock's file.
    pub lock: Digest,
}

impl Stated {
    /// Reads a statement as [`provenance`](super::provenance()) writes it; `None`: it is another one, or not about the subject.
    #[must_use]
    pub fn parse(statement: &[u8], subject: &Digest) -> Option<Self> {
        let statement: Value = serde_json::from_slice(statement).ok()?;
        let about = statement["subject"].as_array()?.iter().any(|one| sha256(one.get("digest")) == Some(*subject));
        let definition = &statement["predicate"]["buildDefinition"];
        if !about
            || statement["_type"] != TYPE
            || statement["predicateType"] != PROVENANCE
            || definition["buildType"] != BUILD
        {
            return None;
        }
        let parameters = definition.get("externalParameters")?;
        let recipes = parameters.get("recipes")?.as_object()?.iter().take(RECIPES);
        let recipes = recipes.map(|(name, digest)| Some((name.clone(), sha256(Some(digest))?)));
        Some(Self { recipes: recipes.collect::<Option<_>>()?, lock: sha256(parameters.get("lock"))? })
    }
}

/// A digest as in-toto writes it: `{ "sha256": "<hex>" }`.
fn sha256(set: Option<&Value>) -> Option<Digest> {
    format!("sha256:{}", set?.get("sha256")?.as_str()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_deterministic_statement_about_the_subject_is_read() {
        let (subject, web, lock) = (Digest::of(b"image"), Digest::of(b"web"), Digest::of(b"lock"));
        let good = json!({
            "_type": TYPE,
            "subject": [{ "digest": { "sha256": subject.hex() } }],
            "predicateType": PROVENANCE,
            "predicate": { "buildDefinition": { "buildType": BUILD, "externalParameters": {
                "recipes": { "web": { "sha256": web.hex() } },
                "lock": { "sha256": lock.hex() },
            } } },
        });
        let parse = |value: &Value| Stated::parse(value.to_string().as_bytes(), &subject);
        assert_eq!(parse(&good), Some(Stated { recipes: BTreeMap::from([("web".to_owned(), web)]), lock }));
        for (place, wrong) in [
            ("/_type", json!("x")),
            ("/subject/0/digest/sha256", json!(lock.hex())),
            ("/predicateType", json!(3)),
            ("/predicate/buildDefinition/buildType", json!("urn:remint:invocation:v1")),
            ("/predicate/buildDefinition/externalParameters/recipes/web", json!("x")),
            ("/predicate/buildDefinition/externalParameters/lock", json!({ "sha256": "x" })),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = wrong;
            assert_eq!(parse(&bad), None, "{place}");
        }
        assert_eq!(Stated::parse(b"[", &subject), None);
    }
}

//! What the provenance that is attached to an image says it was made from: recipes, lock and copied files, by digest.

use super::provenance::{BUILD, COPIED, PROVENANCE};
use super::statement::TYPE;
use crate::digest::Digest;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most recipes, and the most layers of copied files, that are read of one statement: an image has a few.
const MOST: usize = 1000;

/// The recipes, the lock and the copied files that a statement names. Nobody may have signed it, so it explains, and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The digests of the recipes' files, by the names of their images.
    pub recipes: BTreeMap<String, Digest>,
    /// The digest of the lock's file.
    pub lock: Digest,
    /// The digests of copied files, by where they are copied: `recipes/web/layer/1`.
    pub copies: BTreeMap<String, Digest>,
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
        let recipes = parameters.get("recipes")?.as_object()?.iter().take(MOST);
        let recipes = recipes.map(|(name, digest)| Some((name.clone(), sha256(Some(digest))?)));
        let copies = definition["resolvedDependencies"].as_array().into_iter().flatten().filter_map(|one| {
            let name = one["name"].as_str().filter(|name| name.starts_with(COPIED))?;
            Some((name.to_owned(), sha256(one.get("digest"))?))
        });
        Some(Self {
            recipes: recipes.collect::<Option<_>>()?,
            lock: sha256(parameters.get("lock"))?,
            copies: copies.take(MOST).collect(),
        })
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
            }, "resolvedDependencies": [
                { "name": "debian/pool/a.deb", "digest": { "sha256": lock.hex() } },
                { "name": "recipes/web/layer/1", "digest": { "sha256": web.hex() } },
            ] } },
        });
        let parse = |value: &Value| Stated::parse(value.to_string().as_bytes(), &subject);
        let one = |name: &str| BTreeMap::from([(name.to_owned(), web)]);
        assert_eq!(parse(&good), Some(Stated { recipes: one("web"), lock, copies: one("recipes/web/layer/1") }));
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

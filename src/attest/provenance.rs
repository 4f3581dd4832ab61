//! SLSA provenance, version 1, in two statements that never mix (slsa.dev/spec/v1.0/provenance).
//!
//! The first is what the bits follow from: recipes, lock, platform, format, and every material by digest. Whoever rebuilds gets the same
//! bytes of it. The second is one invocation: when, where, by whom and with which version; everything in it comes from `cli`. Both are about
//! the same subject, and their `buildType` tells them apart.

use super::statement::Statement;
use super::trace::{Origin, OriginKind, Trace};
use crate::digest::Digest;
use crate::lock::{FORMAT, Lock};
use crate::oci::time::format_rfc3339;
use crate::plan::REVISION;
use crate::recipe::ImageName;
use crate::source::path::{ItemKind, Tree};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The predicate type of both.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// What the deterministic one's parameters mean (`docs/sbom.md`); a name, which leads nowhere.
const BUILD: &str = "urn:remint:build:v1";

/// What the other one's mean.
const INVOCATION: &str = "urn:remint:invocation:v1";

/// Who builds, where nothing is said of who did: the tool, of whatever version, since the version decides no bit.
const BUILDER: &str = "urn:remint:builder";

/// What a deterministic statement is made from beside the trace.
#[derive(Debug, Clone, Copy)]
pub struct Materials<'a> {
    /// The digests of the recipes' files; those of the trace are told.
    pub recipes: &'a BTreeMap<ImageName, Digest>,
    /// The lock.
    pub lock: &'a Lock,
    /// The digest of the lock's file.
    pub lock_digest: Digest,
}

/// States what an image's bits follow from.
#[must_use]
pub fn provenance(subject: Digest, trace: &Trace, materials: &Materials<'_>) -> Statement {
    let recipes: BTreeMap<&str, Value> = trace
        .recipes
        .iter()
        .filter_map(|name| Some((name.as_str(), json!({ "sha256": materials.recipes.get(name)?.hex() }))))
        .collect();
    let predicate = json!({
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": {
                "image": trace.image.as_str(),
                "platform": trace.platform.to_string(),
                "format": FORMAT,
                "recipes": recipes,
                "lock": { "sha256": materials.lock_digest.hex() },
                "epoch": format_rfc3339(trace.epoch),
            },
            "internalParameters": { "revision": REVISION },
            "resolvedDependencies": dependencies(trace, materials),
        },
        "runDetails": { "builder": { "id": BUILDER } },
    });
    Statement { name: None, subject, predicate_type: PROVENANCE.to_owned(), predicate }
}

/// Every material: signed indices, packages, copied trees; sorted, each once.
fn dependencies(trace: &Trace, materials: &Materials<'_>) -> Vec<Value> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    let mut add = |name: String, digest: &Digest, annotations: Value| {
        let value = json!({ "name": name, "digest": { "sha256": digest.hex() }, "annotations": annotations });
        all.insert(name, value);
    };
    let mut archives: Vec<&str> = trace.packages().map(|(_, key, _)| key.archive.as_str()).collect();
    archives.sort_unstable();
    archives.dedup();
    for ((archive, suite), release) in &materials.lock.releases {
        if archives.contains(&archive.as_str()) {
            let annotations = json!({ "date": format_rfc3339(release.date), "signed-by": release.signed_by });
            add(format!("{archive}/{suite}/InRelease"), &release.inrelease, annotations);
        }
    }
    for (_, key, pin) in trace.packages() {
        let annotations = json!({ "suite": pin.suite, "size": pin.deb.size });
        add(format!("{}/{}", key.archive, pin.path), &pin.deb.digest, annotations);
    }
    for ((name, platform), base) in &materials.lock.bases {
        let starts = |origin: &Origin| matches!(&origin.kind, OriginKind::Foreign(of, _) if of == name);
        if *platform == trace.platform && trace.layers.iter().any(starts) {
            add(name.clone(), &base.manifest.digest, json!({ "platform": platform.to_string() }));
        }
    }
    for origin in &trace.layers {
        if let OriginKind::Copy(tree, _) = &origin.kind {
            let number = origin.number.unwrap_or_default();
            let annotations = json!({ "title": origin.title });
            add(format!("recipes/{}/layer/{number}", origin.recipe), &tree_digest(tree), annotations);
        }
    }
    all.into_values().collect()
}

/// One digest for a copied tree: that of a listing as `sha256sum` writes it, a line a file, sorted by path; links follow, as
/// `path -> target`. A single file is its own digest.
fn tree_digest(tree: &Tree) -> Digest {
    let items = match tree {
        Tree::File(file) => return file.content.digest,
        Tree::Directory(items) => items,
    };
    let mut listing = String::new();
    for item in items {
        if let ItemKind::File(file) = &item.kind {
            let _ = writeln!(listing, "{}  {}", file.content.digest.hex(), item.path);
        }
    }
    for item in items {
        if let ItemKind::Symlink(target) = &item.kind {
            let _ = writeln!(listing, "{} -> {target}", item.path);
        }
    }
    Digest::of(listing.as_bytes())
}

/// One run of the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What names this run and no other, if anything does.
    pub id: Option<String>,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// When it ended, in seconds since 1970.
    pub finished: u64,
    /// Who answers for the machine it ran on, as a URI.
    pub builder: String,
    /// The tool's version.
    pub version: String,
    /// What was asked for; never what holds a secret.
    pub command: Vec<String>,
    /// More of where and by whom: the host, the user, a CI job.
    pub circumstances: BTreeMap<String, String>,
}

/// States when, where, by whom and with what an image was built.
#[must_use]
pub fn invocation(subject: Digest, run: &Invocation) -> Statement {
    let mut metadata = json!({
        "startedOn": format_rfc3339(run.started),
        "finishedOn": format_rfc3339(run.finished),
    });
    if let Some(id) = &run.id {
        metadata["invocationId"] = id.clone().into();
    }
    let predicate = json!({
        "buildDefinition": {
            "buildType": INVOCATION,
            "externalParameters": { "command": run.command },
            "internalParameters": run.circumstances,
        },
        "runDetails": {
            "builder": { "id": run.builder, "version": { "remint": run.version } },
            "metadata": metadata,
        },
    });
    Statement { name: None, subject, predicate_type: PROVENANCE.to_owned(), predicate }
}

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
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// What the deterministic one's parameters mean (`docs/sbom.md`); a name, which leads nowhere.
pub(super) const BUILD: &str = "urn:remint:build:v1";

/// What the other one's mean.
const INVOCATION: &str = "urn:remint:invocation:v1";

/// How the names of copied files begin.
pub(super) const COPIED: &str = "recipes/";

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
            add(format!("{COPIED}{}/layer/{number}", origin.recipe), &tree_digest(tree), annotations);
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
    /// What names this run and no other, if anything does: the address of a CI's run.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::trace::Origin;
    use crate::digest::ActionKey;
    use crate::lock::{PackageKey, PackagePin, ReleasePin};
    use crate::oci::{Blob, TreePath};
    use crate::source::path::{Item, LocalFile};
    use std::sync::Arc;

    fn trace() -> (Trace, Lock) {
        let name = |text: &str| ImageName::parse(text).unwrap();
        let package =
            PackageKey { archive: "debian".into(), name: "a".into(), arch: "all".into(), version: "1".into() };
        let pin = PackagePin { deb: Blob::of(b"deb"), suite: "trixie".into(), path: "pool/a_1_all.deb".into() };
        let file = LocalFile { content: Blob::of(b"x"), executable: false };
        let item = |path: &str, kind| Item { path: TreePath::parse(path).unwrap(), kind };
        let tree = Tree::Directory(vec![
            item("d", ItemKind::Directory),
            item("d/f", ItemKind::File(file)),
            item("l", ItemKind::Symlink("d".into())),
        ]);
        let origin = |recipe: &str, number, title: &str, kind| Origin {
            recipe: name(recipe),
            number: Some(number),
            title: title.to_owned(),
            key: ActionKey(Digest::of(title.as_bytes())),
            kind,
        };
        let layers = vec![
            origin("base", 1, "packages a", OriginKind::Packages(vec![(package, pin)])),
            origin("web", 1, "copy app to /srv", OriginKind::Copy(Arc::new(tree), None)),
        ];
        let mut lock = Lock::default();
        for archive in ["debian", "unused"] {
            let release =
                ReleasePin { date: 86_400, inrelease: Digest::of(archive.as_bytes()), signed_by: "AB".into() };
            lock.releases.insert((archive.into(), "trixie".into()), release);
        }
        let trace = Trace {
            image: name("web"),
            platform: "linux/amd64".parse().unwrap(),
            recipes: vec![name("base"), name("web")],
            layers,
            epoch: 86_400,
        };
        (trace, lock)
    }

    #[test]
    fn what_the_bits_follow_from_is_all_there_and_nothing_else() {
        let (trace, lock) = trace();
        let recipes =
            ["base", "other", "web"].map(|name| (ImageName::parse(name).unwrap(), Digest::of(name.as_bytes())));
        let recipes = BTreeMap::from(recipes);
        let materials = Materials { recipes: &recipes, lock: &lock, lock_digest: Digest::of(b"lock") };
        let statement = provenance(Digest::of(b"image"), &trace, &materials);
        let definition = &statement.predicate["buildDefinition"];
        assert_eq!(
            definition["externalParameters"],
            json!({
                "image": "web",
                "platform": "linux/amd64",
                "format": 1,
                "recipes": { "base": { "sha256": Digest::of(b"base").hex() }, "web": { "sha256": Digest::of(b"web").hex() } },
                "lock": { "sha256": Digest::of(b"lock").hex() },
                "epoch": "1970-01-02T00:00:00Z",
            })
        );
        let listing = format!("{}  d/f\nl -> d\n", Digest::of(b"x").hex());
        assert_eq!(
            definition["resolvedDependencies"],
            json!([
                {
                    "name": "debian/pool/a_1_all.deb",
                    "digest": { "sha256": Digest::of(b"deb").hex() },
                    "annotations": { "suite": "trixie", "size": 3 },
                },
                {
                    "name": "debian/trixie/InRelease",
                    "digest": { "sha256": Digest::of(b"debian").hex() },
                    "annotations": { "date": "1970-01-02T00:00:00Z", "signed-by": "AB" },
                },
                {
                    "name": "recipes/web/layer/1",
                    "digest": { "sha256": Digest::of(listing.as_bytes()).hex() },
                    "annotations": { "title": "copy app to /srv" },
                },
            ])
        );
        assert_eq!(statement.predicate["runDetails"], json!({ "builder": { "id": "urn:remint:builder" } }));
        assert_eq!(statement.bytes(), provenance(Digest::of(b"image"), &trace, &materials).bytes());
        let text = String::from_utf8(statement.bytes()).unwrap();
        assert!(!text.contains(env!("CARGO_PKG_VERSION")) && !text.contains("metadata"), "{text}");
    }

    #[test]
    fn a_run_is_told_apart_from_what_the_bits_follow_from() {
        let run = Invocation {
            id: Some("7".into()),
            started: 0,
            finished: 60,
            builder: "urn:test:ci".into(),
            version: "0.1.0".into(),
            command: vec!["remint".into(), "publish".into()],
            circumstances: BTreeMap::from([("host".into(), "h".into())]),
        };
        let statement = invocation(Digest::of(b"image"), &run);
        let text = String::from_utf8(statement.bytes()).unwrap();
        let subject = Digest::of(b"image").hex();
        let expected = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicate":{{"buildDefinition":{{"buildType":"urn:remint:invocation:v1","externalParameters":{{"command":["remint","publish"]}},"internalParameters":{{"host":"h"}}}},"runDetails":{{"builder":{{"id":"urn:test:ci","version":{{"remint":"0.1.0"}}}},"metadata":{{"finishedOn":"1970-01-01T00:01:00Z","invocationId":"7","startedOn":"1970-01-01T00:00:00Z"}}}}}},"predicateType":"https://slsa.dev/provenance/v1","subject":[{{"digest":{{"sha256":"{subject}"}}}}]}}"#
        );
        assert_eq!(text, expected);
    }
}

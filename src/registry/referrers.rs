//! What refers to an image: signatures, attestations, SBOMs (OCI distribution-spec, "Listing Referrers", "Unavailable Referrers
//! API").
//!
//! A registry that knows of referrers lists them; for one that does not, clients keep an index under the tag
//! `<algorithm>-<hex of the subject>`, which is read and written here.

use super::Client;
use super::address::escaped;
use super::amend::Amendment;
use super::any_digest::AnyDigest;
use super::error::{Failure, RegistryError};
use super::exchange::Whole;
use super::manifest::{self, Manifest};
use super::reference::{Repository, Selector, Tag};
use super::said;
use super::tags::List;
use crate::oci::{canonical_json, media};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use ureq::http::HeaderMap;

/// One that refers to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Its manifest's media type.
    pub media_type: String,
    /// Its manifest's digest.
    pub digest: AnyDigest,
    /// Its manifest's size in bytes.
    pub size: u64,
    /// What it is.
    pub artifact_type: Option<String>,
    /// Its annotations, sorted.
    pub annotations: Vec<(String, String)>,
}

impl Client {
    /// Lists what refers to a manifest, of one type or of all, in the registry's order; nothing where there is nothing.
    pub fn referrers(
        &self,
        repository: &Repository,
        subject: &AnyDigest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, RegistryError> {
        let task = format!("list what refers to {} in `{repository}`", subject.short());
        let mut path = format!("/v2/{}/referrers/{subject}", repository.name());
        if let Some(kind) = artifact_type {
            path.push_str(&format!("?artifactType={}", escaped(kind)));
        }
        let mut entries = Vec::new();
        let endpoint = self.endpoint(repository.host())?;
        let listed = if endpoint.lacks_referrers(repository) { None } else { self.listed(repository, &path, &task)? };
        match listed {
            Some(pages) => {
                for page in pages {
                    entries.extend(entries_of(&page.bytes, &task)?);
                }
            }
            None => {
                if let Some(index) = self.manifest_at(repository, &Selector::Tag(tag_of(subject)))? {
                    entries = entries_of(&index.bytes, &task)?;
                }
            }
        }
        let referrers = entries.iter().filter_map(referrer);
        // Not every registry sorts by type itself.
        let wanted = |one: &Referrer| artifact_type.is_none_or(|kind| one.artifact_type.as_deref() == Some(kind));
        Ok(referrers.filter(wanted).collect())
    }

    /// Reads the registry's own list; `None`: it has none.
    fn listed(&self, repository: &Repository, path: &str, task: &str) -> Result<Option<Vec<Whole>>, RegistryError> {
        let none = match self.pages(repository, path, task) {
            Ok(List::Pages(pages)) => return Ok(pages.iter().all(|page| is_json(&page.headers)).then_some(pages)),
            // That there is no such repository says nothing of lists.
            Ok(List::None(said)) => !said::names(&said, &["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NOT_FOUND"]),
            // So registries without the list answer, too; the second way may be meant for this one question.
            Err(RegistryError::Refused { status: 405 | 501, .. }) => true,
            Err(RegistryError::Refused { status: 400 | 406, .. }) => false,
            Err(error) => return Err(error),
        };
        if none {
            self.endpoint(repository.host())?.has_no_referrers(repository);
        }
        Ok(None)
    }

    /// Writes manifests that name a subject, and makes sure that they are listed among the subject's referrers.
    pub fn add_referrers(
        &self,
        repository: &Repository,
        subject: &AnyDigest,
        manifests: &[Manifest],
    ) -> Result<(), RegistryError> {
        let index = self.put_referrers(repository, subject, manifests)?;
        self.amend(repository, index.into_iter().collect())
    }

    /// Writes manifests that name a subject; gives what has to be done for them to be listed where the registry does not do so itself.
    pub fn put_referrers<E: From<RegistryError>>(
        &self,
        repository: &Repository,
        subject: &AnyDigest,
        manifests: &[Manifest],
    ) -> Result<Option<Amendment<'static, E>>, RegistryError> {
        let mut wanted = Vec::new();
        for manifest in manifests {
            let which = Selector::Digest(manifest.digest);
            let put = self.put_manifest(repository, &which, &manifest.media_type, &manifest.bytes)?;
            if !put.lists_referrers {
                wanted.push(entry_of(manifest));
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        let task = format!("list what refers to {} in `{repository}`", subject.short());
        Ok(Some(Amendment::new(tag_of(subject), move |current| {
            let entries = current.map_or(Ok(Vec::new()), |index| entries_of(&index.bytes, &task))?;
            let Some(all) = with(&entries, &wanted) else { return Ok(None) };
            let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": all });
            // What others have added is kept from now on, too.
            wanted = all;
            Ok(Some((media::INDEX, canonical_json(&index))))
        })))
    }
}

/// The tag of the index that clients keep for a subject: at most 128 characters.
fn tag_of(subject: &AnyDigest) -> Tag {
    let hex = subject.hex();
    let text = format!("{}-{}", subject.algorithm(), &hex[..hex.len().min(64)]);
    text.parse().expect("letters, digits and a dash")
}

/// Entries, and after them the wanted ones that are missing; `None`: none is.
fn with(entries: &[Value], wanted: &[Value]) -> Option<Vec<Value>> {
    let there: BTreeSet<Option<&str>> = entries.iter().map(|entry| entry["digest"].as_str()).collect();
    let missing: Vec<&Value> = wanted.iter().filter(|entry| !there.contains(&entry["digest"].as_str())).collect();
    (!missing.is_empty()).then(|| entries.iter().chain(missing).cloned().collect())
}

/// What an index says of a manifest: its descriptor, its type and its annotations.
fn entry_of(manifest: &Manifest) -> Value {
    let own: Map<String, Value> = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
    let mut entry = json!({
        "mediaType": manifest.media_type,
        "digest": manifest.digest.to_string(),
        "size": manifest.bytes.len(),
    });
    let config = own.get("config").and_then(|config| config.get("mediaType"));
    let kind = own.get("artifactType").filter(|kind| kind.as_str().is_some_and(|kind| !kind.is_empty()));
    if let Some(kind) = kind.or(config) {
        entry["artifactType"] = kind.clone();
    }
    if let Some(annotations) = own.get("annotations") {
        entry["annotations"] = annotations.clone();
    }
    entry
}

/// Whether an answer may be an index, and not a page for people.
fn is_json(headers: &HeaderMap) -> bool {
    manifest::media_type(headers).is_none_or(|kind| kind.ends_with("json"))
}

/// The entries of an index as they stand there.
fn entries_of(bytes: &[u8], task: &str) -> Result<Vec<Value>, RegistryError> {
    let bad = || Failure::malformed(task, "the list is no index").finally(task);
    let index: Value = serde_json::from_slice(bytes).map_err(|_| bad())?;
    match index.get("manifests") {
        Some(Value::Array(entries)) => Ok(entries.clone()),
        None | Some(Value::Null) if index.is_object() => Ok(Vec::new()),
        _ => Err(bad()),
    }
}

/// Reads an entry; `None`: it names nothing that could be asked for.
fn referrer(entry: &Value) -> Option<Referrer> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let annotations = entry.get("annotations").and_then(Value::as_object);
    let mut annotations: Vec<(String, String)> = annotations
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    annotations.sort();
    Some(Referrer {
        media_type: text("mediaType")?,
        digest: text("digest")?.parse().ok()?,
        size: entry.get("size").and_then(Value::as_u64)?,
        artifact_type: text("artifactType"),
        annotations,
    })
}

//! What refers to an image: signatures, attestations, SBOMs (OCI distribution-spec, "Listing Referrers", "Unavailable Referrers
//! API").
//!
//! A registry that knows of referrers lists them; for one that does not, clients keep an index under the tag
//! `<algorithm>-<hex of the subject>`, which is read and written here.

use super::Client;
use super::address::escaped;
use super::any_digest::AnyDigest;
use super::error::{Failure, RegistryError};
use super::manifest::{self, Manifest, Put};
use super::reference::{Repository, Selector, Tag};
use crate::oci::{canonical_json, media};
use serde_json::{Map, Value, json};
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

/// How often the index is written when others write it too.
const ATTEMPTS: u32 = 8;

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
        let listed = match self.pages(repository, &path, &task) {
            // So registries without the list answer, too.
            Err(RegistryError::Refused { status: 400 | 405 | 406 | 501, .. }) => None,
            pages => pages?.filter(|pages| pages.iter().all(|page| is_json(&page.headers))),
        };
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

    /// Writes a manifest that names a subject, and makes sure that it is listed among the subject's referrers.
    pub fn add_referrer(
        &self,
        repository: &Repository,
        subject: &AnyDigest,
        manifest: &Manifest,
    ) -> Result<Put, RegistryError> {
        let which = Selector::Digest(manifest.digest);
        let put = self.put_manifest(repository, &which, &manifest.media_type, &manifest.bytes)?;
        if !put.lists_referrers {
            self.list_referrer(repository, subject, manifest)?;
        }
        Ok(put)
    }

    /// Adds a manifest to the index that clients keep, with all that others have put there.
    fn list_referrer(
        &self,
        repository: &Repository,
        subject: &AnyDigest,
        manifest: &Manifest,
    ) -> Result<(), RegistryError> {
        let task = format!("list what refers to {} in `{repository}`", subject.short());
        let tag = Selector::Tag(tag_of(subject));
        let entry = entry_of(manifest);
        for _ in 0..ATTEMPTS {
            let index = self.manifest_at(repository, &tag)?;
            let mut entries = index.map_or(Ok(Vec::new()), |index| entries_of(&index.bytes, &task))?;
            // Another client that writes at the same time may have overwritten this one: it is read again until it stands there.
            if entries.iter().any(|there| there.get("digest") == entry.get("digest")) {
                return Ok(());
            }
            entries.push(entry.clone());
            let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
            self.put_manifest(repository, &tag, media::INDEX, &canonical_json(&index))?;
        }
        let why = "others keep overwriting the index".to_owned();
        Err(RegistryError::Unreachable { task, why })
    }
}

/// The tag of the index that clients keep for a subject: at most 128 characters.
fn tag_of(subject: &AnyDigest) -> Tag {
    let hex = subject.hex();
    let text = format!("{}-{}", subject.algorithm(), &hex[..hex.len().min(64)]);
    text.parse().expect("letters, digits and a dash")
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

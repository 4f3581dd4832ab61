//! in-toto statements: a predicate about subjects that are named by digest (in-toto attestation framework, `spec/v1/statement.md`).

use crate::digest::Digest;
use crate::oci::canonical_json;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The media type of a statement, and the payload type of its envelope.
pub const STATEMENT: &str = "application/vnd.in-toto+json";

/// What `_type` says.
pub(super) const TYPE: &str = "https://in-toto.io/Statement/v1";

/// Something that is said of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What the subject is called, if it is called anything.
    pub name: Option<String>,
    /// The image's digest.
    pub subject: Digest,
    /// What kind of thing is said.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

impl Statement {
    /// A statement around a document, such as a bill of materials.
    ///
    /// # Errors
    /// If the document is no JSON.
    pub fn around(subject: Digest, predicate_type: &str, document: &[u8]) -> Result<Self, super::Error> {
        let predicate = serde_json::from_slice(document)
            .map_err(|error| super::Error::Document { what: "the predicate", why: error.to_string() })?;
        Ok(Self { name: None, subject, predicate_type: predicate_type.to_owned(), predicate })
    }

    /// Adds what a list of referrers says of it beside its predicate type: SLSA's build type, which tells an image's own provenance from
    /// that of a run (`docs/publish.md`).
    pub(super) fn annotate(&self, annotations: &mut BTreeMap<String, String>) {
        if let Some(kind) = self.predicate["buildDefinition"]["buildType"].as_str() {
            annotations.insert("remint.build-type".to_owned(), kind.to_owned());
        }
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut subject = json!({ "digest": { "sha256": self.subject.hex() } });
        if let Some(name) = &self.name {
            subject["name"] = name.clone().into();
        }
        canonical_json(&json!({
            "_type": TYPE,
            "subject": [subject],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }))
    }
}

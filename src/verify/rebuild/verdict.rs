//! What a comparison came to.

use crate::digest::{ActionKey, DiffId, Digest};
use crate::image::{Encoding, PlatformImage};
use crate::verify::diff::{Finding, PlatformComparison};
use serde::Serialize;
use serde_json::Value;

/// What a comparison came to, of all images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Verdict {
    /// Each image and platform.
    pub images: Vec<ImageVerdict>,
    /// The actions whose results differ, in the order in which these appeared: the first is the cause, others may follow from it.
    pub actions: Vec<Difference>,
    /// How many results of actions were compared.
    pub compared: u64,
    /// How many results there was nothing to compare with.
    pub unmatched: u64,
}

/// What a comparison came to, of one image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ImageVerdict {
    /// The image's name.
    pub name: String,
    /// The platform; `None`: the image as a whole, where only its index is known or differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The digest that it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Digest>,
    /// The digest that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Digest>,
    /// The digest of the configuration that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Digest>,
    /// The layers that it has, the lowest first, where they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<MadeLayer>,
    /// Whether it was made from other recipes, files or another lock: then no cure of what differs helps.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub other_sources: bool,
    /// What differs; empty: it is identical.
    pub differences: Vec<Difference>,
    /// The whole comparison with what it should be, where both are at hand and differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Box<PlatformComparison>>,
}

/// A layer as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeLayer {
    /// What made it, as the configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// The blob's digest.
    pub digest: Digest,
    /// How many bytes the blob has.
    pub size: u64,
    /// The tar's digest.
    pub diff_id: DiffId,
    /// How it is packed: `zstd`, `gzip`, `plain`.
    pub encoding: &'static str,
}

/// One thing that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Difference {
    /// What differs: ``layer 2, `copy app to /srv/app` ``, `configuration`, `manifest`.
    pub what: String,
    /// The action that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<ActionKey>,
    /// The digest that it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Digest>,
    /// The digest that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Digest>,
    /// The first path within that differs, without a leading slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What differs at that path, and why, the weightiest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// More about it, as fragments of sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Verdict {
    /// Whether everything that was compared is the same.
    #[must_use]
    pub fn identical(&self) -> bool {
        self.actions.is_empty() && self.images.iter().all(ImageVerdict::identical)
    }

    /// How many images could not be verified at all.
    #[must_use]
    pub fn unverified(&self) -> usize {
        self.images.iter().filter(|image| image.unverified()).count()
    }
}

impl ImageVerdict {
    /// Whether it could not be verified at all.
    #[must_use]
    pub fn unverified(&self) -> bool {
        !self.identical() && self.expected.is_none() && self.found.is_none()
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn identical(&self) -> bool {
        self.differences.is_empty()
    }

    /// What came of it, in a word or two.
    #[must_use]
    pub fn result(&self) -> &'static str {
        match (self.identical(), self.expected, self.found) {
            (true, ..) => "identical",
            _ if self.unverified() => "not verified",
            (false, _, None) => "missing",
            (false, _, Some(_)) => "differs",
        }
    }

    /// The lines for people: each difference, then the first differing paths with their causes and cures.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.differences.iter().flat_map(Difference::lines).collect();
        lines.extend(self.explained());
        lines
    }

    /// The first differing paths with their causes and cures, as lines for people.
    #[must_use]
    pub fn explained(&self) -> Vec<String> {
        let cures = !self.other_sources;
        self.comparison.as_deref().map(|one| super::explained::comparison(one, cures)).unwrap_or_default()
    }

    /// Remembers what it is made of.
    #[must_use]
    pub(super) fn made_of(mut self, image: Option<&PlatformImage>) -> Self {
        let Some(image) = image else { return self };
        let mut history = image.document.get("history").and_then(Value::as_array).into_iter().flatten();
        let mut made_by = || {
            let mut made = history.by_ref().filter(|line| line.get("empty_layer") != Some(&Value::Bool(true)));
            made.next().and_then(|line| line.get("created_by")?.as_str()).map(str::to_owned)
        };
        self.config = Some(image.config.digest);
        let made = image.layers.iter().map(|layer| MadeLayer {
            made_by: made_by(),
            digest: layer.blob.digest,
            size: layer.blob.size,
            diff_id: layer.diff_id,
            encoding: match layer.encoding {
                Encoding::Plain => "plain",
                Encoding::Gzip => "gzip",
                Encoding::Zstd => "zstd",
            },
        });
        self.layers = made.collect();
        self
    }

    /// The image and the platform in one word: `python@linux/arm64`.
    #[must_use]
    pub fn title(&self) -> String {
        self.platform.as_ref().map_or_else(|| self.name.clone(), |platform| format!("{}@{platform}", self.name))
    }
}

impl Difference {
    /// Says that a digest is not what it should be.
    #[must_use]
    pub fn of(what: impl Into<String>, expected: Digest, found: Digest) -> Self {
        Self { what: what.into(), expected: Some(expected), found: Some(found), ..Self::default() }
    }

    /// Says something that digests do not show.
    #[must_use]
    pub fn note(what: impl Into<String>, note: impl Into<String>) -> Self {
        Self { what: what.into(), notes: vec![note.into()], ..Self::default() }
    }

    /// The lines for people: what, what was expected and found, where.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.what.clone()];
        lines.extend(self.key.map(|key| format!("  action    {key}")));
        lines.extend(self.expected.map(|digest| format!("  expected  {digest}")));
        lines.extend(self.found.map(|digest| format!("  found     {digest}")));
        lines.extend(self.path.as_ref().map(|path| format!("  first at  /{path}")));
        lines.extend(self.notes.iter().map(|note| format!("  {note}")));
        lines.extend(super::explained::findings(&self.findings));
        lines
    }
}

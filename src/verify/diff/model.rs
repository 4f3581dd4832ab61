//! The result of a comparison, as data.

use super::class::Class;
use crate::digest::{DiffId, Digest};
use crate::image::Wrapping;
use serde::Serialize;
use std::collections::BTreeMap;

/// How two images compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The answer in a word.
    pub verdict: Verdict,
    /// The first image.
    pub a: Side,
    /// The second image.
    pub b: Side,
    /// What differs in the index, beyond the images that it names.
    pub index: Vec<Finding>,
    /// The images of each platform, sorted by the platforms' names.
    pub platforms: Vec<PlatformComparison>,
    /// Every class of cause that was found, with its cure, the most frequent first.
    pub causes: Vec<Cause>,
}

/// One of the two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// How the user named it.
    pub name: String,
    /// Its digest, where it has one.
    pub digest: Option<Digest>,
}

/// The answer in a word; a greater one outweighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The same bytes.
    Identical,
    /// The same configuration and files, in other layers or encodings.
    SameFiles,
    /// Something differs.
    Different,
}

/// How the images of one platform compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlatformComparison {
    /// The platform; two names where the images are for different ones.
    pub platform: String,
    /// Which of the images have it.
    pub presence: Presence,
    /// The answer.
    pub verdict: Verdict,
    /// How many paths there are in the first tree and in the second; 0 where the layers were not read, being the same blobs.
    pub paths: (u64, u64),
    /// What differs in the manifest beyond which config and layers it names.
    pub manifest: Vec<Finding>,
    /// What differs in the configuration beyond layers.
    pub config: Vec<Finding>,
    /// The layers side by side.
    pub layers: Vec<LayerPair>,
    /// What differs in the merged trees, in byte order of the paths.
    pub files: Vec<PathDifference>,
    /// How many of the differing files were not looked into, being too many.
    pub unexplained: u64,
}

/// Which of the two images have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Both.
    Both,
    /// Only the first.
    OnlyA,
    /// Only the second.
    OnlyB,
}

/// Two layers that stand for each other, or one that stands alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerPair {
    /// How they compare.
    pub relation: Relation,
    /// The first image's.
    pub a: Option<LayerSide>,
    /// The second image's.
    pub b: Option<LayerSide>,
    /// What differs between the tars without making other files: order, headers, what upper layers hide.
    pub findings: Vec<Finding>,
}

/// How two layers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same blob.
    Same,
    /// The same tar in another compression.
    OtherEncoding,
    /// The same entries, in a tar that is written otherwise.
    OtherTar,
    /// Other entries.
    Different,
    /// Only one image has such a layer.
    Alone,
}

/// A layer of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerSide {
    /// Which one, from 1.
    pub number: usize,
    /// The blob's digest, where the image names it or it was read.
    pub digest: Option<Digest>,
    /// The tar's digest, where known.
    pub diff_id: Option<DiffId>,
    /// How many bytes the blob has, where the image says it, or the tar, where that was read.
    pub size: Option<u64>,
    /// How the blob is packed, where it was read.
    pub encoding: Option<Wrapping>,
    /// What made it, as the config says.
    pub created_by: Option<String>,
}

/// A path at which the trees differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathDifference {
    /// The path with a slash in front; bytes that are no text are replaced.
    pub path: String,
    /// What happened to it from the first image to the second.
    pub change: Change,
    /// Which layer of the first image wrote it, from 1.
    pub layer_a: Option<usize>,
    /// Which layer of the second image wrote it, from 1.
    pub layer_b: Option<usize>,
    /// What differs, the weightiest first; never empty.
    pub findings: Vec<Finding>,
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only the first image has it.
    Removed,
    /// Only the second image has it.
    Added,
    /// Both have it.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What differs.
    pub field: Field,
    /// Why.
    pub class: Class,
    /// Where inside the thing, from the outside in: keys, members of archives, sections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// The first differing byte, from 0, of the innermost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What the first image has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<String>,
    /// What the second image has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The place itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
}

/// What of a thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// Whether it is there.
    Presence,
    /// What kind of thing it is.
    Type,
    /// The bytes.
    Content,
    /// The permission bits.
    Mode,
    /// Owner or group.
    Owner,
    /// The modification time.
    Mtime,
    /// The extended attributes.
    Xattrs,
    /// What it points at.
    Link,
    /// A device's numbers.
    Device,
    /// A value of a document.
    Value,
    /// How the tar is written.
    Tar,
}

/// The differing place, shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excerpt {
    /// Lines of a unified diff.
    Text(Vec<String>),
    /// Sixteen bytes a line from both, as `00000010  68 65 …  |he…|`.
    Hex {
        /// Of the first image.
        a: Vec<String>,
        /// Of the second.
        b: Vec<String>,
    },
}

/// A class of cause, how often it was found, and what cures it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The class.
    pub class: Class,
    /// Its name for people.
    pub label: &'static str,
    /// At how many places.
    pub count: u64,
    /// What to change.
    pub cure: &'static str,
}

impl Finding {
    /// A finding that says only what and why so far.
    #[must_use]
    pub(in crate::verify) fn new(field: Field, class: Class) -> Self {
        Self { field, class, within: vec![], offset: None, a: None, b: None, note: None, excerpt: None }
    }

    /// Adds both sides' values.
    pub(in crate::verify) fn values(mut self, a: impl Into<String>, b: impl Into<String>) -> Self {
        (self.a, self.b) = (Some(a.into()), Some(b.into()));
        self
    }

    /// Adds where it is.
    pub(super) fn within(mut self, within: &[String]) -> Self {
        self.within = within.to_vec();
        self
    }

    /// Adds a note.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Adds to what its note says already, if it says anything.
    pub(super) fn also(&mut self, note: &str) {
        let said = self.note.take().map(|said| format!("{said}; ")).unwrap_or_default();
        self.note = Some(said + note);
    }
}

impl Comparison {
    /// Whether of images with the same files only the index differs: all have manifests, which are the same ones.
    #[must_use]
    pub fn only_index(&self) -> bool {
        self.verdict == Verdict::SameFiles && self.platforms.iter().all(|one| one.verdict == Verdict::Identical)
    }

    /// Every finding that makes the images different.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let platforms = self.platforms.iter().flat_map(|platform| {
            let files = platform.files.iter().flat_map(|file| &file.findings);
            platform.manifest.iter().chain(&platform.config).chain(files)
        });
        self.index.iter().chain(platforms)
    }

    /// Counts the causes of all findings.
    pub(super) fn causes(&self) -> Vec<Cause> {
        count_causes(self.findings())
    }
}

/// Counts the causes of findings, the most frequent first; what was not looked into has none.
#[must_use]
pub fn count_causes<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Cause> {
    let mut counts: BTreeMap<Class, u64> = BTreeMap::new();
    for finding in findings.into_iter().filter(|finding| finding.class != Class::Unread) {
        *counts.entry(finding.class).or_default() += 1;
    }
    let cause = |(class, count): (Class, u64)| Cause { class, label: class.label(), count, cure: class.cure() };
    let mut causes: Vec<Cause> = counts.into_iter().map(cause).collect();
    causes.sort_by(|a, b| b.count.cmp(&a.count).then(a.class.cmp(&b.class)));
    causes
}

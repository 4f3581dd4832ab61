//! What the store holds and why: every file with its kind, and whoever needs it.
//!
//! Needed is what index.json leads to, what the lock pins, and what the last builds of each image used. A result whose blobs are all
//! needed costs nothing but itself, and stays with them: so whoever keeps a layer also keeps the knowledge of how it was packed.

use super::error::Error;
use super::list::{StoredAction, entries};
use super::reach::Reached;
use super::{BuildRecord, Store};
use crate::digest::{ActionKey, Digest};
use crate::oci::Blob;
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

/// What a file of the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An image's index, manifest or configuration.
    Document,
    /// A layer of an image.
    Layer,
    /// A pinned source, as it was fetched.
    Source,
    /// What an action made of it: unpacked packages and parts of layers.
    Fragment,
    /// What an action's result says.
    Result,
    /// What a build needed.
    Build,
    /// A download that is not whole yet.
    Download,
    /// A blob that nothing names: an archive's index, or what is left of something that was damaged.
    Other,
}

impl Kind {
    /// Every kind, in the order in which people see them.
    pub const ALL: [Self; 8] = [
        Self::Document,
        Self::Layer,
        Self::Source,
        Self::Fragment,
        Self::Result,
        Self::Build,
        Self::Download,
        Self::Other,
    ];
}

/// Who needs a file of the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// An image of index.json, by name.
    Image(String),
    /// The lock of the project that asks.
    Lock,
    /// One of the last builds of an image.
    Build {
        /// The image.
        image: String,
        /// The project's folder.
        project: String,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image(name) => write!(f, "image {name}"),
            Self::Lock => f.write_str("remint.lock"),
            Self::Build { image, project } => write!(f, "a build of {image} in {project}"),
        }
    }
}

/// Which file of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A blob.
    Blob(Digest),
    /// An action's result.
    Action(ActionKey),
    /// What a build needed.
    Build(Digest),
    /// A download that is not whole yet.
    Download(Digest),
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blob(digest) | Self::Build(digest) | Self::Download(digest) => write!(f, "{digest}"),
            Self::Action(key) => write!(f, "{key}"),
        }
    }
}

/// A file of the store, what it is, and who needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub item: Item,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written; of a build, when it was last built.
    pub modified: SystemTime,
    /// Who needs it; nobody: it is garbage.
    pub needed_by: BTreeSet<Reason>,
}

/// What is needed besides the images of index.json.
#[derive(Debug, Clone, Copy)]
pub struct Roots<'a> {
    /// The sources that a lock pins.
    pub sources: &'a [Blob],
    /// How many of the last builds of each image of each project are kept whole.
    pub builds: usize,
}

/// Who needs what, as it is found out.
#[derive(Default)]
struct Needs {
    blobs: BTreeMap<Digest, BTreeSet<Reason>>,
    kinds: BTreeMap<Digest, Kind>,
    actions: BTreeMap<ActionKey, BTreeSet<Reason>>,
    builds: BTreeMap<Digest, Reason>,
}

impl Store {
    /// Lists everything that the store holds, by kind and name.
    pub fn inventory(&self, roots: Roots<'_>) -> Result<Vec<Held>, Error> {
        let actions = self.actions()?;
        let builds = self.builds()?;
        let mut needs = Needs::default();
        for entry in self.index()? {
            let Some(root) = entry.blob() else { continue };
            let reason = Reason::Image(entry.name().unwrap_or("without a name").to_owned());
            needs.image(self, root, &reason);
        }
        for source in roots.sources {
            needs.blob(source.digest, Kind::Source, &Reason::Lock);
        }
        let mut kept: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for build in &builds {
            let record = &build.record;
            let count = kept.entry((&record.project, &record.image)).or_default();
            *count += 1;
            for source in &record.sources {
                needs.kinds.insert(source.digest, Kind::Source);
            }
            if *count <= roots.builds {
                needs.build(self, build.name, record);
            }
        }
        needs.actions(&actions);

        let mut all = Vec::new();
        for stored in self.blobs()? {
            let digest = stored.blob.digest;
            let kind = needs.kinds.get(&digest).copied().unwrap_or(Kind::Other);
            let needed_by = needs.blobs.remove(&digest).unwrap_or_default();
            let (item, size) = (Item::Blob(digest), stored.blob.size);
            all.push(Held { item, kind, size, modified: stored.modified, needed_by });
        }
        for action in actions {
            let needed_by = needs.actions.remove(&action.key).unwrap_or_default();
            let item = Item::Action(action.key);
            all.push(Held { item, kind: Kind::Result, size: action.size, modified: action.modified, needed_by });
        }
        for build in builds {
            let needed_by = needs.builds.remove(&build.name).into_iter().collect();
            let item = Item::Build(build.name);
            all.push(Held { item, kind: Kind::Build, size: build.size, modified: build.modified, needed_by });
        }
        for entry in entries(&self.partial())? {
            let Some(digest) = Digest::from_hex(&entry.name) else { continue };
            let wanted = roots.sources.iter().any(|source| source.digest == digest);
            let needed_by = wanted.then_some(Reason::Lock).into_iter().collect();
            let item = Item::Download(digest);
            all.push(Held { item, kind: Kind::Download, size: entry.size, modified: entry.modified, needed_by });
        }
        all.sort_by_key(|held| (held.kind, held.item));
        Ok(all)
    }
}

impl Needs {
    fn blob(&mut self, digest: Digest, kind: Kind, reason: &Reason) {
        self.kinds.entry(digest).or_insert(kind);
        self.blobs.entry(digest).or_default().insert(reason.clone());
    }

    fn image(&mut self, store: &Store, root: Blob, reason: &Reason) {
        let mut reached = Reached::new();
        store.reach(root, &mut reached);
        for (digest, (_, kind)) in reached {
            self.blob(digest, kind, reason);
        }
    }

    fn build(&mut self, store: &Store, name: Digest, record: &BuildRecord) {
        let reason = Reason::Build { image: record.image.clone(), project: record.project.clone() };
        self.image(store, record.root, &reason);
        for source in &record.sources {
            self.blob(source.digest, Kind::Source, &reason);
        }
        for key in &record.actions {
            self.actions.entry(*key).or_default().insert(reason.clone());
        }
        self.builds.insert(name, reason);
    }

    /// What the needed results name is needed, and a result of which all is needed stays with it.
    fn actions(&mut self, all: &[StoredAction]) {
        for action in all {
            let Some(note) = &action.note else { continue };
            let kind = if note.kind.starts_with("pack") { Kind::Layer } else { Kind::Fragment };
            for blob in &note.blobs {
                self.kinds.entry(blob.digest).or_insert(kind);
            }
            for reason in self.actions.get(&action.key).cloned().unwrap_or_default() {
                for blob in &note.blobs {
                    self.blob(blob.digest, kind, &reason);
                }
            }
        }
        for action in all {
            let Some(note) = action.note.as_ref().filter(|note| !note.blobs.is_empty()) else { continue };
            let needed: Option<Vec<&BTreeSet<Reason>>> =
                note.blobs.iter().map(|blob| self.blobs.get(&blob.digest)).collect();
            if let Some(reasons) = needed.and_then(|all| all.first().map(|first| (*first).clone())) {
                self.actions.entry(action.key).or_insert(reasons);
            }
        }
    }
}

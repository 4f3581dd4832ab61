//! Images of the store into registries: what is missing is sent, and nothing is named before it is whole.
//!
//! ```text
//! tags, manifest there? ─no→ blobs: there? mount? send ─→ manifests ─→ index ─→ what is attached ─→ tags
//!                       └yes───────────────────────────────────────────────────┘
//! ```
//!
//! Invariants: nothing is built here; a manifest is written after all that it names, and a tag after everything, so that whoever reads a
//! tag finds the whole image or the one before; a run that was interrupted is taken up by the next, which sends only what is missing.
//! The main type is [`Publisher`].

mod attach;
mod error;
mod queue;
mod send;
mod template;

pub use error::{Error, Taken};
pub use template::{Names, Unnamed};

use crate::attest::Attachment;
use crate::digest::Digest;
use crate::event::{Event, Events};
use crate::image::{Image, PlatformImage};
use crate::oci::Blob;
use crate::registry::{AnyDigest, Client, Repository, Selector, Tag};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Sends images to registries.
pub struct Publisher<'a> {
    client: &'a Client,
    store: &'a Store,
    events: &'a Events,
    /// How many blobs are on their way at once.
    parallel: usize,
    /// Where blobs are known to be, or may be.
    known: Mutex<BTreeMap<Digest, Vec<Repository>>>,
    /// Small blobs that are there for certain, since this run asked for them or sent them.
    there: Mutex<BTreeSet<(Repository, Digest)>>,
}

/// An image and where it goes.
#[derive(Debug)]
pub struct Target<'a> {
    /// The image.
    pub image: &'a Image,
    /// The repository.
    pub repository: Repository,
    /// The tags that shall mean it.
    pub tags: Vec<Tag>,
    /// Whether a tag that means another image is an error.
    pub immutable: bool,
}

/// What a registry has of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What each tag means now.
    pub tags: Vec<(Tag, Option<AnyDigest>)>,
    /// Whether the whole image is there.
    pub whole: bool,
    /// The blobs that are not there, documents left out; empty where the image is.
    pub missing: Vec<Blob>,
    /// How many blobs are there.
    pub there: u64,
}

impl Survey {
    /// Whether a manifest or index of the image cannot have been there, so that nobody has attached anything to it.
    fn is_new(&self, image: &Image, subject: &Blob) -> bool {
        let lacks = |one: &PlatformImage| one.manifest == *subject && self.missing.contains(&one.config);
        !self.whole && (image.root == *subject || image.platforms.iter().any(lacks))
    }
}

/// What came of publishing an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub repository: Repository,
    /// Its digest.
    pub digest: Digest,
    /// Blobs that were sent, and their bytes.
    pub sent: (u64, u64),
    /// Blobs that another repository of the registry gave.
    pub mounted: u64,
    /// Blobs that were there.
    pub there: u64,
    /// Attachments that were not there.
    pub attached: u64,
    /// The tags that mean it now, and what each meant before.
    pub tags: Vec<(Tag, Option<AnyDigest>)>,
}

impl<'a> Publisher<'a> {
    /// Sends to registries that a client reaches what a store holds, so many blobs at once.
    pub fn new(client: &'a Client, store: &'a Store, events: &'a Events, parallel: usize) -> Self {
        Self { client, store, events, parallel: parallel.max(1), known: Mutex::default(), there: Mutex::default() }
    }

    /// Says that a repository may have an image's blobs, so that they are asked for there before they are sent.
    pub fn sibling(&self, repository: &Repository, image: &Image) {
        for blob in content(image) {
            self.learn(blob.digest, repository);
        }
    }

    /// Asks a registry what it has of an image, and changes nothing.
    ///
    /// Fails with [`Error::Taken`] if a tag means another image and the target is immutable.
    pub fn survey(&self, target: &Target<'_>) -> Result<Survey, Error> {
        let (repository, root) = (&target.repository, AnyDigest::from(target.image.root.digest));
        let mut tags = Vec::with_capacity(target.tags.len());
        for tag in &target.tags {
            if tags.iter().any(|(known, _)| known == tag) {
                continue;
            }
            let head = self.client.head_manifest(repository, &Selector::Tag(tag.clone()))?;
            let now = match head {
                // A registry that does not say what a tag means is asked for it.
                Some(head) if head.digest.is_none() => {
                    self.client.manifest_at(repository, &Selector::Tag(tag.clone()))?.map(|manifest| manifest.digest)
                }
                head => head.and_then(|head| head.digest),
            };
            if let Some(found) = now.filter(|now| *now != root && target.immutable) {
                let (repository, tag) = (repository.clone(), tag.clone());
                return Err(Error::Taken(Box::new(Taken { repository, tag, ours: root, found })));
            }
            tags.push((tag.clone(), now));
        }
        let tagged = tags.iter().any(|(_, now)| *now == Some(root));
        let whole = tagged || self.holds(repository, root)?;
        let blobs = content(target.image);
        let mut missing = Vec::new();
        if !whole {
            let there = queue::each(self.parallel, &blobs, |blob| {
                Ok::<_, Error>(self.client.blob_exists(repository, &blob.digest.into())?.is_some())
            })?;
            for (blob, there) in blobs.iter().zip(there) {
                if there {
                    self.learn(blob.digest, repository);
                } else {
                    missing.push(*blob);
                }
            }
        }
        let there = (blobs.len() - missing.len()) as u64;
        Ok(Survey { tags, whole, missing, there })
    }

    /// Whether a registry has a manifest. One that does not say which it has is asked for its bytes: a server that answers
    /// everything with a page has nothing.
    fn holds(&self, repository: &Repository, digest: AnyDigest) -> Result<bool, Error> {
        let which = Selector::Digest(digest);
        Ok(match self.client.head_manifest(repository, &which)? {
            None => false,
            Some(head) if head.digest == Some(digest) => true,
            Some(_) => self.client.manifest_at(repository, &which)?.is_some(),
        })
    }

    /// Publishes an image: its content, what is attached to it, and then its tags.
    ///
    /// For each manifest or index: the first attachments wherever they are missing; the second, which are of this run, where none like
    /// it is there of any run.
    pub fn publish(
        &self,
        target: &Target<'_>,
        attached: &[(Blob, &[Attachment], &[Attachment])],
    ) -> Result<Published, Error> {
        let survey = self.survey(target)?;
        let repository = &target.repository;
        let root = target.image.root;
        let mut published = Published {
            repository: repository.clone(),
            digest: root.digest,
            sent: (0, 0),
            mounted: 0,
            there: survey.there,
            attached: 0,
            tags: Vec::new(),
        };
        let bytes = survey.missing.iter().map(|blob| blob.size).sum();
        self.events.send(Event::SendPlanned { blobs: survey.missing.len() as u64, bytes });
        let ways = queue::each(self.parallel, &survey.missing, |blob| self.bring(repository, blob))?;
        for (blob, way) in survey.missing.iter().zip(ways) {
            match way {
                send::Way::There => published.there += 1,
                send::Way::Mounted => published.mounted += 1,
                send::Way::Sent => published.sent = (published.sent.0 + 1, published.sent.1 + blob.size),
            }
        }
        let document = self.store.read(&root)?;
        let media_type = target.image.media_type();
        if !survey.whole {
            if target.image.indexed {
                for image in &target.image.platforms {
                    let bytes = self.store.read(&image.manifest)?;
                    self.put(repository, image.manifest, crate::oci::media::MANIFEST, &bytes)?;
                }
            }
            self.put(repository, root, media_type, &document)?;
        }
        let mut amendments = Vec::new();
        for (subject, always, once) in attached {
            let wanted = attach::Wanted { always, once };
            let new = survey.is_new(target.image, subject);
            published.attached += self.attach_to(repository, subject, wanted, new, &mut amendments)?;
        }
        self.client.amend(repository, amendments)?;
        for (tag, now) in survey.tags {
            if now != Some(root.digest.into()) {
                self.client.put_manifest(repository, &Selector::Tag(tag.clone()), media_type, &document)?;
            }
            published.tags.push((tag, now));
        }
        Ok(published)
    }

    fn put(&self, repository: &Repository, blob: Blob, media_type: &str, bytes: &[u8]) -> Result<(), Error> {
        self.client.put_manifest(repository, &Selector::Digest(blob.digest.into()), media_type, bytes)?;
        Ok(())
    }

    fn learn(&self, digest: Digest, repository: &Repository) {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        let places = known.entry(digest).or_default();
        if !places.contains(repository) {
            places.push(repository.clone());
        }
    }
}

/// The blobs of an image that are no manifests: configurations and layers, the largest first.
fn content(image: &Image) -> Vec<Blob> {
    let platforms = image.platforms.iter();
    let mut blobs: Vec<Blob> =
        platforms.flat_map(|image| image.layers.iter().map(|layer| layer.blob).chain([image.config])).collect();
    blobs.sort_by(|a, b| b.size.cmp(&a.size).then(a.digest.cmp(&b.digest)));
    blobs.dedup();
    blobs
}

//! The images that the server gives, as index.json names them: read anew when that file has changed.
//!
//! What an image was before it was built again stays pullable by digest, for as long as the store has it: a client that asked for the tag a
//! moment ago is in the middle of it.

use super::reach::{Document, Reached, media_type};
use super::route::is_name;
use super::stamp::Stamp;
use crate::digest::Digest;
use crate::oci::media;
use crate::store::{self, IndexEntry, Store};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

/// How many earlier builds of an image stay pullable.
const EARLIER: usize = 8;

/// The images, and how they are kept up to date.
#[derive(Debug)]
pub(super) struct Shelf {
    /// The only images that are given; empty: all.
    only: Vec<String>,
    current: Mutex<Option<(Stamp, Arc<Images>)>>,
}

/// Every image that is given, by name.
pub(super) type Images = BTreeMap<String, Repository>;

/// An image: what it is now, and what it was.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    /// Never empty; the first is what the name means now.
    roots: Vec<Arc<Root>>,
}

/// What a name means, or meant.
#[derive(Debug)]
struct Root {
    document: Document,
    /// Entries of index.json without a name, which may be about this image.
    unnamed: Arc<Vec<Document>>,
    /// Kept once all of it could be read.
    reached: Mutex<Option<Arc<Reached>>>,
}

impl Shelf {
    pub(super) fn new(only: &[String]) -> Self {
        Self { only: only.to_vec(), current: Mutex::new(None) }
    }

    /// The images that the store's index.json names now.
    pub(super) fn images(&self, store: &Store) -> Result<Arc<Images>, store::Error> {
        // Before the file is read: if it changes in between, the next request sees that.
        let stamp = fs::metadata(store.dir().join("index.json")).ok().map(|meta| Stamp::of(&meta));
        let mut current = self.current.lock().expect("no holder of this lock panics");
        if let Some((known, images)) = &*current
            && Some(*known) == stamp
        {
            return Ok(Arc::clone(images));
        }
        let before = current.take().map(|(_, images)| images).unwrap_or_default();
        let images = Arc::new(self.read(&store.index()?, &before));
        *current = stamp.map(|stamp| (stamp, Arc::clone(&images)));
        Ok(images)
    }

    fn read(&self, entries: &[IndexEntry], before: &Images) -> Images {
        let unnamed = entries.iter().filter(|entry| entry.name().is_none()).filter_map(document).collect();
        let unnamed = Arc::new(unnamed);
        let mut images = Images::new();
        for entry in entries {
            let Some(name) = entry.name().filter(|name| is_name(name)) else { continue };
            let Some(document) = document(entry) else { continue };
            if images.contains_key(name) || !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
                continue;
            }
            let earlier = before.get(name).map(|old| &old.roots[..]).unwrap_or_default();
            let now = document.blob;
            let earlier = earlier.iter().filter(|old| old.document.blob != now).take(EARLIER).cloned();
            let root = Root { document, unnamed: Arc::clone(&unnamed), reached: Mutex::default() };
            let roots = [Arc::new(root)].into_iter().chain(earlier).collect();
            images.insert(name.to_owned(), Repository { roots });
        }
        images
    }
}

/// What an entry of index.json describes.
fn document(entry: &IndexEntry) -> Option<Document> {
    let said = media_type(&Value::Object(entry.0.clone()));
    Some(Document { blob: entry.blob()?, media_type: said.unwrap_or_else(|| media::MANIFEST.to_owned()) })
}

impl Repository {
    /// What the tag `latest` means.
    pub(super) fn digest(&self) -> Digest {
        self.roots[0].document.blob.digest
    }

    /// What the image leads to now.
    pub(super) fn reached(&self, store: &Store) -> Arc<Reached> {
        self.roots[0].reached(store)
    }

    /// What the image leads to, and then what it led to before, one after the other.
    pub(super) fn all<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Arc<Reached>> + 'a {
        self.roots.iter().map(|root| root.reached(store))
    }
}

impl Root {
    fn reached(&self, store: &Store) -> Arc<Reached> {
        let mut kept = self.reached.lock().expect("no holder of this lock panics");
        if let Some(reached) = &*kept {
            return Arc::clone(reached);
        }
        let mut reached = Reached::default();
        reached.follow(store, self.document.clone());
        self.attach(store, &mut reached);
        let whole = reached.faults.is_empty();
        let reached = Arc::new(reached);
        if whole {
            *kept = Some(Arc::clone(&reached));
        }
        reached
    }

    /// Adds what has no name and is about this image: signatures and the like, as other tools put them into layouts.
    fn attach(&self, store: &Store, reached: &mut Reached) {
        let mut left: Vec<(Document, Reached)> = Vec::new();
        for document in self.unnamed.iter() {
            let mut about = Reached::default();
            about.follow(store, document.clone());
            left.push((document.clone(), about));
        }
        // What is attached may have something attached itself.
        loop {
            let known = |about: &Reached| about.referrers.iter().any(|(of, _)| reached.documents.contains_key(of));
            let Some(at) = left.iter().position(|(_, about)| known(about)) else { return };
            let (document, _) = left.swap_remove(at);
            reached.follow(store, document);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Blob;
    use serde_json::json;

    fn put(store: &Store, value: &Value) -> Blob {
        store.put(value.to_string().as_bytes()).unwrap()
    }

    fn name(store: &Store, name: &str, blob: Blob) {
        store.set_images(&[IndexEntry::new(name, media::MANIFEST, blob)]).unwrap();
    }

    #[test]
    fn the_index_is_read_anew_and_earlier_builds_stay() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let shelf = Shelf::new(&[]);
        assert!(shelf.images(&store).unwrap().is_empty());
        let versions: Vec<Blob> = (0..12).map(|n| put(&store, &json!({"layers": [Blob::of(&[n])]}))).collect();
        for version in &versions {
            name(&store, "web", *version);
            let images = shelf.images(&store).unwrap();
            assert_eq!(images["web"].digest(), version.digest);
            assert!(Arc::ptr_eq(&images, &shelf.images(&store).unwrap()), "nothing changed");
        }
        let images = shelf.images(&store).unwrap();
        let found = |n: u8| images["web"].all(&store).any(|reached| reached.blob(&Blob::of(&[n]).digest).is_some());
        assert_eq!((0..12).map(found).filter(|found| *found).count(), EARLIER + 1);
        assert!(found(11) && found(3) && !found(2));
    }

    #[test]
    fn only_names_that_a_registry_can_have_and_that_were_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let blob = put(&store, &json!({}));
        for image in ["web", "team/api", "x:1", "..", "other"] {
            name(&store, image, blob);
        }
        let names = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            Shelf::new(&only).images(&store).unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["other", "team/api", "web"]);
        assert_eq!(names(&["web", "none"]), ["web"]);
    }

    #[test]
    fn what_is_not_whole_is_looked_at_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let shelf = Shelf::new(&[]);
        let manifest = json!({"layers": [Blob::of(b"layer")]});
        name(&store, "web", Blob::of(manifest.to_string().as_bytes()));
        let there = || shelf.images(&store).unwrap()["web"].reached(&store).blobs.len();
        assert_eq!(there(), 0);
        put(&store, &manifest);
        assert_eq!(there(), 1);
    }

    #[test]
    fn what_is_about_an_image_belongs_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let image = put(&store, &json!({}));
        let about = |subject: Blob| put(&store, &json!({"artifactType": "a/b", "subject": subject, "layers": []}));
        let first = about(image);
        let second = about(first);
        let stranger = about(Blob::of(b"stranger"));
        name(&store, "web", image);
        let entry = |blob: Blob| {
            let mut entry = IndexEntry::new("x", media::MANIFEST, blob);
            entry.0.remove("annotations");
            entry
        };
        store.update_index(|entries| entries.extend([second, stranger, first].map(entry))).unwrap();
        let reached = Shelf::new(&[]).images(&store).unwrap()["web"].reached(&store);
        assert!(reached.blob(&first.digest).is_some() && reached.blob(&second.digest).is_some());
        assert!(reached.blob(&stranger.digest).is_none());
        assert_eq!(reached.referrers.len(), 2);
    }
}

//! Whether everything in the store is what it should be; what is not is set aside, so that the next build makes it again.

use super::error::Error;
use super::list::entries;
use super::reach::Reached;
use super::{Damage, OCI_LAYOUT, Store};
use crate::digest::Digest;
use crate::event::Event;
use crate::oci::Blob;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What was found in a store.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many blobs there were.
    pub blobs: u64,
    /// How many bytes they had together.
    pub bytes: u64,
    /// How many results there were.
    pub results: u64,
    /// What was wrong, sorted.
    pub wrong: Vec<Wrong>,
    /// Results of which a blob was not there: no harm, since the next build that needs them makes them again. They were removed.
    pub dangling: u64,
}

/// Something that was wrong, and what was done.
#[derive(Debug)]
pub struct Wrong {
    /// What it was.
    pub what: Fault,
    /// Whether it was removed, or why it could not be; `None` where there was nothing to remove.
    pub removed: Option<Result<(), Error>>,
}

/// Something wrong in a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// Bytes that are not those of their name, or no file at all.
    #[error("{0}")]
    Damage(Damage),
    /// A blob could not be read.
    #[error("blob {digest} cannot be read: {why}")]
    Unreadable {
        /// Which.
        digest: Digest,
        /// Why not.
        why: String,
    },
    /// What a build needed is not as it was written down.
    #[error("the record of build {0}")]
    Build(String),
    /// The file that makes the directory an image layout.
    #[error("oci-layout")]
    Layout,
    /// An image of index.json leads to a blob that is not there with its size.
    #[error("image `{image}` leads to blob {digest}, which is not there")]
    Image {
        /// The image's name.
        image: String,
        /// The blob.
        digest: Digest,
    },
}

impl Store {
    /// Reads everything through, on several threads, and removes what is damaged.
    pub fn check_all(&self, threads: usize) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        checked.wrong = self.check_blobs(threads, &mut checked.blobs, &mut checked.bytes)?;
        self.check_results(&mut checked)?;
        self.check_builds(&mut checked)?;
        self.check_layout(&mut checked)?;
        checked.wrong.sort_by(|a, b| a.what.cmp(&b.what));
        Ok(checked)
    }

    fn check_blobs(&self, threads: usize, count: &mut u64, bytes: &mut u64) -> Result<Vec<Wrong>, Error> {
        let all = entries(&self.dir.join("blobs/sha256"))?;
        let all: Vec<(Digest, u64)> =
            all.iter().filter_map(|entry| Some((Digest::from_hex(&entry.name)?, entry.size))).collect();
        *count = all.len() as u64;
        *bytes = all.iter().map(|(_, size)| size).sum();
        self.events.send(Event::CheckPlanned { files: *count, bytes: *bytes });
        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(&(digest, size)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(found) = self.check_blob(Blob { digest, size }) {
                    wrong.lock().expect("no holder of this lock panics").push(found);
                }
                self.events.send(Event::Checked { bytes: size });
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.max(1) {
                // Without it, the others do its part.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        Ok(wrong.into_inner().expect("no holder of this lock panics"))
    }

    fn check_blob(&self, blob: Blob) -> Option<Wrong> {
        let damage = Fault::Damage(Damage::Blob(blob.digest));
        if self.blob_path(&blob.digest).is_dir() {
            return Some(Wrong { what: damage, removed: Some(self.discard(&blob.digest)) });
        }
        match self.check(&blob) {
            // Another process may have found it, or collected it, in the meantime.
            Ok(()) | Err(Error::Missing { .. }) => None,
            Err(Error::Damaged { .. }) => Some(Wrong { what: damage, removed: Some(Ok(())) }),
            Err(error @ Error::Io { doing: "read" | "open", .. }) => {
                let Error::Io { source, .. } = error else { return None };
                let what = Fault::Unreadable { digest: blob.digest, why: source.to_string() };
                Some(Wrong { what, removed: Some(self.discard(&blob.digest)) })
            }
            Err(stuck) => Some(Wrong { what: damage, removed: Some(Err(stuck)) }),
        }
    }

    fn check_results(&self, checked: &mut Checked) -> Result<(), Error> {
        for action in self.actions()? {
            checked.results += 1;
            let Some(note) = action.note else {
                let path = self.dir.join("actions").join(action.key.0.hex());
                let what = Fault::Damage(Damage::Action(action.key));
                checked.wrong.push(Wrong { what, removed: Some(self.clear(&path)) });
                continue;
            };
            if !note.blobs.iter().all(|blob| self.has(blob)) {
                checked.dangling += 1;
                self.forget(&action.key);
            }
        }
        Ok(())
    }

    fn check_builds(&self, checked: &mut Checked) -> Result<(), Error> {
        for entry in entries(&self.dir.join("builds"))? {
            let whole = fs::read(&entry.path).is_ok_and(|bytes| Digest::of(&bytes).hex() == entry.name);
            if !whole {
                let removed = Some(self.clear(&entry.path));
                checked.wrong.push(Wrong { what: Fault::Build(entry.name), removed });
            }
        }
        Ok(())
    }

    fn check_layout(&self, checked: &mut Checked) -> Result<(), Error> {
        let path = self.dir.join("oci-layout");
        if !fs::read(&path).is_ok_and(|bytes| bytes == OCI_LAYOUT.as_bytes()) {
            let removed = Some(self.replace(&path, OCI_LAYOUT.as_bytes()));
            checked.wrong.push(Wrong { what: Fault::Layout, removed });
        }
        let index = match self.index() {
            Ok(index) => index,
            Err(Error::Index { .. }) => {
                let removed = Some(self.update_index(|_| ()));
                checked.wrong.push(Wrong { what: Fault::Damage(Damage::Index), removed });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for entry in index {
            let Some(root) = entry.blob() else { continue };
            let mut reached = Reached::new();
            self.reach(root, &mut reached);
            for (blob, _) in reached.values().filter(|(blob, _)| !self.has(blob)) {
                let image = entry.name().unwrap_or("without a name").to_owned();
                checked.wrong.push(Wrong { what: Fault::Image { image, digest: blob.digest }, removed: None });
            }
        }
        Ok(())
    }
}

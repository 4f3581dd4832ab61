//! A blob on its way into a repository: mounted from a sibling where one has it, else sent.

use super::{Error, Publisher};
use crate::digest::Digest;
use crate::oci::Blob;
use crate::registry::{Mounted, RegistryError, Repository, Session, Upload};
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;

/// How a blob came to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Another process sent it meanwhile.
    There,
    Mounted,
    Sent,
}

/// In how many other repositories a blob is asked for before it is sent.
const SIBLINGS: usize = 2;

impl Publisher<'_> {
    /// Brings a blob of the store into a repository that lacks it.
    pub(super) fn bring(&self, repository: &Repository, blob: &Blob) -> Result<Way, Error> {
        let mut session = None;
        for sibling in self.siblings(repository, &blob.digest) {
            match self.client.mount(repository, &blob.digest.into(), &sibling)? {
                Mounted::Yes => {
                    self.learn(blob.digest, repository);
                    return Ok(Way::Mounted);
                }
                Mounted::Begun(begun) => {
                    session = Some(begun);
                    break;
                }
                Mounted::No => {}
            }
        }
        // The journal of an upload belongs to one process.
        let name = Digest::of(format!("{repository} {}", blob.digest).as_bytes());
        let turn = self.store.lock_fetch(&name)?;
        if turn.waited() && self.client.blob_exists(repository, &blob.digest.into())?.is_some() {
            self.learn(blob.digest, repository);
            return Ok(Way::There);
        }
        let journal = self.store.partial().join(format!("upload-{}", name.hex()));
        let open = |offset| -> io::Result<Box<dyn Read>> {
            let mut file = self.store.open_file(&blob.digest).map_err(io::Error::other)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(Box::new(file))
        };
        self.send(repository, blob, &open, Some(&journal), session).map_err(|error| match error {
            // A registry refuses what rotted in the store: it is named and set aside, so that the next build makes it anew.
            Error::Registry(
                RegistryError::Refused { .. } | RegistryError::Wrong { .. } | RegistryError::Input { .. },
            ) => self.store.check(blob).err().map_or(error, Error::from),
            error => error,
        })?;
        self.learn(blob.digest, repository);
        Ok(Way::Sent)
    }

    /// Sends bytes that are in memory, unless they are there; that is asked only where they `may_be`, and once. Whether it had to.
    pub(super) fn send_bytes(&self, repository: &Repository, bytes: &[u8], may_be: bool) -> Result<bool, Error> {
        let blob = Blob::of(bytes);
        let there = || self.there.lock().expect("no holder of this lock panics");
        let name = (repository.clone(), blob.digest);
        if there().contains(&name) {
            return Ok(false);
        }
        if may_be && self.client.blob_exists(repository, &blob.digest.into())?.is_some() {
            there().insert(name);
            return Ok(false);
        }
        let open = |offset| -> io::Result<Box<dyn Read>> {
            let mut cursor = Cursor::new(bytes.to_vec());
            cursor.set_position(offset);
            Ok(Box::new(cursor))
        };
        self.send(repository, &blob, &open, None, None)?;
        there().insert(name);
        Ok(true)
    }

    fn send(
        &self,
        repository: &Repository,
        blob: &Blob,
        open: &dyn Fn(u64) -> io::Result<Box<dyn Read>>,
        journal: Option<&Path>,
        session: Option<Session>,
    ) -> Result<(), Error> {
        let upload = Upload { digest: blob.digest.into(), size: blob.size, open, journal, session };
        Ok(self.client.upload(repository, &upload)?)
    }

    /// Other repositories of the same registry that have a blob, or may have it.
    fn siblings(&self, repository: &Repository, digest: &Digest) -> Vec<Repository> {
        let known = self.known.lock().expect("no holder of this lock panics");
        let all = known.get(digest).into_iter().flatten();
        let others = all.filter(|other| *other != repository && other.host() == repository.host());
        others.take(SIBLINGS).cloned().collect()
    }
}

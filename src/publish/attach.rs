//! What is attached to manifests: sent where it is missing, beside what others have attached.
//!
//! Documents and the manifests that name them come first; then the tags that lead to them where the registry has no list of its own,
//! since several clients may write those at the same time.

use super::{Error, Publisher, queue};
use crate::attest::{Attachment, Part};
use crate::oci::Blob;
use crate::registry::{Amendment, AnyDigest, Manifest, Referrer, Repository, Selector, Tag};
use std::collections::BTreeSet;

/// The empty configuration, which everybody's attachments share (OCI image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: &[u8] = b"{}";

/// How often others' additions are taken in before what is wanted is written.
const ROUNDS: usize = 16;

/// What shall be attached to a manifest or index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Wherever it is missing.
    pub(super) always: &'a [Attachment],
    /// Where nothing like it is there; none of it goes by a tag.
    pub(super) once: &'a [Attachment],
}

impl Publisher<'_> {
    /// Attaches what is not there yet; how much that was.
    pub fn attach(&self, repository: &Repository, subject: Blob, all: &[Attachment]) -> Result<u64, Error> {
        let mut amendments = Vec::new();
        let wanted = Wanted { always: all, once: &[] };
        let count = self.attach_to(repository, &subject, wanted, false, &mut amendments)?;
        self.client.amend(repository, amendments)?;
        Ok(count)
    }

    /// Sends what is not there yet, and gives what its tags lack then; how much that was. Of a subject that is `new` nothing is asked:
    /// there is nothing yet.
    pub(super) fn attach_to<'b>(
        &'b self,
        repository: &'b Repository,
        subject: &Blob,
        wanted: Wanted<'_>,
        new: bool,
        amendments: &mut Vec<Amendment<'b, Error>>,
    ) -> Result<u64, Error> {
        let digest = AnyDigest::from(subject.digest);
        let (tagged, mut referrers): (Vec<&Attachment>, Vec<&Attachment>) =
            wanted.always.iter().partition(|one| one.tag.is_some());
        let mut there = BTreeSet::new();
        if new {
            referrers.extend(wanted.once);
        } else if !referrers.is_empty() || !wanted.once.is_empty() {
            let listed = self.client.referrers(repository, &digest, None)?;
            let is_there = |one: &&Attachment| listed.iter().any(|listed| is_like(one, listed));
            referrers.extend(wanted.once.iter().filter(|one| !is_there(one)));
            there.extend(listed.iter().map(|one| one.digest));
        }
        // The same may be attached twice over.
        referrers.retain(|one| there.insert(one.blob().digest.into()));
        self.send_parts(repository, referrers.iter().flat_map(|one| &one.blobs), new)?;
        let manifests: Vec<Manifest> = referrers.iter().map(|one| manifest_of(one)).collect();
        let mut count = manifests.len() as u64;
        amendments.extend(self.client.put_referrers(repository, &digest, &manifests)?);
        for one in tagged {
            let Some(tag) = one.tag.as_deref().map(str::parse::<Tag>).transpose()? else { continue };
            let current = if new { None } else { self.client.manifest_at(repository, &Selector::Tag(tag.clone()))? };
            let Some(mut wanted) = one.beside(current.as_ref().map(|current| &current.bytes[..]))? else { continue };
            self.send_parts(repository, &wanted.blobs, new)?;
            count += 1;
            amendments.push(Amendment::new(tag.clone(), move |current: Option<&Manifest>| {
                let mut current = current.map(|current| current.bytes.clone());
                for _ in 0..ROUNDS {
                    let Some(all) = wanted.beside(current.as_deref())? else { return Ok(None) };
                    // What others have added is kept from now on, too.
                    wanted = all;
                    // Its configuration lists everything, so it is another one if they have. While it is sent, they may do so again.
                    let Some(config) = wanted.blobs.first() else { return Ok(None) };
                    if !self.send_bytes(repository, &config.bytes, false)? {
                        return Ok(Some((wanted.media_type, wanted.manifest.clone())));
                    }
                    let tag = Selector::Tag(tag.clone());
                    current = self.client.manifest_at(repository, &tag)?.map(|current| current.bytes);
                }
                // Whoever is never done: what is wanted so far is written, and read back like everything.
                Ok(Some((wanted.media_type, wanted.manifest.clone())))
            }));
        }
        Ok(count)
    }

    /// Sends the blobs of attachments to what is `new`, or may have them; several at once, and each but once.
    fn send_parts<'b>(
        &self,
        repository: &Repository,
        parts: impl IntoIterator<Item = &'b Part>,
        new: bool,
    ) -> Result<(), Error> {
        let parts: BTreeSet<&[u8]> = parts.into_iter().map(|part| &part.bytes[..]).collect();
        let parts: Vec<&[u8]> = parts.into_iter().collect();
        queue::each(self.parallel, &parts, |bytes| self.send_bytes(repository, bytes, !new || *bytes == EMPTY))?;
        Ok(())
    }
}

fn manifest_of(one: &Attachment) -> Manifest {
    let (media_type, digest) = (one.media_type.to_owned(), one.blob().digest.into());
    Manifest { media_type, digest, bytes: one.manifest.clone() }
}

/// Whether a list of referrers has something of an attachment's kind, whatever it says. Of one in a list without annotations it may be.
fn is_like(one: &Attachment, listed: &Referrer) -> bool {
    let has = |(key, value)| listed.annotations.iter().any(|(other, said)| (other, said) == (key, value));
    let is_alike = listed.annotations.is_empty() || one.annotations.iter().all(has);
    listed.artifact_type == one.artifact_type && is_alike
}

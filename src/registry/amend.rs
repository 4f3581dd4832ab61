//! Tags to which several clients add: the index of referrers that clients keep, and the signatures of cosign's scheme.
//!
//! ```text
//! read all ─ as this client left them? ─yes→ done
//!   ↑           └no→ write what was read and what is missing, if anything is ─┐
//!   └──────────────────────────── a pause ←────────────────────────────────────┘
//! ```
//!
//! A registry writes what it is given over whatever is there: the protocol has no compare-and-swap. So a tag is read right before it is
//! written, and read back when some time has passed, until all that was added stands there with all that others were seen to have added,
//! and nobody has written since the last look at any of the tags. A registry that goes on answering with what was there before it took
//! what was written may only be behind: it is asked again for a while, before it is written to once more. If it never does answer otherwise,
//! that is said, and is no failure: it has taken everything.
//!
//! What remains: a client that is held up between its reading and its writing for longer than another one waits takes away what that one
//! wrote, and neither sees it. The next run of that one does, and adds it again.

use super::Client;
use super::any_digest::AnyDigest;
use super::error::RegistryError;
use super::manifest::Manifest;
use super::patience::{Tries, scattered};
use super::reference::{Repository, Selector, Tag};
use crate::event::Event;
use std::time::Instant;

/// How often tags are written when others write them too.
const ROUNDS: u32 = 16;

/// How often one may be refused for what others do at the same time.
const REFUSALS: u32 = 4;

/// How often a registry is asked that answers with what was there before, until it is written to once more.
const BEHIND: u32 = 8;

/// How much shorter than the pause before another attempt the one is that lets others end what they have begun.
const SHORTER: u32 = 4;

/// What is to stand under a tag, by what stands there: a media type and a manifest's bytes; `None`: that is enough.
type Merge<'a, E> = dyn FnMut(Option<&Manifest>) -> Result<Option<(&'static str, Vec<u8>)>, E> + 'a;

/// Something to add to what a tag means.
pub struct Amendment<'a, E> {
    tag: Tag,
    merge: Box<Merge<'a, E>>,
    /// What the tag meant when it was last written or seen.
    last: Option<AnyDigest>,
    /// Whether the registry has taken what this client wrote.
    taken: bool,
    /// What the tag meant before the registry took that.
    before: Option<AnyDigest>,
    /// How often the registry has answered with that since.
    behind: u32,
    /// How many more times it may be refused as others' writing can make a registry do.
    refusals: u32,
}

impl<'a, E> Amendment<'a, E> {
    /// Adds to a tag what a function says: given what stands there, what shall, as a media type and a manifest's bytes; `None`: that is
    /// enough. It is asked until it is content, and what it has seen once it should not let be lost.
    pub fn new(
        tag: Tag,
        merge: impl FnMut(Option<&Manifest>) -> Result<Option<(&'static str, Vec<u8>)>, E> + 'a,
    ) -> Self {
        Self { tag, merge: Box::new(merge), last: None, taken: false, before: None, behind: 0, refusals: REFUSALS }
    }
}

impl Client {
    /// Adds to tags of a repository, beside what other clients add at the same time.
    pub fn amend<E: From<RegistryError>>(
        &self,
        repository: &Repository,
        mut all: Vec<Amendment<'_, E>>,
    ) -> Result<(), E> {
        let task = |tag: &Tag| format!("add to the tag `{tag}` of `{repository}`");
        let first_pause = self.settings().patience.first_pause;
        let mut tries = Tries::new(self.settings().patience);
        let (mut unsure, mut behind) = (None, Vec::new());
        for round in 0..ROUNDS {
            let begun = Instant::now();
            let mut written = Vec::new();
            let mut quiet = true;
            unsure = None;
            behind.clear();
            for mut one in all {
                let tag = Selector::Tag(one.tag.clone());
                // A mirror may be behind.
                let current = self.manifest_at(repository, &tag)?;
                let found = current.as_ref().map(|current| current.digest);
                if one.taken && one.before == found {
                    quiet = false;
                    one.behind += 1;
                    behind.push(one.tag.clone());
                    if one.behind == 1 {
                        let why = "the registry answers with what was there before".to_owned();
                        self.0.events.send(Event::RegistryRetry { task: task(&one.tag), why });
                    }
                    if one.behind != BEHIND {
                        written.push(one);
                        continue;
                    }
                }
                let Some((media_type, bytes)) = (one.merge)(current.as_ref())? else {
                    if round > 0 {
                        quiet &= one.last == found;
                        one.last = found;
                        written.push(one);
                    }
                    continue;
                };
                quiet = false;
                if round > 0 && one.behind != BEHIND {
                    unsure = Some(one.tag.clone());
                }
                // What was read is old by the time of another attempt, so there is none before it is read again.
                match self.put_once(repository, &tag, media_type, &bytes, &mut one.refusals) {
                    Ok(put) => {
                        one.taken = true;
                        (one.last, one.before) = (Some(put.digest), found);
                        tries = Tries::new(self.settings().patience);
                    }
                    Err(failure) => {
                        unsure = Some(one.tag.clone());
                        self.pause(&mut tries, false, failure, &task(&one.tag))?;
                    }
                }
                written.push(one);
            }
            all = written;
            if quiet {
                return Ok(());
            }
            // Whoever has read before this write has written by the time that it is read back, unless it takes longer than this client.
            (self.0.sleep)((first_pause / SHORTER).max(begun.elapsed()));
            if round > 0 {
                (self.0.sleep)(scattered(first_pause));
            }
            if let Some(tag) = &unsure {
                let why = "another client writes it as well".to_owned();
                self.0.events.send(Event::RegistryRetry { task: task(tag), why });
            }
        }
        match unsure {
            // Others are not done, but what was added stands there.
            None => {
                for tag in behind {
                    let text = format!(
                        "the registry still answers with what the tag `{tag}` of `{repository}` meant before it was written: what was \
                         added, or what others added at the same time, may not be there; the same command again adds what is missing"
                    );
                    self.0.events.send(Event::Warning { text });
                }
                Ok(())
            }
            Some(tag) => {
                let why = "others keep writing over it".to_owned();
                Err(RegistryError::Unreachable { task: task(&tag), why }.into())
            }
        }
    }
}

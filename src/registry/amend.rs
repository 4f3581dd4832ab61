//! Tags to which several clients add: the index of referrers that clients keep, and the signatures of cosign's scheme.
//!
//! ```text
//! read ─ enough? ─yes→ done
//!   ↑      └no→ write what was read and what is missing ─┐
//!   └──────────────── after all others of them ←─────────┘
//! ```
//!
//! A registry writes what it is given over whatever is there: the protocol has no compare-and-swap. So a tag is read right before it is
//! written, and read back when some time has passed, until a read finds all that was added and all that others were seen to have added.
//! What remains: a client that was held up between its reading and its writing for longer than another one waits takes away what that one
//! wrote, and neither sees it. The next run of that one does, and adds it again.

use super::Client;
use super::error::RegistryError;
use super::manifest::Manifest;
use super::patience::scattered;
use super::reference::{Repository, Selector, Tag};
use crate::event::Event;

/// How often tags are written when others write them too.
const ROUNDS: u32 = 16;

/// How much shorter than the pause before another attempt the one is that lets others end what they have begun.
const SHORTER: u32 = 4;

/// What is to stand under a tag, by what stands there: a media type and a manifest's bytes; `None`: that is enough.
type Merge<'a, E> = dyn FnMut(Option<&Manifest>) -> Result<Option<(&'static str, Vec<u8>)>, E> + 'a;

/// Something to add to what a tag means.
pub struct Amendment<'a, E> {
    tag: Tag,
    merge: Box<Merge<'a, E>>,
}

impl<'a, E> Amendment<'a, E> {
    /// Adds to a tag what a function says: given what stands there, what shall, as a media type and a manifest's bytes; `None`: that is
    /// enough. It is asked until it is content, and what it has seen once it should not let be lost.
    pub fn new(
        tag: Tag,
        merge: impl FnMut(Option<&Manifest>) -> Result<Option<(&'static str, Vec<u8>)>, E> + 'a,
    ) -> Self {
        Self { tag, merge: Box::new(merge) }
    }
}

impl Client {
    /// Adds to tags of a repository, beside what other clients add at the same time.
    pub fn amend<E: From<RegistryError>>(
        &self,
        repository: &Repository,
        mut all: Vec<Amendment<'_, E>>,
    ) -> Result<(), E> {
        for round in 0..ROUNDS {
            let mut written = Vec::new();
            for mut one in all {
                let tag = Selector::Tag(one.tag.clone());
                // A mirror may be behind.
                let current = self.manifest_at(repository, &tag)?;
                if let Some((media_type, bytes)) = (one.merge)(current.as_ref())? {
                    self.put_manifest(repository, &tag, media_type, &bytes)?;
                    written.push(one);
                }
            }
            all = written;
            let Some(first) = all.first() else { return Ok(()) };
            // Whoever has read before this write has written by the time that it is read back.
            let pause = self.settings().patience.first_pause;
            (self.0.sleep)(pause / SHORTER);
            // Having written once is no sign of others; having had to write again is.
            if round > 0 {
                let task = format!("add to the tag `{}` of `{repository}`", first.tag);
                let why = "another client wrote over it".to_owned();
                self.0.events.send(Event::RegistryRetry { task, why });
                (self.0.sleep)(scattered(pause));
            }
        }
        let tag = all.first().map(|one| one.tag.to_string()).unwrap_or_default();
        let task = format!("add to the tag `{tag}` of `{repository}`");
        Err(RegistryError::Unreachable { task, why: "others keep writing over it".to_owned() }.into())
    }
}

//! Garbage: what nothing needs goes, the oldest first.

use super::Store;
use super::error::{Error, doing};
use super::inventory::{Held, Item};
use crate::disk;
use std::io;
use std::time::SystemTime;

/// How much of the garbage goes; without any limit, all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Nothing more goes once the store has no more bytes than this.
    pub keep_size: Option<u64>,
    /// Only what was written before this moment goes.
    pub before: Option<SystemTime>,
}

/// Chooses, by their places in an inventory, the files that go: only what nobody needs.
#[must_use]
pub fn garbage(held: &[Held], policy: &Policy) -> Vec<usize> {
    let mut total: u64 = held.iter().map(|held| held.size).sum();
    let mut old: Vec<usize> = (0..held.len())
        .filter(|&at| held[at].needed_by.is_empty() && policy.before.is_none_or(|before| held[at].modified < before))
        .collect();
    old.sort_by_key(|&at| (held[at].modified, held[at].item));
    old.retain(|&at| {
        let goes = policy.keep_size.is_none_or(|most| total > most);
        if goes {
            total -= held[at].size;
        }
        goes
    });
    old.sort_unstable();
    old
}

impl Store {
    /// Removes a file of the store; one that is gone already is no error.
    ///
    /// Only for a store that was opened by [`Store::open_alone`]: a build that is running believes what it saw.
    pub fn remove(&self, item: Item) -> Result<(), Error> {
        let path = match item {
            Item::Blob(digest) => self.blob_path(&digest),
            Item::Action(key) => self.dir.join("actions").join(key.0.hex()),
            Item::Build(name) => self.dir.join("builds").join(name.hex()),
            Item::Download(digest) => self.partial().join(digest.hex()),
        };
        match disk::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(doing("remove", &path)(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inventory::{Kind, Reason};
    use super::*;
    use crate::digest::Digest;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn only_garbage_goes_and_the_oldest_first() {
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        let held = |name: &str, size, second, needed: bool| Held {
            item: Item::Blob(Digest::of(name.as_bytes())),
            kind: Kind::Other,
            size,
            modified: at(second),
            needed_by: needed.then_some(Reason::Lock).into_iter().collect(),
        };
        let all = [held("a", 10, 3, false), held("b", 20, 1, true), held("c", 30, 2, false), held("d", 40, 4, false)];
        let chosen = |keep_size, before| garbage(&all, &Policy { keep_size, before });
        assert_eq!(chosen(None, None), [0, 2, 3]);
        assert_eq!(chosen(Some(100), None), [0; 0], "it is small enough");
        assert_eq!(chosen(Some(99), None), [2]);
        assert_eq!(chosen(Some(69), None), [0, 2]);
        assert_eq!(chosen(Some(0), None), [0, 2, 3], "what is needed stays, whatever its size");
        assert_eq!(chosen(None, Some(at(3))), [2]);
        assert_eq!(chosen(Some(0), Some(at(4))), [0, 2]);
    }
}

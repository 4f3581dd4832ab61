//! Which name of a file has its content: the first in byte order; the others point at it.

use super::{Entry, Kind};
use crate::oci::TreePath;
use std::collections::BTreeMap;

/// The first names of files that have several.
#[derive(Default)]
pub(super) struct FirstNames(BTreeMap<usize, Option<TreePath>>);

impl FirstNames {
    /// Says that the file with that number has more than one name.
    pub(super) fn several(&mut self, file: usize) {
        self.0.insert(file, None);
    }

    /// Decides what an entry becomes that is a name of the file with that number. Entries come in byte order.
    pub(super) fn settle(&mut self, file: usize, entry: &mut Entry) {
        match self.0.get_mut(&file) {
            Some(Some(first)) => entry.kind = Kind::Hardlink { target: first.clone() },
            Some(first) => *first = Some(entry.path.clone()),
            None => {}
        }
    }
}

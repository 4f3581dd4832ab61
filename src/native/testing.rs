//! A small root in memory, for the tests of this room.

use super::Root;
use crate::layer::Entry;
use crate::oci::TreePath;
use std::collections::BTreeMap;

/// Files, directories and links in memory.
#[derive(Default)]
pub(super) struct Mem(BTreeMap<TreePath, (Entry, Vec<u8>)>);

impl Mem {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn directory(mut self, path: &str) -> Self {
        let path = TreePath::parse(path).unwrap();
        for path in path.ancestors().chain([path.clone()]) {
            self.0.entry(path.clone()).or_insert_with(|| (Entry::directory(path, 0o755), Vec::new()));
        }
        self
    }

    pub(super) fn file(mut self, path: &str, content: &[u8]) -> Self {
        let path = TreePath::parse(path).unwrap();
        if let Some(parent) = path.parent() {
            self = self.directory(parent.as_str());
        }
        self.0.insert(path.clone(), (Entry::file(path, 0o644, content.len() as u64), content.to_vec()));
        self
    }

    pub(super) fn symlink(mut self, path: &str, target: &str) -> Self {
        let path = TreePath::parse(path).unwrap();
        self.0.insert(path.clone(), (Entry::symlink(path, target), Vec::new()));
        self
    }
}

impl Root for Mem {
    fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path).map(|(entry, _)| entry)
    }

    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self
            .0
            .get(path)
            .filter(|(entry, _)| matches!(entry.kind, crate::layer::Kind::File { .. }))
            .map(|(_, content)| content.clone()))
    }

    fn under<'s>(&'s self, directory: &str) -> Box<dyn Iterator<Item = &'s Entry> + 's> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        Box::new(self.0.values().map(|(entry, _)| entry).filter(move |entry| entry.path.as_str().starts_with(&prefix)))
    }
}

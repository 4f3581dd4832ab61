//! Compares the results of actions as they appear, so that the first wrong one is named and not only the last blob.

use super::paths::{self, Stores};
use super::verdict::Difference;
use crate::build::{Fragment, Layered, PackedLayer, Unpacked};
use crate::digest::{ActionKey, Digest};
use crate::oci::Blob;
use crate::plan::{Action, ImagePlan, Plan};
use crate::store::{ActionResult, Error, Store};
use crate::verify::diff::Hints;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The results of a store beside those of a rebuild.
pub struct Results<'a> {
    /// What was built before.
    before: &'a Store,
    /// What is built again.
    after: &'a Store,
    plan: &'a Plan,
    /// What is known about where both were made.
    hints: Hints,
    seen: BTreeSet<ActionKey>,
    /// What differs, in the order in which it appeared.
    differences: Vec<Difference>,
    compared: u64,
    unmatched: u64,
}

/// A result as it is written, whatever the action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Raw(Value);

impl ActionResult for Raw {
    const KIND: &'static str = "";

    /// It is read, never written: what it names was checked when it was read.
    fn blobs(&self) -> Vec<Blob> {
        Vec::new()
    }
}

impl Raw {
    /// The result without what may differ: in which layer a fragment's compressed form was found first, and where in it.
    fn decisive(mut self) -> Self {
        if let Value::Object(fields) = &mut self.0
            && fields.contains_key("crc32")
        {
            fields.remove("blob");
            fields.remove("offset");
        }
        self
    }
}

/// A result that is one fragment.
#[derive(Deserialize)]
struct Single {
    files: Fragment,
}

impl<'a> Results<'a> {
    /// Compares what a store holds with what a rebuild of a plan leaves in another.
    #[must_use]
    pub fn new(before: &'a Store, after: &'a Store, plan: &'a Plan, hints: Hints) -> Self {
        let (seen, differences) = (BTreeSet::new(), Vec::new());
        Self { before, after, plan, hints, seen, differences, compared: 0, unmatched: 0 }
    }

    /// Compares what an action of the plan has left by now: its result, and that of its packing if it is a layer.
    pub fn appeared(&mut self, key: ActionKey) -> Result<(), Error> {
        self.compare(key, &self.title(&key))?;
        if matches!(self.plan.actions.get(&key), Some(Action::Layer(_)))
            && let Some(layered) = self.after.action::<Layered>(&key)?
        {
            let mut compressions: Vec<_> =
                self.plan.images.iter().filter(|image| image.layers.contains(&key)).map(|i| i.compression).collect();
            compressions.dedup();
            for compression in compressions {
                let title = format!("pack {}", self.title(&key));
                self.compare(layered.pack_key(compression), &title)?;
            }
        }
        Ok(())
    }

    /// Compares everything that the rebuild has left and that did not appear by itself: runs of files, changed fragments, packing.
    pub fn rest(&mut self) -> Result<(), Error> {
        for action in self.after.actions()? {
            self.compare(action.key, &self.title(&action.key))?;
        }
        Ok(())
    }

    /// What differs, in the order in which it appeared; how many results were compared; how many had nothing beside them.
    #[must_use]
    pub fn finish(self) -> (Vec<Difference>, u64, u64) {
        (self.differences, self.compared, self.unmatched)
    }

    /// The actions that differ and that an image is made with.
    #[must_use]
    pub fn of_image(&self, image: &ImagePlan) -> Vec<Difference> {
        let mut keys: BTreeSet<ActionKey> = image.layers.iter().copied().collect();
        for key in &image.layers {
            if let Some(Action::Layer(layer)) = self.plan.actions.get(key)
                && let crate::plan::Work::Packages(work) = &layer.work
            {
                keys.extend(&work.unpacks);
            }
            if let Ok(Some(layered)) = self.after.action::<Layered>(key) {
                keys.insert(layered.pack_key(image.compression));
            }
        }
        let of_image = |difference: &&Difference| difference.key.is_some_and(|key| keys.contains(&key));
        self.differences.iter().filter(of_image).cloned().collect()
    }

    /// Whether the store has a result of an action.
    #[must_use]
    pub fn was_there(&self, key: &ActionKey) -> bool {
        matches!(self.before.action::<Raw>(key), Ok(Some(_)))
    }

    fn compare(&mut self, key: ActionKey, title: &str) -> Result<(), Error> {
        if self.seen.contains(&key) {
            return Ok(());
        }
        let Some(found) = self.after.action::<Raw>(&key)?.map(Raw::decisive) else { return Ok(()) };
        self.seen.insert(key);
        let Some(expected) = self.before.action::<Raw>(&key)?.map(Raw::decisive) else {
            self.unmatched += 1;
            return Ok(());
        };
        self.compared += 1;
        if expected != found {
            let mut difference = self.explain(&expected.0, &found.0);
            difference.what = format!("`{title}`{}", difference.what);
            difference.key = Some(key);
            self.differences.push(difference);
        }
        Ok(())
    }

    fn title(&self, key: &ActionKey) -> String {
        match self.plan.actions.get(key) {
            Some(Action::Unpack(unpack)) => format!("unpack {}", unpack.package.title()),
            Some(Action::Layer(layer)) => format!("{} ({})", layer.title, layer.platform),
            None => "part of a layer".to_owned(),
        }
    }

    /// Finds the first thing in two results that is not the same.
    fn explain(&self, expected: &Value, found: &Value) -> Difference {
        if let (Some(a), Some(b)) = (as_a::<Layered>(expected), as_a::<Layered>(found)) {
            if a.directories != b.directories {
                let mut difference = of(", its directories", a.directories, b.directories);
                difference.path = paths::directories(self.before, self.after, a.directories, b.directories);
                return difference;
            }
            for (at, (a, b)) in a.fragments.iter().zip(&b.fragments).enumerate() {
                if a != b {
                    return self.fragment(&format!(", fragment {}", at + 1), a, b);
                }
            }
            if a.fragments.len() != b.fragments.len() {
                let note = format!("expected {} fragments, found {}", a.fragments.len(), b.fragments.len());
                return Difference::note("", note);
            }
            return Difference::note("", "the scripts that no native step covers are others");
        }
        if let (Some(a), Some(b)) = (as_a::<Unpacked>(expected), as_a::<Unpacked>(found)) {
            if a.files != b.files {
                return self.fragment("", &a.files, &b.files);
            }
            if a.package != b.package {
                return of(", its control files", a.package, b.package);
            }
            let note = format!("expected a newest time of {} seconds, found {}", a.newest, b.newest);
            return Difference::note("", note);
        }
        if let (Some(a), Some(b)) = (as_a::<PackedLayer>(expected), as_a::<PackedLayer>(found)) {
            if a.diff_id != b.diff_id {
                return Difference::of(", its content", a.diff_id.0, b.diff_id.0);
            }
            return of(", its compressed form", a.blob, b.blob);
        }
        if let (Some(a), Some(b)) = (as_a::<Single>(expected), as_a::<Single>(found)) {
            return self.fragment("", &a.files, &b.files);
        }
        let digest = |value: &Value| value.get("digest").and_then(Value::as_str)?.parse::<Digest>().ok();
        Difference { expected: digest(expected), found: digest(found), ..Difference::default() }
    }

    fn fragment(&self, what: &str, a: &Fragment, b: &Fragment) -> Difference {
        let mut difference = if a.tar == b.tar { of(what, a.index, b.index) } else { of(what, a.tar, b.tar) };
        let stores = Stores { before: self.before, after: self.after };
        if let Some(place) = paths::fragment(stores, a, b, &self.hints) {
            difference.path = Some(place.path);
            difference.notes.extend(place.note);
            difference.findings = place.findings;
        }
        difference
    }
}

fn as_a<T: for<'de> Deserialize<'de>>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn of(what: &str, expected: Blob, found: Blob) -> Difference {
    Difference::of(what, expected.digest, found.digest)
}

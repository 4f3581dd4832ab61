//! What there is to do for a plan: the steps whose results the store lacks, each after those that it needs.

use super::ready::Ready;
use super::results::{Layered, Unpacked};
use super::schedule::{Job, Lane};
use super::{Builder, layer, unpack_of};
use crate::digest::{ActionKey, Digest};
use crate::plan::{ForeignBase, ImagePlan, Plan, Work};
use crate::recipe::Compression;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What one job of the graph does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Fetch(ActionKey),
    Blob(Digest),
    Unpack(ActionKey),
    Layer(ActionKey),
    Pack(ActionKey, Compression),
}

impl Step {
    /// Whether it waits for the network, and makes nothing.
    pub(super) fn is_fetch(self) -> bool {
        matches!(self, Self::Fetch(_) | Self::Blob(_))
    }
}

/// The steps to take, as jobs.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) steps: Vec<Step>,
    pub(super) jobs: Vec<Job>,
    pub(super) numbers: BTreeMap<Step, usize>,
    seen: BTreeSet<Step>,
    /// Which images need a step's result as one of their layers.
    pub(super) images: BTreeMap<Step, BTreeSet<usize>>,
    /// The layers for which nothing is left to do: looked up once, however many images stand on them.
    pub(super) ready: BTreeMap<(ActionKey, Compression), Ready>,
}

impl Graph {
    fn push(&mut self, step: Step, after: Vec<usize>, urgency: u64) -> usize {
        let number = self.steps.len();
        let lane = if step.is_fetch() { Lane::Network } else { Lane::Compute };
        self.steps.push(step);
        self.jobs.push(Job { after, lane, urgency });
        self.numbers.insert(step, number);
        number
    }

    /// The tree of a layer that is known to be there.
    pub(super) fn layered(&self, key: &ActionKey) -> Option<&Layered> {
        let of = |compression| self.ready.get(&(*key, compression));
        of(Compression::Zstd).or_else(|| of(Compression::Gzip)).map(|ready| &ready.layered)
    }
}

impl Builder<'_> {
    /// Lists the steps whose results the store lacks, each after those that it needs.
    pub(super) fn graph(&self, plan: &Plan) -> Graph {
        let mut graph = Graph::default();
        self.look_up(plan, &mut graph);
        for (number, image) in plan.images.iter().enumerate() {
            for blob in image.base.iter().flat_map(ForeignBase::blobs) {
                if self.need_blob(plan, &mut graph, &blob.digest).is_some() {
                    graph.images.entry(Step::Blob(blob.digest)).or_default().insert(number);
                }
            }
            for key in &image.layers {
                self.need_pack(plan, &mut graph, *key, image.compression);
                graph.images.entry(Step::Pack(*key, image.compression)).or_default().insert(number);
            }
        }
        graph
    }

    /// Looks up the layers of a plan's images that are not known to be there.
    pub(super) fn look_up(&self, plan: &Plan, graph: &mut Graph) {
        let of = |image: &ImagePlan| image.layers.iter().map(|key| (*key, image.compression)).collect::<Vec<_>>();
        let mut wanted: BTreeSet<_> = plan.images.iter().flat_map(of).collect();
        wanted.retain(|one| !graph.ready.contains_key(one));
        let find = |(key, compression)| Ready::find(self.store, &key, compression).map(|it| ((key, compression), it));
        graph.ready.par_extend(wanted.into_par_iter().filter_map(find));
    }

    fn need_pack(&self, plan: &Plan, graph: &mut Graph, key: ActionKey, compression: Compression) {
        let step = Step::Pack(key, compression);
        if !graph.seen.insert(step) {
            return;
        }
        if graph.ready.contains_key(&(key, compression)) {
            return;
        }
        let after = self.need_layer(plan, graph, key);
        graph.push(step, after.into_iter().collect(), u64::MAX);
    }

    fn need_layer(&self, plan: &Plan, graph: &mut Graph, key: ActionKey) -> Option<usize> {
        let step = Step::Layer(key);
        if !graph.seen.insert(step) {
            return graph.numbers.get(&step).copied();
        }
        if graph.layered(&key).is_some() || matches!(self.store.action::<Layered>(&key), Ok(Some(_))) {
            return None;
        }
        let layer = layer(plan, &key);
        if let Work::Foreign(foreign) = &layer.work {
            let fetch = self.need_blob(plan, graph, &foreign.blob.digest);
            return Some(graph.push(step, fetch.into_iter().collect(), foreign.blob.size));
        }
        // Its view is made of all that lies below, not only of the next.
        let mut after = Vec::new();
        let mut below = layer.lower;
        while let Some(key) = below {
            after.extend(self.need_layer(plan, graph, key));
            below = super::layer(plan, &key).lower;
        }
        if let Work::Packages(work) = &layer.work {
            after.extend(work.unpacks.iter().filter_map(|key| self.need_unpack(plan, graph, *key)));
        }
        Some(graph.push(step, after, u64::MAX - 1))
    }

    fn need_unpack(&self, plan: &Plan, graph: &mut Graph, key: ActionKey) -> Option<usize> {
        let step = Step::Unpack(key);
        if !graph.seen.insert(step) {
            return graph.numbers.get(&step).copied();
        }
        if matches!(self.store.action::<Unpacked>(&key), Ok(Some(_))) {
            return None;
        }
        // The largest first, so that no core waits for one at the end.
        let size = unpack_of(plan, &key).pin.deb.size;
        let fetch =
            (!self.store.has(&unpack_of(plan, &key).pin.deb)).then(|| graph.push(Step::Fetch(key), Vec::new(), size));
        Some(graph.push(step, fetch.into_iter().collect(), size))
    }

    /// A blob of an image from outside the project.
    fn need_blob(&self, plan: &Plan, graph: &mut Graph, digest: &Digest) -> Option<usize> {
        let step = Step::Blob(*digest);
        if !graph.seen.insert(step) {
            return graph.numbers.get(&step).copied();
        }
        let blob = plan.blobs[digest].blob;
        (!self.store.has(&blob)).then(|| graph.push(step, Vec::new(), blob.size))
    }
}

/// The key of a step, and what it does, as a person knows it.
pub(super) fn describe(plan: &Plan, step: Step) -> (ActionKey, String) {
    match step {
        Step::Fetch(key) => (key, format!("fetch {}", unpack_of(plan, &key).package.title())),
        Step::Blob(digest) => (ActionKey(digest), format!("fetch {}", plan.blobs[&digest].title)),
        Step::Unpack(key) => (key, format!("unpack {}", unpack_of(plan, &key).package.title())),
        Step::Layer(key) => (key, layer(plan, &key).title.clone()),
        Step::Pack(key, _) => (key, format!("pack {}", layer(plan, &key).title)),
    }
}

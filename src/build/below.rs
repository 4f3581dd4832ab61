//! What lies below the layers of a run: read once where several of them stand on the same.

use super::error::Error;
use super::graph::Graph;
use super::merged::Merged;
use super::results::Layered;
use super::view::View;
use crate::digest::ActionKey;
use crate::plan::Plan;
use crate::store::Store;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The trees on which layers of a run stand.
pub(super) struct Below<'a> {
    store: &'a Store,
    plan: &'a Plan,
    /// What is known of those that were there before the run.
    graph: &'a Graph,
    /// Those on which more than one does, by the key of their uppermost layer.
    shared: BTreeMap<ActionKey, Mutex<Shared>>,
}

/// A tree from when it is first asked for until the last one has it.
struct Shared {
    tree: Option<Arc<Merged>>,
    /// How many will ask for it.
    left: usize,
}

impl<'a> Below<'a> {
    /// Prepares for layers that will be made.
    pub(super) fn new(store: &'a Store, plan: &'a Plan, graph: &'a Graph, layers: &[ActionKey]) -> Self {
        let lower = |key: &ActionKey| super::layer(plan, key).lower;
        let mut direct: BTreeMap<ActionKey, usize> = BTreeMap::new();
        for key in layers.iter().filter_map(lower) {
            *direct.entry(key).or_default() += 1;
        }
        direct.retain(|_, count| *count > 1);
        // Whoever stands on one of them by way of others asks for it as well.
        let asks = |key: &ActionKey| std::iter::successors(lower(key), lower).find(|key| direct.contains_key(key));
        let mut shared = BTreeMap::new();
        for key in layers.iter().filter_map(asks) {
            let shared = shared.entry(key).or_insert_with(|| Mutex::new(Shared { tree: None, left: 0 }));
            shared.get_mut().expect("no holder of this lock panics").left += 1;
        }
        Self { store, plan, graph, shared }
    }

    /// What a layer stands on; `None`: nothing. Of one that only asks for what is below an entry of the root, that is all that is looked
    /// at, where that is enough.
    pub(super) fn view(&self, mut lower: Option<ActionKey>, top: Option<&'a str>) -> Result<View<'a>, Error> {
        let mut above = Vec::new();
        let mut ground = Arc::<Merged>::default();
        while let Some(key) = lower {
            if let Some(shared) = self.shared.get(&key) {
                ground = self.ground(key, shared)?;
                break;
            }
            above.push(self.layered(&key)?);
            lower = super::layer(self.plan, &key).lower;
        }
        if let Some(top) = top.filter(|_| ground.is_empty()) {
            let view = stack(View::of(self.store, top), &above)?;
            if !view.has_links() {
                return Ok(view);
            }
        }
        stack(View::over(self.store, ground), &above)
    }

    fn layered(&self, key: &ActionKey) -> Result<Layered, Error> {
        self.graph.layered(key).map_or_else(|| layered(self.store, key), |layered| Ok(layered.clone()))
    }

    /// A shared tree; whoever needs it while another one reads it waits.
    fn ground(&self, top: ActionKey, shared: &Mutex<Shared>) -> Result<Arc<Merged>, Error> {
        let mut shared = shared.lock().expect("no holder of this lock panics");
        shared.left = shared.left.saturating_sub(1);
        let is_last = shared.left == 0;
        if let Some(tree) = if is_last { shared.tree.take() } else { shared.tree.clone() } {
            return Ok(tree);
        }
        let mut all = Vec::new();
        let mut lower = Some(top);
        while let Some(key) = lower {
            all.push(self.layered(&key)?);
            lower = super::layer(self.plan, &key).lower;
        }
        let tree = Arc::new(stack(View::over(self.store, Arc::default()), &all)?.merged());
        shared.tree = (!is_last).then(|| Arc::clone(&tree));
        Ok(tree)
    }
}

/// Lays layers over a view; the uppermost stands first.
fn stack<'a>(mut view: View<'a>, layers: &[Layered]) -> Result<View<'a>, Error> {
    for layered in layers.iter().rev() {
        view.add_layer(layered)?;
    }
    Ok(view)
}

/// A layer that was made.
pub(super) fn layered(store: &Store, key: &ActionKey) -> Result<Layered, Error> {
    let missing = || Error::Store(crate::store::Error::Missing { digest: key.0 });
    store.action::<Layered>(key)?.ok_or_else(missing)
}

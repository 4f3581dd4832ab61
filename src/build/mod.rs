//! Executes a plan in parallel: what the store has is taken from it, the rest is made and kept.
//!
//! Invariants: an action runs at most once at a time on a store, whatever the number of processes; its result depends on its key
//! alone; a failed action stops only what depends on it. Damage that is found in the store on the way is set aside, and what
//! was lost is made again within the same run.

mod alone;
mod below;
mod bundle;
mod copy;
mod error;
mod exclude;
mod foreign;
mod graph;
mod history;
mod marks;
mod merged;
mod owners;
mod pack;
mod packages;
mod place;
mod ready;
mod results;
mod schedule;
mod survey;
mod trees;
mod unpack;
mod view;

pub use error::Error;
pub use history::{Build, BuildLayer, History, Story, ahead, changed_since, configured_ahead, histories, remember};
pub use results::{Fragment, Layered, PackedLayer, Unpacked};
pub use survey::Survey;

use crate::digest::{ActionKey, Shuffle};
use crate::event::{Event, Events};
use crate::layer::Threads;
use crate::lock::Lock;
use crate::plan::{Action, ForeignBase, ImagePlan, Layer, Plan, Unpack, Work};
use crate::recipe::Compression;
use crate::source::base::{BaseBlob, FetchBase};
use crate::source::debian::pool::{Fetch, PoolFile};
use crate::store::{Damage, Store};
use below::{Below, layered};
use graph::{Graph, Step, describe};
use rayon::ThreadPool;
use schedule::End;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What executes plans.
pub struct Builder<'a> {
    /// Where results are kept.
    pub store: &'a Store,
    /// Where packages come from.
    pub fetch: &'a dyn Fetch,
    /// Where images from outside the project come from.
    pub bases: &'a dyn FetchBase,
    /// The lock that the plan was made from, for the dates of its suites.
    pub lock: &'a Lock,
    /// Who hears of what happens.
    pub events: &'a Events,
    /// How many actions compute at once, and how many threads compress.
    pub jobs: usize,
    /// Runs what is ready in this order, and not the most urgent first: for rebuilds that show that the order does not matter.
    pub order: Option<Shuffle>,
}

/// What came of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// The images whose layers are all there, in the plan's order, with the image's number in the plan.
    pub images: Vec<(usize, Vec<LayerOutcome>)>,
    /// The actions that failed, each once.
    pub failures: Vec<Failure>,
    /// Maintainer scripts that no native step covers, by layer action.
    pub uncovered: BTreeMap<ActionKey, Vec<(String, String, String)>>,
}

/// A layer of an image that was built.
#[derive(Debug, Clone)]
pub struct LayerOutcome {
    /// The action that made its tree.
    pub key: ActionKey,
    /// The action that packed it.
    pub pack_key: ActionKey,
    /// The layer.
    pub packed: PackedLayer,
    /// How it is compressed.
    pub compression: Compression,
    /// Whether it was in the store before.
    pub reused: bool,
    /// How long its own actions took.
    pub took: Duration,
}

/// An action that failed.
#[derive(Debug)]
pub struct Failure {
    /// What it was to do.
    pub title: String,
    /// Why it failed.
    pub error: Error,
    /// The numbers of the images in the plan that lack it.
    pub images: Vec<usize>,
}

/// How many packages are fetched at once.
const FETCHES: usize = 12;

/// How often a run begins again after damage was found in the store: each time it may come one step nearer to the sources, so
/// this is more than the steps from there to the top of the deepest image that anybody makes.
const ATTEMPTS: usize = 64;

/// What was made anew this many times in a run and is damaged again stands on a disk that loses what is written to it.
pub const HOPELESS: usize = 3;

impl Builder<'_> {
    /// Makes everything that a plan's images need and that the store does not have.
    #[must_use]
    pub fn run(&self, plan: &Plan) -> Outcome {
        let pool = OnceLock::new();
        let mut done = Done::default();
        let mut again: BTreeMap<Damage, usize> = BTreeMap::new();
        for attempt in 1.. {
            let before = self.store.damage_found();
            let mut graph = self.graph(plan);
            if let Some(order) = self.order {
                schedule::shuffle(&mut graph.jobs, order);
            }
            let actions = graph.steps.iter().filter(|step| !step.is_fetch()).count() as u64;
            self.events.send(Event::BuildPlanned { actions });
            let ends = self.execute(plan, &graph, &pool, &mut done);
            // Damage may also have been found deep in an action, in a file of the image that it read.
            let found = self.store.damage_since(before);
            let damaged =
                ends.iter().any(|end| matches!(end, End::Failed(error) if !found.is_empty() || error.is_damage()));
            if !found.is_empty() {
                // Some of it may be of what was whole before.
                graph.ready.clear();
            }
            for damage in found {
                *again.entry(damage).or_default() += 1;
            }
            let hopeless = again.values().any(|times| *times >= HOPELESS);
            if !damaged || hopeless || attempt == ATTEMPTS {
                return self.outcome(plan, graph, ends, &done);
            }
        }
        unreachable!("the last attempt returns")
    }

    fn execute(
        &self,
        plan: &Plan,
        graph: &Graph,
        pool: &OnceLock<Option<ThreadPool>>,
        done: &mut Done,
    ) -> Vec<End<Error>> {
        let times = Mutex::new(std::mem::take(done));
        // What others made stands for itself.
        let stands = |key: &ActionKey| !matches!(layer(plan, key).work, Work::Foreign(_));
        let key = |step: &Step| if let Step::Layer(key) = step { Some(*key) } else { None };
        let layers: Vec<ActionKey> = graph.steps.iter().filter_map(key).filter(stands).collect();
        let below = Below::new(self.store, plan, graph, &layers);
        let ends = schedule::run(&graph.jobs, self.jobs, FETCHES, |number| {
            let step = graph.steps[number];
            let begun = Instant::now();
            let (key, name) = describe(plan, step);
            let result = match step {
                Step::Fetch(key) => self.fetch_one(unpack_of(plan, &key)).map(|()| false),
                Step::Blob(digest) => self.fetch_blob(&plan.blobs[&digest]).map(|()| false),
                _ => {
                    self.events.send(Event::ActionStarted { key, name: name.clone() });
                    self.perform(plan, step, &below, pool)
                }
            };
            let took = begun.elapsed();
            match &result {
                Ok(_) if step.is_fetch() => {}
                Ok(cached) => self.events.send(Event::ActionDone { key, name, cached: *cached, took }),
                Err(error) => self.events.send(Event::ActionFailed { key, name, why: error.to_string() }),
            }
            times.lock().expect("no holder of this lock panics").0.insert(step, took);
            result.map(drop)
        });
        *done = times.into_inner().expect("no holder of this lock panics");
        ends
    }

    /// Fetches a package, unless another process did it while this one waited for its turn.
    fn fetch_one(&self, unpack: &Unpack) -> Result<(), Error> {
        let (package, pin) = (&unpack.package, &unpack.pin);
        let _turn = self.store.lock_fetch(&pin.deb.digest)?;
        if self.store.has(&pin.deb) {
            return Ok(());
        }
        let file = PoolFile {
            title: package.title(),
            archive: package.archive.clone(),
            suite: pin.suite.clone(),
            dates: self.lock.dates(package),
            path: pin.path.clone(),
            deb: pin.deb,
        };
        self.fetch
            .fetch(&file, self.store)
            .map_err(|source| Error::Fetch { title: file.title.clone(), source: Box::new(source) })
    }

    /// Fetches a blob of an image from outside the project, as [`Self::fetch_one`] does.
    fn fetch_blob(&self, blob: &BaseBlob) -> Result<(), Error> {
        let _turn = self.store.lock_fetch(&blob.blob.digest)?;
        if self.store.has(&blob.blob) {
            return Ok(());
        }
        let (name, size) = (blob.title.clone(), blob.blob.size);
        self.events.send(Event::FetchStarted { name: name.clone(), size: Some(size) });
        let failed = |source| Error::Base { title: name.clone(), source: Box::new(source) };
        self.bases.fetch_base(blob, self.store).map_err(failed)?;
        self.events.send(Event::FetchDone { name, size });
        Ok(())
    }

    /// Does one step, unless another process did it while this one waited for its turn: then the answer is yes.
    fn perform(
        &self,
        plan: &Plan,
        step: Step,
        below: &Below<'_>,
        pool: &OnceLock<Option<ThreadPool>>,
    ) -> Result<bool, Error> {
        let store = self.store;
        match step {
            Step::Fetch(_) | Step::Blob(_) => Ok(false),
            Step::Unpack(key) => {
                let _turn = store.lock_action(&key)?;
                let there = store.action::<Unpacked>(&key)?.is_some();
                if !there {
                    store.put_action(&key, &unpack::unpack(store, unpack_of(plan, &key))?)?;
                }
                Ok(there)
            }
            Step::Layer(key) => {
                let _turn = store.lock_action(&key)?;
                let there = store.action::<Layered>(&key)?.is_some();
                if !there {
                    store.put_action(&key, &self.layer(below, layer(plan, &key))?)?;
                }
                Ok(there)
            }
            Step::Pack(key, compression) => {
                let layered = layered(store, &key)?;
                let pack_key = layered.pack_key(compression);
                let _turn = store.lock_action(&pack_key)?;
                let there = store.action::<PackedLayer>(&pack_key)?.is_some();
                if !there {
                    let title = &layer(plan, &key).title;
                    let pack = || pack::pack(store, &layered, compression, title);
                    // Without threads of its own it still works, on those that are there.
                    let threads = || rayon::ThreadPoolBuilder::new().num_threads(self.jobs).build().ok();
                    let packed = match pack::threads(&layered) {
                        Threads::Caller => pack(),
                        Threads::Pool => {
                            pool.get_or_init(threads).as_ref().map_or_else(pack, |pool| pool.install(pack))
                        }
                    }?;
                    store.put_action(&pack_key, &packed)?;
                }
                Ok(there)
            }
        }
    }

    fn layer<'p>(&self, below: &Below<'p>, action: &'p Layer) -> Result<Layered, Error> {
        let (lower, top) = match &action.work {
            // What others made stands for itself.
            Work::Foreign(_) => (None, None),
            Work::Copy(work) => (action.lower, work.to.as_ref().and_then(|to| to.as_str().split('/').next())),
            _ => (action.lower, None),
        };
        let view = below.view(lower, top)?;
        match &action.work {
            Work::Packages(work) => {
                let missing = |key: &ActionKey| Error::Store(crate::store::Error::Missing { digest: key.0 });
                let unpacked = work
                    .unpacks
                    .iter()
                    .map(|key| self.store.action::<Unpacked>(key)?.ok_or_else(|| missing(key)))
                    .collect::<Result<Vec<_>, Error>>()?;
                packages::packages(self.store, view, work, &unpacked, action.platform.arch, &action.title)
            }
            Work::Copy(work) => copy::copy(self.store, &view, work, &action.title),
            Work::Write(written) => trees::write(self.store, &view, written, &action.title),
            Work::Accounts(accounts) => packages::accounts(self.store, &view, accounts, &action.title),
            Work::Foreign(foreign) => foreign::look_into(self.store, foreign, &action.title),
        }
    }

    fn outcome(&self, plan: &Plan, mut graph: Graph, ends: Vec<End<Error>>, done: &Done) -> Outcome {
        let lacking = |cause: usize| -> Vec<usize> {
            let mut images = BTreeSet::new();
            for (number, end) in ends.iter().enumerate() {
                let because = matches!(end, End::Skipped(other) if *other == cause) || number == cause;
                if because && let Some(all) = graph.images.get(&graph.steps[number]) {
                    images.extend(all.iter().copied());
                }
            }
            images.into_iter().collect()
        };
        let lacks: BTreeMap<usize, Vec<usize>> = (0..ends.len())
            .filter(|number| matches!(ends[*number], End::Failed(_)))
            .map(|number| (number, lacking(number)))
            .collect();
        self.look_up(plan, &mut graph);
        let mut images = Vec::new();
        for (number, image) in plan.images.iter().enumerate() {
            let based = image.base.iter().flat_map(ForeignBase::blobs).all(|blob| self.store.has(&blob));
            if let Some(layers) = image_outcome(image, &graph, done).filter(|_| based) {
                images.push((number, layers));
            }
        }
        let mut failures = Vec::new();
        for (number, end) in ends.into_iter().enumerate() {
            if let End::Failed(error) = end {
                let (_, title) = describe(plan, graph.steps[number]);
                failures.push(Failure { title, error, images: lacks.get(&number).cloned().unwrap_or_default() });
            }
        }
        let ready = graph.ready.into_iter().filter(|(_, ready)| !ready.layered.uncovered.is_empty());
        let uncovered = ready.map(|((key, _), ready)| (key, ready.layered.uncovered)).collect();
        Outcome { images, failures, uncovered }
    }
}

/// An image's layers, if all are there.
fn image_outcome(image: &ImagePlan, graph: &Graph, done: &Done) -> Option<Vec<LayerOutcome>> {
    let one = |key: &ActionKey| {
        let ready = graph.ready.get(&(*key, image.compression))?;
        let steps = [Step::Layer(*key), Step::Pack(*key, image.compression)];
        Some(LayerOutcome {
            key: *key,
            pack_key: ready.pack_key,
            packed: ready.packed.clone(),
            compression: image.compression,
            reused: !steps.iter().any(|step| graph.numbers.contains_key(step)),
            took: steps.iter().filter_map(|step| done.0.get(step)).sum(),
        })
    };
    image.layers.iter().map(one).collect()
}

/// How long each step took.
#[derive(Default)]
struct Done(BTreeMap<Step, Duration>);

fn layer<'p>(plan: &'p Plan, key: &ActionKey) -> &'p Layer {
    match &plan.actions[key] {
        Action::Layer(layer) => layer,
        Action::Unpack(_) => unreachable!("the plan keeps layers and packages apart"),
    }
}

fn unpack_of<'p>(plan: &'p Plan, key: &ActionKey) -> &'p Unpack {
    match &plan.actions[key] {
        Action::Unpack(unpack) => unpack,
        Action::Layer(_) => unreachable!("the plan keeps layers and packages apart"),
    }
}

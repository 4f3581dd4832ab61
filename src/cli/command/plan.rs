//! `remint plan`.

use super::Invocation;
use crate::build::{Layered, PackedLayer, Unpacked};
use crate::cli::arguments::{Plan as Arguments, PlanFormat};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::plan::{Graph, Node, State};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::digest::ActionKey;
use crate::event::Events;
use crate::lock;
use crate::plan::{Action, ForeignBase, ImagePlan, Plan, Work};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// Shows what a build would do.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let session = Session::load(invocation)?;
    let images = session.choose(&arguments.images)?;
    let lock = session.lock()?.unwrap_or_default();
    if !lock::is_complete(&lock, &session.recipes, &session.project) {
        let gaps: String =
            lock::gaps(&lock, &session.recipes, &session.project).iter().map(|gap| format!("  {gap}\n")).collect();
        let message = "remint.lock does not match the recipes, so there is no plan";
        return Err(Failure::new(Exit::Recipe, message).details(gaps).hint("run `remint lock`"));
    }
    let plan = session.plan(&lock, &images, &arguments.platform, invocation.environment.epoch()?)?;
    let store = Store::look(&session.places.cache, &Events::none());
    let graph = graph(&plan, store.as_ref());
    show(&graph, arguments, invocation)
}

/// The plan's actions as they are drawn: packages, layers, their packing, and the images on top.
fn graph(plan: &Plan, store: Option<&Store>) -> Graph {
    let mut drawing = Drawing { plan, store, nodes: BTreeMap::new(), edges: BTreeSet::new() };
    for image in &plan.images {
        let name = format!("{} ({})", image.name, image.platform);
        drawing.add_base(image, &name);
        for key in &image.layers {
            drawing.add_layer(key, &name);
        }
        drawing.add_image(image, &name);
    }
    let edges: Vec<(String, String)> = drawing.edges.into_iter().collect();
    Graph::new(drawing.nodes.into_values().collect(), &edges).expect("a plan has no circle and names what it has")
}

/// A graph in the making.
struct Drawing<'a> {
    plan: &'a Plan,
    store: Option<&'a Store>,
    nodes: BTreeMap<String, Node>,
    edges: BTreeSet<(String, String)>,
}

impl Drawing<'_> {
    /// The layers of an image from outside the project, which are fetched and passed through.
    fn add_base(&mut self, image: &ImagePlan, name: &str) {
        let Some(base) = &image.base else { return };
        for (key, blob) in base.keys.iter().zip(&base.layers) {
            let Some(Action::Layer(layer)) = self.plan.actions.get(key) else { continue };
            let node = Node {
                id: key.to_string(),
                label: layer.title.clone(),
                kind: "base".into(),
                key: Some(key.to_string()),
                images: Vec::new(),
                state: state(self.store.is_some_and(|store| store.has(blob))),
                folds: false,
            };
            self.add(node, name);
            if let Some(lower) = &layer.lower {
                self.edges.insert((lower.to_string(), key.to_string()));
            }
        }
        if let Some(top) = base.keys.last() {
            self.edges.insert((top.to_string(), format!("image {name}")));
        }
    }

    fn add_layer(&mut self, key: &ActionKey, image: &str) {
        let Some(Action::Layer(layer)) = self.plan.actions.get(key) else { return };
        let id = key.to_string();
        let cached = self.store.is_some_and(|store| matches!(store.action::<Layered>(key), Ok(Some(_))));
        let label = format!("{} ({})", layer.title, layer.platform);
        self.add(
            Node {
                id: id.clone(),
                label,
                kind: "layer".into(),
                key: Some(id.clone()),
                images: Vec::new(),
                state: state(cached),
                folds: false,
            },
            image,
        );
        if let Some(lower) = &layer.lower {
            self.edges.insert((lower.to_string(), id.clone()));
        }
        let Work::Packages(work) = &layer.work else { return };
        for unpack in &work.unpacks {
            let Some(Action::Unpack(action)) = self.plan.actions.get(unpack) else { continue };
            let cached = self.store.is_some_and(|store| matches!(store.action::<Unpacked>(unpack), Ok(Some(_))));
            let label = format!("unpack {}", action.package.title());
            let node = Node {
                id: unpack.to_string(),
                label,
                kind: "unpack".into(),
                key: Some(unpack.to_string()),
                images: Vec::new(),
                state: state(cached),
                folds: true,
            };
            self.add(node, image);
            self.edges.insert((unpack.to_string(), id.clone()));
        }
    }

    /// An image and the packing of its layers, whose keys are known once their trees are.
    fn add_image(&mut self, image: &ImagePlan, name: &str) {
        let id = format!("image {name}");
        let mut blobs = image.base.iter().flat_map(ForeignBase::blobs);
        let mut all_cached = blobs.all(|blob| self.store.is_some_and(|store| store.has(&blob)));
        for key in &image.layers {
            let Some(Action::Layer(layer)) = self.plan.actions.get(key) else { continue };
            let layered = self.store.and_then(|store| store.action::<Layered>(key).ok().flatten());
            let pack_key = layered.map(|layered| layered.pack_key(image.compression));
            let cached = self
                .store
                .zip(pack_key.as_ref())
                .is_some_and(|(store, key)| matches!(store.action::<PackedLayer>(key), Ok(Some(_))));
            all_cached &= cached;
            let pack = format!("pack {:?} {key}", image.compression);
            let node = Node {
                id: pack.clone(),
                label: format!("pack {}", layer.title),
                kind: "pack".into(),
                key: pack_key.map(|key| key.to_string()),
                images: Vec::new(),
                state: state(cached),
                folds: false,
            };
            self.add(node, name);
            self.edges.insert((key.to_string(), pack.clone()));
            self.edges.insert((pack, id.clone()));
        }
        let node = Node {
            id,
            label: name.to_owned(),
            kind: "image".into(),
            key: None,
            images: Vec::new(),
            state: state(all_cached),
            folds: false,
        };
        self.add(node, name);
    }

    fn add(&mut self, node: Node, image: &str) {
        let images = &mut self.nodes.entry(node.id.clone()).or_insert(node).images;
        if !images.iter().any(|name| name == image) {
            images.push(image.to_owned());
        }
    }
}

fn state(cached: bool) -> State {
    if cached { State::Cached } else { State::ToDo }
}

/// Shows a graph as the arguments ask: on stdout, or in a file.
fn show(graph: &Graph, arguments: &Arguments, invocation: Invocation<'_>) -> Result<Exit, Failure> {
    let folded;
    // A machine can fold by itself, and cannot unfold.
    let graph = if arguments.all || arguments.format == PlanFormat::Json {
        graph
    } else {
        folded = graph.folded();
        &folded
    };
    let text = match arguments.format {
        PlanFormat::Tree => graph.tree(),
        PlanFormat::Json => graph.json(),
        PlanFormat::Dot => graph.dot(),
        PlanFormat::Svg => graph.svg(),
    };
    match &arguments.output {
        None => screen::data(&text)?,
        Some(path) => {
            let path = invocation.environment.cwd.join(path);
            let message = || format!("cannot write `{}`", path.display());
            std::fs::write(&path, text).map_err(|error| Failure::wrap(Exit::No, message(), &error))?;
        }
    }
    Ok(Exit::Done)
}

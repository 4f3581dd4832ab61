//! `remint build`.

use super::failed::failed;
use super::record::record;
use super::sources::Sources;
use super::{Invocation, lock as lock_command, why};
use crate::build::{self, Builder, HOPELESS, LayerOutcome, Outcome};
use crate::cli::amount;
use crate::cli::archives::Archives;
use crate::cli::arguments::{Build, Method, OutputKind, TextOrJson};
use crate::cli::bases::BaseImages;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::cli::varied;
use crate::digest::{Digest, Shuffle};
use crate::event::{Event, Events};
use crate::image::{self, Assembly, BuiltLayer, Image, Output, OutputForm, PlatformImage};
use crate::lock::{self, Lock, Update};
use crate::oci::Platform;
use crate::plan::{self, ImagePlan, Plan};
use crate::recipe::ImageName;
use crate::source::base::FetchBase;
use crate::source::debian::pool::{Fetch, Offline};
use crate::source::path::Clash;
use crate::store::{Damage, Store};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Builds images and prints what came of it.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Build) -> Result<Exit, Failure> {
    // Before anything else, and before there is a second thread.
    let varied = arguments
        .rebuild
        .vary
        .map(|seed| varied::apply(seed, invocation, arguments.rebuild.sources.as_deref()))
        .unwrap_or_default();
    let mut environment = invocation.environment.clone();
    environment.home = arguments.rebuild.home.clone().or(environment.home);
    let invocation = Invocation { environment: &environment, ..invocation };
    let mut session = Session::load(invocation)?;
    session.order = arguments.rebuild.vary.map(Shuffle);
    let images = session.choose(&arguments.images)?;
    override_compression(&mut session, arguments.compression);
    let json = arguments.format == TextOrJson::Json;
    let reporter =
        Reporter::start(Manner::choose(invocation.global, invocation.environment, json), invocation.environment);
    let events = reporter.events();
    for event in varied {
        events.send(event);
    }
    let epoch = invocation.environment.epoch()?;
    // Each takes about as long as the other where nothing changed. What writes a lock does so before the trees are read, which may hold it.
    let (lock, trees) = rayon::join(|| session.lock(), || session.scan(&images));
    let old = lock?;
    let is_new = old.is_none();
    let lock = old.unwrap_or_default();
    let (lock, trees) = if lock::is_complete(&lock, &session.recipes, &session.project) {
        (lock, trees?)
    } else {
        (complete(invocation, &session, &lock, is_new, arguments, &events)?, session.scan(&images)?)
    };
    let plan = session.plan_of(&lock, &trees, &images, &arguments.platform, epoch)?;
    let store =
        Store::open_with(&session.places.cache, &events).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let fetch = fetch(invocation, &session, &events, arguments.offline);
    let bases = bases(invocation, &session, arguments, &events)?;
    let (fetch, bases) = match &arguments.rebuild.sources {
        Some(dir) => (
            Box::new(Sources::open(dir, fetch)?) as Box<dyn Fetch + '_>,
            Box::new(Sources::open(dir, bases)?) as Box<dyn FetchBase + '_>,
        ),
        None => (fetch, bases),
    };
    let jobs = arguments.jobs.unwrap_or(invocation.environment.cores).get();
    let order = session.order;
    let builder = Builder { store: &store, fetch: &*fetch, bases: &*bases, lock: &lock, events: &events, jobs, order };
    if arguments.explain {
        why::explain(&store, &plan, &session.places.project, &events);
    }
    let (outcome, rows) = healing(&store, &events, || {
        let outcome = builder.run(&plan);
        let (built, rows) = assemble(&store, &plan, &outcome, &events)?;
        // What stands at an output is replaced by all that was asked for, or not at all.
        if outcome.failures.is_empty() {
            write_outputs(&store, &built, arguments, invocation)?;
        }
        record(&store, &session, &plan, &outcome, &built);
        Ok((outcome, rows))
    })?;
    // Where it cannot be written, `remint why` tells of the build before.
    let _ = build::remember(&store, &plan, &outcome);
    warn_uncovered(&plan, &outcome, &events);
    warn_clashes(&plan, &events);
    let _ = reporter.finish();
    if !json && !rows.is_empty() {
        screen::data(
            &built_table(&rows, !invocation.environment.stdout.terminal).render(invocation.environment.stdout.width),
        )?;
    }
    if outcome.failures.is_empty() {
        Ok(Exit::Done)
    } else {
        Err(failed(invocation, &session, &plan, &lock, &outcome.failures))
    }
}

/// How often a build begins again because a blob that it had to write out was damaged; each time finds another.
const ATTEMPTS: usize = 64;

/// Makes images, and again if it failed where damage was found: what is damaged was set aside, so it is made anew.
fn healing<T>(store: &Store, events: &Events, make: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut attempt = 1;
    let mut again: BTreeMap<Damage, usize> = BTreeMap::new();
    loop {
        let made = make();
        let damage = store.take_damage();
        for &damage in &damage {
            events.send(Event::Warning { text: format!("{damage} in the store was damaged, and is made again") });
            *again.entry(damage).or_default() += 1;
        }
        let hopeless = again.values().any(|times| *times >= HOPELESS);
        if made.is_ok() || damage.is_empty() || hopeless || attempt == ATTEMPTS {
            return made;
        }
        attempt += 1;
    }
}

/// `--compression` speaks for every recipe.
pub(super) fn override_compression(session: &mut Session, compression: Option<Method>) {
    if let Some(method) = compression {
        session.recipes.compress(method.into());
    }
}

/// The lock to build with where the one that is there is not whole: a new one if there is none at all.
fn complete(
    invocation: Invocation<'_>,
    session: &Session,
    lock: &Lock,
    is_new: bool,
    arguments: &Build,
    events: &Events,
) -> Result<Lock, Failure> {
    if is_new && !arguments.locked && !arguments.offline {
        let resolve =
            lock_command::Resolve { update: &Update::Nothing, allow_rollback: false, registry: &arguments.registry };
        let new = lock_command::resolve(invocation, session, lock, &resolve, events)?;
        lock_command::write(session, &new)?;
        events.send(Event::Warning {
            text: format!("there was no remint.lock; wrote one: {}", lock_command::summary(&new)),
        });
        return Ok(new);
    }
    let message = if is_new { "there is no remint.lock" } else { "remint.lock does not match the recipes" };
    let gaps = lock::gaps(lock, &session.recipes, &session.project);
    let lines: String = gaps.iter().filter(|gap| !gap.is_stale()).map(|gap| format!("  {gap}\n")).collect();
    Err(Failure::new(Exit::Recipe, message).details(lines).hint("run `remint lock` and commit what it writes"))
}

/// What brings packages into the store; offline, what refuses to.
pub(super) fn fetch<'a>(
    invocation: Invocation<'a>,
    session: &'a Session,
    events: &'a Events,
    offline: bool,
) -> Box<dyn Fetch + 'a> {
    if offline {
        Box::new(Offline)
    } else {
        Box::new(Lazy { invocation, session, events, pool: std::sync::OnceLock::new() })
    }
}

/// What brings images from outside the project into the store; offline, what refuses to.
fn bases<'a>(
    invocation: Invocation<'_>,
    session: &'a Session,
    arguments: &Build,
    events: &Events,
) -> Result<Box<dyn FetchBase + 'a>, Failure> {
    if arguments.offline {
        return Ok(Box::new(Offline));
    }
    let client = registries::client(invocation, Some(&session.project), &arguments.registry, events)?;
    Ok(Box::new(BaseImages::new(session, client)))
}

/// Finds the mirrors only when something has to be fetched: a build of what is there needs none.
struct Lazy<'a> {
    invocation: Invocation<'a>,
    session: &'a Session,
    events: &'a Events,
    pool: std::sync::OnceLock<Result<crate::source::debian::pool::Pool, String>>,
}

impl Fetch for Lazy<'_> {
    fn fetch(
        &self,
        file: &crate::source::debian::pool::PoolFile,
        store: &Store,
    ) -> Result<(), crate::source::debian::pool::PoolError> {
        let pool = self.pool.get_or_init(|| {
            let archives = Archives::new(self.invocation, self.session, self.events);
            archives.map(|archives| archives.pool()).map_err(|failure| {
                let words = std::iter::once(failure.message).chain(failure.hints);
                words.collect::<Vec<_>>().join("; ")
            })
        });
        match pool {
            Ok(pool) => pool.fetch(file, store),
            Err(why) => {
                Err(crate::source::debian::pool::PoolError::Setup { title: file.title.clone(), why: why.clone() })
            }
        }
    }
}

/// Warns of names in copied trees that a checkout on another system would take for one.
fn warn_clashes(plan: &Plan, events: &Events) {
    let mut seen = BTreeSet::new();
    for action in plan.actions.values() {
        let plan::Action::Layer(plan::Layer { work: plan::Work::Copy(copy), .. }) = action else { continue };
        if !seen.insert(&copy.root) {
            continue;
        }
        let clashes = copy.tree.clashes();
        let Some(Clash { first, second, case }) = clashes.first() else { continue };
        let what = if *case { "in case" } else { "in how their characters are composed" };
        let more = if clashes.len() > 1 { format!(", and {} more pairs do", clashes.len() - 1) } else { String::new() };
        let text = format!(
            "`{first}` and `{second}` in `{}` differ only {what}{more}: a checkout on macOS or Windows has only one of them",
            copy.root.display()
        );
        events.send(Event::Warning { text });
    }
}

fn warn_uncovered(plan: &Plan, outcome: &Outcome, events: &Events) {
    for (key, scripts) in &outcome.uncovered {
        let Some(plan::Action::Layer(layer)) = plan.actions.get(key) else { continue };
        let packages: BTreeSet<&str> = scripts.iter().map(|(package, _, _)| package.as_str()).collect();
        let packages: Vec<&str> = packages.into_iter().collect();
        let text = format!(
            "`{}`: no native step covers the scripts of {}; `remint lock` says what that means",
            layer.title,
            packages.join(", ")
        );
        events.send(Event::Warning { text });
    }
}

/// Puts the built layers together as images, names them in the store, and lists them.
fn assemble(
    store: &Store,
    plan: &Plan,
    outcome: &Outcome,
    events: &Events,
) -> Result<(Vec<Image>, Vec<BuiltImage>), Failure> {
    let broken = |error: image::Error| Failure::from_error(Exit::Action, &error);
    let mut platforms: BTreeMap<&ImageName, Vec<PlatformImage>> = BTreeMap::new();
    let mut rows = Vec::new();
    let make = |(number, layers): &(usize, Vec<LayerOutcome>)| {
        platform_image(store, plan, &plan.images[*number], layers).map_err(broken)
    };
    // Whatever is ready first: of several errors, the first one in the order of the images is told.
    let all: Vec<Result<PlatformImage, Failure>> = outcome.images.par_iter().map(make).collect();
    for ((number, layers), made) in outcome.images.iter().zip(all) {
        let made = made?;
        let planned = &plan.images[*number];
        let reused = layers.iter().filter(|layer| layer.reused).count() as u64;
        let row = BuiltImage {
            name: planned.name.to_string(),
            platform: planned.platform,
            digest: made.manifest.digest,
            size: made.manifest.size + made.config.size + made.layers.iter().map(|layer| layer.blob.size).sum::<u64>(),
            built: layers.len() as u64 - reused,
            reused,
            took: layers.iter().map(|layer| layer.took).sum(),
        };
        events.send(row.event());
        rows.push(row);
        platforms.entry(&planned.name).or_default().push(made);
    }
    // An image whose other platforms failed keeps its old name's meaning.
    let whole = |name: &ImageName| {
        let planned = plan.images.iter().filter(|image| image.name == *name).count();
        platforms.get(name).is_some_and(|made| made.len() == planned)
    };
    let names: Vec<&ImageName> = platforms.keys().copied().filter(|name| whole(name)).collect();
    let mut images = Vec::new();
    for name in names {
        images.push(Image::join(store, name.clone(), platforms[name].clone()).map_err(broken)?);
    }
    image::name_images(store, &images).map_err(broken)?;
    Ok((images, rows))
}

fn platform_image(
    store: &Store,
    plan: &Plan,
    planned: &ImagePlan,
    layers: &[LayerOutcome],
) -> Result<PlatformImage, image::Error> {
    let foreign = planned.base.as_ref();
    let mut base = foreign.map(|base| PlatformImage::read(store, base.manifest, Some(planned.platform))).transpose()?;
    let mut from = 0;
    for (at, part) in planned.parts.iter().enumerate() {
        let own: Vec<BuiltLayer> = layers[from..part.layers]
            .iter()
            .map(|layer| BuiltLayer {
                blob: layer.packed.blob,
                encoding: layer.compression.into(),
                diff_id: layer.packed.diff_id,
                created_by: match &plan.actions[&layer.key] {
                    plan::Action::Layer(action) => format!("remint: {}", action.title),
                    plan::Action::Unpack(_) => String::new(),
                },
            })
            .collect();
        from = part.layers;
        let assembly = Assembly {
            name: &planned.name,
            platform: planned.platform,
            base: base.as_ref(),
            config: &part.config,
            layers: &own,
            epoch: part.epoch,
        };
        let whole = at + 1 == planned.parts.len();
        base = Some(if whole { image::assemble(store, &assembly)? } else { image::assemble_base(&assembly)? });
    }
    Ok(base.expect("an image has at least its own recipe"))
}

fn write_outputs(
    store: &Store,
    images: &[Image],
    arguments: &Build,
    invocation: Invocation<'_>,
) -> Result<(), Failure> {
    for wanted in &arguments.output {
        let form = match wanted.kind {
            OutputKind::Oci => OutputForm::Oci,
            OutputKind::OciArchive => OutputForm::OciArchive,
            OutputKind::DockerArchive => OutputForm::DockerArchive,
            OutputKind::Tar => OutputForm::Tar,
        };
        let output = Output { form, path: invocation.environment.cwd.join(&wanted.path) };
        output.write(store, images).map_err(|error| {
            let failure = Failure::from_error(Exit::Action, &error);
            match error {
                image::Error::ManyPlatforms { .. } => failure.hint("choose one with `--platform linux/amd64`"),
                image::Error::ManyImages { .. } => failure.hint("name one: `remint build IMAGE --output …`"),
                _ => failure,
            }
        })?;
    }
    Ok(())
}

/// An image of one platform that a build made or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: Platform,
    /// Its manifest.
    pub digest: Digest,
    /// How many bytes its manifest, configuration and layers have.
    pub size: u64,
    /// How many layers were made.
    pub built: u64,
    /// How many layers were in the store.
    pub reused: u64,
    /// How long its actions took.
    pub took: Duration,
}

impl BuiltImage {
    fn event(&self) -> Event {
        Event::ImageDone {
            name: self.name.clone(),
            platform: self.platform.to_string(),
            digest: self.digest,
            size: self.size,
            built: self.built,
            reused: self.reused,
            took: self.took,
        }
    }
}

/// The table of a build; digests are whole where the table is data, and twelve digits where a person reads it.
#[must_use]
pub fn built_table(images: &[BuiltImage], whole_digests: bool) -> Table {
    let mut table = Table::new([
        Column::prose("IMAGE"),
        Column::text("PLATFORM"),
        Column::text("DIGEST"),
        Column::number("SIZE"),
        Column::number("BUILT"),
        Column::number("REUSED"),
        Column::number("TIME"),
    ]);
    for image in images {
        table.row([
            image.name.clone(),
            image.platform.to_string(),
            if whole_digests { image.digest.to_string() } else { image.digest.short() },
            amount::size(image.size),
            image.built.to_string(),
            image.reused.to_string(),
            amount::duration(image.took),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_terminal() {
        let image = BuiltImage {
            name: "python".into(),
            platform: "linux/arm64".parse().unwrap(),
            digest: Digest::of(b""),
            size: 45_300_000,
            built: 2,
            reused: 1,
            took: Duration::from_millis(1234),
        };
        let text = built_table(std::slice::from_ref(&image), false).render(Some(80));
        assert_eq!(
            text,
            "IMAGE   PLATFORM     DIGEST           SIZE  BUILT  REUSED   TIME\n\
             python  linux/arm64  e3b0c44298fc  45.3 MB      2       1  1.2 s\n"
        );
        assert!(built_table(&[image], true).render(None).contains(&Digest::of(b"").to_string()));
    }
}

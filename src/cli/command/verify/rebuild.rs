//! The rebuild: this program once more, as a process of its own under other circumstances, its results compared as they appear.

use super::super::why::{lock_text, words};
use super::explain::{Both, explain, hints};
use super::place::Place;
use super::registry::Fetched;
use super::show::same_again;
use super::{Invocation, Way};
use crate::build::{Story, ahead, changed_since};
use crate::cli::arguments::Verify;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::session::Session;
use crate::cli::varied::{not_varied, varied};
use crate::event::{Event, Events};
use crate::image::{Image, ImageRef};
use crate::lock;
use crate::oci::Platform;
use crate::plan::{ImagePlan, Plan};
use crate::recipe::ImageName;
use crate::store::Store;
use crate::verify::rebuild::{Difference, Expected, ImageVerdict, Reference, Results, Variation, Verdict, compare};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Seeds that are chosen here are below this, so that a person can type them.
const SEEDS: u128 = 1_000_000;

/// What the file system of the rebuild's store, and of `TMPDIR`, is called where it says what was varied.
const FILE_SYSTEM: &str = "file system";

/// At most this many changes of a layer's inputs are named.
const REASONS: usize = 8;

/// Builds a reference's images again and compares them.
pub(super) fn rebuild(
    invocation: Invocation<'_>,
    session: &Session,
    arguments: &Verify,
    store: &Store,
    reference: &Reference,
    fetched: Option<&Fetched<'_>>,
    events: &Events,
) -> Result<(Verdict, Way), Failure> {
    let lock = session.lock()?.unwrap_or_default();
    if !lock::is_complete(&lock, &session.recipes, &session.project) {
        let gaps: String =
            lock::gaps(&lock, &session.recipes, &session.project).iter().map(|gap| format!("  {gap}\n")).collect();
        let message = "remint.lock does not match the recipes, so what was built cannot be built again";
        return Err(Failure::new(Exit::Recipe, message).details(gaps).hint("run `remint lock`, then `remint build`"));
    }
    let platforms = platforms(session, arguments, reference);
    let plan = session.plan(&lock, &reference.names(), &platforms, invocation.environment.epoch()?)?;
    let place = Place::for_rebuild(store, &plan)?;
    let rebuilt = place.store("store")?;
    let seed = arguments.seed.unwrap_or_else(|| u64::try_from(now().as_nanos() % SEEDS).unwrap_or(0));
    let variation = Variation::new(seed, invocation.environment.cores.get());

    let mut way = Way { seed: Some(seed), ..Way::default() };
    let said = [
        varied("threads", variation.jobs.to_string()),
        match place.elsewhere.clone() {
            Ok(how) => varied(FILE_SYSTEM, how),
            Err(why) => not_varied(FILE_SYSTEM, why),
        },
        varied("project's path and current directory", format!("below `{}`", variation.folder)),
        varied("variables", variables(&variation)),
    ];
    for event in &said {
        way.hear(event, events);
    }
    let hints = hints(invocation, &session.places.project, &place, &variation);
    let mut results = Results::new(store, &rebuilt, &plan, hints.clone());
    let names = reference.names();
    let start = Start { invocation, session, arguments, place: &place, variation: &variation };
    let mut child = start.spawn(&names, &platforms)?;
    let ended = listen(&mut child, &mut results, &mut way, events);
    ended.map_err(|failure| failure.hints(same_again(invocation.global, arguments, Some(seed))))?;
    let broken = |error: &crate::store::Error| Failure::from_error(Exit::Action, error);
    results.rest().map_err(|error| broken(&error))?;

    let mut images = Vec::new();
    for expected in &reference.images {
        let built = ImageRef { name: expected.name.clone(), platform: None };
        let found = match Image::resolve(&rebuilt, &built) {
            Ok(image) => Some(image),
            Err(crate::image::Error::NoImage { .. }) => None,
            Err(error) => return Err(Failure::from_error(Exit::Action, &error)),
        };
        way.roots.extend(found.as_ref().map(|image| (image.name.clone(), image.root.digest)));
        images.extend(compare(expected, found.as_ref(), &arguments.platform));
    }
    let lock = lock_text(&session.places.project);
    let since = (arguments.against.is_none() && fetched.is_none()).then_some(lock.as_str());
    for image in &mut images {
        add_causes(image, store, &plan, &results, since);
    }
    if since.is_some() && images.iter().any(|image| image.other_sources) {
        way.hints.push("`remint build` builds what changed, and `remint verify` proves it then".to_owned());
    }
    let client = registries::client(invocation, Some(&session.project), &arguments.registry, events)?;
    let both = Both {
        store,
        against: arguments.against.as_ref(),
        rebuilt: rebuilt.dir(),
        scratch: place.path(),
        cwd: &invocation.environment.cwd,
        client: &client,
        fetched,
    };
    explain(&mut images, &both, &hints);
    let (actions, compared, unmatched) = results.finish();
    Ok((Verdict { images, actions, compared, unmatched }, way))
}

/// The platforms to build for: those asked for, else those that the reference has; empty: all.
fn platforms(session: &Session, arguments: &Verify, reference: &Reference) -> Vec<Platform> {
    if !arguments.platform.is_empty() {
        return arguments.platform.clone();
    }
    // An index of which only some manifests are known is made of all the recipe's platforms.
    let known = |image: &Expected| matches!(image.image, Some(Ok(_))) || image.root.is_none();
    if !reference.images.iter().all(known) {
        return Vec::new();
    }
    let all: BTreeSet<&str> = reference.images.iter().flat_map(|image| image.platforms().into_keys()).collect();
    let recipes = session.recipes.iter().flat_map(|recipe| recipe.platforms.clone());
    let made: BTreeSet<String> = recipes.map(|platform| platform.to_string()).collect();
    all.into_iter().filter(|platform| made.contains(*platform)).filter_map(|platform| platform.parse().ok()).collect()
}

/// What the process of a rebuild is started with.
struct Start<'a> {
    invocation: Invocation<'a>,
    session: &'a Session,
    arguments: &'a Verify,
    place: &'a Place,
    variation: &'a Variation,
}

impl Start<'_> {
    /// Starts this program as the rebuild of images for platforms.
    fn spawn(&self, images: &BTreeSet<ImageName>, platforms: &[Platform]) -> Result<Child, Failure> {
        let cannot = |error: &std::io::Error| Failure::wrap(Exit::Action, "cannot start the rebuild", error);
        let mut command = self.command().map_err(|error| cannot(&error))?;
        command.args(images.iter().map(ImageName::as_str));
        for platform in platforms {
            command.args(["--platform", &platform.to_string()]);
        }
        command.spawn().map_err(|error| cannot(&error))
    }

    /// The command line and all that is varied from outside, and the folders that these need.
    fn command(&self) -> std::io::Result<Command> {
        let (variation, places) = (self.variation, &self.session.places);
        let folder = self.place.path().join(&variation.folder);
        let (cwd, temporary, project) = (folder.join("here"), folder.join("tmp"), folder.join("project"));
        for dir in [&cwd, &temporary] {
            std::fs::create_dir_all(dir)?;
        }
        std::os::unix::fs::symlink(std::fs::canonicalize(&places.project)?, &project)?;

        let mut command = Command::new(std::env::current_exe()?);
        command.current_dir(&cwd).stdin(Stdio::null()).stdout(Stdio::piped());
        command.env_remove("REMINT_CACHE_DIR").env("TMPDIR", temporary);
        command.envs(variation.variables.iter().map(|(name, value)| (name, value)));
        command.args(["--color", "never", "build", "--locked", "--format", "json"]);
        command.arg("--project").arg(&project).arg("--cache-dir").arg(self.place.path().join("store"));
        command.arg("--sources").arg(std::fs::canonicalize(&places.cache)?);
        command.args(["--vary", &variation.seed.to_string(), "--jobs", &variation.jobs.to_string()]);
        command.args(self.arguments.compression.map(|method| format!("--compression={method}")));
        command.args(self.arguments.offline.then_some("--offline"));
        self.reach_registries(&mut command);
        Ok(command)
    }
}

impl Start<'_> {
    /// Lets the rebuild reach registries as this process does: from another directory, and with another `HOME`.
    fn reach_registries(&self, command: &mut Command) {
        let environment = self.invocation.environment;
        let place = |path: &PathBuf| environment.cwd.join(path);
        let named =
            [("DOCKER_CONFIG", &environment.docker_config), ("REGISTRY_AUTH_FILE", &environment.registry_auth_file)];
        command.envs(named.into_iter().filter_map(|(name, path)| Some((name, place(path.as_ref()?)))));
        let options = &self.arguments.registry;
        let files = options.cacert.iter().map(|file| ("--cacert", file));
        let files = files.chain(options.authfile.iter().map(|file| ("--authfile", file)));
        for (option, path) in files.chain(environment.home.iter().map(|home| ("--home", home))) {
            command.arg(option).arg(place(path));
        }
        for host in &options.plain_http {
            command.args(["--plain-http", host]);
        }
    }
}

/// How a rebuild that failed says so, as its last line.
#[derive(serde::Deserialize)]
struct Failed {
    exit: u8,
    message: String,
    findings: Option<String>,
    details: Option<String>,
    #[serde(default)]
    causes: Vec<String>,
    #[serde(default)]
    hints: Vec<String>,
}

/// Hears a rebuild to its end, and compares each result as it appears.
fn listen(child: &mut Child, results: &mut Results<'_>, way: &mut Way, events: &Events) -> Result<(), Failure> {
    let broken = |error: &(dyn std::error::Error + 'static)| Failure::wrap(Exit::Action, "the rebuild failed", error);
    let stdout = child.stdout.take().expect("it was piped");
    let mut failed = None;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|error| broken(&error))?;
        if let Ok(event) = serde_json::from_str::<Event>(&line) {
            way.hear(&event, events);
            if let Event::ActionDone { key, .. } = event {
                results.appeared(key).map_err(|error| broken(&error))?;
            }
        } else if let Ok(failure) = serde_json::from_str::<Failed>(&line) {
            failed = Some(failure);
        }
    }
    let status = child.wait().map_err(|error| broken(&error))?;
    match failed {
        _ if status.success() => Ok(()),
        Some(failed) => {
            let exit = Exit::ALL.into_iter().find(|exit| exit.code() == failed.exit).unwrap_or(Exit::Bug);
            let mut failure = Failure::new(exit, format!("the rebuild failed: {}", failed.message));
            (failure.causes, failure.hints) = (failed.causes, failed.hints);
            failure.findings = failed.findings.map(Into::into);
            failure.details = failed.details.map(Into::into);
            Err(failure)
        }
        None => Err(Failure::new(Exit::Action, format!("the rebuild ended with {status}"))),
    }
}

impl Way {
    /// Remembers what was varied, and passes an event on.
    fn hear(&mut self, event: &Event, events: &Events) {
        if let Event::Varied { what, how, done } = event {
            let list = if *done { &mut self.varied } else { &mut self.not_varied };
            list.insert(what.clone(), how.clone());
        }
        events.send(event.clone());
    }
}

fn variables(variation: &Variation) -> String {
    let shown = ["TZ", "LC_ALL", "HOME", "USER", "CI"];
    let all = variation.variables.iter().filter(|(name, _)| shown.contains(name));
    let words: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}, TMPDIR and others", words.join(" "))
}

/// Puts in front of what differs in an image why it does: actions whose results differ, and the first layer and the configuration
/// whose inputs are not those of the build, with what changed since.
fn add_causes(image: &mut ImageVerdict, store: &Store, plan: &Plan, results: &Results<'_>, since: Option<&str>) {
    let planned = plan
        .images
        .iter()
        .find(|planned| planned.name.as_str() == image.name && image.platform == Some(planned.platform.to_string()));
    let Some(planned) = planned.filter(|_| !image.identical()) else { return };
    let mut causes = results.of_image(planned);
    if let Some(lock) = since {
        let changed = changed_since(store, plan, planned).unwrap_or_else(|| {
            // Nobody knows what it was made of; what the store has no result of is something else.
            let at = planned.layers.iter().position(|key| !results.was_there(key));
            let story = at.and_then(|at| Some((Some(at), ahead(store, plan, planned).into_iter().nth(at)?)));
            story.into_iter().collect()
        });
        image.other_sources = !changed.is_empty();
        // What lies on a layer that changed is another for that alone.
        let first = changed.iter().position(|(at, _)| at.is_some());
        let told = changed.iter().enumerate().filter(|(n, (at, _))| at.is_none() || Some(*n) == first);
        causes.extend(told.map(|(_, (at, story))| changed_inputs(planned, *at, story, lock)));
    }
    causes.append(&mut image.differences);
    image.differences = causes;
}

/// Says what a layer, or the configuration, is made of otherwise than when it was built.
fn changed_inputs(planned: &ImagePlan, at: Option<usize>, story: &Story, lock: &str) -> Difference {
    let mut notes = vec!["its inputs changed since it was built:".to_owned()];
    notes.extend(story.reasons.iter().take(REASONS).map(|reason| words(reason, lock)));
    if story.reasons.len() > REASONS {
        notes.push(format!("and {} more", story.reasons.len() - REASONS));
    }
    let what = match at {
        Some(at) => format!("layer {}, `{}`: its inputs", at + 1, story.title),
        None => "configuration: its inputs".to_owned(),
    };
    Difference { what, key: at.and_then(|at| planned.layers.get(at).copied()), notes, ..Difference::default() }
}

//! `remint publish`.

mod attachments;
mod key;
mod names;

pub(super) use key::private;

use super::Invocation;
use crate::attest::{self, Materials};
use crate::cli::amount;
use crate::cli::arguments::{Publish as Arguments, TextOrJson};
use crate::cli::ci;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::digest::Digest;
use crate::event::{Event, Events, TagMove};
use crate::image::{Image, ImageRef};
use crate::lock::{self, Lock};
use crate::plan::Plan;
use crate::publish::{Error, Published, Publisher, Survey, Target};
use crate::recipe::ImageName;
use crate::registry::{AnyDigest, Tag};
use crate::store::Store;
use attachments::{Attached, Maker};
use names::Naming;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The tag where nobody names one.
const LATEST: &str = "latest";

/// Sends images that were built, or shows what would be sent.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let session = Session::load(invocation)?;
    let to = arguments.to.as_deref().or(session.project.publish.to.as_deref()).ok_or_else(|| {
        Failure::new(Exit::Usage, "nothing says where to publish")
            .hint("name a repository: `remint publish --to registry.example/team`")
            .hint("or write it into remint.toml: `[publish]` with `to = \"registry.example/team\"`")
    })?;
    fit_for_provenance(invocation, arguments)?;
    let json = arguments.format == TextOrJson::Json;
    let reporter =
        Reporter::start(Manner::choose(invocation.global, invocation.environment, json), invocation.environment);
    let events = reporter.events();
    let Some(store) = Store::look(&session.places.cache, &events) else {
        return Err(super::no_store(&session.places.cache));
    };
    let images = built(&session, &store, &arguments.images)?;
    let lock = session.lock()?.unwrap_or_default();
    let lock_text = std::fs::read(session.lock_path()).ok();
    let lock_digest = lock_text.as_deref().map(Digest::of);
    let tags = match (&arguments.tag[..], &session.project.publish.tags[..]) {
        ([], []) => vec![LATEST.to_owned()],
        ([], tags) | (tags, _) => tags.to_vec(),
    };
    let naming = Naming::new(&session, to, &tags, lock_digest.map(|digest| digest.hex()).as_deref());
    let key = arguments.sign_key.as_deref().map(|place| private(invocation, place)).transpose()?;
    let client = registries::client(invocation, Some(&session.project), &arguments.registry, &events)?;
    let parallel = arguments.jobs.map_or(1, std::num::NonZeroUsize::get);
    let publisher = Publisher::new(&client, &store, &events, parallel);
    let mut targets = Vec::with_capacity(images.len());
    for image in &images {
        let (repository, tags) = naming.of(image)?;
        publisher.sibling(&repository, image);
        targets.push(Target { image, repository, tags, immutable: arguments.immutable });
    }
    if arguments.dry_run {
        return dry_run(&publisher, &targets, json, reporter, &events);
    }
    let plan = if arguments.no_attachments { Plan::default() } else { plan(invocation, &session, &images, &lock)? };
    let recipes = recipe_digests(&session);
    let materials = Materials { recipes: &recipes, lock: &lock, lock_digest: lock_digest.unwrap_or(Digest::of(b"")) };
    let maker = Maker { store: &store, recipes: &session.recipes, plan: &plan, materials, key: key.as_ref() };
    let begun = now().as_secs();
    let mut published = Vec::new();
    let mut failed = None;
    for target in &targets {
        let result = attach(&maker, target, begun, invocation, arguments)
            .and_then(|attached| publish(&publisher, target, &attached));
        match result {
            Ok(one) => {
                events.send(event(target.image.name.as_str(), &one));
                published.push((target.image.name.to_string(), one));
            }
            Err(error) => {
                failed = Some((target, error));
                break;
            }
        }
    }
    let _ = reporter.finish();
    let lines: String = published.iter().map(|(_, one)| format!("{}@{}\n", one.repository, one.digest)).collect();
    let mut shown = Ok(());
    if !json {
        shown = screen::data(&lines);
        if !invocation.global.quiet && !published.is_empty() {
            screen::talk(&table(&published).render(invocation.environment.stderr.width));
        }
    }
    match failed {
        None => {
            // After the names are shown: what was published is not lost with a file that cannot be written.
            if let Some(path) = &arguments.digest_file {
                write_digests(&invocation.environment.cwd.join(path), &lines)?;
            }
            shown?;
            Ok(Exit::Done)
        }
        Some((target, error)) => Err(refused(target, &error, targets.len() - published.len() - 1)),
    }
}

/// Refuses what cannot stand in provenance, before anything is sent.
fn fit_for_provenance(invocation: Invocation<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let environment = invocation.environment;
    let builder = arguments.builder_id.as_ref().or(environment.builder_id.as_ref());
    ci::fit("`--builder-id` or `REMINT_BUILDER_ID`", builder)?;
    let run = arguments.invocation_id.as_ref().or(environment.invocation_id.as_ref());
    ci::fit("`--invocation-id` or `REMINT_INVOCATION_ID`", run)
}

/// Keeps the names for later steps.
fn write_digests(path: &Path, lines: &str) -> Result<(), Failure> {
    std::fs::write(path, lines).map_err(|error| {
        let message = format!("everything was published, but the digests cannot be written to `{}`", path.display());
        Failure::wrap(Exit::Action, message, &error).hint(
            "they were printed; the same command sends nothing again, and writes them where `--digest-file` can be",
        )
    })
}

/// The images to publish, what others start from before them.
fn built(session: &Session, store: &Store, named: &[String]) -> Result<Vec<Image>, Failure> {
    let wanted = session.choose(named)?;
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::from_error(Exit::No, error);
    let there: BTreeSet<String> = store
        .index()
        .map_err(|error| failed(&error))?
        .iter()
        .filter_map(|entry| entry.name().map(str::to_owned))
        .collect();
    let mut images = Vec::new();
    for recipe in session.recipes.bases_first() {
        let known = there.contains(recipe.name.as_str());
        if !wanted.contains(&recipe.name) || named.is_empty() && !known {
            continue;
        }
        let reference = ImageRef { name: recipe.name.clone(), platform: None };
        let build = format!("build it first: `remint build {}`", recipe.name);
        images.push(Image::resolve(store, &reference).map_err(|error| failed(&error).hint(build))?);
    }
    if images.is_empty() {
        return Err(Failure::new(Exit::No, "none of the project's images was built").hint("`remint build` builds them"));
    }
    Ok(images)
}

/// Plans the images anew, since a plan knows where layers come from.
fn plan(invocation: Invocation<'_>, session: &Session, images: &[Image], lock: &Lock) -> Result<Plan, Failure> {
    if !lock::is_complete(lock, &session.recipes, &session.project) {
        let gaps: String =
            lock::gaps(lock, &session.recipes, &session.project).iter().map(|gap| format!("  {gap}\n")).collect();
        let message = "remint.lock does not match the recipes, so it does not say what the images are made of";
        return Err(Failure::new(Exit::Recipe, message)
            .details(gaps)
            .hint("run `remint lock`, then `remint build`")
            .hint("or attach nothing: `--no-attachments`"));
    }
    let names: BTreeSet<ImageName> = images.iter().map(|image| image.name.clone()).collect();
    session.plan(lock, &names, &[], invocation.environment.epoch()?)
}

/// The digests of the recipes' files.
pub(in crate::cli::command) fn recipe_digests(session: &Session) -> BTreeMap<ImageName, Digest> {
    let digest = |name: &ImageName| {
        let file = session.recipes.file(name.as_str())?;
        Some(Digest::of(&std::fs::read(session.places.project.join(file)).ok()?))
    };
    session.recipes.iter().filter_map(|recipe| Some((recipe.name.clone(), digest(&recipe.name)?))).collect()
}

fn attach(
    maker: &Maker<'_>,
    target: &Target<'_>,
    begun: u64,
    invocation: Invocation<'_>,
    arguments: &Arguments,
) -> Result<Vec<Attached>, Error> {
    let builder = arguments.builder_id.clone().or_else(|| invocation.environment.builder_id.clone());
    let run = attest::Invocation {
        id: arguments.invocation_id.clone().or_else(|| invocation.environment.invocation_id.clone()),
        started: begun,
        finished: now().as_secs(),
        builder: builder.unwrap_or_else(|| "urn:remint:builder:unnamed".to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: vec!["remint".to_owned(), "publish".to_owned(), target.image.name.to_string()],
        circumstances: BTreeMap::new(),
    };
    Ok(maker.make(target.image, &target.repository.to_string(), &run, !arguments.no_attachments)?)
}

/// Publishes an image, and what is attached to its platforms and to the whole, before its tags.
fn publish(publisher: &Publisher<'_>, target: &Target<'_>, attached: &[Attached]) -> Result<Published, Error> {
    let all: Vec<_> = attached.iter().map(|one| (one.subject, &one.always[..], &one.once[..])).collect();
    publisher.publish(target, &all)
}

fn event(name: &str, one: &Published) -> Event {
    Event::ImagePublished {
        name: name.to_owned(),
        reference: format!("{}@{}", one.repository, one.digest),
        tags: one.tags.iter().map(|(tag, _)| tag.to_string()).collect(),
        sent: one.sent.0,
        sent_bytes: one.sent.1,
        mounted: one.mounted,
        there: one.there,
        attached: one.attached,
    }
}

fn table(published: &[(String, Published)]) -> Table {
    let mut table = Table::new([
        Column::prose("IMAGE"),
        Column::prose("TAGS"),
        Column::number("SENT"),
        Column::number("BYTES"),
        Column::number("MOUNTED"),
        Column::number("THERE"),
        Column::number("ATTACHED"),
    ]);
    for (name, one) in published {
        let tags: Vec<&str> = one.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        table.row([
            name.clone(),
            tags.join(" "),
            one.sent.0.to_string(),
            amount::size(one.sent.1),
            one.mounted.to_string(),
            one.there.to_string(),
            one.attached.to_string(),
        ]);
    }
    table
}

/// Shows what would be sent, and changes nothing.
fn dry_run(
    publisher: &Publisher<'_>,
    targets: &[Target<'_>],
    json: bool,
    reporter: Reporter,
    events: &Events,
) -> Result<Exit, Failure> {
    let mut table = Table::new([
        Column::prose("IMAGE"),
        Column::prose("TO"),
        Column::prose("TAGS"),
        Column::number("TO SEND"),
        Column::number("BYTES"),
        Column::number("THERE"),
    ]);
    for target in targets {
        let Survey { tags, missing, there, .. } =
            publisher.survey(target).map_err(|error| refused(target, &error, 0))?;
        let bytes = missing.iter().map(|blob| blob.size).sum();
        let ours = target.image.root.digest.into();
        if json {
            let moved = |(tag, now): &(Tag, Option<AnyDigest>)| TagMove {
                tag: tag.to_string(),
                from: now.as_ref().map(ToString::to_string),
                to: target.image.root.digest.to_string(),
            };
            events.send(Event::PublishPlanned {
                name: target.image.name.to_string(),
                repository: target.repository.to_string(),
                digest: target.image.root.digest,
                tags: tags.iter().map(moved).collect(),
                blobs: missing.len() as u64,
                bytes,
                there,
            });
        }
        let tags = tags.iter().map(|(tag, now)| match now {
            None => format!("{tag} (new)"),
            Some(now) if *now == ours => tag.to_string(),
            Some(_) => format!("{tag} (moves)"),
        });
        table.row([
            target.image.name.to_string(),
            target.repository.to_string(),
            tags.collect::<Vec<_>>().join(" "),
            missing.len().to_string(),
            amount::size(bytes),
            there.to_string(),
        ]);
    }
    let _ = reporter.finish();
    if !json {
        screen::data(&table.render(None))?;
    }
    Ok(Exit::Done)
}

/// Says what failed; nothing of the image was named there.
fn refused(target: &Target<'_>, error: &Error, left: usize) -> Failure {
    let exit = match error {
        Error::Taken(_) => Exit::No,
        Error::Store(_) => Exit::Action,
        Error::Attest(_) => Exit::Recipe,
        Error::Registry(_) | Error::Name(_) => Exit::Registry,
    };
    let message = format!("cannot publish `{}` to `{}`", target.image.name, target.repository);
    let failure = Failure::wrap(exit, message, error);
    let failure = failure.hints(error.hint());
    if left == 0 { failure } else { failure.hint(format!("not begun: {}", amount::count(left as u64, "image"))) }
}

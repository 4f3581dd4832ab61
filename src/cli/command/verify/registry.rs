//! `remint verify REF`: what a registry holds, against what this project's recipes and lock give.

use super::super::publish::private;
use super::place::Place;
use super::{
    Invocation, Way, expect_all, expect_platforms, of_store, quick_against, rebuild, refused, reporter, reports, show,
    sources, vouch,
};
use crate::attest::{PrivateKey, Rebuild, Subject, rebuild as statement, sign_bundle};
use crate::cli::arguments::Verify;
use crate::cli::ci;
use crate::cli::command::build::override_compression;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registries;
use crate::cli::session::Session;
use crate::digest::Digest;
use crate::event::Events;
use crate::oci::Platform;
use crate::publish::{Names, Publisher};
use crate::recipe::ImageName;
use crate::registry::{Client, Reference as Remote};
use crate::store::Store;
use crate::verify::rebuild::{Expected, Reference, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Images of registries whose documents were fetched.
pub(super) struct Fetched<'a> {
    /// What reaches the registries.
    pub(super) client: &'a Client,
    /// Where the documents are, under the names of the recipes.
    pub(super) scratch: &'a Store,
    /// Where the images are.
    pub(super) references: BTreeMap<ImageName, Remote>,
}

/// Whether a text is where an image is in a registry, and not its name here; the platform of one has a slash as well.
pub(super) fn is_remote(text: &str) -> bool {
    text.split('@').next().is_some_and(|name| name.contains('/'))
}

/// The references that the command line names; `None`: it names none.
pub(super) fn references(arguments: &Verify) -> Result<Option<Vec<Remote>>, Failure> {
    let of_registries = arguments.images.iter().filter(|text| is_remote(text)).count();
    let vouch = &arguments.vouch;
    if of_registries == 0 {
        if vouch.recipe.is_some() || !vouch.key.is_empty() || vouch.attest {
            return Err(Failure::new(Exit::Usage, "`--as`, `--key` and `--attest` are for an image in a registry")
                .hint("name it: `remint verify registry.example/team/web:1`"));
        }
        return Ok(None);
    }
    let wrong = |message: &str| Err(Failure::new(Exit::Usage, message));
    if of_registries < arguments.images.len() {
        return wrong("images of the store and images in registries cannot be verified together");
    }
    if arguments.against.is_some() {
        return wrong("`--against` and an image in a registry cannot go together: each says what should come out");
    }
    if vouch.recipe.is_some() && of_registries > 1 {
        return wrong("`--as` names the recipe of one image, and several are given");
    }
    let parse = |text: &String| {
        let text = text.strip_prefix("docker://").unwrap_or(text);
        text.parse().map_err(|error| {
            let failure = Failure::from_error(Exit::Usage, &error);
            let Some((name, platform)) = text.split_once('@') else { return failure };
            let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
            let name = if tagged { name.to_owned() } else { format!("{name}:latest") };
            match (name.parse::<Remote>(), platform.parse::<Platform>()) {
                (Ok(_), Ok(_)) => failure.hint(format!("a platform stands apart: `{name} --platform {platform}`")),
                _ => failure,
            }
        })
    };
    arguments.images.iter().map(parse).collect::<Result<_, _>>().map(Some)
}

/// Verifies images in registries.
pub(super) fn run(
    invocation: Invocation<'_>,
    arguments: &Verify,
    references: Vec<Remote>,
    began: Instant,
) -> Result<Exit, Failure> {
    let keys = vouch::keys(invocation, &arguments.vouch)?;
    if !keys.is_empty() && (arguments.quick || arguments.vouch.require_rebuilds.is_some()) {
        return only_attached(invocation, arguments, &references, &keys, began);
    }
    let signing = arguments.vouch.sign_key.as_deref().map(|place| private(invocation, place)).transpose()?;
    let who = arguments.vouch.rebuilder_id.clone().or_else(|| invocation.environment.builder_id.clone());
    if signing.is_some() {
        ci::fit("`--rebuilder-id` or `REMINT_BUILDER_ID`", who.as_ref())?;
    }
    let mut session = Session::load(invocation)?;
    let references = pick(&session, arguments, references)?;
    override_compression(&mut session, arguments.compression);
    let reporter = reporter(invocation);
    let events = reporter.events();
    let client = registries::client(invocation, Some(&session.project), &arguments.registry, &events)?;
    let store = Store::open(&session.places.cache).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let place = Place::for_documents(&store)?;
    let scratch = place.store("registry")?;
    let fetched = Fetched { client: &client, scratch: &scratch, references };
    let mut images = Vec::new();
    for (name, remote) in &fetched.references {
        images.push(Expected::from_registry(&client, remote, name, &scratch).map_err(|error| refused(&error))?);
    }
    let reference = Reference { images, ..Reference::default() };
    expect_platforms(arguments, &reference)?;
    let mut way = Way::default();
    if !keys.is_empty() {
        for (name, remote) in &fetched.references {
            let image = reference.images.iter().find(|image| image.name == *name);
            let Some(image) = image else { continue };
            vouch::check(&client, remote, image, &scratch, &keys, &arguments.vouch, &mut way.trust)?;
        }
        if way.trust.refusal.is_some() {
            // What nobody vouches for is not worth a build.
            way.uncompared = true;
            let _ = reporter.finish();
            return show::show(invocation, arguments, &vouch::verdict(&way.trust), &way, began);
        }
    }
    let names = reference.names();
    let lock = std::fs::read(session.lock_path()).ok().map(|bytes| Digest::of(&bytes));
    let epoch = invocation.environment.epoch()?;
    if arguments.quick {
        let old = place.store("built")?;
        let built = Reference::from_layout(store.dir(), &names, &old).map_err(|error| of_store(&error))?;
        let named = Verify { images: names.iter().map(ToString::to_string).collect(), ..arguments.clone() };
        expect_all(&named, &built, &names, &session)?;
        let mut verdict = quick_against(&store, &built, &reference, arguments);
        way.hints = sources::explain(&mut verdict, &fetched, &session, lock, epoch);
        let _ = reporter.finish();
        return show::show(invocation, arguments, &verdict, &way, began);
    }
    let (mut verdict, rebuilt) =
        rebuild::rebuild(invocation, &session, arguments, &store, &reference, Some(&fetched), &events)
            .map_err(|failure| reports::failed(invocation, arguments, &reference, failure, began))?;
    let hints = sources::explain(&mut verdict, &fetched, &session, lock, epoch);
    let mut way = Way { trust: way.trust, hints, ..rebuilt };
    if let (Some(key), Some(seed)) = (&signing, way.seed)
        && identical(&verdict, &reference, &way)
    {
        let lock = lock.unwrap_or_else(|| Digest::of(b""));
        let who = who.unwrap_or_else(|| "urn:remint:rebuilder:unnamed".to_owned());
        let attester = Attester { key, lock, who, seed };
        way.attested = attester.attest(&fetched, &store, &reference, &events)?;
    }
    let _ = reporter.finish();
    show::show(invocation, arguments, &verdict, &way, began)
}

/// Checks what is attached, and builds nothing: neither recipes nor a lock are needed.
fn only_attached(
    invocation: Invocation<'_>,
    arguments: &Verify,
    references: &[Remote],
    keys: &[vouch::Key],
    began: Instant,
) -> Result<Exit, Failure> {
    let project = Session::settings(invocation)?;
    let reporter = reporter(invocation);
    let client = registries::client(invocation, project.as_ref(), &arguments.registry, &reporter.events())?;
    let mut way = Way { uncompared: true, ..Way::default() };
    for remote in references {
        // Another image of the same name may be among them.
        let place = Place::alone()?;
        let scratch = place.store("registry")?;
        let name = ImageName::parse(last(remote)).or_else(|| ImageName::parse("image")).expect("a word is a name");
        let image = Expected::from_registry(&client, remote, &name, &scratch).map_err(|error| refused(&error))?;
        vouch::check(&client, remote, &image, &scratch, keys, &arguments.vouch, &mut way.trust)?;
    }
    let _ = reporter.finish();
    show::show(invocation, arguments, &vouch::verdict(&way.trust), &way, began)
}

/// The last part of a repository's name.
fn last(remote: &Remote) -> &str {
    let name = remote.repository.name();
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

/// The recipe of each image.
fn pick(
    session: &Session,
    arguments: &Verify,
    references: Vec<Remote>,
) -> Result<BTreeMap<ImageName, Remote>, Failure> {
    let mut all = BTreeMap::new();
    for remote in references {
        let name = match &arguments.vouch.recipe {
            Some(name) => session.choose(std::slice::from_ref(name))?.pop_first(),
            None => published(session, &remote).or_else(|| {
                let name = last(&remote);
                session.recipes.iter().find(|recipe| recipe.name.as_str() == name).map(|recipe| recipe.name.clone())
            }),
        };
        let Some(name) = name else {
            let names: Vec<&str> = session.recipes.iter().map(|recipe| recipe.name.as_str()).collect();
            return Err(Failure::new(Exit::Usage, format!("no recipe is known to make `{remote}`"))
                .hint("say which: `--as IMAGE`")
                .hint(format!("the recipes are `{}`", names.join("`, `"))));
        };
        if let Some(other) = all.insert(name.clone(), remote.clone()) {
            let message = format!("`{other}` and `{remote}` are both of the recipe `{name}`");
            return Err(Failure::new(Exit::Usage, message).hint("verify them one after the other"));
        }
    }
    Ok(all)
}

/// The recipe that `remint publish` sends to a repository.
fn published(session: &Session, remote: &Remote) -> Option<ImageName> {
    let to = session.project.publish.to.as_deref()?;
    let goes_there = |name: &ImageName| {
        let names = Names { recipe: name.as_str(), date: "", lock: None, git: None };
        names.repository(to).is_ok_and(|repository| repository == remote.repository)
    };
    session.recipes.iter().map(|recipe| &recipe.name).find(|name| goes_there(name)).cloned()
}

/// Whether each image came out as the registry has it, as a whole.
fn identical(verdict: &Verdict, reference: &Reference, way: &Way) -> bool {
    let same = |image: &Expected| image.root.is_some() && way.roots.get(&image.name).copied() == image.root;
    verdict.identical() && reference.images.iter().all(same)
}

/// Who says that images were rebuilt, and from what.
struct Attester<'a> {
    key: &'a PrivateKey,
    lock: Digest,
    who: String,
    seed: u64,
}

impl Attester<'_> {
    /// Attaches to each image that it was rebuilt; gives the images.
    fn attest(
        &self,
        fetched: &Fetched<'_>,
        store: &Store,
        reference: &Reference,
        events: &Events,
    ) -> Result<BTreeSet<String>, Failure> {
        let publisher = Publisher::new(fetched.client, store, events, 1);
        let mut attested = BTreeSet::new();
        for image in &reference.images {
            let (Some(Ok(found)), Some(remote)) = (&image.image, fetched.references.get(&image.name)) else { continue };
            let created = found.platforms[0].document["created"].as_str().map(str::to_owned);
            let subject = Subject { media_type: found.media_type().to_owned(), blob: found.root, created };
            let said = statement(&Rebuild {
                image: found.root.digest,
                rebuilder: self.who.clone(),
                lock: self.lock,
                seed: self.seed,
                identical: true,
            });
            let bundle = sign_bundle(&subject, &said, self.key);
            publisher.attach(&remote.repository, found.root, &[bundle]).map_err(|error| {
                let message = format!("`{remote}` is identical, and that could not be attached to it");
                let failure = Failure::wrap(Exit::Registry, message, &error);
                failure.hints(error.hint())
            })?;
            attested.insert(remote.to_string());
        }
        Ok(attested)
    }
}

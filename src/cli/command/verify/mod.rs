//! `remint verify`.

mod explain;
mod orphans;
mod place;
mod rebuild;
mod registry;
mod reports;
mod room;
mod show;
mod sources;
mod vouch;

use super::Invocation;
use super::build::override_compression;
use super::unopened::unopened;
use crate::cli::arguments::{Against, Verify};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, TORN_INDEX};
use crate::cli::report::{Manner, Reporter};
use crate::cli::session::Session;
use crate::digest::Digest;
use crate::recipe::ImageName;
use crate::registry::clean;
use crate::store::Store;
use crate::verify::rebuild::{
    Difference, Error, Expected, ImageVerdict, Reference, Verdict, compare_digests, recompute,
};
use orphans::Orphans;
use place::Place;
pub(super) use show::{about_run, write_file};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// At most this many images are named that are there where another is not.
const NAMED: usize = 10;

/// How a verdict was come to.
#[derive(Debug, Default)]
struct Way {
    /// The seed of the rebuild; `None`: nothing was built.
    seed: Option<u64>,
    /// What was varied, and to what.
    varied: BTreeMap<String, String>,
    /// What was not, and why not.
    not_varied: BTreeMap<String, String>,
    /// What came out, as a whole.
    roots: BTreeMap<ImageName, Digest>,
    /// Whether nothing was compared.
    uncompared: bool,
    /// Who vouches for images in registries.
    trust: vouch::Trust,
    /// What helps where images were made from something else.
    hints: Vec<String>,
    /// What was not verified, and is not this project's to verify.
    passed: Vec<String>,
    /// The images to which it was attached that they were rebuilt.
    attested: BTreeSet<String>,
}

/// Builds images again and compares them, or recomputes their digests.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Verify) -> Result<Exit, Failure> {
    let began = Instant::now();
    reports::check(invocation, arguments)?;
    if let Some(references) = registry::references(arguments)? {
        return registry::run(invocation, arguments, references, began);
    }
    let mut session = Session::load(invocation)?;
    let named = session.choose(&arguments.images);
    // Digests are checked without recipes.
    let by_recipe = !arguments.quick || arguments.against.is_some();
    if by_recipe && let Err(failure) = &named {
        return Err(failure.clone());
    }
    override_compression(&mut session, arguments.compression);
    if !session.places.cache.is_dir() && arguments.against.is_none() {
        let message = format!("there is no store yet in `{}`", session.places.cache.display());
        return Err(Failure::new(Exit::No, message).hint("`remint build` fills it"));
    }
    let store = Store::open(&session.places.cache).map_err(|error| Failure::from_error(Exit::Action, &error))?;
    let place = Place::for_documents(&store)?;
    let scratch = place.store("reference")?;
    let orphans = match &arguments.against {
        None => Orphans::find(&session, &store, &scratch)?,
        Some(_) => Orphans::default(),
    };
    let named = if by_recipe { named? } else { orphans.choose(&session, &arguments.images)? };
    let built = Reference::from_layout(store.dir(), &named, &scratch).map_err(|error| of_store(&error))?;
    let mut beside = Vec::new();
    let reference = match &arguments.against {
        None => built,
        Some(against) => {
            let other = place.store("against")?;
            let reference = against_what(invocation, &session, against, &named, &other)?;
            if arguments.images.is_empty() {
                beside = orphans::beside(&reference, against);
            }
            if arguments.quick {
                expect_all(arguments, &reference, &named, &session)?;
                expect_platforms(arguments, &reference)?;
                let built = built.only(&reference.names());
                let verdict = quick_against(&store, &built, &reference, arguments);
                let way = Way { passed: beside, ..Way::default() };
                return show::show(invocation, arguments, &verdict, &way, began);
            }
            reference
        }
    };
    if arguments.quick {
        expect_all(arguments, &reference, &named, &session)?;
        expect_platforms(arguments, &reference)?;
        let mut images = only_platforms(recompute(&store, &reference.images), arguments);
        orphans.explain(&mut images);
        let verdict = Verdict { images, ..Verdict::default() };
        return show::show(invocation, arguments, &verdict, &Way::default(), began);
    }
    let (untold, passed) = if arguments.images.is_empty() {
        orphans.untold(&store, &scratch, arguments)?
    } else {
        (Vec::new(), Vec::new())
    };
    let (mut verdict, mut way) = if reference.images.is_empty() && !untold.is_empty() {
        (Verdict::default(), Way::default())
    } else {
        expect_all(arguments, &reference, &named, &session)?;
        expect_platforms(arguments, &reference)?;
        let reporter = reporter(invocation);
        let rebuilt = rebuild::rebuild(invocation, &session, arguments, &store, &reference, None, &reporter.events());
        let _ = reporter.finish();
        rebuilt.map_err(|failure| reports::failed(invocation, arguments, &reference, failure, began))?
    };
    way.hints.extend((!untold.is_empty()).then(|| orphans::HINT.to_owned()));
    verdict.images.extend(untold);
    way.passed = passed;
    way.passed.extend(beside);
    show::show(invocation, arguments, &verdict, &way, began)
}

/// What shows a run; the verdict is printed once it is over.
fn reporter(invocation: Invocation<'_>) -> Reporter {
    Reporter::start(Manner::choose(invocation.global, invocation.environment, false), invocation.environment)
}

/// Reads what `--against` names.
fn against_what(
    invocation: Invocation<'_>,
    session: &Session,
    against: &Against,
    named: &BTreeSet<ImageName>,
    scratch: &Store,
) -> Result<Reference, Failure> {
    // What the command line names and is not there is the command line's fault.
    let refused = |error: &Error| match error {
        Error::Io { .. } => Failure::from_error(Exit::Usage, error),
        _ => refused(error),
    };
    match against {
        Against::Layout(path) => {
            let path = invocation.environment.cwd.join(path);
            Reference::from_layout(&path, named, scratch).map_err(|error| refused(&error))
        }
        Against::DockerArchive(path) => {
            let path = invocation.environment.cwd.join(path);
            Reference::from_docker(&path, named).map_err(|error| unopened(&error))
        }
        Against::Digests(path) => {
            let shown = path.display();
            let path = invocation.environment.cwd.join(path);
            if path.is_dir() {
                let message = format!("`{shown}` is a directory, and a file of digests is expected");
                let hint = format!("if it is an OCI image layout: `--against oci:{shown}`");
                return Err(Failure::new(Exit::Usage, message).hint(hint));
            }
            let reference = Reference::from_digests(&path).map_err(|error| refused(&error))?;
            let names: Vec<String> = reference.names().iter().map(ToString::to_string).collect();
            if !names.is_empty() {
                // A name that no recipe has would otherwise pass for verified.
                session.choose(&names)?;
            }
            Ok(reference.only(named))
        }
    }
}

/// Fails where an image that was named, or every image, has nothing to be compared with.
fn expect_all(
    arguments: &Verify,
    reference: &Reference,
    named: &BTreeSet<ImageName>,
    session: &Session,
) -> Result<(), Failure> {
    let there = reference.names();
    let missing = named.iter().find(|name| !there.contains(*name)).filter(|_| !arguments.images.is_empty());
    if missing.is_none() && !there.is_empty() {
        return Ok(());
    }
    if let Some(against) = &arguments.against {
        let message = match missing {
            Some(name) => format!("`{against}` does not have `{name}`"),
            None => format!("`{against}` has none of the images"),
        };
        let there = there.iter().map(ImageName::as_str).chain(reference.others.iter().map(String::as_str));
        let there: Vec<String> = there.take(NAMED).map(|name| format!("`{}`", clean(name))).collect();
        let it_has = if there.is_empty() { "no image at all".to_owned() } else { there.join(", ") };
        return Err(Failure::new(Exit::No, message).hint(format!("it has {it_has}")));
    }
    let (message, hint) = match missing {
        Some(name) => (format!("`{name}` was not built yet"), format!("`remint build {name}` builds it")),
        None => {
            let cache = session.places.cache.display();
            (format!("nothing was built yet in `{cache}`"), "`remint build` builds all images".to_owned())
        }
    };
    Err(Failure::new(Exit::No, format!("{message}, so there is nothing to compare with")).hint(hint))
}

/// Fails where a platform that was asked for, or an image that was named, leaves nothing to compare.
fn expect_platforms(arguments: &Verify, reference: &Reference) -> Result<(), Failure> {
    let wanted: Vec<String> = arguments.platform.iter().map(ToString::to_string).collect();
    // Of which only the whole is known, any platform may be asked for.
    let lacks = |image: &Expected, platform: &String| {
        let known = image.platforms();
        !known.is_empty() && !known.contains_key(&**platform)
    };
    let nowhere = wanted.iter().find(|platform| reference.images.iter().all(|image| lacks(image, platform)));
    let without = |image: &&Expected| !wanted.is_empty() && wanted.iter().all(|platform| lacks(image, platform));
    let message = match (nowhere, reference.images.iter().find(without)) {
        (Some(platform), _) => format!("no image is there for {platform}, so there is nothing to compare with"),
        (None, Some(image)) if !arguments.images.is_empty() => {
            format!("`{}` is not there for {}, so there is nothing to compare with", image.name, wanted.join(" or "))
        }
        _ => return Ok(()),
    };
    let there = reference.images.iter().map(|image| {
        let platforms: Vec<&str> = image.platforms().into_keys().collect();
        format!("`{}` for {}", image.name, platforms.join(" and "))
    });
    let there: Vec<String> = there.collect();
    Err(Failure::new(Exit::Usage, message).hint(format!("there is {}", there.join(", "))))
}

/// Recomputes the digests of what the store holds, and compares them with those of a reference.
fn quick_against(store: &Store, built: &Reference, reference: &Reference, arguments: &Verify) -> Verdict {
    let mut images = recompute(store, &built.images);
    for expected in &reference.images {
        let image =
            built.images.iter().find(|image| image.name == expected.name).and_then(|image| image.image.as_ref());
        if built.images.iter().all(|image| image.name != expected.name) {
            let note = format!("it is not in the store: `remint build {}` builds it", expected.name);
            images.extend(each(expected, |_| Difference::note("the image", note.clone())));
        }
        if let Some(Ok(image)) = image {
            for mut verdict in compare_digests(expected, image) {
                if let (None, Some(platform)) = (verdict.found, &verdict.platform) {
                    let name = &expected.name;
                    let note = format!("it is not in the store for {platform}: `remint build {name}` builds it");
                    verdict.differences = vec![Difference::note("the image", note)];
                }
                match images.iter_mut().find(|there| there.name == verdict.name && there.platform == verdict.platform) {
                    Some(there) => {
                        there.expected = verdict.expected;
                        there.differences.extend(verdict.differences);
                    }
                    None => images.push(verdict),
                }
            }
        }
    }
    Verdict { images: only_platforms(images, arguments), ..Verdict::default() }
}

/// Tells the same of each platform that an image should be there for, or of the whole where these are not known.
fn each(expected: &Expected, difference: impl Fn(Option<Digest>) -> Difference) -> Vec<ImageVerdict> {
    let verdict = |platform: Option<&str>, digest| ImageVerdict {
        name: expected.name.to_string(),
        platform: platform.map(str::to_owned),
        expected: digest,
        differences: vec![difference(digest)],
        ..ImageVerdict::default()
    };
    let platforms = expected.platforms();
    if platforms.is_empty() {
        return vec![verdict(None, expected.root)];
    }
    platforms.into_iter().map(|(platform, digest)| verdict(Some(platform), Some(digest))).collect()
}

fn only_platforms(mut images: Vec<ImageVerdict>, arguments: &Verify) -> Vec<ImageVerdict> {
    let wanted: Vec<String> = arguments.platform.iter().map(ToString::to_string).collect();
    images
        .retain(|image| wanted.is_empty() || image.platform.as_ref().is_none_or(|platform| wanted.contains(platform)));
    images
}

/// What keeps the store's own images from being read.
fn of_store(error: &Error) -> Failure {
    match error {
        Error::NoLayout { .. } => Failure::from_error(Exit::No, error).hint(TORN_INDEX),
        _ => refused(error),
    }
}

fn refused(error: &Error) -> Failure {
    if let Error::Archive(error) = error {
        return unopened(error);
    }
    let exit = match error {
        Error::Line { .. } | Error::Twice { .. } | Error::NoLayout { .. } | Error::NoTag { .. } => Exit::Usage,
        Error::Io { .. } | Error::Store(_) => Exit::Action,
        Error::Registry(_) => Exit::Registry,
        Error::NotThere { .. } => Exit::No,
        // An image that cannot be read is no answer.
        _ => Exit::Source,
    };
    let failure = Failure::from_error(exit, error);
    match error {
        Error::NoTag { reference } => failure.hint(format!("name one, such as `{reference}:latest`")),
        Error::Registry(error) => failure.hints(error.hint()),
        _ => failure,
    }
}

//! `remint sbom`.

use super::Invocation;
use crate::attest::{self, Bill, BillFormat, Trace};
use crate::cli::arguments::{Sbom, SbomFormat};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::screen;
use crate::cli::session::Session;
use crate::event::Events;
use crate::image::{self, Image, ImageRef};
use crate::lock;
use crate::plan::Plan;
use crate::store::Store;

/// Writes what an image is made of.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Sbom) -> Result<Exit, Failure> {
    let places = invocation.places()?;
    let reference: ImageRef =
        arguments.image.parse().map_err(|error: image::ImageRefError| Failure::from_error(Exit::Usage, &error))?;
    let Some(store) = Store::look(&places.cache, &Events::none()) else { return Err(super::no_store(&places.cache)) };
    let build = format!("build it first: `remint build {}`", reference.name);
    let image =
        Image::resolve(&store, &reference).map_err(|error| Failure::from_error(Exit::No, &error).hint(&build))?;
    if let (true, Some(only)) = (arguments.output.is_some() && image.platforms.len() > 1, image.platforms.first()) {
        let message = format!("`--output` holds one document, and image `{}` has one for each platform", image.name);
        let hint = format!("name the platform: `{}@{}`", image.name, only.platform);
        return Err(Failure::new(Exit::Usage, message).hint(hint));
    }
    let session = Session::load(invocation)?;
    let plan = plan(invocation, &session, &image)?;
    let format = match arguments.format {
        SbomFormat::Spdx => BillFormat::Spdx,
        SbomFormat::CycloneDx => BillFormat::CycloneDx,
    };
    let mut documents = Vec::with_capacity(image.platforms.len());
    for one in &image.platforms {
        let planned = plan.images.iter().find(|planned| planned.platform == one.platform);
        let Some(planned) = planned else {
            let message = format!("recipe `{}` is not for {} any more", image.name, one.platform);
            return Err(Failure::new(Exit::Recipe, message).hint(&build));
        };
        let trace = Trace::of(&plan, planned, &session.recipes);
        trace.check(&store, one).map_err(|error| wrong(&error).hint(&build))?;
        documents.push(Bill::read(&store, one, &trace).map_err(|error| wrong(&error))?.write(format));
    }
    match &arguments.output {
        None => {
            // One document is the bytes that are attached and that `--output` writes; only between several is a line's end.
            screen::data(&String::from_utf8(documents.join(&b'\n')).expect("JSON is UTF-8"))?;
        }
        Some(path) => {
            let path = invocation.environment.cwd.join(path);
            let message = || format!("cannot write `{}`", path.display());
            std::fs::write(&path, documents.concat()).map_err(|error| Failure::wrap(Exit::No, message(), &error))?;
        }
    }
    Ok(Exit::Done)
}

/// Plans the image anew, since a plan knows where layers come from.
fn plan(invocation: Invocation<'_>, session: &Session, image: &Image) -> Result<Plan, Failure> {
    let images = session.choose(&[image.name.to_string()])?;
    let lock = session.lock()?.unwrap_or_default();
    if !lock::is_complete(&lock, &session.recipes, &session.project) {
        let gaps: String =
            lock::gaps(&lock, &session.recipes, &session.project).iter().map(|gap| format!("  {gap}\n")).collect();
        let message = "remint.lock does not match the recipes, so it does not say what the image is made of";
        return Err(Failure::new(Exit::Recipe, message).details(gaps).hint("run `remint lock`, then `remint build`"));
    }
    session.plan(&lock, &images, &image.available(), invocation.environment.epoch()?)
}

fn wrong(error: &attest::Error) -> Failure {
    let exit = if matches!(error, attest::Error::Differs { .. }) { Exit::Recipe } else { Exit::No };
    Failure::from_error(exit, error)
}

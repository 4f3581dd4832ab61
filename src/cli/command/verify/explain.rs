//! What differs between an image that was built again and the one that it should be, by the comparison that `remint diff` makes.

use super::super::diff::EXPLAINED;
use super::place::Place;
use super::registry::Fetched;
use super::{Against, Invocation};
use crate::image::{ImagePlace, ImageRef, OpenError, Opened};
use crate::recipe::ImageName;
use crate::registry::Client;
use crate::store::Store;
use crate::verify::diff::{Comparison, Hints, Options, Presence, Verdict, compare};
use crate::verify::rebuild::{Difference, ImageVerdict, Variation, bring_layer};
use std::path::Path;

/// A name of a machine or user is a hint from this many letters on: shorter ones stand in other words.
const TELLING: usize = 3;

/// Where both sides are.
pub(super) struct Both<'a> {
    /// The store that was built into before.
    pub(super) store: &'a Store,
    /// What takes the store's place as what should be.
    pub(super) against: Option<&'a Against>,
    /// The directory of the rebuild's store.
    pub(super) rebuilt: &'a Path,
    /// Where contents may be put aside.
    pub(super) scratch: &'a Path,
    /// The current directory.
    pub(super) cwd: &'a Path,
    /// What reaches registries.
    pub(super) client: &'a Client,
    /// Images of registries that take the store's place.
    pub(super) fetched: Option<&'a Fetched<'a>>,
}

/// Explains each image that differs; where that cannot be done, says so.
pub(super) fn explain(images: &mut [ImageVerdict], both: &Both<'_>, hints: &Hints) {
    for image in images.iter_mut().filter(|image| !image.identical()) {
        let (Some(platform), Some(name)) = (&image.platform, ImageName::parse(&image.name)) else { continue };
        if image.found.is_none() || image.expected.is_none() {
            continue;
        }
        match both.compared(&name, platform, hints) {
            Some(Ok(comparison)) if comparison.verdict != Verdict::Identical => {
                let only = comparison.platforms.into_iter().find(|one| one.presence == Presence::Both);
                image.comparison = only.map(Box::new);
            }
            None | Some(Ok(_)) => {}
            Some(Err(error)) => {
                let mut notes = vec![error.to_string()];
                notes.extend(error.source().map(ToString::to_string));
                image.differences.push(Difference {
                    what: "it could not be looked into".to_owned(),
                    notes,
                    ..Difference::default()
                });
            }
        }
    }
}

impl Both<'_> {
    /// Compares what should be with what is; `None` where only digests say what should be.
    fn compared(
        &self,
        name: &ImageName,
        platform: &str,
        hints: &Hints,
    ) -> Option<Result<Comparison, Box<dyn std::error::Error>>> {
        let options = Options { scratch: self.scratch.to_owned(), explained: EXPLAINED, hints: hints.clone() };
        if let Some(fetched) = self.fetched {
            return Some(self.with_registry(fetched, name, platform, &options));
        }
        let expected = match self.against {
            Some(Against::Digests(_)) => return None,
            Some(Against::Layout(path)) if self.cwd.join(path).is_dir() => {
                self.named(&self.cwd.join(path), name, ImagePlace::Layout)
            }
            Some(Against::Layout(path)) => self.named(&self.cwd.join(path), name, ImagePlace::LayoutArchive),
            Some(Against::DockerArchive(path)) => self.named(&self.cwd.join(path), name, ImagePlace::DockerArchive),
            None => self.in_store(self.store.dir(), name),
        };
        let found = self.in_store(self.rebuilt, name);
        let compared = || {
            let (expected, found) = (expected?.narrow(platform)?, found?.narrow(platform)?);
            Ok(compare(&expected, &found, &options)?)
        };
        Some(compared())
    }

    /// Compares an image of a registry with what was rebuilt: only the layers that are not in both are fetched.
    fn with_registry(
        &self,
        fetched: &Fetched<'_>,
        name: &ImageName,
        platform: &str,
        options: &Options,
    ) -> Result<Comparison, Box<dyn std::error::Error>> {
        let mut expected = self.in_store(fetched.scratch.dir(), name)?.narrow(platform)?;
        let found = self.in_store(self.rebuilt, name)?.narrow(platform)?;
        if let Some(remote) = fetched.references.get(name) {
            expected.shown = remote.to_string();
            for (expected, found) in expected.platforms.iter_mut().zip(&found.platforms) {
                for blob in expected.share_layers(found) {
                    bring_layer(fetched.client, &remote.repository, blob, fetched.scratch)?;
                }
            }
        }
        Ok(compare(&expected, &found, options)?)
    }

    /// Opens an image of a layout or an archive: that of the name, else the only one there is.
    fn named(&self, path: &Path, name: &ImageName, place: fn(String) -> ImagePlace) -> Result<Opened, OpenError> {
        let shown = path.display();
        match place(format!("{shown}:{name}")).open(self.cwd, self.cwd, self.client) {
            Err(OpenError::NoImage { .. }) => place(shown.to_string()).open(self.cwd, self.cwd, self.client),
            opened => opened,
        }
    }

    fn in_store(&self, store: &Path, name: &ImageName) -> Result<Opened, OpenError> {
        ImagePlace::Store(ImageRef { name: name.clone(), platform: None }).open(store, self.cwd, self.client)
    }
}

/// What is known about where the images were made: here before, and under a variation again.
pub(super) fn hints(invocation: Invocation<'_>, project: &Path, place: &Place, variation: &Variation) -> Hints {
    let environment = invocation.environment;
    let text = |path: &Path| path.display().to_string();
    let uname = rustix::system::uname();
    let here = uname.nodename().to_string_lossy().into_owned();
    let home = environment.home.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let user = variation.variables.iter().find(|(name, _)| *name == "USER").map(|(_, value)| value.clone());
    let telling = |name: &String| name.len() >= TELLING;
    Hints {
        paths: vec![text(project), text(place.path())].into_iter().filter(telling).collect(),
        hosts: vec![variation.host.clone(), here].into_iter().filter(telling).collect(),
        users: home.into_iter().chain(user).filter(telling).collect(),
    }
}

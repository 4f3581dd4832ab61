//! The images from outside the project that its recipes start from: looked at for the lock, and fetched for a build.

use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::image::{ImagePlace, OpenError, Opened, base};
use crate::lock::{self, BasePin, Lock, Update};
use crate::recipe::BaseImage;
use crate::source::base::{BaseBlob, BaseError, FetchBase};
use crate::store::Store;

/// Reaches images from outside a project.
pub(crate) struct BaseImages<'a> {
    session: &'a Session,
}

impl<'a> BaseImages<'a> {
    /// Reaches for nothing yet.
    pub(crate) fn new(session: &'a Session) -> Self {
        Self { session }
    }

    /// Looks at the images that a lock lacks or that are to move.
    pub(crate) fn look(&self, store: &Store, old: &Lock, update: &Update) -> Result<lock::Bases, Failure> {
        let mut found = lock::Bases::new();
        for ((name, platform), wanted) in lock::moving_bases(&self.session.recipes, old, update) {
            let broken = |error: &(dyn std::error::Error + 'static)| {
                Failure::wrap(Exit::Source, format!("cannot start from `{name}` on {platform}"), error)
            };
            let opened = self.open(&wanted.image).map_err(|error| broken(&error))?;
            let mut pin = base::pin(store, &opened, platform).map_err(|error| broken(&error))?;
            if wanted.packages {
                pin.packages = Some(packages(store, &opened, &pin, platform).map_err(|error| broken(&*error))?);
            }
            found.insert((name, platform), pin);
        }
        Ok(found)
    }

    fn open(&self, image: &BaseImage) -> Result<Opened, OpenError> {
        let place = match image {
            BaseImage::Layout(rest) => ImagePlace::Layout(rest.clone()),
            BaseImage::DockerArchive(rest) => ImagePlace::DockerArchive(rest.clone()),
            BaseImage::Registry(_) => todo!(),
        };
        place.open(&self.session.places.cache, &self.session.places.project)
    }
}

/// Brings all layers in and lists the packages.
fn packages(
    store: &Store,
    opened: &Opened,
    pin: &BasePin,
    platform: crate::oci::Platform,
) -> Result<Vec<lock::PackageKey>, Box<dyn std::error::Error>> {
    for layer in &pin.layers {
        base::bring(store, opened, &layer.blob)?;
    }
    Ok(base::packages(store, pin, platform)?)
}

impl FetchBase for BaseImages<'_> {
    fn fetch_base(&self, wanted: &BaseBlob, store: &Store) -> Result<(), BaseError> {
        let image = || wanted.image.clone();
        let unread = |source: OpenError| BaseError::Image { image: image(), hint: None, source: Box::new(source) };
        let opened = self.open(&wanted.image).map_err(unread)?;
        if base::bring(store, &opened, &wanted.blob).map_err(unread)? {
            return Ok(());
        }
        Err(BaseError::Gone { image: image(), part: wanted.kind.name(), digest: wanted.blob.digest })
    }
}

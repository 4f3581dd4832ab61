//! The images from outside the project that its recipes start from: looked at for the lock, and fetched for a build.

use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::image::{OpenError, Opened, base};
use crate::lock::{self, BasePin, Lock, PackageKey, Update, WantedBase};
use crate::oci::Platform;
use crate::recipe::BaseImage;
use crate::registry::Client;
use crate::source::base::{BaseBlob, BaseError, FetchBase};
use crate::store::Store;
use std::collections::BTreeMap;

/// Reaches images from outside a project.
pub(crate) struct BaseImages<'a> {
    session: &'a Session,
    client: Client,
}

impl<'a> BaseImages<'a> {
    /// Reaches for nothing yet.
    pub(crate) fn new(session: &'a Session, client: Client) -> Self {
        Self { session, client }
    }

    /// Looks at the images that a lock lacks or that are to move.
    pub(crate) fn look(&self, store: &Store, old: &Lock, update: &Update) -> Result<lock::Bases, Failure> {
        let mut images: BTreeMap<String, Vec<(Platform, WantedBase)>> = BTreeMap::new();
        for ((name, platform), wanted) in lock::moving_bases(&self.session.recipes, old, update) {
            images.entry(name).or_default().push((platform, wanted));
        }
        let mut found = lock::Bases::new();
        for (name, wanted) in images {
            let platforms: Vec<Platform> = wanted.iter().map(|(platform, _)| *platform).collect();
            let cannot = |error: OpenError| unreadable(format!("cannot start from `{name}`"), &error);
            let opened = self.open(&wanted[0].1.image, &platforms).map_err(cannot)?;
            for (platform, wanted) in wanted {
                let mut pin = base::pin(store, &opened, platform).map_err(cannot)?;
                if wanted.packages {
                    pin.packages = Some(packages(store, &opened, &pin, platform, &name)?);
                }
                found.insert((name.clone(), platform), pin);
            }
        }
        Ok(found)
    }

    fn open(&self, image: &BaseImage, platforms: &[Platform]) -> Result<Opened, OpenError> {
        base::open(image, platforms, &self.session.places.project, &self.client)
    }

    fn bring(&self, wanted: &BaseBlob, store: &Store) -> Result<bool, OpenError> {
        match &wanted.image {
            BaseImage::Registry(reference) => base::fetch(&self.client, reference, wanted, store),
            image => base::bring(store, &self.open(image, &[])?, &wanted.blob),
        }
    }
}

impl FetchBase for BaseImages<'_> {
    fn fetch_base(&self, wanted: &BaseBlob, store: &Store) -> Result<(), BaseError> {
        let image = || wanted.image.clone();
        match self.bring(wanted, store) {
            Ok(true) => Ok(()),
            Ok(false) => Err(BaseError::Gone { image: image(), part: wanted.kind.name(), digest: wanted.blob.digest }),
            Err(OpenError::Store(error)) => Err(error.into()),
            Err(error) => Err(BaseError::Image { image: image(), hint: error.hint(), source: Box::new(error) }),
        }
    }
}

/// Brings all layers in and lists the packages.
fn packages(
    store: &Store,
    opened: &Opened,
    pin: &BasePin,
    platform: Platform,
    name: &str,
) -> Result<Vec<PackageKey>, Failure> {
    let message = || format!("cannot list the packages of `{name}` on {platform}");
    for layer in &pin.layers {
        base::bring(store, opened, &layer.blob).map_err(|error| unreadable(message(), &error))?;
    }
    base::packages(store, pin, platform).map_err(|error| Failure::wrap(Exit::Source, message(), &error))
}

/// An image that cannot be read, and what helps.
fn unreadable(message: String, error: &OpenError) -> Failure {
    let failure = Failure::wrap(Exit::Source, message, error);
    failure.hints(error.hint())
}

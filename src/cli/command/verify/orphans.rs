//! Images of the store, or of what it is compared with, that no recipe of the project makes: they cannot be built again, and are
//! never passed over without a word.

use super::{each, of_store, only_platforms};
use crate::cli::arguments::{Against, Verify};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::recipe::ImageName;
use crate::registry::clean;
use crate::store::Store;
use crate::verify::rebuild::{Difference, Documents, ImageVerdict, Reference};
use std::collections::{BTreeMap, BTreeSet};

/// Images of the store without a recipe.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// Each one's name, and the folder of the project that built it last, where that is another.
    images: BTreeMap<ImageName, Option<String>>,
}

impl Orphans {
    /// Looks what the store has that no recipe makes.
    pub(super) fn find(session: &Session, store: &Store, scratch: &Store) -> Result<Self, Failure> {
        let documents = Documents::open(store.dir(), scratch).map_err(|error| of_store(&error))?;
        let mut names = documents.names();
        names.retain(|name| session.recipes.get(name.as_str()).is_none());
        if names.is_empty() {
            return Ok(Self::default());
        }
        let builds = store.builds().map_err(|error| Failure::from_error(Exit::Action, &error))?;
        let here = session.places.project.display().to_string();
        let elsewhere = |name: &ImageName| {
            let root = documents.root(name);
            // Where it is not known whose it is, it is this project's.
            let of_it = |record: &&str| *record != here;
            let mut all = builds.iter().map(|build| &build.record);
            let last = all.find(|one| one.image == name.as_str() && Some(one.root.digest) == root)?;
            Some(&*last.project).filter(of_it).map(str::to_owned)
        };
        Ok(Self { images: names.into_iter().map(|name| (name.clone(), elsewhere(&name))).collect() })
    }

    /// The images that a command line names, or all, those without a recipe included.
    pub(super) fn choose(&self, session: &Session, named: &[String]) -> Result<BTreeSet<ImageName>, Failure> {
        let (ours, others): (Vec<String>, Vec<String>) =
            named.iter().cloned().partition(|name| self.images.contains_key(name.as_str()));
        let mut chosen: BTreeSet<ImageName> = match (named.is_empty(), others.is_empty()) {
            (false, true) => BTreeSet::new(),
            _ => session.choose(&others)?,
        };
        let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        let meant = |name: &&ImageName| named.is_empty() || ours.contains(name.as_str());
        chosen.extend(self.images.keys().filter(meant).cloned());
        Ok(chosen)
    }

    /// Says of each image of this project that it could not be verified, and gives a line on each of another's.
    pub(super) fn untold(
        &self,
        store: &Store,
        scratch: &Store,
        arguments: &Verify,
    ) -> Result<(Vec<ImageVerdict>, Vec<String>), Failure> {
        let ours = self.images.iter().filter(|(_, project)| project.is_none()).map(|(name, _)| name.clone()).collect();
        let reference = Reference::from_layout(store.dir(), &ours, scratch).map_err(|error| of_store(&error))?;
        let mut verdicts = Vec::new();
        for image in &reference.images {
            verdicts.extend(each(image, |digest| {
                let there = digest.map(|digest| format!("; the store has {digest}")).unwrap_or_default();
                let note = format!("no recipe makes it any more, so it cannot be built again{there}");
                Difference::note("the image", note)
            }));
        }
        for verdict in &mut verdicts {
            // Nothing is expected of it.
            verdict.expected = None;
        }
        let others = self.images.iter().filter_map(|(name, project)| {
            Some(format!("`{name}`, which no recipe makes here: `{}` built it", project.as_ref()?))
        });
        Ok((only_platforms(verdicts, arguments), others.collect()))
    }

    /// Says of images that are damaged and have no recipe that no build mends them.
    pub(super) fn explain(&self, images: &mut [ImageVerdict]) {
        for image in images.iter_mut().filter(|image| !image.identical()) {
            if self.images.contains_key(image.name.as_str()) {
                let note = "no recipe of this project makes it, so `remint build` does not mend it here";
                image.differences.push(Difference::note("the image", note));
            }
        }
    }
}

/// Gives a line on each image of what `--against` names that no recipe makes: it may be of several projects, and says not of which.
pub(super) fn beside(reference: &Reference, against: &Against) -> Vec<String> {
    let plain = |name: &String| clean(name).replace('`', "'");
    let line = |name| format!("`{}`, which no recipe makes here: `{against}` has it", plain(name));
    reference.others.iter().map(line).collect()
}

/// What helps where images could not be verified.
pub(super) const HINT: &str = "name the images that count, as in `remint verify web`, and `remint verify --quick` checks the digests of all that the store has";

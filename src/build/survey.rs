//! Looks into the packages of a lock before anything is built: which of their scripts no native step covers.
//!
//! Packages that the store lacks are fetched, as a build would, and kept for it; only their control archives are unpacked.

use super::exclude::Exclude;
use super::schedule::{self, End, Job, Lane};
use super::{Builder, Error, FETCHES};
use crate::event::Event;
use crate::lock::{PackageKey, packages_layers};
use crate::native::{Package, Uncovered, forecast, listed};
use crate::oci::{Platform, TreePath};
use crate::plan::Unpack;
use crate::recipe::{Configure, ImageName, Packages, Recipes};
use crate::source::debian::Deb;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the scripts of a lock's packages leave undone.
#[derive(Debug, Default)]
pub struct Survey {
    /// What no step covers, by image, number of the layer, from 1, and platform; layers without any are left out.
    pub uncovered: BTreeMap<(ImageName, usize, Platform), Vec<Uncovered>>,
    /// The packages that could not be looked into.
    pub unknown: BTreeSet<PackageKey>,
    /// Why not, of the first.
    pub why: Option<Error>,
}

/// The members of a control archive that are kept.
const SCRIPTS: [&str; 3] = ["config", "postinst", "preinst"];

/// The members that tell of its files.
const LISTS: [&str; 2] = ["conffiles", "md5sums"];

/// A locked layer whose packages are configured natively.
struct Surveyed<'a> {
    place: (ImageName, usize, Platform),
    /// The packages and what the recipe leaves out of them: of this layer, then of each layer below it.
    layers: Vec<(&'a [PackageKey], &'a [String])>,
}

impl Builder<'_> {
    /// Looks into the packages of every natively configured layer of the recipes that the lock has.
    #[must_use]
    pub fn survey(&self, recipes: &Recipes) -> Survey {
        let layers = self.surveyed(recipes);
        let keys: BTreeSet<&PackageKey> =
            layers.iter().flat_map(|layer| &layer.layers).flat_map(|(packages, _)| *packages).collect();
        let wanted: Vec<Unpack> = keys
            .into_iter()
            .filter_map(|key| Some(Unpack { package: key.clone(), pin: self.lock.packages.get(key)?.clone() }))
            .collect();
        let (found, failed) = self.look_into(&wanted);
        let mut survey = Survey::default();
        for layer in layers {
            let of = |(packages, exclude): &(&[PackageKey], &[String])| {
                let exclude = Exclude::new(exclude);
                let known = packages.iter().filter_map(|key| found.get(key));
                known.map(|package| without(package, &exclude)).collect::<Vec<Package>>()
            };
            let mut all: Vec<Vec<Package>> = layer.layers.iter().map(of).collect();
            let below = all.split_off(1);
            let own: Vec<&Package> = all.iter().flatten().collect();
            let uncovered = forecast(layer.place.2.arch, &own, &below.iter().flatten().collect::<Vec<_>>());
            if !uncovered.is_empty() {
                survey.uncovered.insert(layer.place, uncovered);
            }
        }
        for (key, error) in failed {
            survey.unknown.insert(key);
            survey.why = survey.why.or(error);
        }
        survey
    }

    fn surveyed<'a>(&'a self, recipes: &'a Recipes) -> Vec<Surveyed<'a>> {
        let mut all = Vec::new();
        for recipe in recipes.iter() {
            for (number, packages) in packages_layers(recipe).filter(|(_, packages)| is_native(packages)) {
                for &platform in &recipe.platforms {
                    let pin = |name: &ImageName, number| self.lock.layers.get(&(name.clone(), number, platform));
                    let Some(own) = pin(&recipe.name, number) else { continue };
                    let mut layers = vec![(own.packages.as_slice(), packages.exclude.as_slice())];
                    for base in recipes.chain(recipe.name.as_str()) {
                        let lower = packages_layers(base).filter(|(at, _)| base.name != recipe.name || *at < number);
                        layers.extend(
                            lower.filter_map(|(at, of)| Some((&pin(&base.name, at)?.packages[..], &of.exclude[..]))),
                        );
                    }
                    all.push(Surveyed { place: (recipe.name.clone(), number, platform), layers });
                }
            }
        }
        all
    }

    /// Fetches what is missing and reads control archives; the packages that could not be looked into are second, with the first's
    /// reason: once the network has failed, the others are left alone.
    fn look_into(&self, wanted: &[Unpack]) -> (BTreeMap<PackageKey, Package>, BTreeMap<PackageKey, Option<Error>>) {
        let missing = |unpack: &&Unpack| !self.store.has(&unpack.pin.deb);
        let sizes: Vec<u64> = wanted.iter().filter(missing).map(|unpack| unpack.pin.deb.size).collect();
        self.events.send(Event::FetchPlanned { files: sizes.len() as u64, bytes: sizes.iter().sum() });
        let mut jobs = Vec::new();
        let mut steps = Vec::new();
        for unpack in wanted {
            let mut push = |after: Vec<usize>, lane| {
                jobs.push(Job { after, lane, urgency: unpack.pin.deb.size });
                steps.push((unpack, lane));
                jobs.len() - 1
            };
            let fetch = missing(&unpack).then(|| push(Vec::new(), Lane::Network));
            push(fetch.into_iter().collect(), Lane::Compute);
        }
        let found = Mutex::new(BTreeMap::new());
        let down = AtomicBool::new(false);
        let ends = schedule::run(&jobs, self.jobs, FETCHES, |number| match steps[number] {
            (_, Lane::Network) if down.load(Ordering::Relaxed) => Err(None),
            (unpack, Lane::Network) => self.fetch_one(unpack).map_err(|error| {
                // A package that has vanished says nothing of the others.
                let absent = matches!(&error, Error::Fetch { source, .. } if source.is_absent());
                down.fetch_or(!absent, Ordering::Relaxed);
                Some(error)
            }),
            (unpack, Lane::Compute) => {
                let package = self.look(unpack).map_err(Some)?;
                found.lock().expect("no holder of this lock panics").insert(unpack.package.clone(), package);
                Ok(())
            }
        });
        let mut failed: BTreeMap<PackageKey, Option<Error>> = BTreeMap::new();
        for (end, (unpack, _)) in ends.into_iter().zip(steps) {
            match end {
                End::Done => {}
                End::Failed(error) => drop(failed.insert(unpack.package.clone(), error)),
                End::Skipped(_) => drop(failed.entry(unpack.package.clone()).or_default()),
            }
        }
        (found.into_inner().expect("no holder of this lock panics"), failed)
    }

    /// Reads a package's control archive; one that is damaged in the store is fetched again.
    fn look(&self, unpack: &Unpack) -> Result<Package, Error> {
        match self.read_control(unpack) {
            Err(error) if error.is_damage() => {
                self.fetch_one(unpack)?;
                self.read_control(unpack)
            }
            result => result,
        }
    }

    fn read_control(&self, unpack: &Unpack) -> Result<Package, Error> {
        let (package, blob) = (&unpack.package, unpack.pin.deb);
        // The whole file is verified, and then only its beginning is read.
        self.store.ensure(&blob)?;
        let file = BufReader::new(self.store.open_file(&blob.digest)?);
        let deb = Deb::open(file).map_err(|source| Error::Deb { title: package.title(), source })?;
        let member = |name: &str| Some((name.to_owned(), deb.control_files().get(name)?.bytes.clone()));
        let lists = LISTS.into_iter().filter_map(member).collect();
        let control = SCRIPTS.into_iter().filter_map(member).collect();
        let PackageKey { name, version, arch, .. } = package.clone();
        Ok(Package { name, version, arch, paths: listed(&lists), control })
    }
}

fn is_native(packages: &Packages) -> bool {
    packages.configure == Configure::Native
}

/// A package as it will be in the image, less the files that the recipe leaves out.
fn without(package: &Package, exclude: &Exclude) -> Package {
    let mut package = package.clone();
    if !exclude.is_empty() {
        package
            .paths
            .retain(|path| TreePath::parse(path.trim_start_matches('/')).is_ok_and(|path| !exclude.file(&path)));
    }
    package
}

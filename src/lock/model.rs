//! What a lock holds.

use crate::digest::{DiffId, Digest};
use crate::oci::{Blob, Platform};
use crate::recipe::ImageName;
use std::collections::BTreeMap;

/// The number of the output's format that this version of remint makes (`docs/format-1.md`).
pub const FORMAT: u64 = 1;

/// Every source of every recipe, by digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// The state of each suite when the lock last moved, by archive and suite.
    pub releases: BTreeMap<(String, String), ReleasePin>,
    /// Every package, once.
    pub packages: BTreeMap<PackageKey, PackagePin>,
    /// What each packages layer of each recipe installs.
    pub layers: BTreeMap<(ImageName, usize, Platform), LayerPin>,
    /// The images from outside the project that recipes start from, by the name that [`crate::recipe::BaseImage`] shows.
    pub bases: BTreeMap<(String, Platform), BasePin>,
}

/// An image from outside the project, for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePin {
    /// What its name led to when it was locked: the digest of an index, or of the manifest.
    pub root: Digest,
    /// The manifest.
    pub manifest: Blob,
    /// The configuration.
    pub config: Blob,
    /// When it says that it was made, in seconds since 1970.
    pub date: u64,
    /// The layers, the lowest first.
    pub layers: Vec<BaseLayer>,
    /// The Debian packages that its dpkg database names, sorted; `None` where no recipe installs any over it, so that nobody looked.
    pub packages: Option<Vec<PackageKey>>,
}

/// A layer of an image from outside the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseLayer {
    /// The blob, which is passed through as it is.
    pub blob: Blob,
    /// The tar in it.
    pub diff_id: DiffId,
}

/// A suite's signed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePin {
    /// `Date` of the InRelease, in seconds since 1970.
    pub date: u64,
    /// The digest of the InRelease file.
    pub inrelease: Digest,
    /// The fingerprint of the certificate whose signature was verified, in upper-case hex.
    pub signed_by: String,
}

/// What tells packages of a lock apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageKey {
    /// The archive's table in remint.toml.
    pub archive: String,
    /// The package's name.
    pub name: String,
    /// Its architecture in Debian's words, or `all`.
    pub arch: String,
    /// Its version.
    pub version: String,
}

/// Where a package's bytes are and what they must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePin {
    /// Digest and size of the `.deb`.
    pub deb: Blob,
    /// The suite whose index named it.
    pub suite: String,
    /// Its path in the archive, below the mirror's base.
    pub path: String,
}

/// What one packages layer installs on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPin {
    /// What the recipe asked for when this was resolved, as [`crate::recipe::PackageRequest`] prints it, sorted.
    pub wanted: Vec<String>,
    /// The archive's table in remint.toml.
    pub archive: String,
    /// Whether all Essential packages were asked for.
    pub essential: bool,
    /// Whether dependencies were asked for.
    pub dependencies: bool,
    /// The digest of the packages below it, over which it was resolved; `None`: there are none.
    pub below: Option<Digest>,
    /// The newest date among the suites when this layer's packages last changed, in seconds since 1970.
    pub date: u64,
    /// The packages, sorted by name.
    pub packages: Vec<PackageKey>,
}

impl PackageKey {
    /// A package that an image from outside the project has, of whose archive nothing is known.
    #[must_use]
    pub fn installed(name: &str, version: &str, arch: &str) -> Self {
        Self { archive: String::new(), name: name.to_owned(), arch: arch.to_owned(), version: version.to_owned() }
    }

    /// The package as people write it: `name version (arch)`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {} ({})", self.name, self.version, self.arch)
    }
}

impl Lock {
    /// When a package is known to have been in its archive, in seconds since 1970, the earliest first: when the layers that name it
    /// last changed, and when its suite was signed.
    #[must_use]
    pub fn dates(&self, package: &PackageKey) -> Vec<u64> {
        let layers = self.layers.values().filter(|layer| layer.packages.contains(package)).map(|layer| layer.date);
        let suite = self.packages.get(package).map(|pin| (package.archive.clone(), pin.suite.clone()));
        let release = suite.and_then(|suite| self.releases.get(&suite)).map(|release| release.date);
        let dates: std::collections::BTreeSet<u64> = layers.chain(release).collect();
        dates.into_iter().collect()
    }

    /// Forgets packages that no layer names.
    pub fn prune(&mut self) {
        let used: std::collections::BTreeSet<&PackageKey> =
            self.layers.values().flat_map(|layer| &layer.packages).collect();
        self.packages.retain(|key, _| used.contains(key));
    }
}

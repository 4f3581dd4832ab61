//! The checked recipe: types that cannot be wrong.

use crate::digest::Digest;
use crate::oci::{Platform, TreePath};
use std::collections::BTreeMap;
use std::fmt;

/// A recipe's name: its folder's name and the image's name in the store, an OCI repository component
/// (distribution-spec, "Pulling manifests": `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(Box<str>);

impl ImageName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let alphanumeric = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let ends = bytes.first().is_some_and(alphanumeric) && bytes.last().is_some_and(alphanumeric);
        let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let good = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
        (ends && text.len() <= 128 && separators.into_iter().all(good)).then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ImageName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What the user wrote about one image, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The image's name: the folder's.
    pub name: ImageName,
    /// What the image starts from; `None`: from nothing.
    pub from: Option<Base>,
    /// For what it is made, sorted, without repetition, never empty: the project's where the recipe says nothing.
    pub platforms: Vec<Platform>,
    /// The layers, in the order in which they were written.
    pub layers: Vec<Layer>,
    /// What layers may take from elsewhere, by name.
    pub sources: BTreeMap<String, Source>,
    /// The users that it adds, by name.
    pub users: BTreeMap<AccountName, User>,
    /// The groups that it adds beyond those of its users, by name.
    pub groups: BTreeMap<AccountName, u32>,
    /// The OCI image configuration.
    pub config: Config,
    /// How layers are compressed; `None`: what the project says.
    pub compression: Option<Compression>,
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Another recipe of the project.
    Recipe(ImageName),
    /// An image that other tools made, or another project.
    Image(BaseImage),
}

/// An image from outside the project, locked by its manifests' digests; shown as a recipe writes it, but with paths from the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseImage {
    /// In a registry, by its full reference: `registry/name:tag`, `registry/name@sha256:…` or both.
    Registry(String),
    /// In an image layout, by its path from the project and, behind a colon, its name there: `oci:DIR` or `oci:DIR:REF`.
    Layout(String),
    /// In an archive as `docker save` writes it: `docker-archive:FILE` or `docker-archive:FILE:REF`.
    DockerArchive(String),
}

impl fmt::Display for BaseImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => f.write_str(reference),
            Self::Layout(rest) => write!(f, "oci:{rest}"),
            Self::DockerArchive(rest) => write!(f, "docker-archive:{rest}"),
        }
    }
}

/// How a layer blob is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// zstd frames: the default.
    Zstd,
    /// One gzip member, for clients that know no zstd.
    Gzip,
}

/// One layer and the line it was written on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What makes it.
    pub kind: LayerKind,
    /// The line of its `[[layer]]` in recipe.toml, for messages; never in a key.
    pub line: usize,
}

/// What makes a layer: exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerKind {
    /// Debian packages with what they need.
    Packages(Packages),
    /// A file or tree that stands beside the recipe.
    Copy(Copy),
    /// Files, links and directories written in the recipe itself, by path.
    Write(BTreeMap<TreePath, Written>),
}

/// A `packages` layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    /// What is asked for, sorted, without repetition.
    pub wanted: Vec<PackageRequest>,
    /// The archive's table in remint.toml: `debian` unless said otherwise.
    pub archive: String,
    /// Whether all Essential packages are taken too (Debian policy 3.8).
    pub essential: bool,
    /// Whether what the packages depend on is taken too; `false` is for images of static binaries and data.
    pub dependencies: bool,
    /// What is left out: `doc`, `man`, `locale` or path globs; sorted.
    pub exclude: Vec<String>,
    /// How the packages are configured.
    pub configure: Configure,
}

/// How unpacked packages are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Configure {
    /// By remint's native steps, without running anything.
    Native,
    /// Not at all: the packages are only unpacked.
    None,
}

/// A package as a recipe asks for it: `name`, `name=version` or `name=1.22.*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageRequest {
    /// The package's name (Debian policy 5.6.1).
    pub name: String,
    /// The version that is asked for: a whole version, or a pattern in which `*` stands for anything, as apt's pins have it.
    pub version: Option<String>,
}

impl fmt::Display for PackageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "={version}"))
    }
}

/// A `copy` layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What is copied, relative to the recipe's folder, inside the project; `.` is the folder itself.
    pub from: String,
    /// Where it goes: a file's own path, or the directory that a tree's content goes into; `None` is the root.
    pub to: Option<TreePath>,
    /// Who owns everything copied.
    pub owner: Owner,
    /// The permission bits of every file; `None`: 0644, or 0755 where the owner may execute it.
    pub mode: Option<u32>,
    /// Globs of what is left out, relative to `from`, in the order written.
    pub exclude: Vec<String>,
}

/// Something that a `write` layer makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A file.
    Text {
        /// Its content.
        text: String,
        /// Who owns it.
        owner: Owner,
        /// The permission bits: 0644 unless said otherwise.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Its target, as written.
        target: String,
        /// Who owns it.
        owner: Owner,
    },
    /// A directory.
    Directory {
        /// Who owns it.
        owner: Owner,
        /// The permission bits: 0755 unless said otherwise.
        mode: u32,
    },
}

/// A user and a group by number: what the recipe named is looked up when it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// A user's or group's name, as Debian's `adduser` takes it: `[a-z][a-z0-9_-]*`, at most 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Box<str>);

impl AccountName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
        let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        (first && rest && text.len() <= 32).then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user that a recipe adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The number of the primary group, which is made with the user's name if no group has that number.
    pub gid: u32,
    /// The home directory: `/nonexistent` unless said otherwise; it is not made.
    pub home: String,
    /// The login shell: `/usr/sbin/nologin` unless said otherwise.
    pub shell: String,
    /// The comment field.
    pub comment: String,
}

/// A source that layers may take from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file at a URL.
    Url {
        /// Where.
        url: String,
        /// What it must be; `None`: what the lock says.
        sha256: Option<Digest>,
    },
    /// A git repository at a revision.
    Git {
        /// Where.
        git: String,
        /// Which commit, tag or branch.
        rev: String,
    },
    /// A file or tree beside the recipe.
    Path {
        /// Where, relative to the recipe's folder.
        path: String,
    },
}

/// The OCI image configuration that a recipe sets, over what its base has (OCI image-spec, config.md, "Properties").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `User`: a name of the image or a number, with an optional `:group`.
    pub user: Option<String>,
    /// `ExposedPorts`: `8080` or `8080/udp`, sorted; added to the base's.
    pub exposed_ports: Vec<String>,
    /// `Env`, by name; over the base's, name by name.
    pub env: BTreeMap<String, String>,
    /// `Entrypoint`; setting it drops the base's `Cmd`.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`.
    pub cmd: Option<Vec<String>>,
    /// `Volumes`, sorted; added to the base's.
    pub volumes: Vec<String>,
    /// `WorkingDir`.
    pub working_dir: Option<String>,
    /// `Labels`, by name; over the base's, name by name.
    pub labels: BTreeMap<String, String>,
    /// `StopSignal`.
    pub stop_signal: Option<String>,
}

/// Project settings: remint.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Globs of recipe files, relative to the project: `recipes/*/recipe.toml` unless said otherwise.
    pub recipes: Vec<String>,
    /// For what images are made whose recipe does not say: `linux/amd64` unless said otherwise.
    pub platforms: Vec<Platform>,
    /// How layers are compressed whose recipe does not say.
    pub compression: Compression,
    /// Where packages come from, by name; always has `debian`.
    pub archives: BTreeMap<String, Archive>,
    /// Where images are published.
    pub publish: Publish,
    /// How registries are reached, by host.
    pub registries: BTreeMap<String, Registry>,
}

/// Where images are published: `[publish]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publish {
    /// The repository, in which `{recipe}` stands for the image's name; without it, the name is added behind a slash.
    pub to: Option<String>,
    /// Templates of tags; empty: none is set.
    pub tags: Vec<String>,
}

/// How a registry is reached: `[registry."HOST"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registry {
    /// Where to look for what it holds before it is asked itself: `host` or `host/prefix`, in this order.
    pub mirrors: Vec<String>,
    /// Whether it is spoken to over plain HTTP.
    pub plain_http: bool,
}

/// A Debian archive: where `packages` layers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The suites, in the order written: `trixie`, `trixie-updates`, `trixie-security` unless said otherwise.
    pub suites: Vec<String>,
    /// The components, in the order written: `main` unless said otherwise.
    pub components: Vec<String>,
    /// Base addresses of mirrors, tried in this order; empty: the environment's, else the host's.
    pub mirrors: Vec<String>,
    /// A keyring, relative to the project; `None`: the keys that remint ships.
    pub keyring: Option<String>,
    /// Addresses of dated archives with `{date}` in them, tried in this order for packages that no mirror has any more.
    pub snapshots: Vec<String>,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            suites: ["trixie", "trixie-updates", "trixie-security"].map(str::to_owned).into(),
            components: vec!["main".to_owned()],
            mirrors: Vec::new(),
            keyring: None,
            snapshots: Vec::new(),
        }
    }
}

impl Default for Project {
    fn default() -> Self {
        Self {
            recipes: vec!["recipes/*/recipe.toml".to_owned()],
            platforms: vec![Platform { arch: crate::oci::Arch::Amd64 }],
            compression: Compression::Zstd,
            archives: BTreeMap::from([("debian".to_owned(), Archive::default())]),
            publish: Publish::default(),
            registries: BTreeMap::new(),
        }
    }
}

//! The command line: what can be asked for, and what `--help` teaches.

mod build;
mod publish;
mod registry;
mod sbom;
mod serve;
mod store;
mod vouch;

pub use build::{Build, Lock, Rebuild};
pub use publish::Publish;
pub use registry::Registry;
pub use sbom::{Sbom, SbomFormat};
pub use serve::{Listen, Serve};
pub use store::{Cache, CacheCommand, Gc};
pub use vouch::Vouch;

use super::help;
use crate::oci::Platform;
use crate::recipe::Compression;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "remint",
    version,
    about = "Builds every container image again from clean, trusted, locked sources, bit for bit, with one button",
    long_about = None,
    after_help = help::REMINT,
    max_term_width = 100,
    disable_help_subcommand = true,
)]
pub struct Arguments {
    /// What to do; nothing: `build`, with all its defaults.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The project's folder [default: the current one, or the nearest above that is a project]
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub project: Option<PathBuf>,
    /// The store's place, over `REMINT_CACHE_DIR`.
    #[arg(help = "The store's place [env: REMINT_CACHE_DIR] [default: cache/ in the project]")]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
    /// When to use colour; `NO_COLOR` and `CLICOLOR_FORCE` are honoured
    #[arg(
        long,
        global = true,
        value_name = "auto|always|never",
        default_value_t,
        value_enum,
        hide_possible_values = true
    )]
    pub color: Color,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what each action does and how long it takes
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where a terminal shows it
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Start a project that builds at once
    #[command(after_help = help::INIT)]
    Init(Init),
    /// Pin every source of every recipe by digest, in remint.lock
    #[command(after_help = help::LOCK)]
    Lock(Lock),
    /// Build images into the store; `remint` alone builds all
    #[command(after_help = help::BUILD)]
    Build(Build),
    /// Show what a build would do, without doing it
    #[command(after_help = help::PLAN)]
    Plan(Plan),
    /// Show what an image is made of
    #[command(after_help = help::INSPECT)]
    Inspect(Inspect),
    /// Write an image's bill of materials: packages, licences, files, by digest
    #[command(after_help = help::SBOM)]
    Sbom(Sbom),
    /// Show what the store holds and why, or check it
    #[command(after_help = help::CACHE)]
    Cache(Cache),
    /// Remove from the store what nothing needs
    #[command(after_help = help::GC)]
    Gc(Gc),
    /// Send images to a registry, with what they are made of and who vouches for them
    #[command(after_help = help::PUBLISH)]
    Publish(Publish),
    /// Give the store's images to docker, podman or a cluster, as a registry
    #[command(after_help = help::SERVE)]
    Serve(Serve),
    /// Build images again, elsewhere, and compare them bit for bit
    #[command(after_help = help::VERIFY)]
    Verify(Verify),
    /// Say why an image's layers were built, or reused
    #[command(after_help = help::WHY)]
    Why(Why),
    /// Show what differs between two images, and why
    #[command(after_help = help::DIFF)]
    Diff(Diff),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(Completions),
}

/// `remint init`.
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// Where; made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// `remint verify`.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// Which images, by their recipes' folders, or where they are in registries [default: all that were built]
    #[arg(value_name = "IMAGE|REF")]
    pub images: Vec<String>,
    /// Verify only these platforms, such as `linux/arm64`
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform, help_heading = "What to verify")]
    pub platform: Vec<Platform>,
    /// Compare with a file of digests, `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE`, and not with what the store says was built
    #[arg(long, value_name = "FILE|KIND:PATH", value_parser = Against::from_str, help_heading = "What to verify")]
    pub against: Option<Against>,
    /// What was built with `build --compression`
    #[arg(long, value_name = "zstd|gzip", value_enum, hide_possible_values = true, help_heading = "What to verify")]
    pub compression: Option<Method>,
    /// Build nothing: recompute every digest of what the store holds
    #[arg(long, conflicts_with_all = ["seed", "offline"], help_heading = "How")]
    pub quick: bool,
    /// Vary threads, order, paths, user, host, locale and the rest as a run before did
    #[arg(long, value_name = "SEED", help_heading = "How")]
    pub seed: Option<u64>,
    /// Use what the store has and nothing from the network
    #[arg(long, help_heading = "How")]
    pub offline: bool,
    /// What to print: a table, or one JSON document
    #[arg(
        long,
        value_name = "text|json",
        default_value_t,
        value_enum,
        hide_possible_values = true,
        help_heading = "Where to"
    )]
    pub format: TextOrJson,
    /// Append a summary in Markdown to a file, for a CI job's page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Where to")]
    pub summary: Option<PathBuf>,
    /// Write JUnit XML to a file: a case an image and platform
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Where to")]
    pub junit: Option<PathBuf>,
    /// Write the whole answer to a file, as one HTML page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Where to")]
    pub report: Option<PathBuf>,
    /// What is asked of images in registries.
    #[command(flatten)]
    pub vouch: Vouch,
    /// How registries are reached.
    #[command(flatten)]
    pub registry: Registry,
}

/// What images are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// A file of digests.
    Digests(PathBuf),
    /// An OCI image layout, as a directory or in one tar file.
    Layout(PathBuf),
    /// An archive as `docker save` writes it.
    DockerArchive(PathBuf),
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Digests(path) | Self::Layout(path) | Self::DockerArchive(path)) = self;
        write!(f, "{}", path.display())
    }
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("oci" | "oci-archive" | "docker-archive", "")) => {
                Err("the path behind the colon is missing".to_owned())
            }
            Some(("oci" | "oci-archive", path)) => Ok(Self::Layout(path.into())),
            Some(("docker-archive", path)) => Ok(Self::DockerArchive(path.into())),
            Some((kind @ ("tar" | "docker"), _)) => {
                Err(format!("`{kind}` is none of `oci`, `oci-archive` and `docker-archive`"))
            }
            _ => Ok(Self::Digests(text.into())),
        }
    }
}

/// `remint plan`.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// Which images, by their recipes' folders [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Plan only for these platforms, such as `linux/arm64`
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform)]
    pub platform: Vec<Platform>,
    /// Show each action, also where many are alike (JSON always does)
    #[arg(long)]
    pub all: bool,
    /// As a tree, as a graph for machines or for Graphviz, or as a picture for a browser
    #[arg(long, value_name = "tree|json|dot|svg", default_value_t, value_enum, hide_possible_values = true)]
    pub format: PlanFormat,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `remint inspect`.
#[derive(Debug, Clone, Args)]
pub struct Inspect {
    /// Which image, by its name in the store
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Of which platform [default: all]
    #[arg(long, value_name = "PLATFORM", value_parser = parse_platform)]
    pub platform: Option<Platform>,
    /// Tables for people, or JSON for machines
    #[arg(long, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
}

/// `remint diff`.
#[derive(Debug, Clone, Args)]
pub struct Diff {
    /// A name in the store, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `tar:FILE`
    #[arg(value_name = "A")]
    pub a: String,
    /// Another, in any of these forms
    #[arg(value_name = "B")]
    pub b: String,
    /// Compare only this platform's images [default: all]
    #[arg(long, value_name = "PLATFORM", value_parser = parse_platform)]
    pub platform: Option<Platform>,
    /// Text for people, or JSON for machines
    #[arg(long, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
    /// Write the whole answer to a file, as one HTML page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// How registries are reached.
    #[command(flatten)]
    pub registry: Registry,
}

/// `remint why`.
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// Which images, by their names in the store, such as `web` or `web@linux/arm64` [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Of which platforms only, such as `linux/arm64`
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform)]
    pub platform: Vec<Platform>,
    /// Lines for people, or JSON for machines
    #[arg(long, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
}

/// `remint completions`.
#[derive(Debug, Clone, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// Tables for people
    #[default]
    Text,
    /// JSON for machines
    Json,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A tree of each image
    #[default]
    Tree,
    /// The graph for machines
    Json,
    /// The graph for Graphviz
    Dot,
    /// A picture that a browser shows
    Svg,
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Smaller and faster: the default
    Zstd,
    /// For clients that know no zstd
    Gzip,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }
}

impl From<Method> for Compression {
    fn from(method: Method) -> Self {
        match method {
            Method::Zstd => Self::Zstd,
            Method::Gzip => Self::Gzip,
        }
    }
}

/// Where an image is written besides the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// In which form.
    pub kind: OutputKind,
    /// Where, relative to the current directory.
    pub path: PathBuf,
}

/// The forms in which an image can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// An OCI image layout: a directory.
    Oci,
    /// An OCI image layout in one tar file.
    OciArchive,
    /// What `docker load` reads.
    DockerArchive,
    /// The root file system, flattened, as one tar file.
    Tar,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, path) = text.split_once(':').ok_or("expected KIND:PATH, such as `oci:out`")?;
        let kind = match kind {
            "oci" => OutputKind::Oci,
            "oci-archive" => OutputKind::OciArchive,
            "docker-archive" => OutputKind::DockerArchive,
            "tar" => OutputKind::Tar,
            _ => return Err(format!("`{kind}` is none of `oci`, `oci-archive`, `docker-archive`, `tar`")),
        };
        if path.is_empty() {
            return Err("the path behind the colon is missing".to_owned());
        }
        Ok(Self { kind, path: path.into() })
    }
}

/// Reads a number of threads.
fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

/// Reads a platform, with or without `linux/` in front.
fn parse_platform(text: &str) -> Result<Platform, String> {
    if text.contains('/') { text.parse() } else { format!("linux/{text}").parse() }
        .map_err(|error: crate::oci::UnknownPlatform| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_output_names_its_form() {
        let output: Output = "oci-archive:a:b.tar".parse().unwrap();
        assert_eq!(output, Output { kind: OutputKind::OciArchive, path: "a:b.tar".into() });
        for wrong in ["", "oci", "oci:", "zip:x", "x.tar"] {
            assert!(wrong.parse::<Output>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn platforms_may_be_listed_and_shortened() {
        let arguments = Arguments::parse_from(["remint", "build", "--platform", "amd64,linux/arm64"]);
        let Some(Command::Build(build)) = arguments.command else { panic!("not build") };
        assert_eq!(build.platform.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
    }

    #[test]
    fn updates_of_all_and_of_some_differ() {
        let lock = |words: &[&str]| match Arguments::parse_from(["remint", "lock"].iter().chain(words)).command {
            Some(Command::Lock(lock)) => lock.update,
            _ => panic!("not lock"),
        };
        assert_eq!(lock(&[]), None);
        assert_eq!(lock(&["--update"]), Some(vec![]));
        assert_eq!(lock(&["--update", "a", "b"]), Some(vec!["a".to_owned(), "b".to_owned()]));
    }
}

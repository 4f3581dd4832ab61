//! The arguments of what locks and builds.

use super::{Method, Output, Registry, TextOrJson, parse_jobs, parse_platform};
use crate::oci::Platform;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `remint lock`.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(next_help_heading = "What may move")]
pub struct Lock {
    /// Move to the newest versions: of all packages, or of those named
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub update: Option<Vec<String>>,
    /// Move only the packages that no mirror has any more
    #[arg(long, conflicts_with = "update")]
    pub vanished: bool,
    /// Accept an archive that is older than the locked one
    #[arg(long)]
    pub allow_rollback: bool,
    /// Write nothing: exit with 3 and show what would change, if anything would; with --update or --vanished, what these would
    #[arg(long, help_heading = "Checking")]
    pub check: bool,
    /// Do not fetch packages to look into their scripts: judge those that the store has
    #[arg(long, help_heading = "Checking")]
    pub index_only: bool,
    /// Ask nothing of the network: what the lock lacks is an error
    #[arg(long, conflicts_with_all = ["update", "vanished"], help_heading = "Checking")]
    pub offline: bool,
    /// What to print: tables, or each event as a line of JSON
    #[arg(
        long,
        value_name = "text|json",
        default_value_t,
        value_enum,
        hide_possible_values = true,
        help_heading = "Checking"
    )]
    pub format: TextOrJson,
    /// How registries are reached.
    #[command(flatten)]
    pub registry: Registry,
}

/// `remint build`.
#[derive(Debug, Clone, Default, Args)]
pub struct Build {
    /// Which images, by their recipes' folders [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Build only for these platforms, such as `linux/arm64`; in the store the image's name then means these
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform, help_heading = "What to build")]
    pub platform: Vec<Platform>,
    /// Compress layers so, whatever the recipes say; gzip is for clients that know no zstd
    #[arg(long, value_name = "zstd|gzip", value_enum, hide_possible_values = true, help_heading = "What to build")]
    pub compression: Option<Method>,
    /// Refuse to write remint.lock: fail where it is missing or does not match the recipes
    #[arg(long, help_heading = "Where from")]
    pub locked: bool,
    /// Use what the store has and nothing from the network
    #[arg(long, help_heading = "Where from")]
    pub offline: bool,
    /// Also write the image there: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `tar:FILE`
    #[arg(short, long, value_name = "KIND:PATH", value_parser = Output::from_str, help_heading = "Where to")]
    pub output: Vec<Output>,
    /// What to print: a table, or each event as a line of JSON
    #[arg(
        long,
        value_name = "text|json",
        default_value_t,
        value_enum,
        hide_possible_values = true,
        help_heading = "Where to"
    )]
    pub format: TextOrJson,
    /// Say of each layer whether it is built or reused, and what changed since the last build
    #[arg(long, help_heading = "Where to")]
    pub explain: bool,
    /// How many actions run at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// How registries are reached.
    #[command(flatten)]
    pub registry: Registry,
    /// What `remint verify` asks of the build that it starts.
    #[command(flatten)]
    pub rebuild: Rebuild,
}

/// What `remint verify` asks of the build that it starts; for nobody else.
#[derive(Debug, Clone, Default, Args)]
pub struct Rebuild {
    /// Take packages from this other store, and fetch into it what it lacks.
    #[arg(long, hide = true, value_name = "DIR")]
    pub sources: Option<PathBuf>,
    /// Vary what this seed decides.
    #[arg(long, hide = true, value_name = "SEED")]
    pub vary: Option<u64>,
    /// Look for credentials and certificates in this home: `HOME` is another.
    #[arg(long, hide = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
}

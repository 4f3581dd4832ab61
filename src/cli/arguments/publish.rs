//! The arguments of `remint publish`.

use super::{Registry, TextOrJson, parse_jobs};
use clap::{Args, ValueHint};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// `remint publish`.
#[derive(Debug, Clone, Default, Args)]
pub struct Publish {
    /// Which images, by their recipes' folders [default: all that were built]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Where to: `registry/name`, to which the image's name is added, or with `{recipe}` where that goes [default: remint.toml's]
    #[arg(long, value_name = "REPO", help_heading = "Where to")]
    pub to: Option<String>,
    /// A tag, with `{date}`, `{git}`, `{recipe}` or `{lock}` in it; may be repeated [default: remint.toml's, else `latest`]
    #[arg(long, value_name = "TAG", help_heading = "Where to")]
    pub tag: Vec<String>,
    /// Fail where a tag means another image already
    #[arg(long, help_heading = "Where to")]
    pub immutable: bool,
    /// Send nothing: show what would be sent
    #[arg(long, help_heading = "How")]
    pub dry_run: bool,
    /// How many blobs are sent at once
    #[arg(short, long, value_name = "N", default_value = "6", value_parser = parse_jobs, help_heading = "How")]
    pub jobs: Option<NonZeroUsize>,
    /// Attach no bills of materials and no provenance
    #[arg(long, help_heading = "What is attached")]
    pub no_attachments: bool,
    /// Sign with this private key (PKCS#8 in PEM): a file, `env://NAME`, or `exec:COMMAND`, which prints it
    #[arg(long, value_name = "KEY", help_heading = "What is attached")]
    pub sign_key: Option<String>,
    /// Who answers for this machine, over `REMINT_BUILDER_ID`.
    #[arg(help = "Who answers for this machine, as a URI, in the provenance [env: REMINT_BUILDER_ID]")]
    #[arg(long, value_name = "URI", help_heading = "What is attached")]
    pub builder_id: Option<String>,
    /// Which run this is, over `REMINT_INVOCATION_ID`.
    #[arg(
        help = "Which run this is, as a URI, in the provenance [env: REMINT_INVOCATION_ID; default: the CI's address of it]"
    )]
    #[arg(long, value_name = "URI", help_heading = "What is attached")]
    pub invocation_id: Option<String>,
    /// Write the lines `registry/name@sha256:…` there as well, for later steps
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub digest_file: Option<PathBuf>,
    /// What to print: a line for each image, or each event as a line of JSON
    #[arg(
        long,
        value_name = "text|json",
        default_value_t,
        value_enum,
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub format: TextOrJson,
    /// How registries are reached.
    #[command(flatten)]
    pub registry: Registry,
}

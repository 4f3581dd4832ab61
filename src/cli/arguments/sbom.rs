//! `remint sbom`: what can be asked for.

use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// `remint sbom`.
#[derive(Debug, Clone, Args)]
pub struct Sbom {
    /// Which image, by its name in the store, as it was last built: `web` or `web@linux/arm64`
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// In which form.
    #[arg(help = "SPDX 2.3 or CycloneDX 1.6, both as JSON [default: spdx]", hide_default_value = true)]
    #[arg(long, value_name = "spdx|cyclonedx", default_value_t, value_enum, hide_possible_values = true)]
    pub format: SbomFormat,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// How a bill of materials is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SbomFormat {
    /// SPDX 2.3
    #[default]
    Spdx,
    /// `CycloneDX` 1.6
    #[value(name = "cyclonedx")]
    CycloneDx,
}

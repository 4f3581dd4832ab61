//! The arguments of the commands about the store.

use super::TextOrJson;
use crate::cli::amount;
use clap::{Args, Subcommand};
use std::time::Duration;

/// `remint cache`.
#[derive(Debug, Clone, Args)]
pub struct Cache {
    /// What to do; nothing: show what the store holds.
    #[command(subcommand)]
    pub command: Option<CacheCommand>,
    /// Tables for people, or JSON for machines
    #[arg(long, global = true, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
}

/// What to do with the store.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum CacheCommand {
    /// Read everything in the store through; what is damaged is removed, and made again by the next build
    Check,
}

/// `remint gc`.
#[derive(Debug, Clone, Args)]
pub struct Gc {
    /// How many of the last builds of each image stay whole
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "What stays")]
    pub keep_builds: usize,
    /// Remove no more once the store is as small as this, such as `10GB`; the oldest goes first
    #[arg(long, value_name = "SIZE", value_parser = amount::parse_size, help_heading = "What stays")]
    pub keep_size: Option<u64>,
    /// Remove only what was written longer ago than this, such as `12h` or `30d`
    #[arg(long, value_name = "AGE", value_parser = amount::parse_age, help_heading = "What stays")]
    pub older_than: Option<Duration>,
    /// Show what would go, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// A table for people, or JSON for machines
    #[arg(long, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
}

//! How registries are reached.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// What every command takes that may reach a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Registries")]
pub struct Registry {
    /// Trust the certificates in this PEM file as well; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Vec<PathBuf>,
    /// Credentials, as docker's config.json or podman's auth.json has them, in place of those of podman and docker
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub authfile: Option<PathBuf>,
    /// Speak to this registry without TLS, credentials included; may be repeated
    #[arg(long, value_name = "HOST")]
    pub plain_http: Vec<String>,
}

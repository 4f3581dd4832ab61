//! The commands that build: each takes its arguments, calls the rooms below, and prints the result.

mod build;
mod diff;
mod failed;
mod inspect;
mod lock;
mod plan;

pub(super) use build::run as build;
pub use build::{BuiltImage, built_table};
pub(super) use diff::run as diff;
pub(super) use inspect::run as inspect;
pub use lock::change_table;
pub(super) use lock::run as lock;
pub(super) use plan::run as plan;

use super::arguments::Global;
use super::environment::Environment;
use super::failure::Failure;
use super::project;
use std::path::PathBuf;

/// What every command is told besides its own arguments.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The options that every command takes.
    pub global: &'a Global,
    /// What the host says.
    pub environment: &'a Environment,
}

/// The project's folder and its store's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The project's folder.
    pub project: PathBuf,
    /// The store's folder, which may not be there yet.
    pub cache: PathBuf,
}

impl Invocation<'_> {
    /// Finds the project and its store.
    pub fn places(&self) -> Result<Places, Failure> {
        let project = project::find(self.global, self.environment)?;
        let cache = project::cache_dir(self.global, self.environment, &project);
        Ok(Places { project, cache })
    }
}

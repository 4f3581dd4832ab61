//! The commands that build: each takes its arguments, calls the rooms below, and prints the result.

mod build;
mod cache;
mod diff;
mod failed;
mod gc;
mod inspect;
mod lock;
mod plan;
mod publish;
mod record;
mod sbom;
mod scripts;
mod serve;
mod sources;
mod unopened;
mod verify;
mod why;

pub(super) use build::run as build;
pub use build::{BuiltImage, built_table};
pub(super) use cache::run as cache;
pub(super) use diff::run as diff;
pub(super) use gc::run as gc;
pub(super) use inspect::run as inspect;
pub use lock::change_table;
pub(super) use lock::run as lock;
pub(super) use plan::run as plan;
pub(super) use publish::run as publish;
pub(super) use sbom::run as sbom;
pub(super) use serve::run as serve;
pub(super) use verify::run as verify;
pub(super) use why::run as why;

use super::arguments::Global;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::project;
use std::path::{Path, PathBuf};

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

/// What is said where a store would have to be there already.
fn no_store(cache: &Path) -> Failure {
    let message = format!("there is no store yet in `{}`", cache.display());
    Failure::new(Exit::No, message).hint("`remint build` fills it")
}

impl Invocation<'_> {
    /// Finds the project and its store.
    pub fn places(&self) -> Result<Places, Failure> {
        let project = project::find(self.global, self.environment)?;
        let cache = project::cache_dir(self.global, self.environment, &project);
        Ok(Places { project, cache })
    }

    /// Finds a store, which needs no project where it is named, and the project if there is one.
    pub(super) fn store_place(&self) -> Result<(PathBuf, Option<PathBuf>), Failure> {
        let named = self.global.cache_dir.as_ref().or(self.environment.cache_dir.as_ref());
        match (self.places(), named) {
            (Ok(places), _) => Ok((places.cache, Some(places.project))),
            (Err(_), Some(named)) if self.global.project.is_none() => Ok((self.environment.cwd.join(named), None)),
            (Err(failure), _) => Err(failure),
        }
    }
}

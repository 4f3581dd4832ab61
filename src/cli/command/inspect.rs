//! `remint inspect`.

use super::Invocation;
use crate::cli::arguments::Inspect;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Shows what an image is made of.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Inspect) -> Result<Exit, Failure> {
    let _ = (invocation.places()?, arguments);
    Err(Failure::new(Exit::Bug, "`remint inspect` is not joined to the rooms below yet"))
}

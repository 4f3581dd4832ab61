//! `remint completions`: a script that makes a shell complete remint's words.

use super::arguments::{Arguments, Completions};
use super::exit::Exit;
use super::failure::Failure;
use super::screen;
use clap::CommandFactory;

/// Prints the script.
pub(super) fn run(arguments: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "remint", &mut script);
    screen::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

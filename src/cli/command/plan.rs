//! `remint plan`.

use super::Invocation;
use crate::cli::arguments::{Plan, PlanFormat};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::plan::Graph;
use crate::cli::screen;

/// Shows what a build would do.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Plan) -> Result<Exit, Failure> {
    let _ = (invocation.places()?, arguments);
    Err(Failure::new(Exit::Bug, "`remint plan` is not joined to the rooms below yet"))
}

/// Shows a graph as the arguments ask: on stdout, or in a file.
pub fn show(graph: &Graph, arguments: &Plan, invocation: Invocation<'_>) -> Result<Exit, Failure> {
    let folded;
    // A machine can fold by itself, and cannot unfold.
    let graph = if arguments.all || arguments.format == PlanFormat::Json {
        graph
    } else {
        folded = graph.folded();
        &folded
    };
    let text = match arguments.format {
        PlanFormat::Tree => graph.tree(),
        PlanFormat::Json => graph.json(),
        PlanFormat::Dot => graph.dot(),
        PlanFormat::Svg => graph.svg(),
    };
    match &arguments.output {
        None => screen::data(&text)?,
        Some(path) => {
            let path = invocation.environment.cwd.join(path);
            let message = || format!("cannot write `{}`", path.display());
            std::fs::write(&path, text).map_err(|error| Failure::wrap(Exit::No, message(), &error))?;
        }
    }
    Ok(Exit::Done)
}

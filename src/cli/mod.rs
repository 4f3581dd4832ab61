//! The only room that prints, reads the environment, or knows the time.
//!
//! Data goes to stdout, talk to stderr. [`main`] reads the [`Environment`] once, parses [`Arguments`], and hands both to the
//! command; a command ends with an [`Exit`] or a [`Failure`], which is shown here and nowhere else. While it runs, a
//! [`report::Reporter`] shows its events.

pub mod amount;
mod archives;
pub mod arguments;
mod bases;
mod bug;
mod ci;
mod clock;
pub mod command;
mod completions;
pub mod environment;
pub mod exit;
pub mod failure;
mod help;
mod init;
pub mod plan;
pub mod project;
mod registries;
pub mod report;
pub mod screen;
mod session;
mod shell;
pub mod table;
mod varied;

use arguments::{Arguments, Color, Command, Global, PlanFormat, TextOrJson};
use clap::{CommandFactory, FromArgMatches};
use command::Invocation;
use environment::Environment;
use exit::Exit;
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let environment = match Environment::collect() {
        Ok(environment) => environment,
        Err(failure) => {
            screen::talk(&failure.render());
            return failure.exit.into();
        }
    };
    bug::install(&environment.arguments);
    #[cfg(debug_assertions)]
    if let Some(fault) = environment::fault() {
        crate::disk::arm(fault);
    }
    screen::choose_colors(early_color(&environment.arguments));
    let arguments = match parse(&environment.arguments) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    run(&arguments, &environment).into()
}

/// Runs a command, and shows its failure if it has one.
fn run(arguments: &Arguments, environment: &Environment) -> Exit {
    let everything = Command::Build(arguments::Build::default());
    let command = arguments.command.as_ref().unwrap_or(&everything);
    match dispatch(command, &arguments.global, environment) {
        Ok(exit) => exit,
        Err(failure) => {
            if wants_json(command) {
                // What cannot be written, nobody reads; the exit code still says it.
                let _ = screen::data(&format!("{}\n", failure.json()));
            } else {
                screen::talk(&failure.render());
            }
            failure.exit
        }
    }
}

fn dispatch(command: &Command, global: &Global, environment: &Environment) -> Result<Exit, Failure> {
    let invocation = Invocation { global, environment };
    match command {
        Command::Init(arguments) => init::run(arguments, global, environment),
        Command::Lock(arguments) => command::lock(invocation, arguments),
        Command::Build(arguments) => command::build(invocation, arguments),
        Command::Plan(arguments) => command::plan(invocation, arguments),
        Command::Inspect(arguments) => command::inspect(invocation, arguments),
        Command::Sbom(arguments) => command::sbom(invocation, arguments),
        Command::Cache(arguments) => command::cache(invocation, arguments),
        Command::Gc(arguments) => command::gc(invocation, arguments),
        Command::Publish(arguments) => command::publish(invocation, arguments),
        Command::Serve(arguments) => command::serve(invocation, arguments),
        Command::Verify(arguments) => command::verify(invocation, arguments),
        Command::Why(arguments) => command::why(invocation, arguments),
        Command::Diff(arguments) => command::diff(invocation, arguments),
        Command::Completions(arguments) => completions::run(arguments),
    }
}

/// Whether stdout is for a machine, so that a failure belongs there too.
fn wants_json(command: &Command) -> bool {
    match command {
        Command::Build(build) => build.format == TextOrJson::Json,
        Command::Lock(lock) => lock.format == TextOrJson::Json,
        Command::Inspect(inspect) => inspect.format == TextOrJson::Json,
        Command::Publish(publish) => publish.format == TextOrJson::Json,
        Command::Verify(verify) => verify.format == TextOrJson::Json,
        Command::Why(why) => why.format == TextOrJson::Json,
        Command::Diff(diff) => diff.format == TextOrJson::Json,
        Command::Plan(plan) => plan.format == PlanFormat::Json,
        Command::Cache(cache) => cache.format == TextOrJson::Json,
        Command::Gc(gc) => gc.format == TextOrJson::Json,
        Command::Serve(serve) => serve.format == TextOrJson::Json,
        _ => false,
    }
}

/// Parses the command line; `Err` is how the program ends when there is nothing to run, after it was said.
fn parse(words: &[OsString]) -> Result<Arguments, Exit> {
    let parsed = Arguments::command().try_get_matches_from(words).and_then(|found| Arguments::from_arg_matches(&found));
    parsed.map_err(|error| {
        let text = error.render().ansi().to_string();
        if error.use_stderr() {
            screen::talk(&text);
            Exit::Usage
        } else {
            screen::data(&text).map_or_else(|failure| failure.exit, |()| Exit::Done)
        }
    })
}

/// What `--color` says, before the command line is parsed: help and usage errors have colours too.
fn early_color(words: &[OsString]) -> Color {
    let mut words = words.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let mut said = None;
    while let Some(word) = words.next() {
        if word == "--color" {
            said = words.next();
        } else if let Some(value) = word.strip_prefix("--color=") {
            said = Some(value);
        }
    }
    match said {
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        _ => Color::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_known_before_the_rest() {
        let color = |words: &[&str]| early_color(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(color(&["remint", "--color", "never", "--oops"]), Color::Never);
        assert_eq!(color(&["remint", "--color=always", "--help"]), Color::Always);
        assert_eq!(color(&["remint", "build", "--", "--color=always"]), Color::Auto);
        assert_eq!(color(&["--color=always"]), Color::Auto, "the first word is the program");
    }
}

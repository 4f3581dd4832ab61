//! The two streams: stdout is data, stderr is talk.
//!
//! Colours are written as escape codes and taken out by anstream where they are not wanted: `--color`, then `NO_COLOR`,
//! `CLICOLOR_FORCE` and `CLICOLOR`, then whether the stream is a terminal.

use super::arguments::Color;
use super::exit::Exit;
use super::failure::Failure;
use anstream::ColorChoice;
use std::io::{self, ErrorKind, Write};

/// Settles, for the whole process, when colours are shown.
pub(super) fn choose_colors(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether stderr shows colours.
pub(super) fn stderr_has_colors() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// A text in one line, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Writes data to stdout.
///
/// A reader that went away is no failure: `remint plan | head` ends well, and what is left unwritten, nobody wanted.
pub fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::wrap(Exit::No, "cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Writes talk to stderr, all of it in one piece; where that fails there is nobody to tell.
pub fn talk(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

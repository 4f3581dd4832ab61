//! What a person reads when a run fails: the message, its causes, and commands that help.

use super::exit::Exit;
use anstyle::{AnsiColor, Style};
use std::error::Error;
use std::fmt::Write as _;

/// Why a run fails, ready for the screen.
///
/// The message and each cause are lower-case fragments without a full stop; no cause repeats what stands above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Messages that are complete already and shown above it: the findings in a recipe, each with its place.
    pub findings: Option<Box<str>>,
    /// What went wrong, after `error: `; after findings, what they mean together.
    pub message: String,
    /// Which: text that is shown as it is, below the message; a list or a table.
    pub details: Option<Box<str>>,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What helps, with commands in backticks that can be pasted.
    pub hints: Vec<String>,
}

/// Styles of the words in front.
const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of `warning`.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The style of `hint`.
const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// The style of `caused by`.
const CAUSE: Style = Style::new().bold();

impl Failure {
    /// A failure that is only a message so far.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, findings: None, message: message.into(), details: None, causes: Vec::new(), hints: Vec::new() }
    }

    /// A failure from an error of a room, with its whole chain of sources as causes.
    pub fn from_error(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(exit, error.to_string());
        failure.push_causes(error.source());
        let failure = if out_of_room(error) { failure.hint(NO_ROOM) } else { failure };
        if torn_index(error) { failure.hint(TORN_INDEX) } else { failure }
    }

    /// Puts a sentence of what was being done above an error, which becomes the first cause.
    pub fn wrap(exit: Exit, message: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(exit, message);
        failure.push_causes(Some(error));
        failure
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the hints that there are.
    #[must_use]
    pub fn hints(self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        hints.into_iter().fold(self, Self::hint)
    }

    /// Sets the messages that are shown above it.
    #[must_use]
    pub fn findings(mut self, findings: impl Into<Box<str>>) -> Self {
        self.findings = Some(findings.into());
        self
    }

    /// Sets the text that is shown below the message.
    #[must_use]
    pub fn details(mut self, details: impl Into<Box<str>>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The text for a terminal, with colours; printing through anstream takes them out where they are not wanted.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = match &self.findings {
            Some(findings) => format!("{}\n\n", findings.trim_end()),
            None => String::new(),
        };
        let _ = writeln!(text, "{ERROR}error{ERROR:#}: {}", continued(&self.message, 7));
        if let Some(details) = &self.details {
            text.push_str(details);
            if !details.ends_with('\n') {
                text.push('\n');
            }
        }
        for cause in &self.causes {
            let _ = writeln!(text, "  {CAUSE}caused by{CAUSE:#}: {}", continued(cause, 13));
        }
        for hint in &self.hints {
            let _ = writeln!(text, "{HINT}hint{HINT:#}: {}", continued(hint, 6));
        }
        text
    }

    /// One JSON object, without a line break: the last line of a run with `--format json`.
    #[must_use]
    pub fn json(&self) -> String {
        /// As the events of a run are written.
        #[derive(serde::Serialize)]
        #[serde(tag = "event", rename = "error")]
        struct Line<'a> {
            exit: u8,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            findings: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<String>,
            causes: &'a [String],
            hints: &'a [String],
        }
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let line = Line {
            exit: self.exit.code(),
            message: &self.message,
            findings: self.findings.as_deref().map(plain),
            details: self.details.as_deref().map(plain),
            causes: &self.causes,
            hints: &self.hints,
        };
        serde_json::to_string(&line).expect("texts and numbers are JSON")
    }

    fn push_causes(&mut self, mut next: Option<&(dyn Error + 'static)>) {
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries' errors show their source themselves; saying it twice helps nobody.
            let above = self.causes.last().unwrap_or(&self.message);
            if !above.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
    }
}

/// What helps where a disk or a quota is full.
pub(super) const NO_ROOM: &str = "there is no room left: `remint gc` frees what nothing needs; what is done is kept, and the next run goes on from there";

/// Whether an error comes of a full disk or quota.
pub(super) fn out_of_room(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), StorageFull | QuotaExceeded)) {
            return true;
        }
        // An I/O error around another shows that one's source, not itself.
        next = io.and_then(|io| io.get_ref().map(|inner| inner as &(dyn Error + 'static))).or_else(|| error.source());
    }
    false
}

/// What helps where the store's list of images is none; a build begins it again.
pub(super) const TORN_INDEX: &str =
    "the list of the store's images was torn or written over: `remint build` writes it anew from what the store holds";

/// Whether an error comes of a store's index.json that is none.
fn torn_index(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // What passes an error on without words of its own does not show it as its source.
        let inner = match error.downcast_ref::<crate::image::Error>() {
            Some(crate::image::Error::Store(inner)) => Some(inner),
            _ => error.downcast_ref::<crate::store::Error>(),
        };
        if matches!(inner, Some(crate::store::Error::Index { .. })) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Indents every line but the first, so that a text of several lines stays under its own beginning.
fn continued(text: &str, indent: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write `remint.lock`")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct Inner;

    fn plain(failure: &Failure) -> String {
        anstream::adapter::strip_str(&failure.render()).to_string()
    }

    #[test]
    fn the_chain_and_the_hints_are_shown() {
        let failure = Failure::from_error(Exit::Recipe, &Outer(Inner)).hint("free some space:\n`df -h .`");
        assert_eq!(
            plain(&failure),
            "error: cannot write `remint.lock`\n  caused by: the disk is full\nhint: free some space:\n      `df -h .`\n"
        );
        assert_ne!(failure.render(), plain(&failure), "there are colours to take out");
    }

    #[test]
    fn a_cause_that_the_message_holds_already_is_not_repeated() {
        let failure = Failure::wrap(Exit::Source, "cannot lock: the disk is full", &Inner);
        assert_eq!(failure.causes, [""; 0]);
        assert_eq!(Failure::wrap(Exit::Source, "cannot lock", &Outer(Inner)).causes.len(), 2);
    }

    #[test]
    fn findings_come_first_and_the_message_sums_up() {
        let failure =
            Failure::new(Exit::Recipe, "1 finding in `web`").findings("error: x\n --> a:1:1\n").details("  y");
        assert_eq!(plain(&failure), "error: x\n --> a:1:1\n\nerror: 1 finding in `web`\n  y\n");
    }

    #[test]
    fn json_is_one_line_and_has_no_colours() {
        let failure = Failure::new(Exit::Action, "a\nb").details("\u{1b}[1mx\u{1b}[0m").hint("c");
        assert_eq!(
            failure.json(),
            r#"{"event":"error","exit":5,"message":"a\nb","details":"x","causes":[],"hints":["c"]}"#
        );
    }
}

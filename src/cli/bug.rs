//! What happens when remint itself is wrong: a message that says so, and exit code 70.

use super::exit::Exit;
use super::{screen, shell};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;

/// Makes a panic on any thread end the process with [`Exit::Bug`], after a message that says what to report.
///
/// At once, because a thread that died may be one that others wait for; the store is made to survive that at any instruction.
pub(super) fn install(arguments: &[OsString]) {
    let command = command_line(arguments);
    std::panic::set_hook(Box::new(move |info| {
        screen::talk(&report(info, &command, &Backtrace::capture()));
        std::process::exit(i32::from(Exit::Bug.code()));
    }));
}

fn report(info: &PanicHookInfo<'_>, command: &str, backtrace: &Backtrace) -> String {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    let mut text = format!("{style}error{style:#}: this is a bug in remint, not in your recipes\n");
    let what = message(info);
    let _ = writeln!(text, "  message: {}", what.replace('\n', "\n           "));
    if let Some(place) = info.location() {
        let _ = writeln!(text, "    place: {place}");
    }
    let _ = writeln!(text, "  version: remint {} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let _ = writeln!(text, "  command: {command}");
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(text, "{backtrace}");
        text.push_str(
            "hint: please report it to remint's maintainers with all of the above; nothing in the store is harmed\n",
        );
    } else {
        text.push_str("hint: please report it to remint's maintainers with the lines above and what these say:\n");
        let _ = writeln!(text, "      `RUST_BACKTRACE=1 {command}`");
    }
    text
}

/// What the panic says: `panic!` carries one of these two types.
fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    payload.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("a panic without a message")
}

/// The command line as it can be pasted into a shell.
fn command_line(arguments: &[OsString]) -> String {
    let quoted = |word: &OsString| shell::quoted(&word.to_string_lossy());
    std::iter::once("remint".to_owned()).chain(arguments.iter().skip(1).map(quoted)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_command_can_be_pasted() {
        let words = ["/usr/bin/remint", "build", "a b", "-o", "oci:x"].map(OsString::from);
        assert_eq!(command_line(&words), "remint build 'a b' -o oci:x");
    }

    /// Says to this program that it is the process that may die.
    const DYING: &str = "REMINT_TEST_DYING";

    fn die() {
        install(&["remint".into(), "build".into()]);
        std::thread::spawn(|| panic!("two\nlines")).join().ok();
        unreachable!("the hook ends the process");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what this very test told the process that it started")]
    fn a_panic_on_any_thread_ends_with_70_and_says_so() {
        if std::env::var_os(DYING).is_some() {
            return die();
        }
        let this = std::env::current_exe().unwrap();
        let output = Command::new(this)
            .args(["--exact", "cli::bug::tests::a_panic_on_any_thread_ends_with_70_and_says_so", "--nocapture"])
            .env_clear()
            .env(DYING, "yes")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(70));
        let talk = String::from_utf8(output.stderr).unwrap();
        let expected = "error: this is a bug in remint, not in your recipes\n  message: two\n           lines\n";
        assert!(talk.contains(expected), "{talk}");
        assert!(talk.contains("`RUST_BACKTRACE=1 remint build`"), "{talk}");
    }
}

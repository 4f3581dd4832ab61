//! Outside programs that judge what remint makes.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Finds a judge. Where it is missing the test that asks says so and passes, unless `REMINT_TEST_REQUIRE_JUDGES` is set.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = environment("PATH").unwrap_or_default();
    // Daemons stand where a plain user's PATH does not lead.
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = places.map(|place| place.join(program)).find(|path| path.is_file());
    if found.is_none() {
        missing(&format!("`{program}` is not installed"));
    }
    found
}

/// Finds all of several judges, or none.
pub(crate) fn find_all<const N: usize>(programs: [&str; N]) -> Option<[PathBuf; N]> {
    let found: Vec<PathBuf> = programs.iter().map_while(|program| find(program)).collect();
    found.try_into().ok()
}

/// Whether the tests run as root, which servers of containers want.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        missing("not root");
    }
    root
}

/// Says that something that a test needs is missing, or fails where that is not allowed.
pub(crate) fn missing(what: &str) {
    assert!(environment("REMINT_TEST_REQUIRE_JUDGES").is_none(), "{what}, and judges are required");
    skipped(what);
}

/// Whether the long form of the judging was asked for, which takes hours where the short one takes minutes.
pub(crate) fn long() -> bool {
    environment("REMINT_TEST_LONG").is_some()
}

/// Runs a program and gives its standard output; panics with all that it said if it fails.
pub(crate) fn run<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    succeed(&mut command)
}

/// Runs a command and gives its standard output; panics with all that it said if it fails.
pub(crate) fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?} failed: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

#[expect(clippy::disallowed_methods, reason = "tests look for programs and for what the run asks of them")]
fn environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// Says what was left out.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn skipped(what: &str) {
    eprintln!("skipped: {what}");
}
/// The names and contents of the host's apt sources, as `Mirrors::new` takes them.
pub(crate) fn apt_sources() -> Vec<(String, String)> {
    let mut files = vec!["/etc/apt/sources.list".into()];
    let parts = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = parts.map(|entry| entry.path()).collect();
    parts.sort();
    files.append(&mut parts);
    let read = |path: &PathBuf| Some((path.file_name()?.to_str()?.to_owned(), std::fs::read_to_string(path).ok()?));
    files.iter().filter_map(read).collect()
}

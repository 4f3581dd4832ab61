//! Outside judges: programs and mirrors that a machine may lack.

use std::process::{Command, Stdio};

/// Says that a test is skipped, or fails where the judges are required.
pub(crate) fn skipped(why: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test's switch")]
    let required = std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_some();
    assert!(!required, "a judge is missing: {why}");
    #[expect(clippy::disallowed_macros, reason = "a test's report")]
    {
        println!("skipped: {why}");
    }
}

/// Whether a program can be started; says that the test is skipped if not.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skipped(&format!("no program `{program}`"));
    }
    found
}

/// The names and contents of the host's apt sources, as `Mirrors::new` takes them.
pub(crate) fn apt_sources() -> Vec<(String, String)> {
    let mut files = vec!["/etc/apt/sources.list".into()];
    let parts = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let mut parts: Vec<std::path::PathBuf> = parts.map(|entry| entry.path()).collect();
    parts.sort();
    files.append(&mut parts);
    let read =
        |path: &std::path::PathBuf| Some((path.file_name()?.to_str()?.to_owned(), std::fs::read_to_string(path).ok()?));
    files.iter().filter_map(read).collect()
}

//! Programs from elsewhere that judge what we make.

use std::path::PathBuf;

/// Finds a program. Where it is missing, the test is skipped and says so, unless `REMINT_TEST_REQUIRE_JUDGES` is set.
#[expect(clippy::disallowed_methods, reason = "tests look for the programs of the machine that they run on")]
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        assert!(std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_none(), "`{name}` is not installed");
        skip(&format!("`{name}` is not installed"));
    }
    found
}

/// Says that a test was skipped, and why.
#[expect(clippy::disallowed_macros, reason = "the harness shows it")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

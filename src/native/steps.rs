//! The steps that `scripts.txt` calls by name, and those that packages set off in each other by triggers.

use super::stage::Stage;
use super::{Error, pam, shells};

/// Runs a step by its name; `false`: there is none of that name.
pub(super) fn run(stage: &mut Stage<'_>, name: &str) -> Result<bool, Error> {
    match name {
        "base-users" => stage.accounts.base(&stage.tree)?,
        "shadow" => stage.accounts.shadow_on(),
        "pam" => pam::update(&mut stage.tree)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Does what triggers would do at the end, whichever layer brought the package that is interested: each step looks at the whole image and
/// changes nothing where all is as it should be.
pub(super) fn triggers(stage: &mut Stage<'_>) -> Result<(), Error> {
    if stage.dpkg.has("debianutils") {
        shells::update(&mut stage.tree)?;
    }
    Ok(())
}

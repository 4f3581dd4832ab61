//! The steps that `scripts.txt` calls by name, and those that packages set off in each other by triggers.

use super::dpkg::Diversion;
use super::stage::Stage;
use super::{Error, abi, apache, ca, exim, ldconfig, locales, pam, php, postgresql, shells};

/// Runs a step by its name; `false`: there is none of that name.
pub(super) fn run(stage: &mut Stage<'_>, name: &str) -> Result<bool, Error> {
    match name {
        "base-users" => stage.accounts.base(&stage.tree)?,
        "ca-certificates" => ca::configure(stage)?,
        "alias-diversions" => alias_diversions(stage),
        "linker-diversion" => linker_diversion(stage),
        "shadow" => stage.accounts.shadow_on(),
        "shells" => shells::update(&mut stage.tree)?,
        "apache" => apache::enable(&mut stage.tree)?,
        "php-modules" => php::modules(stage)?,
        "exim" => exim::update(stage)?,
        "locales" => locales::update(stage)?,
        "postgresql-manpages" => postgresql::manpages(stage)?,
        "pam" => pam::update(&mut stage.tree, &mut stage.debconf)?,
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
    ca::update(&mut stage.tree)?;
    // The store is made from the links above, by a program that runs only where there is a Java.
    if stage.dpkg.has("ca-certificates-java") && stage.tree.exists("usr/bin/java") {
        ca::java_store(&mut stage.tree)?;
    }
    ldconfig::update(&mut stage.tree, stage.input.arch)
}

/// Protects the links at the root that base-files makes when they are needed: all but the directory of the dynamic linker, which it
/// ships (base-files 13, `preinst`).
fn alias_diversions(stage: &mut Stage<'_>) {
    for name in ["lib32", "lib64", "libo32", "libx32"] {
        if !abi::linker(stage.input.arch).starts_with(&format!("/{name}/")) {
            let (from, to) = (format!("/{name}"), format!("/.{name}.usr-is-merged"));
            stage.dpkg.divert(Diversion { from, to, package: "base-files".to_owned() });
        }
    }
}

/// Protects the dynamic linker, which libc6 ships in one of two directories, while releases move it (glibc 2.41, `preinst`).
fn linker_diversion(stage: &mut Stage<'_>) {
    let from = abi::linker(stage.input.arch).to_owned();
    let to = format!("{from}.usr-is-merged");
    stage.dpkg.divert(Diversion { from, to, package: "libc6".to_owned() });
}

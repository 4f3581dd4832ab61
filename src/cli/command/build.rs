//! `remint build`.

use super::Invocation;
use crate::cli::amount;
use crate::cli::arguments::Build;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::table::{Column, Table};
use crate::digest::Digest;
use crate::oci::Platform;
use std::time::Duration;

/// Builds images and prints what came of it.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Build) -> Result<Exit, Failure> {
    let _ = (invocation.places()?, arguments);
    Err(Failure::new(Exit::Bug, "`remint build` is not joined to the rooms below yet"))
}

/// An image of one platform that a build made or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: Platform,
    /// Its manifest.
    pub digest: Digest,
    /// How many bytes its manifest, configuration and layers have.
    pub size: u64,
    /// How many layers were made.
    pub built: u64,
    /// How many layers were in the store.
    pub reused: u64,
    /// How long its actions took.
    pub took: Duration,
}

/// The table of a build; digests are whole where the table is data, and twelve digits where a person reads it.
#[must_use]
pub fn built_table(images: &[BuiltImage], whole_digests: bool) -> Table {
    let mut table = Table::new([
        Column::prose("IMAGE"),
        Column::text("PLATFORM"),
        Column::text("DIGEST"),
        Column::number("SIZE"),
        Column::number("BUILT"),
        Column::number("REUSED"),
        Column::number("TIME"),
    ]);
    for image in images {
        table.row([
            image.name.clone(),
            image.platform.to_string(),
            if whole_digests { image.digest.to_string() } else { image.digest.short() },
            amount::size(image.size),
            image.built.to_string(),
            image.reused.to_string(),
            amount::duration(image.took),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_terminal() {
        let image = BuiltImage {
            name: "python".into(),
            platform: "linux/arm64".parse().unwrap(),
            digest: Digest::of(b""),
            size: 45_300_000,
            built: 2,
            reused: 1,
            took: Duration::from_millis(1234),
        };
        let text = built_table(std::slice::from_ref(&image), false).render(Some(80));
        assert_eq!(
            text,
            "IMAGE   PLATFORM     DIGEST           SIZE  BUILT  REUSED   TIME\n\
             python  linux/arm64  e3b0c44298fc  45.3 MB      2       1  1.2 s\n"
        );
        assert!(built_table(&[image], true).render(None).contains(&Digest::of(b"").to_string()));
    }
}

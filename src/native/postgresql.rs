//! The manual pages of a `PostgreSQL` version (postgresql-common 248 and 278, `maintscripts-functions`, `_link_manpages`).
//!
//! All versions that are installed share one group of alternatives, `psql.1.gz`: the pages of the newest stand in `/usr/share/man`.

use super::Error;
use super::alternatives::Install;
use super::stage::Stage;

const BASE: &str = "usr/share/postgresql";

/// Installs the group for every version whose pages are there.
pub(super) fn manpages(stage: &mut Stage<'_>) -> Result<(), Error> {
    for version in stage.tree.names(BASE) {
        let master = format!("/{BASE}/{version}/man/man1/psql.1.gz");
        let Ok(number) = version.parse::<i32>() else { continue };
        let mut slaves = Vec::new();
        let pages = stage.tree.under(&format!("{BASE}/{version}/man"));
        for page in pages.into_iter().filter(|entry| !entry.is_directory() && entry.path.name() != "psql.1.gz") {
            let path = format!("/{}", page.path);
            let link = path.replace(&format!("postgresql/{version}/man"), "man");
            slaves.push([link, page.path.name().to_owned(), path]);
        }
        for section in ["man1", "man3", "man7"] {
            stage.tree.directory(&format!("usr/share/man/{section}"), 0o755);
        }
        Install::new("/usr/share/man/man1/psql.1.gz", "psql.1.gz", &master, number * 10, slaves)
            .apply(&mut stage.tree)?;
    }
    Ok(())
}

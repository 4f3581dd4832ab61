//! The manual pages of a `PostgreSQL` version (postgresql-common 248 and 278, `maintscripts-functions`, `_link_manpages`).
//!
//! Versions that are installed side by side share groups of alternatives, so that the pages of the newest stand in `/usr/share/man`: one
//! group since postgresql-common 267, `psql.1.gz`; two before, with the server's own pages in `postmaster.1.gz`.

use super::Error;
use super::alternatives::Install;
use super::stage::Stage;
use super::tree::Tree;

/// Installs the groups of every version whose pages are there.
pub(super) fn manpages(stage: &mut Stage<'_>) -> Result<(), Error> {
    let functions = stage.tree.text("usr/share/postgresql-common/maintscripts-functions")?.unwrap_or_default();
    let joined = functions.contains("relink_postmaster_manpages");
    for version in stage.tree.names("usr/share/postgresql") {
        let Ok(number) = version.parse::<i32>() else { continue };
        let (client, server) = (format!("postgresql-client-{version}"), format!("postgresql-{version}"));
        if joined {
            link(&mut stage.tree, &version, number, "psql.1.gz", &[&client, &server])?;
        } else {
            link(&mut stage.tree, &version, number, "psql.1.gz", &[&client])?;
            link(&mut stage.tree, &version, number, "postmaster.1.gz", &[&server])?;
        }
    }
    Ok(())
}

/// Installs one group: a page and, as its slaves, all others that packages ship.
fn link(tree: &mut Tree<'_>, version: &str, number: i32, name: &str, packages: &[&str]) -> Result<(), Error> {
    let directory = format!("postgresql/{version}/man");
    let master = format!("/usr/share/{directory}/man1/{name}");
    let mut slaves = Vec::new();
    for package in packages {
        let list = tree.text(&format!("var/lib/dpkg/info/{package}.list"))?.unwrap_or_default();
        for path in list.lines().filter(|path| path.contains(&directory) && !path.contains(name)) {
            let page = path.rsplit('/').next().unwrap_or_default();
            let section = page
                .trim_end_matches(".gz")
                .rsplit_once('.')
                .is_some_and(|(_, end)| end.starts_with(|c: char| c.is_ascii_digit()));
            if section {
                slaves.push([path.replace(&directory, "man"), page.to_owned(), path.to_owned()]);
            }
        }
    }
    for section in ["man1", "man3", "man7"] {
        tree.directory(&format!("usr/share/man/{section}"), 0o755);
    }
    Install::new(&format!("/usr/share/man/man1/{name}"), name, &master, number * 10, slaves).apply(tree)
}

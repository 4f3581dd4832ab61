//! What apache2 enables when it is first installed (apache2 2.4.62 and later, `postinst`, `a2enmod`).
//!
//! ```text
//! etc/apache2/<kind>s-enabled/<name>.{load,conf}       links to <kind>s-available
//! var/lib/apache2/<module|conf|site>/enabled_by_maint/<name>   empty: a package enabled it, not an administrator
//! ```

use super::Error;
use super::tree::Tree;

const MODULES: [&str; 17] = [
    "mpm_event",
    "authz_host",
    "auth_basic",
    "access_compat",
    "authn_file",
    "authz_user",
    "alias",
    "dir",
    "autoindex",
    "env",
    "mime",
    "negotiation",
    "setenvif",
    "filter",
    "deflate",
    "status",
    "reqtimeout",
];
const CONFS: [&str; 5] = ["charset", "localized-error-pages", "other-vhosts-access-log", "security", "serve-cgi-bin"];

/// Enables the modules, settings and the site of a new installation.
pub(super) fn enable(tree: &mut Tree<'_>) -> Result<(), Error> {
    for name in MODULES {
        module(tree, name, 0)?;
    }
    for name in CONFS {
        link(tree, "conf", name, "conf");
        tree.file(&format!("var/lib/apache2/conf/enabled_by_maint/{name}"), 0o644, "");
    }
    link(tree, "sites", "000-default", "conf");
    tree.file("var/lib/apache2/site/enabled_by_admin/000-default", 0o644, "");
    Ok(())
}

/// Enables a module after those that it depends on.
fn module(tree: &mut Tree<'_>, name: &str, depth: usize) -> Result<(), Error> {
    let Some(text) = tree.text(&format!("etc/apache2/mods-available/{name}.load"))?.filter(|_| depth < 10) else {
        return Ok(());
    };
    let depends = text.lines().filter_map(|line| line.strip_prefix("# Depends:")).flat_map(str::split_whitespace);
    for needed in depends {
        module(tree, needed, depth + 1)?;
    }
    link(tree, "mods", name, "load");
    link(tree, "mods", name, "conf");
    tree.file(&format!("var/lib/apache2/module/enabled_by_maint/{name}"), 0o644, "");
    Ok(())
}

fn link(tree: &mut Tree<'_>, kind: &str, name: &str, end: &str) {
    if tree.exists(&format!("etc/apache2/{kind}-available/{name}.{end}")) {
        tree.symlink(&format!("etc/apache2/{kind}-enabled/{name}.{end}"), &format!("../{kind}-available/{name}.{end}"));
    }
}

//! `info/`: what dpkg keeps of each package beside its stanza.

use super::super::control::Stanza;
use super::super::tree::Tree;
use super::super::{Error, Package};
use super::{ADMIN, info_name, md5};
use crate::layer::Kind;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The members of a control archive that are programs: dpkg gives them mode 0755 (deb(5), dpkg `src/main/unpack.c`).
const SCRIPTS: [&str; 5] = ["config", "postinst", "postrm", "preinst", "prerm"];

/// Writes `list`, the control archive's members and, where the package has none, `md5sums`.
pub(super) fn write(tree: &mut Tree<'_>, package: &Package, stanza: &Stanza) -> Result<(), Error> {
    let base = format!("{ADMIN}/info/{}", info_name(package, stanza.get("Multi-Arch")));
    let mut list = String::new();
    for path in &package.paths {
        let path = path.trim_end_matches('/');
        let _ = writeln!(list, "{}", if path.is_empty() { "/." } else { path });
    }
    tree.file(&format!("{base}.list"), 0o644, list);
    for (name, content) in &package.control {
        if name != "control" && !name.contains('/') {
            let mode = if SCRIPTS.contains(&name.as_str()) { 0o755 } else { 0o644 };
            tree.file(&format!("{base}.{name}"), mode, content.clone());
        }
    }
    if !package.control.contains_key("md5sums") {
        let sums = sums(tree, package)?;
        tree.file(&format!("{base}.md5sums"), 0o644, sums);
    }
    Ok(())
}

/// What dpkg writes for a package that ships no `md5sums`: every file that is no conffile (dpkg's `write_filehash_except`).
fn sums(tree: &Tree<'_>, package: &Package) -> Result<String, Error> {
    let conffiles =
        package.control.get("conffiles").map(|list| String::from_utf8_lossy(list).into_owned()).unwrap_or_default();
    let conffiles: BTreeSet<&str> = conffiles.lines().map(str::trim).collect();
    let mut out = String::new();
    for path in &package.paths {
        let file = tree.place(path).and_then(|at| tree.get(at.as_str()).map(|entry| entry.kind.clone()));
        if matches!(file, Some(Kind::File { .. } | Kind::Hardlink { .. })) && !conffiles.contains(path.as_str()) {
            let content = tree.read(path)?.unwrap_or_default();
            let _ = writeln!(out, "{}  {}", md5(&content), path.trim_start_matches('/'));
        }
    }
    Ok(out)
}

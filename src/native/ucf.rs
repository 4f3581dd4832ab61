//! Configuration files that ucf keeps (ucf 3.0043 and 3.0052): the file, its MD5 as installed, and the package it belongs to.
//!
//! ```text
//! var/lib/ucf/hashfile    <md5>  <path>        in the order in which files were installed
//! var/lib/ucf/registry    <package> blank TAB blank <path>
//! var/lib/ucf/cache/      the file as installed, named by its path with `:` for `/`
//! ```

use super::Error;
use super::tree::Tree;
use md5::{Digest as _, Md5};
use std::fmt::Write as _;

/// Files of this size and above are not kept in the cache.
const CACHED: usize = 25_600;

/// Installs a file where none is, and records it in any case.
pub(super) fn install(tree: &mut Tree<'_>, package: &str, from: &str, to: &str) -> Result<(), Error> {
    let Some(content) = tree.read(from)? else { return Ok(()) };
    let mut sum = String::new();
    for byte in Md5::digest(&content) {
        let _ = write!(sum, "{byte:02x}");
    }
    tree.directory("var/lib/ucf/cache", 0o755);
    if content.len() < CACHED {
        tree.file(&format!("var/lib/ucf/cache/{}", to.replace('/', ":")), 0o644, content.clone());
    }
    if !tree.exists(to) {
        tree.file(to, 0o644, content);
    }
    add(tree, "var/lib/ucf/hashfile", &format!("{sum}  {to}"), to)?;
    add(tree, "var/lib/ucf/registry", &format!("{package} \t {to}"), to)
}

/// Adds a line, in place of one about the same path.
fn add(tree: &mut Tree<'_>, file: &str, line: &str, path: &str) -> Result<(), Error> {
    let old = tree.text(file)?.unwrap_or_default();
    let mut lines: Vec<&str> = old.lines().filter(|old| old.split_whitespace().nth(1) != Some(path)).collect();
    lines.push(line);
    tree.rewrite(file, lines.join("\n") + "\n");
    Ok(())
}

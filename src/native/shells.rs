//! `/etc/shells` (debianutils 5.7 and 5.23, `update-shells`).

use super::Error;
use super::tree::Tree;
use std::collections::BTreeSet;

const STATE: &str = "var/lib/shells.state";

/// Adds the shells that packages declare, each also by its real path, and keeps what an administrator changed.
pub(super) fn update(tree: &mut Tree<'_>) -> Result<(), Error> {
    let Some(template) = tree.text("usr/share/debianutils/shells")? else { return Ok(()) };
    let mut packaged: Vec<String> = Vec::new();
    let mut sources = vec![template.clone()];
    for name in tree.names("usr/share/debianutils/shells.d") {
        sources.extend(tree.text(&format!("usr/share/debianutils/shells.d/{name}"))?);
    }
    for shell in sources.iter().flat_map(|text| text.lines()).map(plain).filter(|shell| !shell.is_empty()) {
        let (directory, name) = shell.rsplit_once('/').unwrap_or(("", shell));
        let real = tree.resolve(directory).map_or_else(|| shell.to_owned(), |at| format!("/{at}/{name}"));
        for path in [shell.to_owned(), real] {
            if !packaged.contains(&path) {
                packaged.push(path);
            }
        }
    }
    let known: BTreeSet<String> =
        tree.text(STATE)?.unwrap_or_default().lines().map(|line| plain(line).to_owned()).collect();
    let mut out = String::new();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    for line in tree.text("etc/shells")?.unwrap_or(template).lines() {
        let shell = plain(line);
        let keep = shell.is_empty() || packaged.iter().any(|path| path == shell) || !known.contains(shell);
        if keep && (shell.is_empty() || listed.insert(shell.to_owned())) {
            out.push_str(line);
            out.push('\n');
        }
    }
    for shell in &packaged {
        if !listed.contains(shell) && !known.contains(shell) {
            out.push_str(shell);
            out.push('\n');
        }
    }
    tree.rewrite("etc/shells", out);
    tree.rewrite(STATE, packaged.join("\n") + "\n");
    Ok(())
}

/// A line without what follows a `#`.
fn plain(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn each_shell_is_listed_by_both_names() {
        let root = Mem::new()
            .directory("usr/bin")
            .symlink("bin", "usr/bin")
            .file("usr/share/debianutils/shells", b"# valid\n/bin/sh\n")
            .file("usr/share/debianutils/shells.d/dash", b"/usr/bin/dash\n");
        let mut tree = Tree::new(&root);
        update(&mut tree).unwrap();
        assert_eq!(tree.text("etc/shells").unwrap().unwrap(), "# valid\n/bin/sh\n/usr/bin/sh\n/usr/bin/dash\n");
        let once = tree.text("etc/shells").unwrap();
        update(&mut tree).unwrap();
        assert_eq!(tree.text("etc/shells").unwrap(), once);
        assert_eq!(tree.text(STATE).unwrap().unwrap(), "/bin/sh\n/usr/bin/sh\n/usr/bin/dash\n");
    }
}

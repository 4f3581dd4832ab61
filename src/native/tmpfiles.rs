//! tmpfiles.d: directories, files and links that packages declare (tmpfiles.d(5); systemd 252 and 257, `systemd-tmpfiles --create`).
//!
//! Lines for the boot (`!`), for credentials (`^`), for access lists and attributes, and for cleaning up have no effect here. What is under
//! `/run` belongs to a start, not to an image, and is left to it.

use super::Error;
use super::accounts::Accounts;
use super::tree::Tree;

/// Applies one file of declarations.
pub(super) fn apply(tree: &mut Tree<'_>, accounts: &Accounts, text: &str) -> Result<(), Error> {
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [kind, path, ..] = fields[..] else { continue };
        let field = |at: usize| fields.get(at).copied().filter(|text| *text != "-");
        let skipped = kind.starts_with('#') || kind.contains(['!', '^']) || path.contains(['%', '*', '"']);
        if skipped || path.starts_with("/run/") || path.starts_with("/var/run/") || !path.starts_with('/') {
            continue;
        }
        let on_creation = |text: &str| text.starts_with(':');
        let plain = |text: &str| text.trim_start_matches([':', '~']).to_owned();
        let mode = field(2).and_then(|text| u32::from_str_radix(&plain(text), 8).ok());
        let name = |at: usize| field(at).map_or_else(|| "0".to_owned(), plain);
        let owner = accounts.owner(&format!("{}:{}", name(3), name(4)));
        let given = field(2).is_some_and(|text| !on_creation(text));
        let argument = fields.get(6..).map(|rest| rest.join(" ")).filter(|text| !text.is_empty() && text != "-");
        match kind.as_bytes()[0] {
            b'd' | b'D' | b'v' | b'q' | b'Q' => {
                let new = tree.owned_directory(path, mode.unwrap_or(0o755), owner);
                if !new && given {
                    let owner = (field(3).is_some() || field(4).is_some()).then_some(owner);
                    tree.change(path, mode, owner)?;
                }
            }
            b'f' if !tree.exists(path) => {
                tree.owned_file(path, mode.unwrap_or(0o644), owner, argument.unwrap_or_default());
            }
            b'L' => {
                let there = tree.place(path).is_some_and(|at| tree.get(at.as_str()).is_some());
                let replaces = kind.contains('+');
                if let Some(target) = argument.filter(|_| !there || replaces) {
                    tree.symlink(path, &target);
                }
            }
            b'z' | b'Z' if tree.exists(path) => {
                let owner = (field(3).is_some() || field(4).is_some()).then_some(owner);
                tree.change(path, mode, owner)?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn declarations_are_made_and_what_exists_is_adjusted() {
        let root = Mem::new().directory("etc/old").directory("srv").file("etc/group", b"adm:x:4:\n");
        let mut tree = Tree::new(&root);
        let accounts = Accounts::load(&tree).unwrap();
        let text = "# c\nd /var/x 0750 root adm -\nd /etc/old 0700 root root\nq /srv 0755 - - -\nL+ /etc/l - - - - ../x\nL /etc/l - - - - y\nf /etc/f - - - - hello\nD! /tmp/x 1777\nd /run/y 0755\nd- /etc/old :0711 - :adm\n";
        apply(&mut tree, &accounts, text).unwrap();
        let of = |path: &str| tree.get(path).map(|e| (e.mode, e.gid));
        assert_eq!(
            (of("var/x"), of("etc/old"), of("tmp/x"), of("run/y")),
            (Some((0o750, 4)), Some((0o700, 0)), None, None)
        );
        assert_eq!(tree.text("etc/f").unwrap().unwrap(), "hello");
        assert!(matches!(&tree.get("etc/l").unwrap().kind, crate::layer::Kind::Symlink { target } if target == "../x"));
    }
}

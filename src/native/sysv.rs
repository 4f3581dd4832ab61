//! Links of init scripts in `/etc/rc?.d` (init-system-helpers 1.65 and 1.69, `update-rc.d` where insserv is not installed).

use super::Error;
use super::script::Script;
use super::tree::Tree;

/// Does what a script's calls of `update-rc.d NAME defaults` and `defaults-disabled` do on a first installation.
pub(super) fn apply(tree: &mut Tree<'_>, script: &Script) -> Result<(), Error> {
    for words in script.calls("update-rc.d") {
        let [name, action, ..] = words else { continue };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
        match action.as_str() {
            "defaults" if plain => links(tree, name, 'S')?,
            "defaults-disabled" if plain => links(tree, name, 'K')?,
            _ => {}
        }
    }
    Ok(())
}

/// Links a script into the run levels that its LSB header names; one that has any link already is left alone.
fn links(tree: &mut Tree<'_>, name: &str, start: char) -> Result<(), Error> {
    let Some(script) = tree.read(&format!("etc/init.d/{name}"))? else { return Ok(()) };
    let linked = |level: char| tree.names(&format!("etc/rc{level}.d")).iter().any(|link| link.get(3..) == Some(name));
    if "0123456S".chars().any(linked) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&script);
    let header = text
        .split("### BEGIN INIT INFO")
        .nth(1)
        .and_then(|rest| rest.split("### END INIT INFO").next())
        .unwrap_or_default();
    for (field, kind) in [("# Default-Start:", start), ("# Default-Stop:", 'K')] {
        let levels = header.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        for level in levels.split_whitespace().filter(|level| level.len() == 1) {
            tree.symlink(&format!("etc/rc{level}.d/{kind}01{name}"), &format!("../init.d/{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn the_header_says_where() {
        let header = b"### BEGIN INIT INFO\n# Default-Start:     2 3\n# Default-Stop: 0\n### END INIT INFO\n# Default-Start: 5\n";
        let root = Mem::new().file("etc/init.d/a", header).file("etc/init.d/b", header);
        let mut tree = Tree::new(&root);
        apply(
            &mut tree,
            &Script::parse(
                "update-rc.d a defaults >/dev/null\nupdate-rc.d b defaults-disabled\nupdate-rc.d c defaults\n",
            ),
        )
        .unwrap();
        let names = |level: &str| tree.names(&format!("etc/rc{level}.d"));
        assert_eq!(
            (names("2"), names("0"), names("5")),
            (vec!["K01b".into(), "S01a".into()], vec!["K01a".to_owned(), "K01b".into()], vec![])
        );
    }
}

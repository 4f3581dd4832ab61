//! Services that runit would run (runit-helper 2.15 and 2.16, `postinst`; the lines that `dh_runit` puts into scripts).

use super::Error;
use super::tree::Tree;

/// Does what a script's call of `runit-helper` does on a first installation: `/etc/runit/runsvdir/default/NAME` leads to `/etc/sv/NAME`.
/// The helper of trixie asks `policy-rc.d` first, which lets nothing be enabled where an image is made.
pub(super) fn apply(tree: &mut Tree<'_>, script: &str) -> Result<(), Error> {
    if !script.contains("/runit-helper postinst ") {
        return Ok(());
    }
    let helper = tree.text("usr/lib/runit-helper/runit-helper")?;
    if helper.is_none_or(|helper| helper.contains("policy-rc.d")) {
        return Ok(());
    }
    // NAME='ssh' ENABLE='yes' ONUPGRADE='restart' /lib/runit-helper/runit-helper postinst "$@"
    for line in script.lines().filter(|line| line.contains("/runit-helper postinst ")) {
        let value = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let (Some(name), Some("'yes'")) = (value("NAME"), value("ENABLE")) else { continue };
        let name = name.trim_matches('\'');
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_+".contains(c));
        // The administrator's own wish is a link with a dot before its name.
        let taken = |name: &str| {
            let at = tree.place(&format!("etc/runit/runsvdir/default/{name}"));
            at.is_some_and(|at| tree.get(at.as_str()).is_some())
        };
        if plain && tree.is_directory("etc/runit/runsvdir/default") && !taken(name) && !taken(&format!(".{name}")) {
            tree.symlink(&format!("etc/runit/runsvdir/default/{name}"), &format!("/etc/sv/{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn an_enabled_service_is_linked_once() {
        let root = || Mem::new().directory("etc/runit/runsvdir/default").symlink("etc/runit/runsvdir/default/.b", "/x");
        let call = |name: &str, enable: &str| {
            format!("  NAME='{name}' ENABLE='{enable}' /lib/runit-helper/runit-helper postinst \"$@\"\n")
        };
        let text = [call("a", "yes"), call("b", "yes"), call("c", "no"), call("../d", "yes")].concat();
        for (helper, links) in [("ln -sf", vec![".b", "a"]), ("/usr/sbin/policy-rc.d", vec![".b"])] {
            let root = root().file("usr/lib/runit-helper/runit-helper", helper.as_bytes());
            let mut tree = Tree::new(&root);
            apply(&mut tree, &text).unwrap();
            assert_eq!(tree.names("etc/runit/runsvdir/default"), links);
        }
    }
}

//! Units that scripts enable, and the record of it (init-system-helpers 1.65 and 1.69, `deb-systemd-helper`).
//!
//! ```text
//! etc/systemd/system/<target>.wants/<unit>                             link to the unit
//! var/lib/systemd/deb-systemd-helper-enabled/<unit>.dsh-also           the links, one a line
//! var/lib/systemd/deb-systemd-helper-enabled/<target>.wants/<unit>     empty: made once
//! ```

use super::Error;
use super::script::{Script, constant};
use super::tree::Tree;
use std::collections::BTreeSet;

/// Does what a script's calls of `deb-systemd-helper` do on a first installation.
///
/// Where systemd itself is installed, its `systemctl` makes the links, which name units by their place under `/usr` if it
/// [knows it](knows_usr).
pub(super) fn apply(tree: &mut Tree<'_>, script: &Script, systemctl: bool) -> Result<(), Error> {
    // dh_installsystemd asks `debian-installed` only for units that are not enabled at first.
    let mut passive = BTreeSet::new();
    for words in script.calls("deb-systemd-helper") {
        let user = words.iter().any(|word| word == "--user");
        let mut plain = words.iter().filter(|word| !word.starts_with("--"));
        let Some(action) = plain.next() else { continue };
        for unit in plain.filter(|unit| constant(unit) && !unit.contains('/')) {
            match action.as_str() {
                "debian-installed" => drop(passive.insert((user, unit.clone()))),
                "enable" if !passive.contains(&(user, unit.clone())) => enable(tree, user, unit, systemctl)?,
                "update-state" if passive.contains(&(user, unit.clone())) => update_state(tree, user, unit)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether there is a `systemctl` that finds units under `/usr/lib`: bookworm's systemd 252 is installed in `/lib` and looks there first.
pub(super) fn knows_usr(tree: &Tree<'_>) -> Result<bool, Error> {
    let list = tree.text("var/lib/dpkg/info/systemd.list")?.unwrap_or_default();
    Ok(tree.exists("usr/bin/systemctl") && list.lines().any(|path| path == "/usr/lib/systemd/systemd"))
}

/// Makes the links that a unit's `[Install]` section asks for and records them.
fn enable(tree: &mut Tree<'_>, user: bool, unit: &str, systemctl: bool) -> Result<(), Error> {
    let links = links(tree, user, unit)?;
    let etc = etc(user);
    for (link, target) in &links {
        let mark = link.replacen(&etc, state(user), 1);
        if tree.exists(&mark) {
            continue;
        }
        if tree.place(link).is_none_or(|at| tree.get(at.as_str()).is_none()) {
            let target =
                if systemctl && target.starts_with("/lib/") { format!("/usr{target}") } else { target.clone() };
            tree.symlink(link, &target);
        }
        tree.file(&mark, 0o644, "");
    }
    record(tree, user, unit, &links);
    Ok(())
}

/// Records the links of a unit that stays disabled.
fn update_state(tree: &mut Tree<'_>, user: bool, unit: &str) -> Result<(), Error> {
    let links = links(tree, user, unit)?;
    if links.is_empty() {
        tree.file(&format!("{}/{unit}.dsh-also", state(user)), 0o644, "");
    }
    record(tree, user, unit, &links);
    Ok(())
}

fn record(tree: &mut Tree<'_>, user: bool, unit: &str, links: &[(String, String)]) {
    let mut record: Vec<&str> = Vec::new();
    for (link, _) in links {
        if !record.contains(&link.as_str()) {
            record.push(link);
        }
    }
    if !record.is_empty() {
        let text = record.join("\n") + "\n";
        tree.file(&format!("{}/{unit}.dsh-also", state(user)), 0o644, text);
    }
}

fn etc(user: bool) -> String {
    format!("/etc/systemd/{}", if user { "user" } else { "system" })
}

fn state(user: bool) -> &'static str {
    if user {
        "/var/lib/systemd/deb-systemd-user-helper-enabled"
    } else {
        "/var/lib/systemd/deb-systemd-helper-enabled"
    }
}

/// The links of a unit and of those that it names with `Also=`: where each is, and where it leads.
fn links(tree: &Tree<'_>, user: bool, unit: &str) -> Result<Vec<(String, String)>, Error> {
    let mut links = Vec::new();
    collect(tree, user, unit, &mut vec![unit.to_owned()], &mut links)?;
    Ok(links)
}

fn collect(
    tree: &Tree<'_>,
    user: bool,
    unit: &str,
    seen: &mut Vec<String>,
    links: &mut Vec<(String, String)>,
) -> Result<(), Error> {
    let kind = if user { "user" } else { "system" };
    let places = ["/etc", "/lib", "/usr/lib"].map(|base| format!("{base}/systemd/{kind}/{unit}"));
    let Some(path) = places.iter().find(|place| tree.exists(place)) else { return Ok(()) };
    // A unit that is itself an alias is known by the name of what it stands for only to systemctl, not to the helper.
    let Some(text) = tree.text(path)? else { return Ok(()) };
    let mut wants: Vec<String> = Vec::new();
    let mut name = unit.to_owned();
    for line in text.lines() {
        let Some((key, values)) = line.trim_start().split_once('=') else { continue };
        let plain = |value: &str| value.trim_matches(['"', '\'']).to_owned();
        match key.to_ascii_lowercase().as_str() {
            "wantedby" => wants.extend(values.split_whitespace().map(|v| format!("{}.wants", plain(v)))),
            "requiredby" => wants.extend(values.split_whitespace().map(|v| format!("{}.requires", plain(v)))),
            "also" => {
                for value in values.split_whitespace().map(plain) {
                    if value != unit && !value.contains('/') && !seen.contains(&value) {
                        seen.push(value.clone());
                        collect(tree, user, &value, seen, links)?;
                    }
                }
            }
            "alias" => {
                for value in values.split_whitespace().map(plain).filter(|value| value != unit) {
                    links.push((format!("{}/{value}", etc(user)), path.clone()));
                }
            }
            "defaultinstance" => {
                if let Some((before, after)) = unit.split_once("@.") {
                    name = format!("{before}@{}.{after}", plain(values.trim()));
                }
            }
            _ => {}
        }
    }
    links.extend(wants.into_iter().map(|want| (format!("{}/{want}/{name}", etc(user)), path.clone())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn an_enabled_unit_is_linked_and_recorded() {
        let root = Mem::new()
            .directory("usr/lib")
            .symlink("lib", "usr/lib")
            .file(
                "usr/lib/systemd/system/a.service",
                b"[Install]\nWantedBy=multi-user.target\nAlias=b.service\nAlso=c.socket\n",
            )
            .file("usr/lib/systemd/system/c.socket", b"[Install]\nWantedBy=sockets.target\nAlso=a.service\n")
            .file("usr/lib/systemd/system/d.timer", b"[Install]\nWantedBy=timers.target\n");
        let mut tree = Tree::new(&root);
        let script = Script::parse(
            "deb-systemd-helper enable 'a.service'\ndeb-systemd-helper debian-installed d.timer\ndeb-systemd-helper enable d.timer\ndeb-systemd-helper update-state d.timer\n",
        );
        apply(&mut tree, &script, false).unwrap();
        let also =
            |unit: &str| tree.text(&format!("var/lib/systemd/deb-systemd-helper-enabled/{unit}.dsh-also")).unwrap();
        assert_eq!(
            also("a.service").unwrap(),
            "/etc/systemd/system/b.service\n/etc/systemd/system/sockets.target.wants/c.socket\n/etc/systemd/system/multi-user.target.wants/a.service\n"
        );
        assert_eq!(also("d.timer").unwrap(), "/etc/systemd/system/timers.target.wants/d.timer\n");
        assert_eq!(tree.resolve("etc/systemd/system/b.service").unwrap().as_str(), "usr/lib/systemd/system/a.service");
        assert!(tree.exists("etc/systemd/system/sockets.target.wants/c.socket"));
        assert!(!tree.exists("etc/systemd/system/timers.target.wants/d.timer"));
    }
}

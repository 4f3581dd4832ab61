//! `/etc/pam.d/common-*` (libpam-runtime 1.5.2 and 1.7.0, `pam-auth-update --package`).
//!
//! The templates in `/usr/share/pam` are filled from the profiles in `/usr/share/pam-configs` that say `Default: yes`; what was chosen
//! is saved in `/var/lib/pam`, from which the tool itself later sees what an administrator changed.

use super::Error;
use super::debconf::Debconf;
use super::tree::Tree;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The stacks, in the tool's order.
const TYPES: [&str; 5] = ["auth", "account", "password", "session", "session-noninteractive"];

/// A profile: its fields, lines joined.
struct Profile {
    name: String,
    priority: i64,
    fields: BTreeMap<String, String>,
}

/// Writes the stacks anew from the profiles of the image; does nothing where libpam-runtime is not unpacked.
pub(super) fn update(tree: &mut Tree<'_>, debconf: &mut Debconf) -> Result<(), Error> {
    if !tree.exists("usr/share/pam/common-auth") {
        return Ok(());
    }
    let mut profiles = Vec::new();
    for name in tree.names("usr/share/pam-configs") {
        if let Some(text) = tree.text(&format!("usr/share/pam-configs/{name}"))? {
            profiles.push(profile(name, &text));
        }
    }
    profiles.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| b.name.cmp(&a.name)));
    let list = |of: &[Profile], what: fn(&Profile) -> &str| of.iter().map(what).collect::<Vec<_>>().join(", ");
    let question = "libpam-runtime/profiles";
    debconf.substitute(question, "profile_names", &list(&profiles, |profile| &profile.name));
    debconf.substitute(
        question,
        "profiles",
        &list(&profiles, |profile| profile.fields.get("Name").map_or("", String::as_str)),
    );
    let seen: String = profiles.iter().map(|profile| format!("{}\n", profile.name)).collect();
    profiles.retain(|profile| profile.fields.get("Default").is_some_and(|value| value == "yes"));
    debconf.answer(question, Some(&list(&profiles, |profile| &profile.name)), false);
    debconf.answer("libpam-runtime/override", Some("false"), false);
    tree.file("var/lib/pam/seen", 0o644, seen);
    for kind in TYPES {
        let Some(template) = tree.text(&format!("usr/share/pam/common-{kind}"))? else { continue };
        tree.file(&format!("etc/pam.d/common-{kind}"), 0o644, filled(&template, kind, &profiles));
        tree.file(&format!("var/lib/pam/{kind}"), 0o644, saved(kind, &profiles));
    }
    Ok(())
}

fn profile(name: String, text: &str) -> Profile {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        let field = line.split_once(':').filter(|(key, value)| {
            !key.is_empty() && !key.contains(char::is_whitespace) && value.starts_with([' ', '\t'])
        });
        if let Some((key, value)) = field {
            current = key.trim_end_matches("-Final").to_owned();
            fields.insert(current.clone(), value.trim().to_owned());
            continue;
        }
        // `Auth:` with nothing behind it opens lines that follow; anything else continues the field before.
        match line.strip_suffix(':').filter(|key| !key.contains(char::is_whitespace)) {
            Some(key) => {
                current = key.trim_end_matches("-Final").to_owned();
                fields.insert(current.clone(), String::new());
            }
            None if !line.trim().is_empty() => {
                let value = fields.entry(current.clone()).or_default();
                if !value.is_empty() {
                    value.push('\n');
                }
                value.push_str(line.trim());
            }
            None => {}
        }
    }
    if fields.get("Session-Interactive-Only").is_none_or(|value| value != "yes") {
        for tail in ["-Type", "", "-Initial"] {
            if let Some(value) = fields.get(&format!("Session{tail}")).cloned() {
                fields.insert(format!("Session-noninteractive{tail}"), value);
            }
        }
    }
    let priority = fields.get("Priority").and_then(|value| value.parse().ok()).unwrap_or(0);
    Profile { name, priority, fields }
}

/// The lines of each profile for one block of one stack; the first may have lines of its own.
fn lines<'p>(profiles: &'p [Profile], kind: &str, block: &str) -> Vec<(&'p str, Vec<&'p str>)> {
    let mut key = kind.to_owned();
    key[..1].make_ascii_uppercase();
    let wanted = |profile: &&Profile| profile.fields.get(&format!("{key}-Type")).is_some_and(|value| value == block);
    let pick = |(at, profile): (usize, &'p Profile)| {
        let initial = profile.fields.get(&format!("{key}-Initial")).filter(|text| at == 0 && !text.is_empty());
        let text = initial.or_else(|| profile.fields.get(&key)).map_or("", String::as_str);
        (profile.name.as_str(), text.lines().collect())
    };
    profiles.iter().filter(wanted).enumerate().map(pick).collect()
}

/// A template with its two blocks filled.
fn filled(template: &str, kind: &str, profiles: &[Profile]) -> String {
    let word = kind.trim_end_matches("-noninteractive");
    let mut out = String::new();
    let mut inside = false;
    for line in template.lines() {
        if line.starts_with("# here's the fallback if no module succeeds")
            || line.starts_with("# end of pam-auth-update config")
        {
            inside = false;
        }
        if !inside {
            let _ = writeln!(out, "{line}");
        }
        let block = if line.starts_with("# here are the per-package modules (the \"Primary\" block)") {
            "Primary"
        } else if line.starts_with("# and here are more per-package modules (the \"Additional\" block)") {
            "Additional"
        } else {
            continue;
        };
        inside = true;
        let all: Vec<&str> = lines(profiles, kind, block).into_iter().flat_map(|(_, lines)| lines).collect();
        if all.is_empty() && block == "Primary" {
            let _ = writeln!(out, "{word}\t[default=1]\t\t\tpam_permit.so");
        }
        // A jump to `end` passes the modules that are left; in the last block there is none behind them to land on.
        let mut left = all.len() - usize::from(block == "Additional" && !all.is_empty());
        for line in all {
            let (module, options) = split(line);
            let _ = writeln!(out, "{word}\t{} {}", module.replace("end", &left.to_string()), options);
            left = left.saturating_sub(1);
        }
    }
    out
}

/// A line's control and module, and its options.
fn split(line: &str) -> (&str, String) {
    let control = if line.starts_with('[') {
        line.find(']').map_or(line.len(), |at| at + 1)
    } else {
        line.find(char::is_whitespace).unwrap_or(line.len())
    };
    let rest = &line[control..];
    let module = rest.len() - rest.trim_start().len();
    let end = rest[module..].find(char::is_whitespace).map_or(line.len(), |at| control + module + at);
    (&line[..end], line[end..].split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What `/var/lib/pam` keeps of a stack.
fn saved(kind: &str, profiles: &[Profile]) -> String {
    let mut out = String::new();
    let primary = lines(profiles, kind, "Primary");
    if primary.is_empty() {
        out.push_str("Module: null\n[default=1]\t\t\tpam_permit.so\n");
    }
    for (name, lines) in
        primary.into_iter().chain(lines(profiles, kind, "Additional")).filter(|(_, lines)| !lines.is_empty())
    {
        let _ = writeln!(out, "Module: {name}\n{}", lines.join("\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    const TEMPLATE: &[u8] = b"# here are the per-package modules (the \"Primary\" block)\n$auth_primary\n# here's the fallback if no module succeeds\nauth\trequisite\tpam_deny.so\n# and here are more per-package modules (the \"Additional\" block)\n$auth_additional\n# end of pam-auth-update config\n";

    #[test]
    fn jumps_pass_the_modules_that_follow() {
        let root = Mem::new()
            .file("usr/share/pam/common-auth", TEMPLATE)
            .file("usr/share/pam-configs/unix", b"Name: Unix\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\t[success=end default=ignore]\tpam_unix.so nullok  try_first_pass\nAuth-Initial:\n\t[success=end default=ignore]\tpam_unix.so nullok\n")
            .file("usr/share/pam-configs/krb5", b"Name: K\nDefault: yes\nPriority: 704\nAuth-Type: Primary\nAuth:\n\t[success=end default=ignore]\tpam_krb5.so\n")
            .file("usr/share/pam-configs/off", b"Name: O\nDefault: no\nPriority: 0\n");
        let mut tree = Tree::new(&root);
        let mut debconf = Debconf::load(&tree).unwrap();
        update(&mut tree, &mut debconf).unwrap();
        let text = tree.text("etc/pam.d/common-auth").unwrap().unwrap();
        assert!(text.contains("block)\nauth\t[success=2 default=ignore]\tpam_krb5.so \nauth\t[success=1 default=ignore]\tpam_unix.so nullok try_first_pass\n# here's"), "{text}");
        assert!(text.ends_with("block)\n# end of pam-auth-update config\n"));
        assert_eq!(tree.text("var/lib/pam/seen").unwrap().unwrap(), "krb5\nunix\noff\n");
    }
}

//! What a hand-written script does to files and accounts, written down: the verbs of `scripts.txt`.
//!
//! | deed | does what |
//! |---|---|
//! | `dir MODE OWNER PATH` | makes a directory where none is |
//! | `file MODE OWNER PATH` | makes an empty file where none is |
//! | `text MODE OWNER PATH "…"` | makes a file where none is; `\n` and `\t` in the text |
//! | `document MODE OWNER PATH N` | makes a file where none is from the script's here-document N, counted from 0 |
//! | `copy FROM TO` | copies a file with its mode and owner where nothing is |
//! | `put FROM TO` | the same, but replaces |
//! | `link PATH TARGET` | makes a link where nothing is |
//! | `relink PATH TARGET` | the same, but replaces |
//! | `set MODE OWNER PATH` | gives what is there a mode (or `-`) and an owner (or `-`) |
//! | `remove PATH` | takes a file, a link or an empty directory away |
//! | `group NAME [GID]` | adds a system group, as `addgroup --system` |
//! | `user NAME GROUP HOME SHELL "COMMENT"` | adds a system user, as `adduser --system`; GROUP `+` is one of its own |
//! | `member USER GROUP` | puts a user into a group |
//! | `sysusers FILE` | makes the accounts of a file in `/usr/lib/sysusers.d`, where what follows needs them |
//! | `divert PACKAGE FROM TO` | records a diversion without renaming |
//! | `rename FROM TO` | gives a package's file the name that a diversion says |
//! | `override USER GROUP MODE PATH` | records a stat override and applies it |
//! | `ucf PACKAGE FROM TO` | installs a configuration file that ucf keeps |
//! | `templates PACKAGE` | loads debconf templates, where the script does not itself say that it does |
//! | `alternative LINK NAME PATH PRIORITY [LINK NAME PATH]…` | `update-alternatives --install`, the rest being slaves |
//! | `answer QUESTION [VALUE [seen]]` | answers a debconf question, without a value with its default |
//! | `flag QUESTION NAME` | marks a debconf question with a flag |
//! | `variable QUESTION NAME VALUE` | sets a variable of a debconf question |
//! | `step NAME` | runs a native step |
//! | `missing WHAT` | says what no step does |
//!
//! Before a deed, `has PATH` or `not PATH` makes it depend on what is there (an empty directory is nothing), and `pkg NAME` on a package. `{arch}` is Debian's name of the
//! architecture, `{triplet}` the name of its library directory.

use super::accounts::Login;
use super::alternatives::Install;
use super::dpkg::Diversion;
use super::script::Script;
use super::stage::Stage;
use super::tree::Tree;
use super::{Error, abi, accounts, steps, ucf};
use crate::layer::{Entry, Kind};
use crate::oci::Arch;

/// Does one deed. What it says is what nothing does: the words behind `missing`, or that the line is no deed.
pub(super) fn perform(stage: &mut Stage<'_>, script: &Script, line: &str) -> Result<Option<String>, Error> {
    let unknown = || Ok(Some(format!("`{line}` is not a deed")));
    let words = words(&filled(line, stage.input.arch));
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while let [condition @ ("has" | "not" | "pkg"), what, ..] = words[..] {
        let holds = match condition {
            "pkg" => stage.dpkg.has(what),
            _ => is_there(&stage.tree, what) == (condition == "has"),
        };
        if !holds {
            return Ok(None);
        }
        words.drain(..2);
    }
    match words[..] {
        ["dir" | "file" | "text" | "document", mode, owner, path, ..] => {
            let Ok(mode) = u32::from_str_radix(mode, 8) else { return unknown() };
            let owner = stage.accounts.owner(owner);
            match words[0] {
                "dir" => drop(stage.tree.owned_directory(path, mode, owner)),
                _ if stage.tree.exists(path) => {}
                "document" => {
                    let number: Option<usize> = words.get(4).and_then(|number| number.parse().ok());
                    let Some(text) = number.and_then(|number| script.documents.get(number)) else { return unknown() };
                    stage.tree.owned_file(path, mode, owner, text.clone());
                }
                "file" => stage.tree.owned_file(path, mode, owner, ""),
                _ => stage.tree.owned_file(path, mode, owner, words.get(4).copied().unwrap_or_default()),
            }
        }
        ["copy", from, to] => copy(stage, from, to, false)?,
        ["put", from, to] => copy(stage, from, to, true)?,
        ["link", path, target] => {
            if stage.tree.place(path).is_some_and(|at| stage.tree.get(at.as_str()).is_none()) {
                stage.tree.symlink(path, target);
            }
        }
        ["relink", path, target] => {
            // A directory in the way is taken away first, if it is empty; else `ln` would link inside it.
            stage.tree.remove(path);
            if stage.tree.place(path).is_some_and(|at| stage.tree.get(at.as_str()).is_none()) {
                stage.tree.symlink(path, target);
            }
        }
        ["set", mode, owner, path] => {
            let mode = u32::from_str_radix(mode, 8).ok();
            let owner = (owner != "-").then(|| stage.accounts.owner(owner));
            stage.tree.change(path, mode, owner)?;
        }
        ["remove", path] => stage.tree.remove(path),
        ["group", name] => drop(stage.accounts.add_group(name, None)?),
        ["group", name, gid] => drop(stage.accounts.add_group(name, gid.parse().ok())?),
        ["user", name, group, home, shell, comment] => add_user(stage, name, group, home, shell, comment)?,
        ["member", user, group] => stage.accounts.add_member(group, user),
        ["sysusers", name] => {
            let text = stage.tree.text(&format!("usr/lib/sysusers.d/{name}"))?.unwrap_or_default();
            accounts::sysusers(&mut stage.accounts, &text)?;
        }
        ["divert", package, from, to] => {
            stage.dpkg.divert(Diversion { from: from.to_owned(), to: to.to_owned(), package: package.to_owned() });
        }
        ["undivert", from] => stage.dpkg.undivert(from),
        ["rename", from, to] => stage.tree.rename(from, to),
        ["override", user, group, mode, path] => {
            let Ok(mode) = u32::from_str_radix(mode, 8) else { return unknown() };
            stage.dpkg.stat_override(user, group, mode, path);
            let owner = stage.accounts.owner(&format!("{user}:{group}"));
            stage.tree.change(path, Some(mode), Some(owner))?;
        }
        ["templates", name] => {
            if let Some(package) = stage.input.packages.iter().find(|package| package.name == name) {
                stage.debconf.add_quietly(package);
            }
        }
        ["alternative", ref what @ ..] => {
            let [at, name, path, rank, ref others @ ..] = *what else { return unknown() };
            let Ok(rank) = rank.parse() else { return unknown() };
            let slaves =
                others.chunks_exact(3).map(|other| [other[0], other[1], other[2]].map(str::to_owned)).collect();
            Install::new(at, name, path, rank, slaves).apply(&mut stage.tree)?;
        }
        ["flag", question, name] => stage.debconf.flag(question, name),
        ["variable", question, name, value] => stage.debconf.substitute(question, name, value),
        ["answer", question] => stage.debconf.answer(question, None, false),
        ["answer", question, value] => stage.debconf.answer(question, Some(value), false),
        ["answer", question, value, "seen"] => stage.debconf.answer(question, Some(value), true),
        ["ucf", package, from, to] => ucf::install(&mut stage.tree, package, from, to)?,
        ["missing", ref what @ ..] => return Ok(Some(what.join(" "))),
        ["step", name] if steps::run(stage, name)? => {}
        _ => return unknown(),
    }
    Ok(None)
}

/// Whether something stands at a path, be it a link that leads nowhere; an empty directory is nothing.
fn is_there(tree: &Tree<'_>, path: &str) -> bool {
    match tree.resolve(path) {
        Some(at) if tree.get(at.as_str()).is_some_and(Entry::is_directory) => !tree.under(at.as_str()).is_empty(),
        Some(at) if tree.get(at.as_str()).is_some() => true,
        _ => tree.place(path).is_some_and(|at| tree.get(at.as_str()).is_some()),
    }
}

/// What a deed says that nothing does, where its conditions hold; told without doing anything.
pub(super) fn missing(line: &str, arch: Arch, holds: impl Fn(&str, &str) -> bool) -> Option<String> {
    let words = words(&filled(line, arch));
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while let [condition @ ("has" | "not" | "pkg"), what, ..] = words[..] {
        if !holds(condition, what) {
            return None;
        }
        words.drain(..2);
    }
    match words[..] {
        ["missing", ref what @ ..] => Some(what.join(" ")),
        _ => None,
    }
}

fn filled(line: &str, arch: Arch) -> String {
    line.replace("{arch}", arch.debian()).replace("{triplet}", abi::triplet(arch))
}

/// Copies a file with its mode and owner.
fn copy(stage: &mut Stage<'_>, from: &str, to: &str, replace: bool) -> Result<(), Error> {
    let Some(entry) = stage.tree.resolve(from).and_then(|at| stage.tree.get(at.as_str()).cloned()) else {
        return Ok(());
    };
    if matches!(entry.kind, Kind::File { .. } | Kind::Hardlink { .. }) && (replace || !stage.tree.exists(to)) {
        let content = stage.tree.read(from)?.unwrap_or_default();
        stage.tree.owned_file(to, entry.mode, (entry.uid, entry.gid), content);
    }
    Ok(())
}

/// Adds a system user with the first free number, after the group of its own.
fn add_user(
    stage: &mut Stage<'_>,
    name: &str,
    group: &str,
    home: &str,
    shell: &str,
    comment: &str,
) -> Result<(), Error> {
    if stage.accounts.uid(name).is_some() {
        return Ok(());
    }
    let gid = match group {
        "+" => stage.accounts.add_group(name, None)?,
        _ => stage.accounts.gid(group).unwrap_or(65_534),
    };
    let uid = stage.accounts.free_uid(name)?;
    let [name, comment, home, shell] = [name, comment, home, shell].map(str::to_owned);
    stage.accounts.add_user(Login { name, uid, gid, comment, home, shell });
    Ok(())
}

/// A deed's words; quotes keep blanks together, and `\n`, `\t`, `\"` in them are what C means.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(chars.next().map(|c| match c {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            _ if c.is_whitespace() && !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn an_empty_directory_is_nothing_and_a_broken_link_is_something() {
        let root = Mem::new().directory("a").file("b/c", b"").symlink("d", "/nowhere").symlink("e", "a");
        let tree = Tree::new(&root);
        let found = ["a", "b", "/b/c", "d", "e", "f"].map(|path| is_there(&tree, path));
        assert_eq!(found, [false, true, true, true, false, false]);
    }
}

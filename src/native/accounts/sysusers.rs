//! sysusers.d: users and groups that packages declare (sysusers.d(5); systemd 252 and 257, `src/sysusers`).

use super::super::Error;
use super::{Accounts, Login, SYSTEM, free};

/// Applies one file of declarations, groups before the users that need them, as systemd-sysusers does: numbers that the file does
/// not fix are taken from 999 downwards, one that is free both as user and as group.
pub(in super::super) fn apply(accounts: &mut Accounts, text: &str) -> Result<(), Error> {
    let lines: Vec<Vec<String>> = text.lines().map(words).filter(|words| words.len() >= 2).collect();
    let (users, groups) = (accounts.users.len(), accounts.groups.len());
    for line in &lines {
        if line[0].trim_end_matches('!') == "g" {
            let id = line.get(2).and_then(|id| id.parse().ok());
            group(accounts, &line[1], id)?;
        }
    }
    for line in &lines {
        if line[0].trim_end_matches('!') == "u" {
            user(accounts, line)?;
        }
    }
    let new: Vec<String> =
        accounts.groups.get(groups..).unwrap_or_default().iter().map(|group| group.name.clone()).collect();
    lock(accounts.gshadow.as_mut(), &new);
    let new: Vec<String> =
        accounts.users.get(users..).unwrap_or_default().iter().map(|(login, _)| login.name.clone()).collect();
    lock(accounts.shadow.as_mut(), &new);
    // `u!` also lets the account expire, on the first day of all.
    for line in lines.iter().filter(|line| line[0] == "u!") {
        let entries = accounts.shadow.iter_mut().flatten().filter(|(name, _)| *name == line[1] && new.contains(name));
        entries.for_each(|(_, entry)| *entry = entry.replacen("::::::", ":::::1:", 1));
    }
    for line in &lines {
        if line[0] == "m"
            && let Some(into) = line.get(2)
        {
            group(accounts, into, None)?;
            accounts.add_member(into, &line[1]);
        }
    }
    Ok(())
}

/// Locks new accounts as this tool does: `!*`.
fn lock(shadow: Option<&mut Vec<(String, String)>>, new: &[String]) {
    for (_, entry) in shadow.into_iter().flatten().filter(|(name, _)| new.contains(name)) {
        *entry = entry.replacen('!', "!*", 1);
    }
}

fn group(accounts: &mut Accounts, name: &str, id: Option<u32>) -> Result<u32, Error> {
    if let Some(gid) = accounts.gid(name) {
        return Ok(gid);
    }
    let id = match id {
        Some(id) => id,
        None => from_above(accounts, name)?,
    };
    accounts.add_group(name, Some(id))
}

fn user(accounts: &mut Accounts, line: &[String]) -> Result<(), Error> {
    let name = &line[1];
    if accounts.uid(name).is_some() {
        return Ok(());
    }
    let field = |at: usize| line.get(at).filter(|text| *text != "-").cloned();
    let id = field(2).unwrap_or_default();
    let (uid, in_group) = id.split_once(':').map_or((id.as_str(), None), |(uid, group)| (uid, Some(group)));
    let fixed: Option<u32> = uid.parse().ok();
    let gid = match in_group {
        Some(group) => group.parse().ok().or_else(|| accounts.gid(group)),
        None => accounts.gid(name),
    };
    let gid = match gid {
        Some(gid) => gid,
        None => group(accounts, name, fixed)?,
    };
    let free_for_both = |n: u32| accounts.users.iter().all(|(login, _)| login.uid != n);
    let uid = match fixed {
        Some(uid) => uid,
        None if in_group.is_none() && free_for_both(gid) => gid,
        None => from_above(accounts, name)?,
    };
    accounts.add_user(Login {
        name: name.clone(),
        uid,
        gid,
        comment: field(3).unwrap_or_default(),
        home: field(4).unwrap_or_else(|| "/".to_owned()),
        shell: field(5).unwrap_or_else(|| if uid == 0 { "/bin/sh" } else { "/usr/sbin/nologin" }.to_owned()),
    });
    Ok(())
}

/// The highest system number that neither a user nor a group has.
fn from_above(accounts: &Accounts, name: &str) -> Result<u32, Error> {
    let taken = |n: u32| accounts.users.iter().any(|(l, _)| l.uid == n) || accounts.groups.iter().any(|g| g.gid == n);
    free(name, (SYSTEM.0..=SYSTEM.1).rev().find(|n| !taken(*n)))
}

/// The words of a line: blanks part them, quotes keep them together; a comment has none.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.trim_start().chars() {
        match (quote, c) {
            (None, '#') if words.is_empty() && word.is_none() => break,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Mem;
    use super::super::super::tree::Tree;
    use super::*;

    #[test]
    fn numbers_come_from_above_and_are_one_for_both() {
        let root =
            Mem::new().file("etc/group", b"root:x:0:\nadm:x:4:\nx:x:999:\n").file("etc/passwd", b"root:x:0:0:::\n");
        let mut accounts = Accounts::load(&Tree::new(&root)).unwrap();
        apply(&mut accounts, "# c\nu a - \"A a\"\nu! b 77 - /b /bin/sh\nu c -:adm\ng d -\nm a adm\n").unwrap();
        let of = |name: &str| accounts.users.iter().find(|(l, _)| l.name == name).map(|(l, _)| l.clone()).unwrap();
        assert_eq!(accounts.gid("d"), Some(998));
        assert_eq!((of("a").uid, of("a").gid, of("a").comment.as_str(), of("a").home.as_str()), (997, 997, "A a", "/"));
        assert_eq!((of("b").uid, of("b").gid, of("b").shell.as_str()), (77, 77, "/bin/sh"));
        assert_eq!((of("c").uid, of("c").gid), (996, 4));
        assert_eq!(accounts.groups[1].members, ["a"]);
    }
}

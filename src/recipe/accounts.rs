//! The users and groups that a recipe can name: its own, those of what it starts from, and Debian's.

use super::debian;
use super::model::{AccountName, Owner, User};
use super::walk::Walk;
use std::collections::BTreeMap;
use std::ops::Range;

/// The largest number of a user or group: one below the `(uid_t) -1` that means "none".
pub(super) const MAX_ID: u32 = u32::MAX - 1;

/// Users and groups by name.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    users: BTreeMap<String, Owner>,
    groups: BTreeMap<String, u32>,
    /// Whether every name is known; not when a base could not be read, and then an unknown name is no finding.
    complete: bool,
    /// Whether the image starts from one that no recipe makes, whose own users only its files tell.
    elsewhere: bool,
}

impl Accounts {
    /// Those that base-passwd gives every Debian system.
    pub(super) fn debian() -> Self {
        Self {
            users: debian::USERS.iter().map(|&(name, uid, gid)| (name.to_owned(), Owner { uid, gid })).collect(),
            groups: debian::GROUPS.iter().map(|&(name, gid)| (name.to_owned(), gid)).collect(),
            complete: true,
            elsewhere: false,
        }
    }

    /// Those that every image has, whoever made it: not even Debian's numbers hold in another distribution.
    pub(super) fn elsewhere() -> Self {
        let (users, groups) = ([("root".to_owned(), Owner::default())], [("root".to_owned(), 0)]);
        Self { users: users.into(), groups: groups.into(), complete: true, elsewhere: true }
    }

    /// Whether a name that is not known here may be one of the image's own.
    pub(super) fn may_be_of_the_image(&self, text: &str) -> bool {
        let name = |name: &str| AccountName::parse(name).is_some() || number(name).is_some();
        self.elsewhere && text.split_once(':').map_or_else(|| name(text), |(user, group)| name(user) && name(group))
    }

    /// Says that there are names that could not be read.
    pub(super) fn incomplete(&mut self) {
        self.complete = false;
    }

    /// Adds what a recipe defines; the recipe wins over what was there.
    pub(super) fn add(&mut self, users: &BTreeMap<AccountName, User>, groups: &BTreeMap<AccountName, u32>) {
        self.groups.extend(groups.iter().map(|(name, &gid)| (name.to_string(), gid)));
        for (name, user) in users {
            self.users.insert(name.to_string(), Owner { uid: user.uid, gid: user.gid });
            if !self.groups.values().any(|&gid| gid == user.gid) {
                self.groups.insert(name.to_string(), user.gid);
            }
        }
    }

    /// The other number that a group of the user's name has, if the user's own group would have to be made beside it.
    pub(super) fn clash(&self, name: &AccountName, user: &User) -> Option<u32> {
        let made = !self.groups.values().any(|&gid| gid == user.gid);
        self.group(name.as_str()).filter(|_| made)
    }

    /// The number of a user.
    pub(super) fn user(&self, name: &str) -> Option<Owner> {
        self.users.get(name).copied()
    }

    /// The number of a group.
    pub(super) fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    /// Looks up `user`, `user:group`, `uid` or `uid:gid`. A user without a group has its primary group; a number without a
    /// group is the group's number too.
    pub(super) fn owner(&self, walk: &mut Walk<'_>, span: &Range<usize>, text: &str) -> Option<Owner> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let owner = match number(user) {
            Some(id) => Some(Owner { uid: id, gid: id }),
            None => self.user(user).or_else(|| {
                self.unknown(walk, span, ("user", user), self.users.keys());
                None
            }),
        };
        let Some(group) = group else { return owner };
        let gid = number(group).or_else(|| self.group(group)).or_else(|| {
            self.unknown(walk, span, ("group", group), self.groups.keys());
            None
        });
        Some(Owner { uid: owner?.uid, gid: gid? })
    }

    fn unknown<'n>(
        &self,
        walk: &mut Walk<'_>,
        span: &Range<usize>,
        (kind, name): (&str, &str),
        known: impl Iterator<Item = &'n String> + Clone,
    ) {
        if AccountName::parse(name).is_none() {
            walk.wrong(span.clone(), format!("`{name}` is neither a {kind}'s name nor its number"))
                .expected("`user`, `user:group`, `uid` or `uid:gid`");
        } else if self.elsewhere {
            walk.wrong(span.clone(), format!("{kind} `{name}` is not defined in a recipe"))
                .expected(format!("a {kind} of the recipes, or a number"))
                .hint("the image that this starts from has numbers of its own: write the number");
        } else if self.complete {
            let table = if kind == "user" { format!("[users.{name}]") } else { "[groups]".to_owned() };
            // A name that the project defines is meant more often than one of Debian's that is as near.
            let known = known.map(String::as_str);
            let ours = known.clone().filter(|name| !is_debians(name));
            let hint = walk
                .did_you_mean(name, ours.chain(known.filter(|name| is_debians(name))))
                .unwrap_or_else(|| format!("define it in `{table}`, or write its number"));
            walk.wrong(span.clone(), format!("{kind} `{name}` is not defined"))
                .expected(format!("a {kind} of this recipe, of one it starts from, or of every Debian system"))
                .hint(hint);
        }
    }
}

/// Whether a user or group of that name is on every Debian system.
fn is_debians(name: &str) -> bool {
    debian::USERS.iter().any(|(user, ..)| *user == name) || debian::GROUPS.iter().any(|(group, _)| *group == name)
}

/// A number that a user or group can have, written as decimal digits without a sign.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|&id| id <= MAX_ID)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Report;
    use super::*;
    use std::sync::Arc;

    fn look_up(accounts: &Accounts, text: &str) -> Result<Owner, String> {
        let (file, source): (Arc<str>, Arc<str>) = ("f".into(), text.into());
        let mut report = Report::default();
        let owner = accounts.owner(&mut Walk::new(&file, &source, &mut report), &(0..text.len()), text);
        report.finish(owner).map_err(|findings| findings.all()[0].message.clone())
    }

    #[test]
    fn names_and_numbers_are_looked_up() {
        let mut accounts = Accounts::debian();
        let user = |uid, gid| User {
            uid,
            gid,
            home: "/nonexistent".to_owned(),
            shell: "/usr/sbin/nologin".to_owned(),
            comment: String::new(),
        };
        let name = |text| AccountName::parse(text).unwrap();
        let users = [(name("app"), user(10001, 10001)), (name("web"), user(10002, 33))].into();
        accounts.add(&users, &[(name("logs"), 777)].into());
        for (text, uid, gid) in [
            ("app", 10001, 10001),
            ("app:logs", 10001, 777),
            ("web", 10002, 33),
            ("root:app", 0, 10001),
            ("www-data", 33, 33),
            ("sync", 4, 65534),
            ("33", 33, 33),
            ("5:60", 5, 60),
            ("5:games", 5, 60),
            ("games:0", 5, 0),
        ] {
            assert_eq!(look_up(&accounts, text), Ok(Owner { uid, gid }), "{text}");
        }
        assert_eq!(look_up(&accounts, "web:web").unwrap_err(), "group `web` is not defined");
        for wrong in ["", ":", "app:", ":app", "app:logs:x", "4294967295", "-1", "+1", "App", "nobdy"] {
            assert!(look_up(&accounts, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_is_the_one_that_debian_installs() {
        let Ok(passwd) = std::fs::read_to_string("/usr/share/base-passwd/passwd.master") else {
            skip("base-passwd is not installed here");
            return;
        };
        let group = std::fs::read_to_string("/usr/share/base-passwd/group.master").unwrap();
        let field = |line: &str, n| line.split(':').nth(n).unwrap().to_owned();
        let users: Vec<_> = passwd.lines().map(|l| (field(l, 0), field(l, 2), field(l, 3))).collect();
        let groups: Vec<_> = group.lines().map(|l| (field(l, 0), field(l, 2))).collect();
        let ours = debian::USERS.iter().map(|(n, u, g)| ((*n).to_owned(), u.to_string(), g.to_string()));
        assert_eq!(ours.collect::<Vec<_>>(), users);
        let ours = debian::GROUPS.iter().map(|(n, g)| ((*n).to_owned(), g.to_string()));
        assert_eq!(ours.collect::<Vec<_>>(), groups);
    }

    #[expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test says why it did not run")]
    fn skip(why: &str) {
        assert!(std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_none(), "{why}");
        std::eprintln!("skipped: {why}");
    }
}

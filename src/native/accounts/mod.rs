//! Users and groups: `/etc/passwd`, `/etc/group`, `/etc/shadow`, `/etc/gshadow` (passwd(5), group(5), shadow(5), gshadow(5)).
//!
//! Read from base-passwd 3.6.x, shadow 4.13 and 4.17, adduser 3.134 and 3.152, systemd-sysusers 252 and 257.
//! Whether a shadow file is kept is decided by the package `passwd`, whose script turns shadow on.

mod sysusers;

use super::tree::Tree;
use super::{Error, Output};
use crate::layer::CONSTANT_MTIME;
use crate::recipe::{AccountName, User};
use std::collections::BTreeMap;

pub(super) use sysusers::apply as sysusers;

/// Why a user or group cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Every number that Debian gives to system accounts is taken.
    #[error("no number is left for `{name}` between {low} and {high}")]
    Full {
        /// For whom.
        name: String,
        /// The lowest number.
        low: u32,
        /// The highest number.
        high: u32,
    },
    /// The recipe gives a user or group another number than the image has.
    #[error("the recipe gives `{name}` the number {wanted}, but in the image it has {found}")]
    Number {
        /// Whom.
        name: String,
        /// The recipe's number.
        wanted: u32,
        /// The image's number.
        found: u32,
    },
}

/// A user: the fields of passwd(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) comment: String,
    pub(super) home: String,
    pub(super) shell: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    password: String,
    gid: u32,
    members: Vec<String>,
}

/// The four files while accounts are added. Orders are those of the files: what is added comes last.
pub(super) struct Accounts {
    users: Vec<(Login, String)>,
    groups: Vec<Group>,
    /// Whole lines behind the name, by name, in order; `None` where shadow is off.
    shadow: Option<Vec<(String, String)>>,
    /// The password and administrators of a group; members are those of the group.
    gshadow: Option<Vec<(String, String)>>,
    changed: bool,
}

/// The day of the last change of a password that was never set: the constant date, not the day of the build.
const LAST_CHANGE: u64 = CONSTANT_MTIME / 86_400;

/// The numbers that adduser and sysusers choose from (`FIRST_SYSTEM_UID` and `LAST_SYSTEM_UID` of adduser.conf).
const SYSTEM: (u32, u32) = (100, 999);

/// Adds a recipe's users and groups to those that an image has.
pub(super) fn add(
    mut tree: Tree<'_>,
    users: &BTreeMap<AccountName, User>,
    groups: &BTreeMap<AccountName, u32>,
) -> Result<Output, Error> {
    let mut accounts = Accounts::load(&tree)?;
    accounts.recipe(users, groups)?;
    accounts.write(&mut tree);
    Ok(tree.finish())
}

impl Accounts {
    /// Reads what the image has; all empty where it has none.
    pub(super) fn load(tree: &Tree<'_>) -> Result<Self, Error> {
        let mut accounts = Self { users: Vec::new(), groups: Vec::new(), shadow: None, gshadow: None, changed: false };
        accounts.users = tree.text("etc/passwd")?.unwrap_or_default().lines().filter_map(login).collect();
        accounts.groups = tree.text("etc/group")?.unwrap_or_default().lines().filter_map(group).collect();
        let pairs = |text: String| {
            text.lines().filter_map(|l| l.split_once(':')).map(|(n, rest)| (n.to_owned(), rest.to_owned())).collect()
        };
        accounts.shadow = tree.text("etc/shadow")?.map(pairs);
        accounts.gshadow = tree.text("etc/gshadow")?.map(|text| {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            lines
                .map(|(name, rest)| (name.to_owned(), rest.rsplit_once(':').map_or(rest, |(head, _)| head).to_owned()))
                .collect()
        });
        Ok(accounts)
    }

    /// Takes base-passwd's master files, as the script does on a new system; accounts that the image has already stay as they are, behind.
    pub(super) fn base(&mut self, tree: &Tree<'_>) -> Result<(), Error> {
        let passwd = tree.text("usr/share/base-passwd/passwd.master")?.unwrap_or_default();
        let mut users: Vec<_> = passwd.lines().filter_map(login).filter(|(l, _)| self.uid(&l.name).is_none()).collect();
        let group_file = tree.text("usr/share/base-passwd/group.master")?.unwrap_or_default();
        let mut groups: Vec<_> = group_file.lines().filter_map(group).filter(|g| self.gid(&g.name).is_none()).collect();
        self.changed |= !users.is_empty() || !groups.is_empty();
        users.append(&mut self.users);
        groups.append(&mut self.groups);
        (self.users, self.groups) = (users, groups);
        Ok(())
    }

    /// Moves passwords to shadow files, as `shadowconfig on` does.
    pub(super) fn shadow_on(&mut self) {
        if self.shadow.is_none() {
            let users = self.users.iter_mut();
            self.shadow = Some(
                users
                    .map(|(l, p)| {
                        (l.name.clone(), format!("{}:{LAST_CHANGE}:0:99999:7:::", std::mem::replace(p, "x".into())))
                    })
                    .collect(),
            );
            self.changed = true;
        }
        if self.gshadow.is_none() {
            let groups = self.groups.iter_mut();
            self.gshadow = Some(
                groups
                    .map(|g| (g.name.clone(), format!("{}:", std::mem::replace(&mut g.password, "x".into()))))
                    .collect(),
            );
            self.changed = true;
        }
    }

    /// A user's number.
    pub(super) fn uid(&self, name: &str) -> Option<u32> {
        self.users.iter().find(|(login, _)| login.name == name).map(|(login, _)| login.uid)
    }

    /// A group's number.
    pub(super) fn gid(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| group.name == name).map(|group| group.gid)
    }

    /// The numbers of `user:group`, each a name or a number; what is not known is root's.
    pub(super) fn owner(&self, text: &str) -> (u32, u32) {
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let uid = user.parse().ok().or_else(|| self.uid(user)).unwrap_or(0);
        let gid = group.parse().ok().or_else(|| self.gid(group)).unwrap_or(0);
        (uid, gid)
    }

    /// Adds a group, unless one of that name exists, and says its number. Without a wish it gets the first free system number from
    /// below, as adduser and groupadd choose.
    pub(super) fn add_group(&mut self, name: &str, wish: Option<u32>) -> Result<u32, Error> {
        if let Some(gid) = self.gid(name) {
            return Ok(gid);
        }
        let gid = match wish {
            Some(gid) => gid,
            None => free(name, (SYSTEM.0..=SYSTEM.1).find(|n| self.groups.iter().all(|g| g.gid != *n)))?,
        };
        let shadowed = self.gshadow.is_some();
        let password = if shadowed { "x" } else { "!" }.to_owned();
        self.groups.push(Group { name: name.to_owned(), password, gid, members: Vec::new() });
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.push((name.to_owned(), "!:".to_owned()));
        }
        self.changed = true;
        Ok(gid)
    }

    /// Adds a user with a locked password, unless one of that name exists.
    pub(super) fn add_user(&mut self, login: Login) {
        if self.uid(&login.name).is_some() {
            return;
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.push((login.name.clone(), format!("!:{LAST_CHANGE}::::::")));
        }
        let password = if self.shadow.is_some() { "x" } else { "!" };
        self.users.push((login, password.to_owned()));
        self.changed = true;
    }

    /// The first free system number for a user, from below, as `adduser --system` chooses.
    pub(super) fn free_uid(&self, name: &str) -> Result<u32, Error> {
        free(name, (SYSTEM.0..=SYSTEM.1).find(|n| self.users.iter().all(|(login, _)| login.uid != *n)))
    }

    /// Puts a user into a further group.
    pub(super) fn add_member(&mut self, group: &str, user: &str) {
        if let Some(group) = self.groups.iter_mut().find(|g| g.name == group)
            && !group.members.iter().any(|m| m == user)
        {
            group.members.push(user.to_owned());
            self.changed = true;
        }
    }

    /// Adds what the recipe says: groups by number, then users by number, each with a group of its own where its number has none.
    pub(super) fn recipe(
        &mut self,
        users: &BTreeMap<AccountName, User>,
        groups: &BTreeMap<AccountName, u32>,
    ) -> Result<(), Error> {
        let mut groups: Vec<_> = groups.iter().map(|(name, gid)| (*gid, name.as_str())).collect();
        groups.sort_unstable();
        for (gid, name) in groups {
            agree(name, gid, self.add_group(name, Some(gid))?)?;
        }
        let mut users: Vec<_> = users.iter().map(|(name, user)| (user.uid, name.as_str(), user)).collect();
        users.sort_unstable_by_key(|(uid, name, _)| (*uid, *name));
        for (uid, name, user) in users {
            if self.groups.iter().all(|g| g.gid != user.gid) {
                self.add_group(name, Some(user.gid))?;
            }
            agree(name, uid, self.uid(name).unwrap_or(uid))?;
            let (comment, home, shell) = (user.comment.clone(), user.home.clone(), user.shell.clone());
            self.add_user(Login { name: name.to_owned(), uid, gid: user.gid, comment, home, shell });
        }
        Ok(())
    }

    /// Writes the files that changed.
    ///
    /// ```text
    /// etc/passwd   0644 root:root     etc/shadow   0640 root:shadow
    /// etc/group    0644 root:root     etc/gshadow  0640 root:shadow
    /// ```
    pub(super) fn write(&self, tree: &mut Tree<'_>) {
        if !self.changed {
            return;
        }
        let passwd = self.users.iter().map(|(l, password)| {
            format!("{}:{password}:{}:{}:{}:{}:{}\n", l.name, l.uid, l.gid, l.comment, l.home, l.shell)
        });
        tree.file("etc/passwd", 0o644, passwd.collect::<String>());
        let group =
            self.groups.iter().map(|g| format!("{}:{}:{}:{}\n", g.name, g.password, g.gid, g.members.join(",")));
        tree.file("etc/group", 0o644, group.collect::<String>());
        let owner = (0, self.gid("shadow").unwrap_or(0));
        if let Some(shadow) = &self.shadow {
            let text: String = shadow.iter().flat_map(|(name, rest)| [name, ":", rest, "\n"]).collect();
            tree.owned_file("etc/shadow", 0o640, owner, text);
        }
        if let Some(gshadow) = &self.gshadow {
            let members = |name: &str| {
                self.groups.iter().find(|g| g.name == name).map(|g| g.members.join(",")).unwrap_or_default()
            };
            let lines: Vec<String> =
                gshadow.iter().map(|(name, rest)| format!("{name}:{rest}:{}\n", members(name))).collect();
            let text = lines.concat();
            tree.owned_file("etc/gshadow", 0o640, owner, text);
        }
    }
}

fn free(name: &str, found: Option<u32>) -> Result<u32, Error> {
    let (low, high) = SYSTEM;
    found.ok_or_else(|| AccountError::Full { name: name.to_owned(), low, high }.into())
}

fn agree(name: &str, wanted: u32, found: u32) -> Result<(), Error> {
    if wanted == found { Ok(()) } else { Err(AccountError::Number { name: name.to_owned(), wanted, found }.into()) }
}

/// One line of passwd(5); what has not seven fields is no user.
fn login(line: &str) -> Option<(Login, String)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, password, uid, gid, comment, home, shell] = fields[..] else { return None };
    let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
    let [name, comment, home, shell] = [name, comment, home, shell].map(str::to_owned);
    Some((Login { name, uid, gid, comment, home, shell }, password.to_owned()))
}

/// One line of group(5).
fn group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, password, gid, members] = fields[..] else { return None };
    let members = members.split(',').filter(|m| !m.is_empty()).map(str::to_owned).collect();
    Some(Group { name: name.to_owned(), password: password.to_owned(), gid: gid.parse().ok()?, members })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    fn made(root: &Mem, act: impl FnOnce(&mut Accounts)) -> BTreeMap<String, String> {
        let mut tree = Tree::new(root);
        let mut accounts = Accounts::load(&tree).unwrap();
        accounts.base(&tree).unwrap();
        act(&mut accounts);
        accounts.write(&mut tree);
        let files = tree.finish().entries.into_iter();
        files.map(|(entry, content)| (entry.path.to_string(), String::from_utf8(content).unwrap())).collect()
    }

    fn master() -> Mem {
        Mem::new()
            .file("usr/share/base-passwd/passwd.master", b"root:*:0:0:root:/root:/bin/bash\n")
            .file("usr/share/base-passwd/group.master", b"root:*:0:\nshadow:*:42:\nusers:*:100:\n")
    }

    #[test]
    fn a_new_system_gets_the_masters_and_shadow() {
        let files = made(&master(), |accounts| {
            accounts.shadow_on();
            let gid = accounts.add_group("ssl-cert", None).unwrap();
            let uid = accounts.free_uid("redis").unwrap();
            let text = |t: &str| t.to_owned();
            accounts.add_user(Login {
                name: text("redis"),
                uid,
                gid,
                comment: text(""),
                home: text("/var/lib/redis"),
                shell: text("/usr/sbin/nologin"),
            });
            accounts.add_member("ssl-cert", "redis");
        });
        assert_eq!(
            files["etc/passwd"],
            "root:x:0:0:root:/root:/bin/bash\nredis:x:100:101::/var/lib/redis:/usr/sbin/nologin\n"
        );
        assert_eq!(files["etc/group"], "root:x:0:\nshadow:x:42:\nusers:x:100:\nssl-cert:x:101:redis\n");
        assert_eq!(files["etc/shadow"], "root:*:3652:0:99999:7:::\nredis:!:3652::::::\n");
        assert_eq!(files["etc/gshadow"], "root:*::\nshadow:*::\nusers:*::\nssl-cert:!::redis\n");
    }

    #[test]
    fn the_recipes_users_come_last_and_cannot_contradict() {
        let user = |uid, gid| User {
            uid,
            gid,
            home: "/nonexistent".into(),
            shell: "/usr/sbin/nologin".into(),
            comment: String::new(),
        };
        let name = |text| AccountName::parse(text).unwrap();
        let users = BTreeMap::from([(name("b"), user(2000, 0)), (name("a"), user(3000, 3000))]);
        let files = made(&master(), |accounts| accounts.recipe(&users, &BTreeMap::from([(name("g"), 5)])).unwrap());
        assert_eq!(files["etc/group"].lines().skip(3).collect::<Vec<_>>(), ["g:!:5:", "a:!:3000:"]);
        assert!(
            files["etc/passwd"].ends_with(
                "b:!:2000:0::/nonexistent:/usr/sbin/nologin\na:!:3000:3000::/nonexistent:/usr/sbin/nologin\n"
            )
        );
        assert!(!files.contains_key("etc/shadow"));
        let mut accounts = Accounts::load(&Tree::new(&master().file("etc/passwd", b"b:x:7:7:::\n"))).unwrap();
        assert!(accounts.recipe(&users, &BTreeMap::new()).is_err());
    }
}

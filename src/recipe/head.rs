//! The part of a recipe that other recipes depend on: what it starts from, its platforms, users and groups.
//!
//! Heads of all recipes are read first, so that the rest of each can be checked against what it inherits.

use super::accounts::{Accounts, MAX_ID};
use super::model::{AccountName, Base, Compression, ImageName, User};
use super::section::USER;
use super::walk::{Table, Value, Walk};
use super::{paths, reference};
use crate::oci::Platform;
use std::collections::BTreeMap;
use std::ops::Range;

/// How layers can be compressed.
pub(super) const COMPRESSIONS: &[(&str, Compression)] = &[("zstd", Compression::Zstd), ("gzip", Compression::Gzip)];

/// What other recipes depend on.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    /// What it starts from, and where that is written.
    pub(super) from: Option<(Base, Range<usize>)>,
    /// Whether `from` is written but could not be read, so that nobody knows what is inherited.
    pub(super) from_unreadable: bool,
    /// Its own platforms, and where they are written.
    pub(super) platforms: Option<(Vec<Platform>, Range<usize>)>,
    /// How its layers are compressed.
    pub(super) compression: Option<Compression>,
    /// The users that it adds.
    pub(super) users: BTreeMap<AccountName, User>,
    /// Where each of them is defined.
    pub(super) user_spans: BTreeMap<AccountName, Range<usize>>,
    /// The groups that it adds.
    pub(super) groups: BTreeMap<AccountName, u32>,
    /// Where each of them is defined.
    pub(super) group_spans: BTreeMap<AccountName, Range<usize>>,
}

impl Head {
    /// Reads the head of a recipe, whose folder in the project is `folder`.
    pub(super) fn read(walk: &mut Walk<'_>, root: &Table<'_>, folder: &str) -> Self {
        let mut head = Self::default();
        if let Some(value) = root.get("from") {
            let base = walk.string(value, "`from`").and_then(|text| reference::base(walk, value.span(), text, folder));
            head.from_unreadable = base.is_none();
            head.from = base.map(|base| (base, value.span()));
        }
        head.platforms = root
            .get("platforms")
            .and_then(|value| Some((paths::platforms(walk, value)?, value.span())))
            .filter(|(platforms, _)| !platforms.is_empty());
        head.compression = root.get("compression").and_then(|value| walk.word(value, "`compression`", COMPRESSIONS));
        if let Some(table) = root.get("groups").and_then(|value| walk.open_table(value, "`[groups]`")) {
            head.read_groups(walk, &table);
        }
        if let Some(table) = root.get("users").and_then(|value| walk.open_table(value, "`[users]`")) {
            head.read_users(walk, &table);
        }
        head
    }

    fn read_groups(&mut self, walk: &mut Walk<'_>, table: &Table<'_>) {
        let mut numbers = BTreeMap::new();
        for (key, value) in table.entries() {
            let name = account_name(walk, key.span(), key.get_ref(), "group");
            let Some(gid) = walk.number(value, &format!("the number of group `{}`", key.get_ref()), MAX_ID) else {
                continue;
            };
            let Some(name) = name else { continue };
            if let Some((other, first)) = numbers.insert(gid, (name.clone(), key.span())) {
                two_of_a_number(walk, value.span(), first, &format!("groups `{other}` and `{name}` have"), gid);
            }
            if let Some(theirs) = Accounts::debian().group(name.as_str()).filter(|&theirs| theirs != gid) {
                debians_number(walk, value.span(), &format!("group `{name}`"), theirs);
            }
            self.group_spans.insert(name.clone(), key.span());
            self.groups.insert(name, gid);
        }
    }

    fn read_users(&mut self, walk: &mut Walk<'_>, table: &Table<'_>) {
        let mut numbers = BTreeMap::new();
        for (key, value) in table.entries() {
            let name = account_name(walk, key.span(), key.get_ref(), "user");
            let Some(table) = walk.table(value, &USER) else { continue };
            let user = read_user(walk, &table, key.get_ref());
            let (Some(name), Some(user)) = (name, user) else { continue };
            if let Some((other, first)) = numbers.insert(user.uid, (name.clone(), key.span())) {
                two_of_a_number(walk, key.span(), first, &format!("users `{other}` and `{name}` have"), user.uid);
            }
            if let Some(theirs) = Accounts::debian().user(name.as_str()).filter(|theirs| theirs.uid != user.uid) {
                let place = table.get("uid").map_or(key.span(), Value::span);
                debians_number(walk, place, &format!("user `{name}`"), theirs.uid);
            }
            self.user_spans.insert(name.clone(), key.span());
            self.users.insert(name, user);
        }
    }
}

fn account_name(walk: &mut Walk<'_>, span: Range<usize>, text: &str, kind: &str) -> Option<AccountName> {
    let name = AccountName::parse(text);
    if name.is_none() {
        walk.wrong(span, format!("`{text}` is not a {kind}'s name"))
            .expected("lower-case letters, digits, `_` and `-`, a letter first, at most 32");
    }
    name
}

fn two_of_a_number(walk: &mut Walk<'_>, span: Range<usize>, first: Range<usize>, who: &str, number: u32) {
    walk.wrong(span, format!("{who} the same number {number}")).related(first, "this one has it too");
}

/// A package of the image may make the account with Debian's number, and then two parts of one image would disagree.
fn debians_number(walk: &mut Walk<'_>, span: Range<usize>, who: &str, theirs: u32) {
    walk.wrong(span, format!("{who} has another number on every Debian system"))
        .expected(format!("{theirs}"))
        .hint("choose another name");
}

fn read_user(walk: &mut Walk<'_>, table: &Table<'_>, name: &str) -> Option<User> {
    let id = |walk: &mut Walk<'_>, key: &str| {
        table.get(key).and_then(|value| walk.number(value, &format!("`{key}` of user `{name}`"), MAX_ID))
    };
    let (uid, gid) = (id(walk, "uid"), id(walk, "gid"));
    if table.get("uid").is_none() {
        walk.wrong(table.span.clone(), format!("user `{name}` has no `uid`"))
            .expected("`uid`, a number")
            .hint("numbers from 10000 up collide with nothing that Debian gives out");
    }
    let path = |walk: &mut Walk<'_>, key: &str, default: &str| match table.get(key) {
        None => Some(default.to_owned()),
        Some(value) => {
            let text = walk.string(value, &format!("`{key}`"))?;
            let path = paths::image_path_text(walk, value.span(), text, &format!("`{key}`"))?;
            no_colon(walk, value.span(), path, key)
        }
    };
    let home = path(walk, "home", "/nonexistent");
    let shell = path(walk, "shell", "/usr/sbin/nologin");
    let comment = match table.get("comment") {
        None => Some(String::new()),
        Some(value) => {
            walk.string(value, "`comment`").and_then(|text| no_colon(walk, value.span(), text.to_owned(), "comment"))
        }
    };
    let uid = uid?;
    Some(User { uid, gid: gid.unwrap_or(uid), home: home?, shell: shell?, comment: comment? })
}

/// A field of `/etc/passwd` (passwd(5)): a colon or a newline would end it.
fn no_colon(walk: &mut Walk<'_>, span: Range<usize>, text: String, key: &str) -> Option<String> {
    if text.contains(|c: char| c == ':' || c.is_control()) {
        walk.wrong(
            span,
            format!("`{key}` has a colon or a control character, which would end its field in `/etc/passwd`"),
        );
        return None;
    }
    Some(text)
}

/// An image's name: a recipe's folder, or what names one.
pub(super) fn image_name(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) -> Option<ImageName> {
    let name = ImageName::parse(text);
    if name.is_none() {
        walk.wrong(span, format!("{what} cannot be `{text}`"))
            .expected("lower-case letters and digits, with `.`, `_` or `-` between them");
    }
    name
}

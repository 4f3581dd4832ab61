//! The files of accounts, an account a line with fields between colons: passwd(5), group(5), shadow(5), gshadow(5), subuid(5), subgid(5).

use super::Hints;
use super::words::{Classify, hinted};
use crate::verify::diff::class::Class;

/// The field of a password, from 0.
const PASSWORD: usize = 1;

/// The field of shadow(5) that says on which day since 1970 the password was changed: the day on which the account was made.
const CHANGED: usize = 2;

/// Says what class a field has that differs, by its number.
type OfField = fn(usize, &str, &str) -> Class;

/// How lines of a file of this name are classified, if it is one of accounts, of the image or of a root file system in it.
pub(super) fn classify(name: &str) -> Option<Classify> {
    let (directory, file) = name.rsplit_once('/')?;
    match file {
        _ if directory.rsplit('/').next() != Some("etc") => None,
        "passwd" | "subuid" | "subgid" => Some(|a, b, hints| fields(a, b, hints, plain)),
        "group" => Some(|a, b, hints| fields(a, b, hints, group)),
        "shadow" => Some(|a, b, hints| fields(a, b, hints, shadow)),
        "gshadow" => Some(|a, b, hints| fields(a, b, hints, gshadow)),
        _ => None,
    }
}

/// The causes of a difference between two lines: of each field its own.
fn fields(a: &str, b: &str, hints: &Hints, of_field: OfField) -> Vec<Class> {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split(':').collect(), b.split(':').collect());
    // Another account is no change of this one.
    if a.len() != b.len() || a[0] != b[0] {
        return vec![Class::Content];
    }
    let mut classes = Vec::new();
    for (number, (a, b)) in a.into_iter().zip(b).enumerate().filter(|(_, (a, b))| a != b) {
        let class = hinted(a, b, hints).unwrap_or_else(|| of_field(number, a, b));
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    classes
}

fn plain(number: usize, a: &str, b: &str) -> Class {
    if number == PASSWORD && salted_otherwise(a, b) { Class::RandomId } else { Class::Content }
}

fn shadow(number: usize, a: &str, b: &str) -> Class {
    // 0 is no day, but asks for another password.
    let day = |field: &str| field.parse::<u32>().is_ok_and(|day| day > 0);
    if number == CHANGED && day(a) && day(b) { Class::Timestamp } else { plain(number, a, b) }
}

fn group(number: usize, a: &str, b: &str) -> Class {
    if number == 3 && members(a) == members(b) { Class::Order } else { plain(number, a, b) }
}

fn gshadow(number: usize, a: &str, b: &str) -> Class {
    if number > PASSWORD && members(a) == members(b) { Class::Order } else { plain(number, a, b) }
}

fn members(field: &str) -> Vec<&str> {
    let mut members: Vec<&str> = field.split(',').collect();
    members.sort_unstable();
    members
}

/// Whether two passwords, locked ones too, went through one method with two salts (crypt(5): `$METHOD$…$SALT$HASH`): they may be
/// the same.
fn salted_otherwise(a: &str, b: &str) -> bool {
    let parts = |field: &str| -> Option<(String, String)> {
        let (method, rest) = field.trim_start_matches('!').strip_prefix('$')?.split_once('$')?;
        Some((method.to_owned(), rest.rsplit_once('$')?.0.to_owned()))
    };
    match (parts(a), parts(b)) {
        (Some((method_a, salt_a)), Some((method_b, salt_b))) => method_a == method_b && salt_a != salt_b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_own_cause() {
        for (file, a, b, expected) in [
            ("etc/shadow", "app:!:20415::::::", "app:!:20416::::::", vec![Class::Timestamp]),
            ("etc/shadow", "app:!:0::::::", "app:!:20416::::::", vec![Class::Content]),
            ("etc/shadow", "app:!::::::", "app:!:20416:::::", vec![Class::Content]),
            ("etc/shadow", "app:!:1:::::20415:", "app:!:1:::::20416:", vec![Class::Content]),
            ("etc/shadow", "app:!:1::::::", "web:!:1::::::", vec![Class::Content]),
            (
                "rootfs/etc/shadow",
                "app:$y$j9T$a$x:1::::::",
                "app:$y$j9T$b$z:2::::::",
                vec![Class::RandomId, Class::Timestamp],
            ),
            ("etc/shadow", "app:!$6$a$x:1::::::", "app:!$6$b$x:1::::::", vec![Class::RandomId]),
            ("etc/shadow", "app:$6$a$x:1::::::", "app:$6$a$y:1::::::", vec![Class::Content]),
            ("etc/shadow", "app:$6$a$x:1::::::", "app:$y$a$x:1::::::", vec![Class::Content]),
            ("etc/shadow", "app:!:1::::::", "app:*:1::::::", vec![Class::Content]),
            ("etc/passwd", "a:x:1000:1000::/home/a:/bin/sh", "a:x:1000:1000::/home/b:/bin/sh", vec![Class::Content]),
            ("etc/passwd", "a:x:1:1::/home/zed:/bin/sh", "a:x:1:1::/x:/bin/sh", vec![Class::BuildPath]),
            ("etc/passwd", "a:x:1:1:Bob,1:/:/bin/sh", "a:x:1:1:1,Bob:/:/bin/sh", vec![Class::Content]),
            ("etc/subuid", "app:100000:65536", "app:165536:65536", vec![Class::Content]),
            ("etc/group", "adm:x:4:amy,bob", "adm:x:4:bob,amy", vec![Class::Order]),
            ("etc/gshadow", "adm:*:amy,bob:", "adm:*:bob,amy:", vec![Class::Order]),
            ("etc/group", "adm:x:4:amy", "adm:x:4:bob", vec![Class::Content]),
        ] {
            let classify = classify(file).unwrap();
            let hints = Hints { paths: vec!["/home/zed".to_owned()], ..Hints::default() };
            assert_eq!(classify(a, b, &hints), expected, "{file}: {a} | {b}");
        }
        assert!(
            ["etc/hosts", "shadow", "srv/shadow", "usr/lib/netc/shadow"].iter().all(|name| classify(name).is_none())
        );
    }
}

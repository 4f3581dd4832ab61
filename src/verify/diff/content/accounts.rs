//! The files of accounts, an account a line with fields between colons: passwd(5), group(5), shadow(5), gshadow(5), subuid(5), subgid(5).

use super::Hints;
use super::words::Classify;
use crate::verify::diff::class::Class;

/// The field of a password, from 0.
const PASSWORD: usize = 1;

/// The field of shadow(5) that says on which day since 1970 the password was changed: the day on which the account was made.
const CHANGED: usize = 2;

/// How lines of a file of this name are classified, if it is one of accounts.
pub(super) fn classify(name: &str) -> Option<Classify> {
    match name.trim_start_matches(['.', '/']) {
        "etc/shadow" => Some(|a, b, _: &Hints| fields(a, b, shadow)),
        "etc/passwd" | "etc/group" | "etc/gshadow" | "etc/subuid" | "etc/subgid" => {
            Some(|a, b, _: &Hints| fields(a, b, plain))
        }
        _ => None,
    }
}

/// The causes of a difference between two lines: of each field its own.
fn fields(a: &str, b: &str, class: fn(usize, &str, &str) -> Class) -> Vec<Class> {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split(':').collect(), b.split(':').collect());
    // Another account is no change of this one.
    if a.len() != b.len() || a[0] != b[0] {
        return vec![Class::Content];
    }
    let mut classes = Vec::new();
    for (number, (a, b)) in a.into_iter().zip(b).enumerate().filter(|(_, (a, b))| a != b) {
        let class = class(number, a, b);
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    classes
}

fn shadow(number: usize, a: &str, b: &str) -> Class {
    let day = |field: &str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    if number == CHANGED && day(a) && day(b) { Class::Timestamp } else { plain(number, a, b) }
}

fn plain(number: usize, a: &str, b: &str) -> Class {
    // crypt(5): a method, a salt and what they make of the password.
    if number == PASSWORD && a.starts_with('$') && b.starts_with('$') {
        return Class::RandomId;
    }
    let members = |field: &str| -> Vec<String> {
        let mut members: Vec<String> = field.split(',').map(str::to_owned).collect();
        members.sort_unstable();
        members
    };
    if members(a) == members(b) { Class::Order } else { Class::Content }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_own_cause() {
        for (file, a, b, expected) in [
            ("etc/shadow", "app:!:20415::::::", "app:!:20416::::::", vec![Class::Timestamp]),
            (
                "./etc/shadow",
                "app:$y$j9T$a$x:1::::::",
                "app:$y$j9T$b$z:2::::::",
                vec![Class::RandomId, Class::Timestamp],
            ),
            ("etc/shadow", "app:!:1::::::", "app:*:1::::::", vec![Class::Content]),
            ("etc/shadow", "app:!:1:::::20415:", "app:!:1:::::20416:", vec![Class::Content]),
            ("etc/shadow", "app:!::::::", "app:!:20416:::::", vec![Class::Content]),
            ("etc/shadow", "app:!:1::::::", "web:!:1::::::", vec![Class::Content]),
            ("etc/passwd", "a:x:1000:1000::/home/a:/bin/sh", "a:x:1000:1000::/home/b:/bin/sh", vec![Class::Content]),
            ("etc/subuid", "app:100000:65536", "app:165536:65536", vec![Class::Content]),
            ("etc/group", "adm:x:4:amy,bob", "adm:x:4:bob,amy", vec![Class::Order]),
            ("etc/group", "adm:x:4:amy", "adm:x:4:bob", vec![Class::Content]),
        ] {
            let classify = classify(file).unwrap();
            assert_eq!(classify(a, b, &Hints::default()), expected, "{file}: {a} | {b}");
        }
        assert!(classify("srv/etc/shadow").is_none());
    }
}

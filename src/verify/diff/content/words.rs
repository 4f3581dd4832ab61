//! Why two lines or phrases differ, by the words that differ and those in front of them.

use super::{Hints, checksum, dates};
use crate::verify::diff::class::Class;
use crate::verify::diff::sums::Sums;

/// A value for people is cut beyond this many characters.
const SHOWN: usize = 160;

/// A longer name is cut, in bytes.
const NAME: usize = 400;

/// A longer phrase is not taken apart into words, in bytes.
pub(super) const LONG: usize = 64 << 10;

/// Directories below which builds stand.
const ROOTS: [&str; 22] = [
    "/tmp/",
    "/home/",
    "/build/",
    "/builds/",
    "/root/",
    "/var/tmp/",
    "/src/",
    "/work/",
    "/workspace/",
    "/usr/src/",
    "/mnt/",
    "/Users/",
    "/nix/store/",
    "/go/src/",
    "/runner/",
    "/github/",
    "/__w/",
    "/buildroot/",
    "/private/",
    "/data/",
    "/opt/build/",
    "/app/build/",
];

/// The cause of a difference between two phrases, where it shows.
pub(in crate::verify::diff) fn words(a: &str, b: &str) -> Option<Class> {
    let classes = classify(a, b, &Hints::default());
    classes.first().copied().filter(|_| !classes.contains(&Class::Content))
}

/// A text cut to what people read, on one line.
pub(in crate::verify::diff) fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(SHOWN)
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if short.len() < text.len() && text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// A name cut in its middle, where it is longer than anyone reads: what tells it from others stands at its ends.
pub(in crate::verify::diff) fn named(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    let begin: String = name.chars().take(NAME / 4).collect();
    let mut end: Vec<char> = name.chars().rev().take(NAME / 4).collect();
    end.reverse();
    format!("{begin}…{}", end.into_iter().collect::<String>())
}

/// Says all causes of a difference between two lines.
pub(super) type Classify = fn(&str, &str, &Hints) -> Vec<Class>;

/// All causes of a difference between two phrases, [`Class::Content`] where one does not show; empty only where they are the same.
pub(super) fn classify(a: &str, b: &str, hints: &Hints) -> Vec<Class> {
    let mut classes = Vec::new();
    if a == b {
        return classes;
    }
    if checksum::line(a, b) {
        return vec![Class::Checksum];
    }
    let ((a, dates_a), (b, dates_b)) = (dates::masked(a), dates::masked(b));
    if dates_a != dates_b && dates_a.len() == dates_b.len() {
        classes.push(Class::Timestamp);
    }
    if a == b {
        return classes;
    }
    let (words_a, words_b): (Vec<&str>, Vec<&str>) = (tokens(&a).collect(), tokens(&b).collect());
    let (mut sorted_a, mut sorted_b) = (words_a.clone(), words_b.clone());
    sorted_a.sort_unstable();
    sorted_b.sort_unstable();
    if words_a != words_b && sorted_a == sorted_b {
        classes.push(Class::Order);
        return classes;
    }
    if words_a.len() != words_b.len() || words_a == words_b {
        classes.push(Class::Content);
        return classes;
    }
    let mut key = "";
    for (word_a, word_b) in words_a.into_iter().zip(words_b) {
        if word_a != word_b {
            let class = word(word_a, word_b, &key.trim_end_matches(':').to_ascii_lowercase(), hints);
            let class = class.unwrap_or(Class::Content);
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        key = word_a;
    }
    classes
}

/// Whether two phrases of any length have the same words in another order.
pub(super) fn same_words(a: &str, b: &str) -> bool {
    !tokens(a).eq(tokens(b)) && Sums::of(a.as_bytes(), b.as_bytes()).same(tokens(a), tokens(b))
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let delimiters = |c: char| c.is_whitespace() || "\"'`=,;()<>|[]{}".contains(c);
    text.split(delimiters).filter(|word| !word.is_empty())
}

/// Why two words differ, where they have something of where a build stood.
pub(super) fn hinted(a: &str, b: &str, hints: &Hints) -> Option<Class> {
    let has = |names: &[String]| names.iter().any(|name| !name.is_empty() && (a.contains(name) || b.contains(name)));
    if has(&hints.paths) {
        return Some(Class::BuildPath);
    }
    if has(&hints.hosts) {
        return Some(Class::HostName);
    }
    hints.users.iter().any(|user| a == user || b == user).then_some(Class::User)
}

/// Why two words differ; `key` is the word in front of them.
fn word(a: &str, b: &str, key: &str, hints: &Hints) -> Option<Class> {
    if let Some(class) = hinted(a, b, hints) {
        return Some(class);
    }
    let mentions = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let is_id = mentions(&["uuid", "guid", "nonce", "salt", "cookie", "random", "session", "seed", "secret", "token"]);
    if !is_id && checksum::word(a, b) {
        return Some(Class::Checksum);
    }
    if locale(a) && locale(b) || key.starts_with("lc_") || ["lang", "language", "locale"].contains(&key) {
        return Some(Class::Locale);
    }
    if let (Some((user_a, host_a)), Some((user_b, host_b))) = (a.split_once('@'), b.split_once('@')) {
        return Some(if host_a == host_b && user_a != user_b { Class::User } else { Class::HostName });
    }
    if build_path(a, b) {
        return Some(Class::BuildPath);
    }
    if mentions(&["host", "node", "machine", "computer"]) || ["on", "linux"].contains(&key) {
        return Some(Class::HostName);
    }
    if mentions(&["user", "owner", "author", "builder", "packager", "logname", "login", "whoami"])
        || key == "by"
        || key.ends_with("-by")
    {
        return Some(Class::User);
    }
    if is_id || random(a) && random(b) || without_ids(a) == without_ids(b) {
        return Some(Class::RandomId);
    }
    (domain(a) && domain(b)).then_some(Class::HostName)
}

/// Whether a word is the name of a locale.
fn locale(word: &str) -> bool {
    let name = word.split(['.', '@']).next().unwrap_or(word);
    let parts = name.split_once('_');
    let region = parts.is_some_and(|(language, region)| {
        (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && region.len() == 2
            && region.bytes().all(|byte| byte.is_ascii_uppercase())
    });
    region || matches!(name, "C" | "POSIX")
}

/// Whether two words are paths of one thing at two places, or of what stands where builds do.
fn build_path(a: &str, b: &str) -> bool {
    if a.contains(':') && a.matches(':').count() == b.matches(':').count() && !a.contains("://") {
        let mut pairs = a.split(':').zip(b.split(':')).filter(|(a, b)| a != b).peekable();
        return pairs.peek().is_some() && pairs.all(|(a, b)| build_path(a, b));
    }
    let (Some(at_a), Some(at_b)) = (a.find('/'), b.find('/')) else { return false };
    // `-I/tmp/x` is a path behind an option.
    if a[..at_a] != b[..at_b] {
        return false;
    }
    let (at_of_path, option) = (at_a, a.starts_with('-') || a.starts_with("file:"));
    let (a, b) = (a[at_a..].trim_start_matches("//"), b[at_b..].trim_start_matches("//"));
    // In a relative path, the part in front of the first slash is a directory.
    if at_of_path > 0 && !option {
        return false;
    }
    let rooted = |path: &str| ROOTS.iter().any(|root| path.starts_with(root) || path == root.trim_end_matches('/'));
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let deep = a.matches('/').count() > 1 && b.matches('/').count() > 1;
    rooted(a) && rooted(b) || deep && last(a) == last(b) && !last(a).is_empty()
}

/// Whether a word looks like chance made it: long, of letters and digits.
fn random(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let other = word.len() - letters - digits;
    let temporary = word.len() >= 8 && word.starts_with("tmp");
    temporary || word.len() >= 16 && letters > 2 && digits > 2 && other * 8 <= word.len() && !word.contains('/')
}

/// A word with each run of hexadecimal digits that looks like an id taken out.
fn without_ids(word: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let uuid = uuid_part(word);
    for c in word.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        let digits = run.bytes().any(|byte| byte.is_ascii_digit());
        let letters = run.bytes().any(|byte| byte.is_ascii_alphabetic());
        let id = run.len() >= 16 || run.len() >= 8 && digits && letters || uuid && run.len() >= 4;
        out.push_str(if id { "\u{2}" } else { &run });
        run.clear();
        out.push(c);
    }
    out
}

/// Whether a word has a UUID in it (RFC 9562): groups of 8, 4, 4, 4 and 12 digits.
fn uuid_part(word: &str) -> bool {
    let groups: Vec<usize> =
        word.split('-').map(|group| group.bytes().rev().take_while(u8::is_ascii_hexdigit).count()).collect();
    groups.windows(4).any(|group| group[0] == 8 && group[1..] == [4, 4, 4])
}

/// Whether a word looks like a machine's name in a domain.
fn domain(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let plain =
        |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let last = labels.last().copied().unwrap_or_default();
    labels.len() >= 3
        && labels.iter().all(plain)
        && last.len() >= 2
        && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_show_in_the_words() {
        for (a, b, expected) in [
            ("built 2026-11-23", "built 2026-11-24", vec![Class::Timestamp]),
            ("at /tmp/build.1/x.c:3", "at /home/bob/x.c:3", vec![Class::BuildPath]),
            ("-I/opt/one/include", "-I/opt/two/include", vec![Class::BuildPath]),
            ("HOSTNAME=web1", "HOSTNAME=web2", vec![Class::HostName]),
            ("root@build-a", "root@build-b", vec![Class::HostName]),
            ("alice@build", "bob@build", vec![Class::User]),
            ("built by alice", "built by bob", vec![Class::User]),
            ("LANG=en_US.UTF-8", "LANG=C.UTF-8", vec![Class::Locale]),
            (
                "id: 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
                "id: 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
                vec![Class::RandomId],
            ),
            ("x 8f14e45fceea167a5a36dedd4bea2543", "x c9f0f895fb98ab9159f51fd0297e236d", vec![Class::RandomId]),
            (
                "8f14e45fceea167a5a36dedd4bea2543  usr/bin/x",
                "c9f0f895fb98ab9159f51fd0297e236d  usr/bin/x",
                vec![Class::Checksum],
            ),
            (
                "FROM python:3.12-slim@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "FROM python:3.12-slim@sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                vec![Class::Checksum],
            ),
            ("a b c", "c a b", vec![Class::Order]),
            ("by alice on 2026-01-02", "by bob on 2027-03-04", vec![Class::Timestamp, Class::User]),
            (
                "secret: sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "secret: sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
                vec![Class::RandomId],
            ),
            ("size 3", "size 4", vec![Class::Content]),
            ("see /usr/bin/a", "see /usr/bin/b", vec![Class::Content]),
            ("build01.example.org", "build02.example.org", vec![Class::HostName]),
        ] {
            assert_eq!(classify(a, b, &Hints::default()), expected, "{a} | {b}");
        }
    }

    #[test]
    fn hints_explain_what_cannot_be_guessed() {
        let hints = Hints { users: vec!["zed".into()], hosts: vec!["kite".into()], paths: vec!["/x/y".into()] };
        assert_eq!(classify("p zed", "p amy", &hints), [Class::User]);
        assert_eq!(classify("p kite7", "p amy", &hints), [Class::HostName]);
        assert_eq!(classify("p /x/y/z", "p /q", &hints), [Class::BuildPath]);
    }
}

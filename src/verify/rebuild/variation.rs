//! What is changed around a rebuild, all of it decided by one seed.

use crate::digest::Shuffle;

/// What is changed around a rebuild: everything that a process inherits and that no byte of an image may depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variation {
    /// What decides all the rest, and the order of actions and of directories' entries.
    pub seed: u64,
    /// How many actions run at once: more than there are cores, so that they interleave in other ways.
    pub jobs: usize,
    /// The permission bits that new files lack.
    pub umask: u32,
    /// The number that the user has, in a namespace of the kernel's.
    pub user: u32,
    /// The machine's name, in a namespace of the kernel's.
    pub host: String,
    /// By how many seconds what the rebuild takes for now is later, or earlier where it is negative.
    pub clock: i64,
    /// The name of a folder under which the project is found.
    pub folder: String,
    /// Variables of the environment, by name.
    pub variables: Vec<(&'static str, String)>,
}

impl Variation {
    /// What a seed decides on a machine of so many cores.
    #[must_use]
    pub fn new(seed: u64, cores: usize) -> Self {
        let order = Shuffle(seed);
        let word = |name: &str, length: usize| -> String {
            let letters = format!("{:016x}", order.place(name.as_bytes()));
            letters
                .chars()
                .take(length)
                .map(|c| char::from(b'a' + u8::try_from(c.to_digit(16).unwrap_or(0)).unwrap_or(0)))
                .collect()
        };
        let jobs = cores.saturating_add(*order.choose("jobs", &[1, 2, 3]));
        let user = word("user", 8);
        let host = format!("{}.{}", word("host", 9), order.choose("domain", &["example", "test", "invalid"]));
        let home = format!("/nonexistent/{}", word("home", 5));
        let locale = *order.choose("locale", &["C", "tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8", "ja_JP.EUC-JP"]);
        let zone =
            *order.choose("zone", &["Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "<-12>+12", "UTC"]);
        let variables = vec![
            ("TZ", zone.to_owned()),
            ("LANG", locale.to_owned()),
            ("LC_ALL", locale.to_owned()),
            ("LANGUAGE", locale.to_owned()),
            ("HOME", home),
            ("USER", user.clone()),
            ("LOGNAME", user),
            ("HOSTNAME", host.clone()),
            ("SHELL", "/bin/false".to_owned()),
            ("TERM", (*order.choose("term", &["dumb", "xterm-256color", "vt100"])).to_owned()),
            ("COLUMNS", (*order.choose("columns", &["20", "80", "500"])).to_owned()),
            ("CI", (*order.choose("ci", &["true", "false"])).to_owned()),
            ("RAYON_NUM_THREADS", jobs.to_string()),
            ("REMINT_VERIFY_NOISE", word("noise", 16)),
        ];
        Self {
            seed,
            jobs,
            umask: *order.choose("umask", &[0o000, 0o002, 0o027, 0o077]),
            user: *order.choose("uid", &[1, 1234, 65_533, 1_000_000]),
            host,
            clock: *order.choose("clock", &[-7, -1, 1, 12]) * 365 * 86_400
                + i64::try_from(order.place(b"clock") % 86_400).unwrap_or_default(),
            folder: format!("{} {} ünïcode", word("folder", 12), word("long", 16)),
            variables,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_decides_everything_and_seeds_differ() {
        assert_eq!(Variation::new(7, 2), Variation::new(7, 2));
        let all: Vec<Variation> = (0..40).map(|seed| Variation::new(seed, 2)).collect();
        let umasks: BTreeSet<u32> = all.iter().map(|one| one.umask).collect();
        let hosts: BTreeSet<&str> = all.iter().map(|one| one.host.as_str()).collect();
        assert_eq!((umasks.len(), hosts.len()), (4, 40));
        assert!(all.iter().all(|one| one.jobs > 2 && one.folder.is_char_boundary(0)));
    }
}

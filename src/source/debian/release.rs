//! Release: what an archive says of a suite, and the digest of every index in it.

use super::signature::CLOCK_SLACK;
use super::stanza::{Stanza, StanzaError};
use crate::digest::Digest;
use crate::oci::time::{format_rfc3339, parse_rfc5322};
use std::collections::BTreeMap;

/// The facts of a Release file whose signature was verified (Debian wiki, "DebianRepository/Format", "Release files").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Who publishes the archive: `Debian`.
    pub origin: Option<String>,
    /// The suite's role: `stable`, `oldstable-security`.
    pub suite: Option<String>,
    /// The suite's name: `trixie`, `bookworm-security`.
    pub codename: Option<String>,
    /// When it was made, in seconds since 1970.
    pub date: u64,
    /// Until when it may be used, in seconds since 1970; main archives of stable suites say nothing.
    pub valid_until: Option<u64>,
    /// Whether indices can be fetched by their digests, so that an update of the mirror cannot come between.
    pub acquire_by_hash: bool,
    /// Whether packages of architecture `all` stand in the index of each architecture, and an index of `all` is not needed.
    pub all_in_each: bool,
    /// The architectures, in the order written.
    pub architectures: Vec<String>,
    /// The components, in the order written.
    pub components: Vec<String>,
    /// Every index by its path below the suite's directory: its digest and its size in bytes.
    pub files: BTreeMap<String, (Digest, u64)>,
}

/// Why a text is no Release file, or none that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It is no control data.
    #[error(transparent)]
    Stanza(#[from] StanzaError),
    /// A field that has to be there is not.
    #[error("it has no {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field's value is not what it has to be.
    #[error("`{value}` is not a valid {field}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Its value, cut to a length that fits a message.
        value: String,
    },
    /// It may not be used any more.
    #[error("it was valid until {}: the mirror is stale, or someone holds updates back", format_rfc3339(*.valid_until))]
    Expired {
        /// In seconds since 1970.
        valid_until: u64,
    },
    /// It was made after now.
    #[error("it was made at {}, which is in the future: is this machine's clock right?", format_rfc3339(*.date))]
    Future {
        /// In seconds since 1970.
        date: u64,
    },
    /// It is older than one that was seen before.
    #[error("it was made at {}, before the one that is locked ({}): the mirror is stale, or someone holds updates back", format_rfc3339(*.found), format_rfc3339(*.locked))]
    Rollback {
        /// When it was made, in seconds since 1970.
        found: u64,
        /// When the locked one was made, in seconds since 1970.
        locked: u64,
    },
    /// It is of another suite.
    #[error("it is of the suite `{found}`, not `{asked}`")]
    Suite {
        /// The suite that was asked for.
        asked: String,
        /// What it calls itself.
        found: String,
    },
}

/// The most indices of one Release file; Debian's have about 2000.
const MOST_FILES: usize = 100_000;

impl Release {
    /// Parses the signed text.
    pub fn parse(text: &str) -> Result<Self, ReleaseError> {
        let stanza = Stanza::parse(text)?;
        let text = |field| stanza.get(field).map(str::to_owned);
        let words = |field| -> Vec<String> {
            stanza.get(field).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
        };
        let time = |field| match stanza.get(field) {
            None => Ok(None),
            Some(value) => parse_rfc5322(value).map(Some).ok_or_else(|| invalid(field, value)),
        };
        let sums = stanza.get("SHA256").ok_or(ReleaseError::Missing { field: "SHA256" })?;
        Ok(Self {
            origin: text("Origin"),
            suite: text("Suite"),
            codename: text("Codename"),
            date: time("Date")?.ok_or(ReleaseError::Missing { field: "Date" })?,
            valid_until: time("Valid-Until")?,
            acquire_by_hash: stanza.get("Acquire-By-Hash") == Some("yes"),
            all_in_each: stanza.get("No-Support-for-Architecture-all") == Some("Packages"),
            architectures: words("Architectures"),
            components: words("Components"),
            files: files(sums)?,
        })
    }

    /// Whether it has a component. Debian's security archive writes `updates/main` for what its paths, and everyone, call `main`.
    #[must_use]
    pub fn has_component(&self, component: &str) -> bool {
        self.components.iter().any(|has| has == component || has.strip_prefix("updates/") == Some(component))
    }

    /// Refuses a Release that may not be used at `now` (seconds since 1970): it has expired, or comes from the future.
    pub fn check_time(&self, now: u64) -> Result<(), ReleaseError> {
        match self.valid_until {
            Some(valid_until) if valid_until < now => Err(ReleaseError::Expired { valid_until }),
            _ if self.date > now.saturating_add(CLOCK_SLACK) => Err(ReleaseError::Future { date: self.date }),
            _ => Ok(()),
        }
    }

    /// Refuses a Release that is older than the one that a lock names.
    pub fn check_rollback(&self, locked: u64) -> Result<(), ReleaseError> {
        if self.date < locked { Err(ReleaseError::Rollback { found: self.date, locked }) } else { Ok(()) }
    }

    /// Refuses a Release of another suite than the one that was asked for, by its name or its role.
    pub fn check_suite(&self, asked: &str) -> Result<(), ReleaseError> {
        let names = [&self.codename, &self.suite];
        if names.iter().any(|name| name.as_deref() == Some(asked)) {
            return Ok(());
        }
        let found = names.into_iter().flatten().next().map_or("?", String::as_str);
        Err(ReleaseError::Suite { asked: asked.to_owned(), found: found.to_owned() })
    }
}

/// Reads the lines `digest size path`.
fn files(sums: &str) -> Result<BTreeMap<String, (Digest, u64)>, ReleaseError> {
    let mut files = BTreeMap::new();
    for line in sums.lines().filter(|line| !line.trim_ascii().is_empty()) {
        let mut words = line.split_ascii_whitespace();
        let digest = words.next().and_then(Digest::from_hex);
        let size =
            words.next().filter(|size| size.bytes().all(|b| b.is_ascii_digit())).and_then(|size| size.parse().ok());
        let path = words.next().filter(|path| super::entry::is_archive_path(path));
        let (Some(digest), Some(size), Some(path), None) = (digest, size, path, words.next()) else {
            return Err(invalid("SHA256", line));
        };
        // The same path with another digest would let the reader choose.
        if files.insert(path.to_owned(), (digest, size)).is_some_and(|other| other != (digest, size)) {
            return Err(invalid("SHA256", line));
        }
        if files.len() > MOST_FILES {
            return Err(invalid("SHA256", "more than 100000 lines"));
        }
    }
    Ok(files)
}

fn invalid(field: &'static str, value: &str) -> ReleaseError {
    ReleaseError::Invalid { field, value: value.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn text() -> String {
        format!(
            "Origin: Debian\nSuite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2026 07:55:41 UTC\n\
             Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC\nAcquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\n\
             Architectures: all amd64 arm64\nComponents: main contrib\nMD5Sum:\n x 1 y\nSHA256:\n {SUM} 12 main/a\n {SUM}  13 main/b.xz\n"
        )
    }

    #[test]
    fn a_release_says_what_it_says() {
        let release = Release::parse(&text()).unwrap();
        assert_eq!((release.date, release.valid_until), (1_789_199_741, Some(1_789_804_541)));
        assert!(release.acquire_by_hash && release.all_in_each);
        assert_eq!(release.architectures, ["all", "amd64", "arm64"]);
        assert_eq!(release.components, ["main", "contrib"]);
        assert_eq!(release.files["main/b.xz"], (Digest::from_hex(SUM).unwrap(), 13));
        assert_eq!(release.files.len(), 2);
        assert!(release.has_component("contrib") && !release.has_component("updates/main"));
        let security = Release::parse(&text().replace("Components: main", "Components: updates/main")).unwrap();
        assert!(security.has_component("main") && security.has_component("updates/main"));
    }

    #[test]
    fn what_may_not_be_used_is_refused() {
        let release = Release::parse(&text()).unwrap();
        assert!(release.check_time(release.date).is_ok());
        assert!(release.check_time(release.date - CLOCK_SLACK).is_ok());
        assert!(release.check_time(1_789_804_541).is_ok());
        assert!(matches!(release.check_time(1_789_804_542), Err(ReleaseError::Expired { .. })));
        assert!(matches!(release.check_time(release.date - CLOCK_SLACK - 1), Err(ReleaseError::Future { .. })));
        assert!(release.check_rollback(release.date).is_ok());
        assert!(matches!(release.check_rollback(release.date + 1), Err(ReleaseError::Rollback { .. })));
        assert!(release.check_suite("trixie").is_ok() && release.check_suite("stable").is_ok());
        assert_eq!(
            release.check_suite("bookworm").unwrap_err().to_string(),
            "it is of the suite `trixie`, not `bookworm`"
        );
    }

    #[test]
    fn what_is_no_release_is_refused() {
        for (from, to) in [
            ("Date:", "Dat:"),
            ("07:55:41", "25:55:41"),
            ("SHA256:", "SHA512:"),
            (" 12 main/a", " 12"),
            (" 12 main/a", " -12 main/a"),
            (" 12 main/a", " 12 ../a"),
            (" 12 main/a", " 12 /a"),
            (" 12 main/a", " 12 main/a b"),
            (" 12 main/a", " 12 main/b.xz"),
            ("Origin", "\n\nOrigin: x\n\nOrigin"),
            ("Suite", "Codename: x\nSuite"),
        ] {
            assert!(Release::parse(&text().replace(from, to)).is_err(), "{to}");
        }
    }
}

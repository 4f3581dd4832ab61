//! Packages from the pool: fetched from the mirrors, or from dated archives once these have dropped them.

use super::mirror::{MirrorError, Mirrors, is_security};
use crate::oci::Blob;
use crate::oci::time::format_rfc3339;
use crate::source::fetch::{Expected, FetchError, Fetcher, Request, Url, UrlError};
use crate::store::{Error as StoreError, Store};
use std::collections::BTreeMap;

/// A `.deb` that is pinned and wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolFile {
    /// What it is, for people: `python3.13 3.13.5-2 (amd64)`.
    pub title: String,
    /// The archive's table in remint.toml.
    pub archive: String,
    /// The suite whose index named it.
    pub suite: String,
    /// When it is known to have been in the archive, in seconds since 1970, the earliest first: dated archives are asked for these.
    pub dates: Vec<u64>,
    /// Its path below the mirror's base.
    pub path: String,
    /// What it must be.
    pub deb: Blob,
}

/// Brings packages into the store.
pub trait Fetch: Sync {
    /// Brings one in; when this returns, the store has it.
    fn fetch(&self, file: &PoolFile, store: &Store) -> Result<(), PoolError>;
}

/// Why a package could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// Nothing may be fetched, and the store does not have it.
    #[error("`{title}` is not in the store, and `--offline` forbids to fetch it")]
    Offline {
        /// The package.
        title: String,
    },
    /// The network cannot be set up.
    #[error("cannot fetch `{title}`: {why}")]
    Setup {
        /// The package.
        title: String,
        /// Why not.
        why: String,
    },
    /// The archive has no table in remint.toml.
    #[error("`{title}` comes from the archive `{archive}`, which remint.toml does not have")]
    Archive {
        /// The package.
        title: String,
        /// The archive.
        archive: String,
    },
    /// Nothing names a mirror.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The dated archive's address is none.
    #[error("`snapshot` in remint.toml is not an address")]
    Snapshot(#[from] UrlError),
    /// No mirror gave it.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PoolError {
    /// Whether it is this machine that failed, such as a full disk, and no source.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Fetch(FetchError::Write { .. }))
    }

    /// Whether every place answered that it has no such file.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.is_absent())
    }

    /// What a person can do about it, if that is not said in the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Mirror(error) => Some(error.hint()),
            Self::Fetch(error) => Some(error.hint()),
            Self::Offline { .. } => Some("run once without `--offline`: what was fetched stays in the store"),
            Self::Setup { .. } | Self::Archive { .. } | Self::Snapshot(_) | Self::Store(_) => None,
        }
    }
}

/// Fetches nothing: what the store lacks is an error.
#[derive(Debug, Clone, Copy)]
pub struct Offline;

impl Fetch for Offline {
    fn fetch(&self, file: &PoolFile, _: &Store) -> Result<(), PoolError> {
        Err(PoolError::Offline { title: file.title.clone() })
    }
}

/// Where an archive's packages are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Its mirrors.
    pub mirrors: Mirrors,
    /// Addresses of dated archives, in which `{date}` stands for `20260912T075541Z`, and `{archive}` for `debian` or `debian-security`.
    pub snapshots: Vec<String>,
}

/// How long after a suite was signed a dated archive surely has what it names: it takes some hours to be copied there.
const COPIED: u64 = 24 * 3600;

/// For how many moments a dated archive is asked at most.
const MOMENTS: usize = 8;

impl Places {
    /// Where a file may be, the mirrors first.
    fn bases(&self, file: &PoolFile) -> Result<Vec<Url>, PoolError> {
        let mut bases = self.mirrors.bases(&file.suite)?;
        let archive = if is_security(&file.suite) { "debian-security" } else { "debian" };
        for template in &self.snapshots {
            for moment in moments(&file.dates) {
                let date: String = format_rfc3339(moment).chars().filter(|c| !matches!(c, '-' | ':')).collect();
                bases.push(Url::parse(&template.replace("{date}", &date).replace("{archive}", archive))?);
            }
        }
        bases.dedup();
        Ok(bases)
    }
}

/// The moments to ask for: each date itself, and a day later, when all that it names was copied. What was dropped since was there
/// at the earlier ones.
fn moments(dates: &[u64]) -> Vec<u64> {
    let mut moments: Vec<u64> = Vec::new();
    for moment in dates.iter().flat_map(|date| [*date, date.saturating_add(COPIED)]) {
        if !moments.contains(&moment) {
            moments.push(moment);
        }
    }
    moments.truncate(MOMENTS);
    moments
}

/// Fetches from mirrors and dated archives.
pub struct Pool {
    fetcher: Fetcher,
    archives: BTreeMap<String, Places>,
}

impl Pool {
    /// Fetches with a fetcher from archives by their names in remint.toml.
    #[must_use]
    pub fn new(fetcher: Fetcher, archives: BTreeMap<String, Places>) -> Self {
        Self { fetcher, archives }
    }

    fn urls(&self, file: &PoolFile) -> Result<Vec<Url>, PoolError> {
        let places = self
            .archives
            .get(&file.archive)
            .ok_or_else(|| PoolError::Archive { title: file.title.clone(), archive: file.archive.clone() })?;
        Ok(places.bases(file)?.iter().map(|base| base.join(&file.path)).collect())
    }
}

impl Fetch for Pool {
    fn fetch(&self, file: &PoolFile, store: &Store) -> Result<(), PoolError> {
        let request = Request {
            name: file.title.clone(),
            urls: self.urls(file)?,
            expected: Expected::exactly(file.deb.digest, file.deb.size),
        };
        let partial = store.partial().join(file.deb.digest.hex());
        self.fetcher.to_file(&request, &partial)?;
        store.adopt(&partial, file.deb)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dated_archives_come_last_with_every_moment() {
        let mirrors = Mirrors::new(&["http://a.test/debian".to_owned()], None, &[]).unwrap();
        let snapshots = vec!["http://s.test/{archive}/{date}".to_owned(), "http://t.test/{date}".to_owned()];
        let places = Places { mirrors, snapshots };
        let file = |suite: &str, dates: &[u64]| PoolFile {
            title: "a 1 (all)".to_owned(),
            archive: "debian".to_owned(),
            suite: suite.to_owned(),
            dates: dates.to_vec(),
            path: "pool/a.deb".to_owned(),
            deb: Blob::of(b""),
        };
        let bases = |file: &PoolFile| places.bases(file).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            bases(&file("trixie", &[0, 86_400])),
            [
                "http://a.test/debian",
                "http://s.test/debian/19700101T000000Z",
                "http://s.test/debian/19700102T000000Z",
                "http://s.test/debian/19700103T000000Z",
                "http://t.test/19700101T000000Z",
                "http://t.test/19700102T000000Z",
                "http://t.test/19700103T000000Z",
            ]
        );
        assert!(
            bases(&file("trixie-security", &[0])).contains(&"http://s.test/debian-security/19700101T000000Z".into())
        );
        assert_eq!(moments(&(0..100).collect::<Vec<_>>()).len(), MOMENTS);
    }
}

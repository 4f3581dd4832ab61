//! Packages from the pool: fetched from the mirrors, or from a dated archive once these have dropped them.

use super::mirror::{MirrorError, Mirrors};
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
    /// When that suite was signed, in seconds since 1970; a dated archive is asked for this moment.
    pub date: u64,
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
    /// The address of a dated archive, in which `{date}` stands for `20260912T075541Z`.
    pub snapshot: Option<String>,
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
        let mut bases = places.mirrors.bases(&file.suite)?;
        if let Some(snapshot) = &places.snapshot {
            let date: String = format_rfc3339(file.date).chars().filter(|c| !matches!(c, '-' | ':')).collect();
            bases.push(Url::parse(&snapshot.replace("{date}", &date))?);
        }
        Ok(bases.iter().map(|base| base.join(&file.path)).collect())
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

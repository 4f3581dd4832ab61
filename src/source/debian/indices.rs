//! Brings the indices of an archive's suites in: InRelease, its signature, and every `Packages` by its digest.

use super::decompress::{Decompressor, Packing};
use super::mirror::{MirrorError, Mirrors};
use super::{Fingerprint, Keyring, PackagesError, PackagesIndex, Release, ReleaseError, SignatureError, verify};
use crate::digest::{Digest, Mismatch};
use crate::source::fetch::{Expected, FetchError, Fetcher, Request, Url};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::thread;

/// Which indices of an archive are wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The suites, in the order in which they are given back.
    pub suites: &'a [String],
    /// The components.
    pub components: &'a [String],
    /// The architectures by Debian's names, without `all`.
    pub arches: &'a [&'a str],
    /// By suite, when the Release was made that a lock names: an older one is refused.
    pub locked: &'a BTreeMap<String, u64>,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// A suite whose indices are verified.
pub struct SuiteIndex {
    /// The suite as it was asked for.
    pub suite: String,
    /// What its Release says.
    pub release: Release,
    /// The digest of its InRelease.
    pub inrelease: Digest,
    /// The primary keys that signed it, sorted.
    pub signed_by: Vec<Fingerprint>,
    /// Its packages, by component in the order asked for, then by architecture.
    pub packages: Vec<ComponentIndex>,
}

/// The packages of a component for an architecture.
pub struct ComponentIndex {
    /// The component.
    pub component: String,
    /// The architecture of the index. Packages of architecture `all` stand in those of every architecture, unless the archive keeps an
    /// index of `all`, which then stands here as one more.
    pub arch: String,
    /// The packages.
    pub index: PackagesIndex,
}

/// Keeps the text of indices between runs, by digest, so that they are neither fetched nor decompressed again.
pub trait IndexCache: Sync {
    /// The text of that digest. It is not verified again, so what comes back has to be what was kept.
    fn load(&self, digest: &Digest) -> Option<Vec<u8>>;
    /// Keeps a text; failing is no error, since it can be fetched again.
    fn save(&self, digest: &Digest, text: &[u8]);
}

/// Keeps nothing.
pub struct NoCache;

impl IndexCache for NoCache {
    fn load(&self, _: &Digest) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _: &Digest, _: &[u8]) {}
}

/// Why a suite's indices could not be had.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Nothing names a mirror.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A suite or a component whose name cannot be part of a path.
    #[error("`{name}` cannot be the name of a suite or a component")]
    Name {
        /// The name.
        name: String,
    },
    /// No mirror gave an InRelease that may be used.
    #[error("cannot use the suite `{suite}`: {}", failures(.tried))]
    Suite {
        /// The suite.
        suite: String,
        /// Each mirror, and why its InRelease cannot be used.
        tried: Vec<(Url, Unusable)>,
    },
    /// The suite has no such component.
    #[error("the suite `{suite}` has no component `{component}`; it has {}", .has.join(", "))]
    Component {
        /// The suite.
        suite: String,
        /// The component that was asked for.
        component: String,
        /// Those that it has.
        has: Vec<String>,
    },
    /// The suite has nothing for an architecture.
    #[error("the suite `{suite}` has no architecture `{arch}`; it has {}", .has.join(", "))]
    Arch {
        /// The suite.
        suite: String,
        /// The architecture that was asked for.
        arch: String,
        /// Those that it has.
        has: Vec<String>,
    },
    /// The Release names no index that can be read.
    #[error("the Release of `{suite}` names no `{path}` that can be read: expected .xz, .gz or plain")]
    Unlisted {
        /// The suite.
        suite: String,
        /// The index.
        path: String,
    },
    /// An index could not be fetched.
    #[error("cannot get the packages of `{suite}`; if the mirror is just being updated, try again in a few minutes")]
    Fetch {
        /// The suite.
        suite: String,
        /// Why.
        source: FetchError,
    },
    /// An index does not decompress to what the Release says.
    #[error("cannot unpack `{path}` of `{suite}`")]
    Unpack {
        /// The suite.
        suite: String,
        /// The index.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// An index has packages that cannot be used.
    #[error("cannot read `{path}` of `{suite}`")]
    Packages {
        /// The suite.
        suite: String,
        /// The index.
        path: String,
        /// Why.
        source: PackagesError,
    },
}

/// Why a mirror's InRelease cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is not signed as it has to be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// What it says is refused.
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

impl Unusable {
    /// What a person can do about it, if it is the mirror's fault.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Fetch(error) if error.is_absent() => {
                Some("the mirror has no such suite: check the suite's name and the address")
            }
            Self::Fetch(error) => Some(error.hint()),
            Self::Signature(_) | Self::Release(_) => None,
        }
    }
}

/// The largest InRelease that is read, in bytes; Debian's have 200 kB.
const LARGEST_INRELEASE: u64 = 16 << 20;

/// A Release that may be used, and the mirrors in the order in which to ask them.
struct Signed {
    release: Release,
    digest: Digest,
    by: Vec<Fingerprint>,
    bases: Vec<Url>,
    /// The place of the next mirror that was not asked for its Release.
    behind: usize,
}

/// One run over an archive.
struct Run<'a> {
    fetcher: &'a Fetcher,
    mirrors: &'a Mirrors,
    keyring: &'a Keyring,
    cache: &'a dyn IndexCache,
    wanted: &'a Wanted<'a>,
}

/// Fetches and verifies what is wanted, all suites at the same time.
pub fn indices(
    fetcher: &Fetcher,
    mirrors: &Mirrors,
    keyring: &Keyring,
    cache: &dyn IndexCache,
    wanted: &Wanted<'_>,
) -> Result<Vec<SuiteIndex>, IndexError> {
    let mut names = wanted.suites.iter().chain(wanted.components);
    if let Some(name) = names.find(|name| !super::entry::is_archive_path(name)) {
        return Err(IndexError::Name { name: name.clone() });
    }
    let run = Run { fetcher, mirrors, keyring, cache, wanted };
    in_parallel(wanted.suites.iter().map(String::as_str).collect(), &|suite| run.suite(suite))
}

impl Run<'_> {
    fn suite(&self, suite: &str) -> Result<SuiteIndex, IndexError> {
        let all = self.mirrors.bases(suite)?;
        let mut bases = &all[..];
        let (mut again, mut before) = (true, None);
        loop {
            let signed = match self.inrelease(bases, suite) {
                Ok(signed) => signed,
                // What kept the mirrors before from being used says more.
                Err(error) => return Err(before.unwrap_or(error)),
            };
            match self.components(&signed, suite) {
                Ok(packages) => {
                    let Signed { release, digest, by, .. } = signed;
                    return Ok(SuiteIndex {
                        suite: suite.to_owned(),
                        release,
                        inrelease: digest,
                        signed_by: by,
                        packages,
                    });
                }
                // The mirror may have been updated between the Release and its indices: a fresh Release tells.
                Err(IndexError::Fetch { .. }) if again => again = false,
                // No mirror has the indices of this one's Release: another's Release may be one whose indices there are.
                Err(error @ IndexError::Fetch { .. }) if signed.behind < bases.len() => {
                    before = Some(error);
                    bases = &bases[signed.behind..];
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches the InRelease of a suite from the first mirror that has one that may be used.
    fn inrelease(&self, bases: &[Url], suite: &str) -> Result<Signed, IndexError> {
        let mut tried = Vec::new();
        for (place, base) in bases.iter().enumerate() {
            match self.inrelease_from(base, suite) {
                Ok((release, digest, by)) => {
                    let mut bases = bases.to_vec();
                    bases[..=place].rotate_right(1);
                    return Ok(Signed { release, digest, by, bases, behind: place + 1 });
                }
                Err(why) => tried.push((base.clone(), why)),
            }
        }
        Err(IndexError::Suite { suite: suite.to_owned(), tried })
    }

    fn inrelease_from(&self, base: &Url, suite: &str) -> Result<(Release, Digest, Vec<Fingerprint>), Unusable> {
        let request = Request {
            name: format!("InRelease of {suite}"),
            urls: vec![base.join(&format!("dists/{suite}/InRelease"))],
            expected: Expected::at_most(LARGEST_INRELEASE),
        };
        let (bytes, file) = self.fetcher.to_memory(&request)?;
        let verified = verify(&bytes, self.keyring, self.wanted.now)?;
        let release = Release::parse(&verified.text)?;
        release.check_suite(suite)?;
        release.check_time(self.wanted.now)?;
        if let Some(locked) = self.wanted.locked.get(suite) {
            release.check_rollback(*locked)?;
        }
        Ok((release, file.digest, verified.signed_by))
    }

    /// Fetches the indices of every component and architecture at the same time.
    fn components(&self, signed: &Signed, suite: &str) -> Result<Vec<ComponentIndex>, IndexError> {
        let release = &signed.release;
        let mut arches = self.wanted.arches.to_vec();
        if let Some(arch) = arches.iter().find(|arch| !release.architectures.iter().any(|has| has == *arch)) {
            let (suite, arch) = (suite.to_owned(), (*arch).to_owned());
            return Err(IndexError::Arch { suite, arch, has: release.architectures.clone() });
        }
        if release.architectures.iter().any(|arch| arch == "all") && !release.all_in_each {
            arches.push("all");
        }
        let mut jobs = Vec::new();
        for component in self.wanted.components {
            if !release.has_component(component) {
                let (suite, component) = (suite.to_owned(), component.clone());
                return Err(IndexError::Component { suite, component, has: release.components.clone() });
            }
            jobs.extend(arches.iter().map(|arch| (component.as_str(), *arch)));
        }
        let work = |(component, arch): (&str, &str)| {
            let path = format!("{component}/binary-{arch}/Packages");
            let index = PackagesIndex::parse(self.index_text(signed, suite, &path)?);
            let index = index.map_err(|source| IndexError::Packages { suite: suite.to_owned(), path, source })?;
            Ok(ComponentIndex { component: component.to_owned(), arch: arch.to_owned(), index })
        };
        in_parallel(jobs, &work)
    }

    /// Brings in the text of an index: from the cache, else in the smallest form that the Release names.
    fn index_text(&self, signed: &Signed, suite: &str, path: &str) -> Result<Vec<u8>, IndexError> {
        let files = &signed.release.files;
        let plain = files.get(path).copied();
        if let Some(text) = plain.and_then(|(digest, _)| self.cache.load(&digest)) {
            return Ok(text);
        }
        let forms = [".xz", ".gz", ""].map(|suffix| format!("{path}{suffix}"));
        let form = forms.iter().find_map(|form| files.get(form).map(|file| (form, *file)));
        let Some((form, (digest, size))) = form else {
            return Err(IndexError::Unlisted { suite: suite.to_owned(), path: path.to_owned() });
        };
        let (directory, _) = form.rsplit_once('/').unwrap_or_default();
        let mut urls = Vec::new();
        for base in &signed.bases {
            if signed.release.acquire_by_hash {
                urls.push(base.join(&format!("dists/{suite}/{directory}/by-hash/SHA256/{}", digest.hex())));
            }
            urls.push(base.join(&format!("dists/{suite}/{form}")));
        }
        let limit = size.min(super::packages::LARGEST as u64);
        let expected = Expected { limit, ..Expected::exactly(digest, size) };
        let request = Request { name: format!("{suite} {path}"), urls, expected };
        let fetched = self.fetcher.to_memory(&request);
        let (bytes, _) = fetched.map_err(|source| IndexError::Fetch { suite: suite.to_owned(), source })?;
        let text = unpack(&bytes, form, plain);
        let text = text.map_err(|source| IndexError::Unpack { suite: suite.to_owned(), path: form.clone(), source })?;
        if let Some((digest, _)) = plain {
            self.cache.save(&digest, &text);
        }
        Ok(text)
    }
}

/// Decompresses an index and compares it with what the Release says of its plain form.
fn unpack(bytes: &[u8], form: &str, plain: Option<(Digest, u64)>) -> io::Result<Vec<u8>> {
    let (_, packing) = Packing::of(form).ok_or(io::ErrorKind::Unsupported)?;
    let limit = plain.map_or(super::packages::LARGEST as u64, |(_, size)| size);
    let mut text = Vec::new();
    Decompressor::new(bytes, packing, limit)?.read_to_end(&mut text)?;
    if let Some((expected, size)) = plain {
        if text.len() as u64 != size {
            return Err(Mismatch::Size { expected: size, found: text.len() as u64 }.into());
        }
        let found = Digest::of(&text);
        if found != expected {
            return Err(Mismatch::Digest { expected, found }.into());
        }
    }
    Ok(text)
}

/// Does each job on a thread of its own and gives the results in the jobs' order, or the first error in that order.
fn in_parallel<J: Send, T: Send>(
    jobs: Vec<J>,
    work: &(dyn Fn(J) -> Result<T, IndexError> + Sync),
) -> Result<Vec<T>, IndexError> {
    if jobs.len() <= 1 {
        return jobs.into_iter().map(work).collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = jobs.into_iter().map(|job| scope.spawn(move || work(job))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn failures(tried: &[(Url, Unusable)]) -> String {
    // A failed fetch names its address itself.
    let shown = tried.iter().map(|(url, why)| match why {
        Unusable::Fetch(error) => error.to_string(),
        _ => format!("{url}: {why}"),
    });
    shown.collect::<Vec<_>>().join("; ")
}

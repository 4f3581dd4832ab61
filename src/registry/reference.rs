//! How images in registries are named: `host[:port]/name[:tag][@digest]` (OCI distribution-spec, "Pulling manifests").
//!
//! A name always has its host: which registry a short name means would be a setting of the machine, and images are to be the
//! same on all of them.

use super::any_digest::{AnyDigest, BadDigest};
use std::fmt;
use std::str::FromStr;

/// A registry: `registry.example`, `localhost:5000`, `[::1]:5000`; in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

/// A place in a registry that holds blobs, manifests and tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: Host,
    name: String,
}

/// A name for a manifest that can come to mean another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// Which manifest of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// The one that the tag means now.
    Tag(Tag),
    /// This one.
    Digest(AnyDigest),
}

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Where it is.
    pub repository: Repository,
    /// Its tag; with a digest, only for people.
    pub tag: Option<Tag>,
    /// Its digest.
    pub digest: Option<AnyDigest>,
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The part before the first slash is no host: `python:3`, `library/python`.
    #[error("`{text}` names no registry: expected `host/name`, where the host has a dot or a port, or is `localhost`")]
    NoHost {
        /// What was given.
        text: String,
    },
    /// The host is none.
    #[error("`{host}` is not a registry's host: expected a name or an address, and `:` and a port where it has one")]
    Host {
        /// What was given.
        host: String,
    },
    /// The name breaks the rules.
    #[error(
        "`{name}` is not a repository's name: expected lower-case letters and digits with single `.`, `_`, `__` or dashes between them, in parts divided by `/`, of 255 characters at most with the host"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// The tag breaks the rules.
    #[error(
        "`{tag}` is not a tag: expected up to 128 letters, digits, `_`, `.` and `-`, and neither `.` nor `-` first"
    )]
    Tag {
        /// What was given.
        tag: String,
    },
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] BadDigest),
}

/// The longest host and name together: what clients and registries agree on.
const LONGEST: usize = 255;

impl Host {
    /// Its text, as it stands in addresses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this very machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.0.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let name = name.map_or(self.0.as_str(), |(name, _)| name);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Host {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bad = || ReferenceError::Host { host: shown(text) };
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or_else(bad)?;
                address.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?;
                (None, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(bad)?) })
            }
            None => match text.split_once(':') {
                Some((name, port)) => (Some(name), Some(port)),
                None => (Some(text), None),
            },
        };
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let named = name.is_none_or(|name| name.split('.').all(label));
        let digits =
            |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        if !named || !port.is_none_or(digits) || text.len() > LONGEST {
            return Err(bad());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl Repository {
    /// Names a repository of a host.
    pub fn new(host: Host, name: &str) -> Result<Self, ReferenceError> {
        let whole = host.0.len() + 1 + name.len() <= LONGEST;
        if !whole || !name.split('/').all(is_part) {
            return Err(ReferenceError::Name { name: shown(name) });
        }
        Ok(Self { host, name: name.to_owned() })
    }

    /// The registry.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The name within the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI distribution-spec, "Pulling manifests").
fn is_part(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = part.bytes().next().is_some_and(plain) && part.bytes().last().is_some_and(plain);
    let mut separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends && separators.all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-'))
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let none = || ReferenceError::NoHost { text: shown(text) };
        let (host, name) = text.split_once('/').ok_or_else(none)?;
        if !host.contains(['.', ':']) && !host.eq_ignore_ascii_case("localhost") {
            return Err(none());
        }
        Self::new(host.parse()?, name)
    }
}

impl Tag {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if text.is_empty() || text.len() > 128 || text.starts_with(['.', '-']) || !text.bytes().all(good) {
            return Err(ReferenceError::Tag { tag: shown(text) });
        }
        Ok(Self(text.to_owned()))
    }
}

impl Reference {
    /// Which manifest it means: the digest's if it has one, else the tag's; `None` with neither.
    #[must_use]
    pub fn selector(&self) -> Option<Selector> {
        let digest = self.digest.map(Selector::Digest);
        digest.or_else(|| self.tag.clone().map(Selector::Tag))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is a port's.
        let slash = rest.rfind('/').ok_or_else(|| ReferenceError::NoHost { text: shown(text) })?;
        let (repository, tag) = match rest[slash..].find(':') {
            Some(colon) => (&rest[..slash + colon], Some(&rest[slash + colon + 1..])),
            None => (rest, None),
        };
        Ok(Self {
            repository: repository.parse()?,
            tag: tag.map(str::parse).transpose()?,
            digest: digest.map(str::parse).transpose()?,
        })
    }
}

/// What a message shows of a text that somebody gave: its beginning.
fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn references_are_read_back() {
        for text in [
            "registry.example/a",
            "registry.example/a/b__c/d---e.f:1.0",
            "localhost/a:latest",
            "localhost:5000/a/b:T_1-x",
            "127.0.0.1:5000/a",
            "[::1]:5000/a:b",
            "[::1]/a",
            &format!("registry.example:443/a@{DIGEST}"),
            &format!("registry.example/a:1@{DIGEST}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        let reference: Reference = "LocalHost:5000/a/b:1".parse().unwrap();
        assert_eq!((reference.repository.host().as_str(), reference.repository.name()), ("localhost:5000", "a/b"));
        assert_eq!(reference.selector(), Some(Selector::Tag("1".parse().unwrap())));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let long = format!("registry.example/{}", "a".repeat(250));
        for text in [
            "",
            "/",
            "a",
            "python:3",
            "library/python",
            "registry.example",
            "registry.example/",
            "registry.example/A",
            "registry.example/a//b",
            "registry.example/a/",
            "registry.example/a___b",
            "registry.example/a..b",
            "registry.example/-a",
            "registry.example/a-",
            "registry.example/a:",
            "registry.example/a:.b",
            "registry.example/a:b:c",
            "registry.example/a@sha256:00",
            "registry.example/a@",
            "https://registry.example/a",
            "registry.example:x/a",
            "registry.example:0/a",
            "registry.example:70000/a",
            "-x.example/a",
            "u@registry.example/a",
            "[::g]/a",
            "[::1/a",
            "[::1]x/a",
            "registry..example/a",
            "registry.example/ü",
            &long,
            &format!("registry.example/a:{}", "t".repeat(129)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
        let short = "python:3".parse::<Reference>().unwrap_err();
        assert!(matches!(short, ReferenceError::NoHost { .. }), "{short}");
    }

    #[test]
    fn this_machine_is_known() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.3.2.1", "[::1]:5000", "[::1]", "a.localhost:80"]
        {
            assert!(host.parse::<Host>().unwrap().is_loopback(), "{host}");
        }
        for host in ["localhost.example", "registry.example:5000", "10.0.0.1", "[::2]:5000", "128.0.0.1"] {
            assert!(!host.parse::<Host>().unwrap().is_loopback(), "{host}");
        }
    }
}

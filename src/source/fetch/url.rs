//! Addresses of files: on a server, or in a directory.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// The address of a file or of a directory of files.
///
/// Shown without its user and password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url(Kind);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// On a server: `http://…` or `https://…`, without a slash at its end.
    Http(String),
    /// On this machine.
    File(PathBuf),
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {why}")]
pub struct UrlError {
    /// The text without what stands before an `@`.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Url {
    /// Parses `http://…`, `https://…`, `file:///…` or an absolute path.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let fail = |why| Err(UrlError { text: without_secrets(text).chars().take(200).collect(), why });
        if !text.bytes().all(|b| b.is_ascii_graphic()) && !text.starts_with('/') {
            return fail("it has characters that have to be quoted");
        }
        if let Some(path) = text.strip_prefix("file://").or(Some(text).filter(|text| text.starts_with('/'))) {
            if !path.starts_with('/') {
                return fail("expected `file://` and an absolute path");
            }
            let path = path.trim_end_matches('/');
            return Ok(Self(Kind::File(PathBuf::from(if path.is_empty() { "/" } else { path }))));
        }
        let Some((scheme, rest)) = text.split_once("://") else { return fail("it has no scheme") };
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return fail("expected http, https or file");
        }
        let rest = rest.trim_end_matches('/');
        let host = rest.split('/').next().unwrap_or_default();
        if host.rsplit('@').next().is_none_or(str::is_empty) {
            return fail("it has no host");
        }
        if rest.contains(['?', '#']) {
            return fail("it has a query, so that nothing can be below it");
        }
        Ok(Self(Kind::Http(format!("{scheme}://{rest}"))))
    }

    /// The address of a path below this one. The path has no `..`, as those of verified indices have none.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        match &self.0 {
            Kind::Http(base) => Self(Kind::Http(format!("{base}/{}", quote(path)))),
            Kind::File(base) => Self(Kind::File(base.join(path))),
        }
    }

    /// The last part of the path, such as `debian-security`; empty if there is no path.
    #[must_use]
    pub fn last(&self) -> &str {
        let path = match &self.0 {
            Kind::Http(text) => {
                text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path)
            }
            Kind::File(path) => path.to_str().unwrap_or_default(),
        };
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The address beside this one: its last part replaced.
    #[must_use]
    pub fn sibling(&self, last: &str) -> Self {
        match &self.0 {
            Kind::Http(text) => {
                let end = text.len() - self.last().len();
                Self(Kind::Http(format!("{}{last}", &text[..end])))
            }
            Kind::File(path) => Self(Kind::File(path.with_file_name(last))),
        }
    }

    /// The path of a file on this machine.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Http(_) => None,
            Kind::File(path) => Some(path),
        }
    }

    /// The whole text of an address on a server, with its secrets.
    pub(super) fn http(&self) -> Option<&str> {
        match &self.0 {
            Kind::Http(text) => Some(text),
            Kind::File(_) => None,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Http(text) => f.write_str(&without_secrets(text)),
            Kind::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(text) => f.write_str(&without_secrets(text)),
            Self::File(path) => path.fmt(f),
        }
    }
}

fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Quotes a path's bytes that RFC 3986, section 3.3, does not allow in one, and `%`, which stands for itself in an archive.
fn quote(path: &str) -> String {
    let mut quoted = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "%{byte:02X}");
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_joined() {
        let url = Url::parse("HTTP://user:secret@example.org:8080/debian/").unwrap();
        assert_eq!(url.to_string(), "http://example.org:8080/debian");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!(url.http().unwrap(), "http://user:secret@example.org:8080/debian");
        let file = url.join("pool/a_1%3a2~x+y.deb");
        assert_eq!(file.to_string(), "http://example.org:8080/debian/pool/a_1%253a2~x+y.deb");
        assert_eq!(url.last(), "debian");
        assert_eq!(url.sibling("debian-security").to_string(), "http://example.org:8080/debian-security");
        assert_eq!(Url::parse("https://example.org").unwrap().last(), "");
        let dir = Url::parse("file:///srv/debian").unwrap();
        assert_eq!(dir, Url::parse("/srv/debian").unwrap());
        assert_eq!(dir.join("a/b").path(), Some(Path::new("/srv/debian/a/b")));
        assert_eq!((dir.last(), dir.sibling("x").to_string()), ("debian", "/srv/x".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for text in [
            "",
            "x",
            "ftp://a/b",
            "cdrom:[x]/",
            "http://",
            "http:///a",
            "http://a b/",
            "http://a/?q",
            "file://a",
            "http://u:p@/x",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }
}

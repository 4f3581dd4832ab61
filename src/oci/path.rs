//! Paths inside an image that cannot leave it.

use std::fmt;

/// A path inside an image: relative, UTF-8, without `.`, `..`, empty components or NUL, and not the root itself.
///
/// Ordered by bytes. Since it cannot leave the tree, code that has one needs no further check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Box<str>);

/// The most bytes of a path on Linux, with the NUL at its end (`limits.h`).
const PATH_MAX: usize = 4096;

/// The most bytes of a component on Linux (`limits.h`).
const NAME_MAX: usize = 255;

/// Why a text is not a [`TreePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not UTF-8; the text is the lossy form.
    #[error("path `{0}` is not UTF-8")]
    NotUtf8(String),
    /// Empty, or the root.
    #[error("path `{0}` names the root, not something in it")]
    Root(String),
    /// A component is `..`.
    #[error("path `{0}` has `..` in it, which could leave the tree")]
    Parent(String),
    /// A NUL byte or another control character.
    #[error("path `{}` has a control character in it", .0.escape_debug())]
    Control(String),
    /// Longer than Linux takes (`PATH_MAX` 4096 bytes, `NAME_MAX` 255 a component).
    #[error("path `{0}` is longer than Linux takes (4095 bytes, 255 a component)")]
    Long(String),
}

impl TreePath {
    /// Parses a path as archives and recipes write it: `usr/bin/x`, `./usr/bin/x`, `/usr/bin/x` and `usr//bin/./x/` are the same.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if plain(text.as_bytes()) {
            return Ok(Self(text.into()));
        }
        let mut path = String::with_capacity(text.len());
        for component in text.split('/') {
            match component {
                "" | "." => continue,
                ".." => return Err(PathError::Parent(text.to_owned())),
                _ if component.len() > NAME_MAX => return Err(PathError::Long(text.to_owned())),
                _ if component.contains(char::is_control) => return Err(PathError::Control(text.to_owned())),
                _ => {}
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(component);
        }
        if path.is_empty() {
            return Err(PathError::Root(text.to_owned()));
        }
        if path.len() >= PATH_MAX {
            return Err(PathError::Long(text.to_owned()));
        }
        Ok(Self(path.into()))
    }

    /// Parses a path of an archive, whose bytes may be anything.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, PathError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(_) => Err(PathError::NotUtf8(String::from_utf8_lossy(bytes).into_owned())),
        }
    }

    /// The path without a slash at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory it is in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.into()))
    }

    /// The last component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// This path with more components behind it, parsed as [`Self::parse`] does.
    pub fn join(&self, more: &str) -> Result<Self, PathError> {
        Self::parse(&format!("{}/{more}", self.0))
    }

    /// All directories above it, the outermost first, without the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.match_indices('/').map(|(at, _)| Self(self.0[..at].into()))
    }
}

/// Whether a text is a path already, as nearly all are: then no more has to be done with it.
fn plain(text: &[u8]) -> bool {
    let component = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && part.len() <= NAME_MAX;
    text.len() < PATH_MAX
        && text.iter().all(|byte| (b' '..=b'~').contains(byte))
        && text.split(|byte| *byte == b'/').all(component)
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::borrow::Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling_and_stays_inside() {
        for text in ["usr/bin/x", "./usr/bin/x", "/usr/bin/x", "usr//bin/./x/"] {
            assert_eq!(TreePath::parse(text).unwrap().as_str(), "usr/bin/x");
        }
        for text in ["", "/", ".", "./", "..", "a/../b", "../a", "a/..", "a\0b", "a\nb", "a\x7fb", "é\u{85}"] {
            assert!(TreePath::parse(text).is_err(), "{text:?}");
        }
        for (longest, longer) in [("x".repeat(255), "x".repeat(256)), ("ab/".repeat(1365), "ab/".repeat(1365) + "c")] {
            assert!(TreePath::parse(&longest).is_ok());
            assert!(TreePath::parse(&longer).is_err());
        }
        assert!(TreePath::parse_bytes(b"a\xff").is_err());
    }

    #[test]
    fn ancestors_go_from_the_root_down() {
        let path = TreePath::parse("usr/share/doc/x").unwrap();
        let all: Vec<_> = path.ancestors().map(|p| p.to_string()).collect();
        assert_eq!(all, ["usr", "usr/share", "usr/share/doc"]);
        assert_eq!(path.parent().unwrap().name(), "doc");
    }
}

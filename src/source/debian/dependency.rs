//! Relations between packages: what Depends, Conflicts, Provides and their like say.

use super::{Version, VersionError};
use std::fmt;

/// One member of a relation field: any of its alternatives satisfies it (deb-src-control(5), deb-control(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency<'a> {
    /// The alternatives in the order written, at least one.
    pub alternatives: Vec<Atom<'a>>,
}

/// One package that a relation names: `name[:arch] [(op version)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Of which architecture, if it says so.
    pub arch: Option<ArchQualifier<'a>>,
    /// Of which versions, if it says so.
    pub relation: Option<Relation>,
}

/// The architecture behind a package's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchQualifier<'a> {
    /// `:any`: whatever architecture, of a package that is `Multi-Arch: allowed`.
    Any,
    /// `:native`: the architecture of the build.
    Native,
    /// `:amd64` and its like.
    Arch(&'a str),
}

/// A bound on versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// How a version has to compare.
    pub op: Op,
    /// With what.
    pub version: Version,
}

/// How versions compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `<<`
    Less,
    /// `<=`, and `<`, which dpkg reads so
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`, and `>`, which dpkg reads so
    GreaterOrEqual,
    /// `>>`
    Greater,
}

/// Why a text is no relation field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DependencyError {
    /// A member that has not the form `name[:arch] [(op version)]`.
    #[error("`{text}` is not a relation: {why}")]
    Form {
        /// The member.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A bound that is no version.
    #[error("`{text}` is not a relation")]
    Version {
        /// The member.
        text: String,
        /// What is wrong with its version.
        source: VersionError,
    },
    /// More members than any real field has.
    #[error("a relation field has more than {MOST} members")]
    Many,
}

/// The most members and alternatives of one field; the largest in Debian, a Provides of a Rust library, has a few thousand.
const MOST: usize = 100_000;

impl Relation {
    /// Whether a version lies within the bound.
    #[must_use]
    pub fn holds(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.op {
            Op::Less => order.is_lt(),
            Op::LessOrEqual => order.is_le(),
            Op::Equal => order.is_eq(),
            Op::GreaterOrEqual => order.is_ge(),
            Op::Greater => order.is_gt(),
        }
    }
}

impl<'a> Dependency<'a> {
    /// Parses a whole field: members divided by commas, alternatives by bars. Empty members are skipped, as dpkg does.
    ///
    /// Restrictions to architectures (`[amd64]`) or build profiles (`<!nocheck>`) belong to source packages; an index of binary packages
    /// that has them is refused.
    pub fn parse_list(field: &'a str) -> Result<Vec<Self>, DependencyError> {
        let mut list = Vec::new();
        let mut atoms = 0;
        for member in field.split(',') {
            if member.trim_ascii().is_empty() {
                continue;
            }
            let mut alternatives = Vec::with_capacity(1);
            for atom in member.split('|') {
                atoms += 1;
                if atoms > MOST {
                    return Err(DependencyError::Many);
                }
                alternatives.push(Atom::parse(atom)?);
            }
            list.push(Self { alternatives });
        }
        Ok(list)
    }
}

impl<'a> Atom<'a> {
    /// Parses one `name[:arch] [(op version)]`.
    pub fn parse(text: &'a str) -> Result<Self, DependencyError> {
        let text = text.trim_ascii();
        let form = |why| DependencyError::Form { text: text.chars().take(200).collect(), why };
        let end = text.find(|c: char| c.is_ascii_whitespace() || c == '(').unwrap_or(text.len());
        let (head, bound) = (&text[..end], text[end..].trim_ascii_start());
        let (name, arch) = match head.split_once(':') {
            None => (head, None),
            Some((name, "any")) => (name, Some(ArchQualifier::Any)),
            Some((name, "native")) => (name, Some(ArchQualifier::Native)),
            Some((name, arch)) if is_arch(arch) => (name, Some(ArchQualifier::Arch(arch))),
            Some(_) => return Err(form("the architecture behind `:` has letters, digits and `-`")),
        };
        if !is_package_name(name) {
            return Err(form("a package's name has letters, digits and `+` `-` `.` `_`"));
        }
        if bound.is_empty() {
            return Ok(Self { name, arch, relation: None });
        }
        let inner = bound.strip_prefix('(').and_then(|b| b.strip_suffix(')'));
        let inner = inner.ok_or_else(|| form("expected `(op version)` behind the name"))?.trim_ascii();
        let digits = inner.find(|c| !matches!(c, '<' | '>' | '=')).unwrap_or(inner.len());
        let op = match &inner[..digits] {
            "<<" => Op::Less,
            "<=" | "<" => Op::LessOrEqual,
            "=" => Op::Equal,
            ">=" | ">" => Op::GreaterOrEqual,
            ">>" => Op::Greater,
            _ => return Err(form("expected one of `<<` `<=` `=` `>=` `>>`")),
        };
        let version = Version::parse(inner[digits..].trim_ascii())
            .map_err(|source| DependencyError::Version { text: text.chars().take(200).collect(), source })?;
        Ok(Self { name, arch, relation: Some(Relation { op, version }) })
    }
}

/// Whether dpkg takes a text for a package's name: it begins with a letter or a digit, and so can name no other directory.
pub(super) fn is_package_name(text: &str) -> bool {
    text.len() <= 255
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

/// Whether a text has the form of an architecture's name.
pub(super) fn is_arch(text: &str) -> bool {
    text.len() <= 64
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">>",
        })
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op, self.version)
    }
}

impl fmt::Display for Atom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.arch {
            None => {}
            Some(ArchQualifier::Any) => f.write_str(":any")?,
            Some(ArchQualifier::Native) => f.write_str(":native")?,
            Some(ArchQualifier::Arch(arch)) => write!(f, ":{arch}")?,
        }
        match &self.relation {
            None => Ok(()),
            Some(relation) => write!(f, " ({relation})"),
        }
    }
}

impl fmt::Display for Dependency<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, atom) in self.alternatives.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{atom}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(field: &str) -> Vec<String> {
        Dependency::parse_list(field).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_field_is_read_as_dpkg_reads_it() {
        assert_eq!(
            shown(
                "libc6 (>= 2.36), default-mta | mail-transport-agent,python3:any (<<3.14~) , perl:amd64(=5.36.0-7),\n x(> 1)"
            ),
            [
                "libc6 (>= 2.36)",
                "default-mta | mail-transport-agent",
                "python3:any (<< 3.14~)",
                "perl:amd64 (= 5.36.0-7)",
                "x (>= 1)"
            ]
        );
        assert!(shown("").is_empty());
        assert_eq!(shown("a,, b,"), ["a", "b"]);
    }

    #[test]
    fn what_has_no_place_in_a_binary_index_is_refused() {
        for field in [
            "a [amd64]",
            "a <!nocheck>",
            "a (1)",
            "a (== 1)",
            "a (>= )",
            "a (>= 1",
            "a b",
            "|a",
            "a|",
            "a:",
            "a:a/b",
            "../x",
            "-a",
            "a (>= 1) b",
        ] {
            assert!(Dependency::parse_list(field).is_err(), "{field}");
        }
    }

    #[test]
    fn bounds_hold_as_they_say() {
        for (bound, below, at, above) in [
            ("a (<< 1.0)", true, false, false),
            ("a (<= 1.0)", true, true, false),
            ("a (= 1.0)", false, true, false),
            ("a (>= 1.0)", false, true, true),
            ("a (>> 1.0)", false, false, true),
        ] {
            let relation = Atom::parse(bound).unwrap().relation.unwrap();
            let holds = |v: &str| relation.holds(&v.parse().unwrap());
            assert_eq!((holds("1.0~rc1"), holds("0:1.0"), holds("1.0-1")), (below, at, above), "{bound}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(text in "[a-z][a-z0-9+.-]{0,6}(:any|:native|:arm64)?( \\((<<|<=|=|>=|>>) [0-9][a-z0-9.~+]{0,5}(-[0-9])?\\))?") {
            prop_assert_eq!(Atom::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn no_text_panics(text in "[ a-z0-9:()<>=|,.~-]{0,60}") {
            let _ = Dependency::parse_list(&text);
        }
    }
}

//! Why there is no closure, told as the chain that leads from what was asked for to what cannot be had.

use crate::source::debian::{DependencyError, StanzaError};
use std::fmt;

/// Why packages cannot be installed together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No source has a package of that name, and none provides it.
    #[error("package `{name}` is not in {places}{}", DidYouMean(.meant))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where it was looked for: `trixie/main, trixie-security/main (amd64)`.
        places: String,
        /// A name that is there and looks like it.
        meant: Option<String>,
    },
    /// A version was asked for that no source has.
    #[error("no version of `{name}` matches `{pattern}`; there is {}", List(.available))]
    NoVersion {
        /// The package.
        name: String,
        /// The version or pattern that was asked for.
        pattern: String,
        /// The versions that there are, the newest first, each with its suite.
        available: Vec<String>,
    },
    /// One package was asked for in two versions.
    #[error("`{name}` is wanted as `{first}` and as `{second}`")]
    TwoVersions {
        /// The package.
        name: String,
        /// One version or pattern.
        first: String,
        /// The other.
        second: String,
    },
    /// A name that several packages provide, so that one of them has to be named.
    #[error("`{name}` is no package of its own; it is provided by {}", List(.providers))]
    Virtual {
        /// The name.
        name: String,
        /// Who provides it, sorted.
        providers: Vec<String>,
    },
    /// A relation that no package of the archive satisfies.
    #[error("{chain}; {offers}")]
    Unsatisfiable {
        /// From what was asked for to the relation.
        chain: Chain,
        /// What there is instead: `trixie has b 1.9`.
        offers: String,
    },
    /// Two packages that exclude each other.
    #[error("`{}` {}, but `{}` is needed too ({}; {})", .clash.left, .clash.relation, .clash.right, .clash.left_chain, .clash.right_chain)]
    Conflict {
        /// Both, and why each is wanted.
        clash: Box<Clash>,
    },
    /// A relation that stays open because what would satisfy it cannot be had together with the rest.
    #[error("{chain}; nothing that satisfies it can be installed together with the other packages")]
    Stuck {
        /// From what was asked for to the relation.
        chain: Chain,
    },
    /// What is asked for can only be had if packages of the base go.
    #[error("it cannot be installed without removing {} from the base", List(.packages))]
    Removes {
        /// The packages, sorted.
        packages: Vec<String>,
    },
    /// A relation field that cannot be read.
    #[error("package `{package}`: {field} cannot be read")]
    Relation {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// Why.
        source: DependencyError,
    },
    /// An installed package's control fields that cannot be read.
    #[error("installed package `{package}`: its control fields cannot be read")]
    Control {
        /// The package.
        package: String,
        /// Why.
        source: StanzaError,
    },
}

/// Two packages that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The package that declares it.
    pub left: String,
    /// What it declares: ``conflicts with `b (<< 2)` ``.
    pub relation: String,
    /// The package that it excludes.
    pub right: String,
    /// Why the first is wanted.
    pub left_chain: Chain,
    /// Why the second is wanted.
    pub right_chain: Chain,
}

/// Which package needs which, from what was asked for downward.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// The package that was asked for.
    pub wanted: String,
    /// Each package on the way and the relation that it needs satisfied.
    pub steps: Vec<(String, String)>,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((_, rest)) = self.steps.split_first() else { return write!(f, "`{}` is wanted", self.wanted) };
        write!(f, "`{}` needs `{}`", self.steps[0].0, self.steps[0].1)?;
        rest.iter().try_for_each(|(package, relation)| write!(f, "; `{package}` needs `{relation}`"))
    }
}

struct DidYouMean<'a>(&'a Option<String>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, "; did you mean `{name}`?"))
    }
}

/// Names for a message: not more than fit one.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, name) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}`{name}`", if i > 0 { ", " } else { "" })?;
        }
        if self.0.len() > SHOWN { write!(f, " and {} more", self.0.len() - SHOWN) } else { Ok(()) }
    }
}

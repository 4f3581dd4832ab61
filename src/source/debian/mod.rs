//! Debian archives: signed indices, packages, and the closure that apt would choose.

mod dependency;
mod packages;
pub mod resolve;
mod stanza;
mod version;

pub use dependency::{ArchQualifier, Atom, Dependency, DependencyError, Op, Relation};
pub use packages::{MultiArch, Package, PackagesError, PackagesIndex};
pub use stanza::{Field, Stanza, StanzaError};
pub use version::{Version, VersionError};

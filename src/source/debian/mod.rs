//! Debian archives: signed indices, packages, and the closure that apt would choose.

mod apt_sources;
mod ar;
mod armor;
mod certificate;
mod clearsign;
mod deb;
mod decompress;
mod dependency;
mod entry;
mod indices;
mod keyring;
mod mirror;
mod packages;
mod packet;
pub mod pool;
mod release;
pub mod resolve;
mod signature;
mod stanza;
mod version;

pub use deb::{ControlFile, Deb, DebError};
pub use decompress::Bomb;
pub use dependency::{ArchQualifier, Atom, Dependency, DependencyError, Op, Relation};
pub use indices::{ComponentIndex, IndexCache, IndexError, NoCache, SuiteIndex, Unusable, Wanted, indices};
pub use keyring::{Fingerprint, FingerprintError, Keyring, KeyringError};
pub use mirror::{MirrorError, Mirrors};
pub use packages::{MultiArch, Package, PackagesError, PackagesIndex};
pub use release::{Release, ReleaseError};
pub use signature::{SignatureError, Verified, verify};
pub use stanza::{Field, Stanza, StanzaError};
pub use version::{Version, VersionError};

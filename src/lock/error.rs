//! What can go wrong with a lock.

use std::io;
use std::path::PathBuf;

/// Why a lock could not be read, written or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was being done, to be read before the path.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or has other keys than a lock's.
    #[error("`{}` is not a lock that this remint can read", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A line does not say what it should.
    #[error("`{}`: `{line}` is not {expected}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// What stands there.
        line: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The lock was written for another format, by a newer remint.
    #[error("`{}` is for format {found}; this remint makes format 1", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: u64,
    },
}

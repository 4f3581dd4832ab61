//! Exit codes: the one place where they are written down.

use std::process::ExitCode;

/// How a run of `remint` ends, as its exit code says to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The answer is no: not identical, not valid, not there.
    No = 1,
    /// The command line or a setting of the environment is wrong.
    Usage = 2,
    /// A recipe, remint.toml or remint.lock is wrong, or the lock does not match the recipes.
    Recipe = 3,
    /// A source could not be had, or is not what it must be.
    Source = 4,
    /// An action of a build failed.
    Action = 5,
    /// A registry refused, or could not be reached.
    Registry = 6,
    /// remint itself is wrong.
    Bug = 70,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [Self; 8] =
        [Self::Done, Self::No, Self::Usage, Self::Recipe, Self::Source, Self::Action, Self::Registry, Self::Bug];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for `remint --help`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::No => "the answer is no (not identical, invalid, would change)",
            Self::Usage => "wrong usage",
            Self::Recipe => "a recipe or the lock is wrong",
            Self::Source => "a source or the network failed",
            Self::Action => "an action of a build failed",
            Self::Registry => "a registry failed",
            Self::Bug => "a bug in remint",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_that_scripts_rely_on() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 70]);
    }
}

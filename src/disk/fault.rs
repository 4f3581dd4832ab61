//! What a test may do to a run: list its deeds, end it at one of them as `kill -9` would, or make one fail.
//!
//! A place is where in the source a deed is called, such as `src/store/blob.rs:120`; the same place does its deed many times.

#[cfg(debug_assertions)]
pub use armed::{BadFault, Fault, Then, arm};
#[cfg(debug_assertions)]
pub(super) use armed::{point, writing};

/// Does nothing.
#[cfg(not(debug_assertions))]
#[inline]
#[expect(clippy::unnecessary_wraps, reason = "the other form of it fails")]
pub(super) fn point(_: &str) -> std::io::Result<()> {
    Ok(())
}

/// Does nothing.
#[cfg(not(debug_assertions))]
#[inline]
#[expect(clippy::unnecessary_wraps, reason = "the other form of it fails")]
pub(super) fn writing(_: &str, _: &[u8], _: impl FnOnce(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::File;
    use std::io::{self, Write};
    use std::panic::Location;
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// What is to happen in this process, and to how many deeds it could have happened so far.
    static ARMED: OnceLock<(Fault, AtomicU64)> = OnceLock::new();

    /// What is to happen to which deed.
    #[derive(Debug)]
    pub enum Fault {
        /// Every deed is written down in a file: a line with its kind and its place.
        Trace(File),
        /// A place's deed fails or ends the process, at its first, second … time.
        At {
            /// The place.
            place: String,
            /// The number of the time, from 1; 0 is every time.
            time: u64,
            /// What happens.
            then: Then,
        },
    }

    /// What happens to a deed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Then {
        /// The process ends there, as by `kill -9`.
        Die,
        /// The deed fails with this error number of the operating system.
        Fail(i32),
    }

    /// The text is no [`Fault`].
    #[derive(Debug, thiserror::Error)]
    #[error("`{0}` is no fault: expected `trace:FILE`, or `PLACE@TIME=die` or `=` and an error number")]
    pub struct BadFault(String);

    impl FromStr for Fault {
        type Err = BadFault;

        fn from_str(text: &str) -> Result<Self, BadFault> {
            let bad = || BadFault(text.to_owned());
            if let Some(path) = text.strip_prefix("trace:") {
                return File::options().append(true).create(true).open(path).map(Self::Trace).map_err(|_| bad());
            }
            let (place, rest) = text.split_once('@').ok_or_else(bad)?;
            let (time, then) = rest.split_once('=').ok_or_else(bad)?;
            let then = match then {
                "die" => Then::Die,
                number => Then::Fail(number.parse().map_err(|_| bad())?),
            };
            Ok(Self::At { place: place.to_owned(), time: time.parse().map_err(|_| bad())?, then })
        }
    }

    /// Sets what is to happen, for the rest of the process; only the first call counts.
    pub fn arm(fault: Fault) {
        let _ = ARMED.set((fault, AtomicU64::new(0)));
    }

    /// A deed is about to be done.
    #[track_caller]
    pub(in super::super) fn point(deed: &str) -> io::Result<()> {
        match due(deed, Location::caller()) {
            None => Ok(()),
            Some(Then::Die) => die(),
            Some(Then::Fail(number)) => Err(io::Error::from_raw_os_error(number)),
        }
    }

    /// Some bytes are about to be written: where that is the end, half of them are.
    #[track_caller]
    pub(in super::super) fn writing(
        deed: &str,
        bytes: &[u8],
        write: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(then) = due(deed, Location::caller()) else { return Ok(()) };
        // Torn either way; that even this may fail changes nothing.
        let _ = write(&bytes[..bytes.len() / 2]);
        match then {
            Then::Die => die(),
            Then::Fail(number) => Err(io::Error::from_raw_os_error(number)),
        }
    }

    fn due(deed: &str, place: &Location<'_>) -> Option<Then> {
        let (fault, seen) = ARMED.get()?;
        match fault {
            Fault::Trace(file) => {
                // In one piece, since threads write at once.
                let _ = { file }.write_all(format!("{deed} {}:{}\n", place.file(), place.line()).as_bytes());
                None
            }
            Fault::At { place: wanted, time, then } => {
                let here = wanted
                    .rsplit_once(':')
                    .is_some_and(|(file, line)| file == place.file() && line.parse() == Ok(place.line()));
                let due = here && (*time == 0 || seen.fetch_add(1, Ordering::Relaxed) + 1 == *time);
                due.then_some(*then)
            }
        }
    }

    /// Ends the process as `kill -9` would: nothing is dropped, flushed or said.
    fn die() -> ! {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_fault_names_its_place_and_time() {
            let fault: Fault = "src/store/blob.rs:12@3=28".parse().unwrap();
            assert!(
                matches!(fault, Fault::At { ref place, time: 3, then: Then::Fail(28) } if place == "src/store/blob.rs:12")
            );
            assert!(matches!("x:1@0=die".parse().unwrap(), Fault::At { time: 0, then: Then::Die, .. }));
            for wrong in ["", "x", "x:1@", "x:1@1", "x:1@1=", "x:1@1=dye", "x:1@one=die", "trace:/nowhere/at/all"] {
                assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
            }
        }
    }
}

//! What the host tells remint, collected once: nothing else in the program reads the environment.
//!
//! Nothing of it may reach a byte of an image but the epoch, which is an input of its own.

use super::exit::Exit;
use super::failure::Failure;
use crate::wire::Proxies;
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The last second of the year 9999: later ones have no RFC 3339 form, in which image configurations are dated.
const LAST_EPOCH: u64 = 253_402_300_799;

/// A file of apt sources beyond this size in bytes is not read.
const APT_SOURCES_LIMIT: u64 = 1 << 20;

/// What the host tells remint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The command line, the program's own name first.
    pub arguments: Vec<OsString>,
    /// The current directory.
    pub cwd: PathBuf,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `REMINT_CACHE_DIR`: the store's place.
    pub cache_dir: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the folder of docker's `config.json`.
    pub docker_config: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: podman's credentials.
    pub registry_auth_file: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where podman keeps its credentials.
    pub runtime_dir: Option<PathBuf>,
    /// `REMINT_BUILDER_ID`: who answers for this machine, in provenance.
    pub builder_id: Option<String>,
    /// `REMINT_INVOCATION_ID`, else the address of the CI's run: where and in which run this is, in provenance.
    pub invocation_id: Option<String>,
    /// `REMINT_DEBIAN_MIRROR`: base addresses of mirrors, separated by white space, tried in this order.
    pub debian_mirrors: Vec<String>,
    /// `HTTPS_PROXY` and its relatives.
    pub proxies: Proxies,
    /// `SOURCE_DATE_EPOCH` as it was set; [`Environment::epoch`] checks it.
    pub source_date_epoch: Option<OsString>,
    /// Whether this is a CI run, by the variable `CI`: lines that stay are better there than bars that move.
    pub ci: bool,
    /// Whether the terminal cannot move its cursor: `TERM=dumb`.
    pub dumb: bool,
    /// Where data goes.
    pub stdout: Stream,
    /// Where talk goes.
    pub stderr: Stream,
    /// How many threads can run at once.
    pub cores: NonZeroUsize,
    /// The root directory of the host, where its apt sources are looked for: `/`.
    pub root: PathBuf,
}

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Whether it is a terminal.
    pub terminal: bool,
    /// How many cells wide its lines are, where it is a terminal that says so.
    pub width: Option<usize>,
}

/// A file of the host's apt sources (sources.list(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptSources {
    /// Where it stands.
    pub path: PathBuf,
    /// Its format: the deb822 style of `*.sources`, or the one-line style of `*.list`.
    pub deb822: bool,
    /// Its text.
    pub text: String,
}

impl Environment {
    /// Reads the process's environment.
    ///
    /// Fails where the current directory is gone.
    pub fn collect() -> Result<Self, Failure> {
        let cwd = current_dir()?;
        let mirrors = variable("REMINT_DEBIAN_MIRROR").map(|value| value.to_string_lossy().into_owned());
        Ok(Self {
            arguments: std::env::args_os().collect(),
            cwd,
            home: variable("HOME").map(PathBuf::from),
            cache_dir: variable("REMINT_CACHE_DIR").map(PathBuf::from),
            docker_config: variable("DOCKER_CONFIG").map(PathBuf::from),
            registry_auth_file: variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
            runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            builder_id: text("REMINT_BUILDER_ID"),
            invocation_id: text("REMINT_INVOCATION_ID").or_else(|| super::ci::run_url(&text)),
            debian_mirrors: mirrors.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            proxies: Proxies::read(|name| Some(variable(name)?.to_string_lossy().into_owned())),
            source_date_epoch: variable("SOURCE_DATE_EPOCH"),
            ci: variable("CI").is_some_and(|value| value != "false" && value != "0"),
            dumb: variable("TERM").is_some_and(|value| value == "dumb"),
            stdout: Stream::of(&std::io::stdout()),
            stderr: Stream::of(&std::io::stderr()),
            cores: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            root: PathBuf::from("/"),
        })
    }

    /// The epoch that `SOURCE_DATE_EPOCH` asks for, in seconds since 1970 (reproducible-builds.org, the variable's
    /// specification 1.1: ASCII digits and nothing else).
    pub fn epoch(&self) -> Result<Option<u64>, Failure> {
        let Some(value) = &self.source_date_epoch else { return Ok(None) };
        let text = value.to_string_lossy();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(epoch) if digits && epoch <= LAST_EPOCH => Ok(Some(epoch)),
            _ => Err(Failure::new(
                Exit::Usage,
                format!("`SOURCE_DATE_EPOCH` is `{text}`: expected seconds since 1970, from 0 to {LAST_EPOCH}"),
            )
            .hint("take the last commit's: `export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`")
            .hint("or let the lock decide: `unset SOURCE_DATE_EPOCH`")),
        }
    }

    /// The host's apt sources, as apt orders them; none where the host has no apt. A file that cannot be read, is no text,
    /// or is larger than 1 MiB is passed over: these are only a suggestion of where a mirror may be.
    #[must_use]
    pub fn apt_sources(&self) -> Vec<AptSources> {
        let etc = self.root.join("etc/apt");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(etc.join("sources.list.d")).into_iter().flatten().flatten().map(|e| e.path()).collect();
        paths.sort();
        paths.insert(0, etc.join("sources.list"));
        paths.into_iter().filter_map(|path| apt_sources_file(&path)).collect()
    }
}

impl Stream {
    fn of(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Self {
        let terminal = stream.is_terminal();
        let size = if terminal { terminal_size::terminal_size_of(stream) } else { None };
        // A terminal that reports no width (some serial consoles say 0) sets no limit.
        let width = size.map(|(width, _)| usize::from(width.0)).filter(|&width| width > 0);
        Self { terminal, width }
    }
}

fn apt_sources_file(path: &Path) -> Option<AptSources> {
    let extension = path.extension()?;
    let deb822 = extension == "sources";
    if !deb822 && extension != "list" || !path.is_file() {
        return None;
    }
    let mut text = String::new();
    let read = std::fs::File::open(path).ok()?.take(APT_SOURCES_LIMIT + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= APT_SOURCES_LIMIT).then(|| AptSources { path: path.to_owned(), deb822, text })
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name).map(|value| value.to_string_lossy().into_owned())
}

/// A variable that the user names as the place of a secret.
pub(super) fn secret(name: &str) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt as _;
    variable(name).map(OsString::into_vec)
}

/// What a test wants to go wrong in this run, by `REMINT_FAULT`; programs for users do not know the variable.
#[cfg(debug_assertions)]
pub(super) fn fault() -> Option<crate::disk::Fault> {
    let text = variable("REMINT_FAULT")?;
    Some(text.to_string_lossy().parse().expect("a test says what it means"))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn current_dir() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::wrap(Exit::Usage, "cannot find the current directory", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let stream = Stream { terminal: false, width: None };
        Environment {
            arguments: vec!["remint".into()],
            cwd: "/project".into(),
            home: None,
            cache_dir: None,
            builder_id: None,
            invocation_id: None,
            docker_config: None,
            registry_auth_file: None,
            runtime_dir: None,
            debian_mirrors: Vec::new(),
            proxies: Proxies::default(),
            source_date_epoch: None,
            ci: false,
            dumb: false,
            stdout: stream,
            stderr: stream,
            cores: NonZeroUsize::MIN,
            root: "/nowhere".into(),
        }
    }

    #[test]
    fn the_epoch_is_digits() {
        let epoch = |text: &str| Environment { source_date_epoch: Some(text.into()), ..environment() }.epoch();
        assert_eq!(environment().epoch(), Ok(None));
        assert_eq!(epoch("0"), Ok(Some(0)));
        assert_eq!(epoch("1735689600"), Ok(Some(1_735_689_600)));
        assert_eq!(epoch("253402300799"), Ok(Some(LAST_EPOCH)));
        for wrong in ["253402300800", "+1", "-1", " 1", "1 ", "1.0", "0x1", "now", "99999999999999999999"] {
            let failure = epoch(wrong).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains(&format!("`{wrong}`")), "{}", failure.message);
        }
    }

    #[test]
    fn apt_sources_come_in_order_and_others_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc/apt");
        std::fs::create_dir_all(etc.join("sources.list.d/odd.list")).unwrap();
        for (name, text) in [("sources.list", "one"), ("sources.list.d/b.sources", "three")] {
            std::fs::write(etc.join(name), text).unwrap();
        }
        std::fs::write(etc.join("sources.list.d/a.list"), "two").unwrap();
        std::fs::write(etc.join("sources.list.d/c.list.save"), "no").unwrap();
        std::fs::write(etc.join("sources.list.d/d.list"), [0xff]).unwrap();
        std::fs::write(etc.join("sources.list.d/e.list"), vec![b'#'; 1 << 21]).unwrap();
        let found = Environment { root: root.path().to_owned(), ..environment() }.apt_sources();
        let found: Vec<_> = found.iter().map(|file| (file.text.as_str(), file.deb822)).collect();
        assert_eq!(found, [("one", false), ("two", false), ("three", true)]);
        assert_eq!(environment().apt_sources(), []);
    }
}

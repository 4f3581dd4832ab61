//! podman, and containers of shipped images that live as long as a test looks at them.

use super::shipped::Shipped;
use crate::support::podman::Podman;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What is asked of the kernel is what every machine has: some machines' hard limits are below podman's defaults.
const LIMITS: [&str; 6] = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--pull", "never"];

/// How long a service may take to begin: a first start of a database on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// podman with the shipped images at hand.
pub(super) struct Engine {
    podman: Podman,
    shipped: &'static Shipped,
    dir: TempDir,
}

impl Engine {
    /// An engine for one test; `None` where podman or a mirror is missing.
    pub(super) fn find(test: &str) -> Option<Self> {
        // podman makes a name out of a layout's path, and names have no capitals.
        let name = format!("remint-real-{test}-{}", std::process::id());
        let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir().unwrap();
        let podman = Podman::find(&dir.path().join("podman"))?;
        Some(Self { podman, shipped: Shipped::get()?, dir })
    }

    /// Takes an image straight from the store and gives its id.
    pub(super) fn pull(&self, image: &str) -> String {
        let place = format!("oci:{}:{image}", self.shipped.store.display());
        self.podman.run(&["pull", "--quiet", &place]).trim().to_owned()
    }

    /// An empty directory for containers, of that owner.
    pub(super) fn directory(&self, name: &str, owner: u32) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
        path
    }

    /// Where a test keeps what it makes.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a container to its end and gives its standard output.
    pub(super) fn run(&self, network: &str, arguments: &[&str]) -> String {
        self.podman.run(&command("--rm", network, arguments))
    }

    /// Runs a container that fails, and gives what it said to standard error.
    pub(super) fn refused(&self, network: &str, arguments: &[&str]) -> String {
        let output = self.podman.command(&command("--rm", network, arguments)).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts a container that goes on by itself, in a network or in none.
    pub(super) fn start(&self, network: &str, arguments: &[&str]) -> Service<'_> {
        let id = self.podman.run(&command("--detach", network, arguments)).trim().to_owned();
        Service { podman: &self.podman, id }
    }
}

fn command<'a>(how: &'a str, network: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["run", how, "--network", network];
    all.extend(LIMITS);
    all.extend(arguments);
    all
}

/// A container that runs until the test has seen enough.
pub(super) struct Service<'e> {
    podman: &'e Podman,
    id: String,
}

impl Service<'_> {
    /// The container's network, for another one to share.
    pub(super) fn network(&self) -> String {
        format!("container:{}", self.id)
    }

    /// Runs a program in the container until it succeeds, and gives its standard output.
    pub(super) fn wait(&self, arguments: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let mut all = vec!["exec", &self.id];
            all.extend(arguments);
            let output = self.podman.command(&all).output().unwrap();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap();
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(begun.elapsed() < PATIENCE, "{arguments:?}: {said}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// All that the container said, to both of its streams.
    pub(super) fn said(&self) -> String {
        let output = self.podman.command(&["logs", &self.id]).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Panics unless every process of the container is that user's, in that group.
    pub(super) fn runs_as(&self, id: u32) {
        let pid = self.podman.run(&["inspect", "--format", "{{.State.Pid}}", &self.id]);
        let pids = with_children(pid.trim());
        for pid in &pids {
            let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            for kind in ["Uid", "Gid"] {
                assert!(status.contains(&format!("\n{kind}:\t{id}\t{id}\t{id}\t{id}\n")), "{status}");
            }
        }
    }

    /// Ends it with the signal that the image asks for, and takes it away; a signal that is not heeded is a failure, and so is what remains
    /// to be killed.
    pub(super) fn stop(self, expected: i32) {
        let begun = Instant::now();
        self.podman.run(&["stop", "--time", "30", &self.id]);
        let said = self.said();
        assert!(begun.elapsed() < Duration::from_secs(29), "it had to be killed:\n{said}");
        let code = self.podman.run(&["inspect", "--format", "{{.State.ExitCode}}", &self.id]);
        assert_eq!(code.trim(), expected.to_string(), "{said}");
    }

    /// Kills it, as when the machine fails.
    pub(super) fn kill(self) {
        self.podman.run(&["kill", &self.id]);
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.podman.command(&["rm", "--force", "--time", "0", &self.id]).output();
    }
}

/// Repeats a question until it is answered.
pub(super) fn until(what: &str, mut answered: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !answered() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process and its children.
fn with_children(pid: &str) -> Vec<String> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    std::iter::once(pid).chain(listed.split_whitespace()).map(str::to_owned).collect()
}

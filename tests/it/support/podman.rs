//! podman with storage of the test's own.

use super::judge;
use std::path::{Path, PathBuf};
use std::process::Command;

/// podman, which keeps images and containers in a directory of the test.
pub(crate) struct Podman {
    program: PathBuf,
    runtime: PathBuf,
    root: PathBuf,
}

impl Podman {
    /// Finds podman; `None` where it or its runtime is missing, or where the test is not root.
    pub(crate) fn find(dir: &Path) -> Option<Self> {
        let [program, runtime] = judge::find_all(["podman", "runc"])?;
        judge::is_root().then(|| Self { program, runtime, root: dir.to_owned() })
    }

    /// A podman command with arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(self.root.join("root")).arg("--runroot").arg(self.root.join("run"));
        command.arg("--tmpdir").arg(self.root.join("tmp")).arg("--runtime").arg(&self.runtime);
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"]);
        command.args(arguments);
        command
    }

    /// Runs podman and gives its standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        judge::succeed(&mut self.command(arguments))
    }

    /// Runs a container of an image to its end and gives its standard output.
    pub(crate) fn run_image(&self, image: &str, arguments: &[&str]) -> String {
        let mut all = vec!["run", "--rm", "--pull", "never", "--network", "none"];
        // Some machines' hard limits are below podman's defaults.
        all.extend(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", image]);
        all.extend(arguments);
        self.run(&all)
    }
}

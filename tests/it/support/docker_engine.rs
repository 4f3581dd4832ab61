//! Debian's docker engine with a socket and storage of the test's own.

use super::judge;
use super::server::Server;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A docker engine that runs; it ends when this is dropped, with the containerd that it started.
pub(crate) struct DockerEngine {
    client: PathBuf,
    socket: PathBuf,
    _server: Server,
}

impl DockerEngine {
    /// Starts an engine that may touch no network; `None` where it is missing or where the test is not root.
    pub(crate) fn start(dir: &Path) -> Option<Self> {
        let [program, client] = judge::find_all(["dockerd", "docker"])?;
        // Newer clients need a plugin for BuildKit: the one of the engine's own package knows it by itself.
        let own = program.parent().map(|sbin| sbin.with_file_name("bin/docker")).filter(|client| client.is_file());
        let client = own.unwrap_or(client);
        if !judge::is_root() {
            return None;
        }
        std::fs::create_dir_all(dir).unwrap();
        let socket = dir.join("docker.sock");
        let config = dir.join("daemon.json");
        std::fs::write(&config, "{}").unwrap();
        let mut command = Command::new(program);
        command.arg("--host").arg(format!("unix://{}", socket.display()));
        command.arg("--config-file").arg(&config);
        command.arg("--data-root").arg(dir.join("data")).arg("--exec-root").arg(dir.join("exec"));
        command.arg("--pidfile").arg(dir.join("pid"));
        command.args(["--storage-driver", "overlay2", "--bridge", "none", "--iptables=false", "--ip6tables=false"]);
        let ready = || {
            let mut asked = Command::new(&client);
            asked.arg("--host").arg(format!("unix://{}", socket.display())).arg("version");
            asked.output().is_ok_and(|output| output.status.success())
        };
        let server = Server::start(&mut command, &dir.join("log"), ready);
        Some(Self { client, socket, _server: server })
    }

    /// A docker command with arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.arg("--host").arg(format!("unix://{}", self.socket.display())).args(arguments);
        command
    }

    /// Runs docker and gives its standard output.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        judge::succeed(&mut self.command(arguments))
    }

    /// Runs a container of an image to its end and gives its standard output.
    pub(crate) fn run_image(&self, image: &str) -> String {
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];
        let mut all = vec!["run", "--rm", "--pull", "never", "--network", "none"];
        all.extend(limits);
        all.push(image);
        self.docker(&all)
    }
}

//! containerd with a socket and storage of the test's own.

use super::judge;
use super::server::Server;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A containerd that runs; it ends when this is dropped.
pub(crate) struct Containerd {
    client: PathBuf,
    socket: PathBuf,
    _server: Server,
}

impl Containerd {
    /// Starts containerd; `None` where it is missing or where the test is not root.
    pub(crate) fn start(dir: &Path) -> Option<Self> {
        let [program, client] = judge::find_all(["containerd", "ctr"])?;
        if !judge::is_root() {
            return None;
        }
        std::fs::create_dir_all(dir).unwrap();
        let socket = dir.join("containerd.sock");
        let config = dir.join("config.toml");
        let text = format!(
            "version = 2\ndisabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.internal.v1.opt']\n\
             root = '{dir}/root'\nstate = '{dir}/state'\n[grpc]\naddress = '{dir}/containerd.sock'\n\
             [ttrpc]\naddress = '{dir}/ttrpc.sock'\n",
            dir = dir.display(),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        command.arg("--config").arg(&config);
        let ready = || {
            let mut asked = Command::new(&client);
            asked.arg("--address").arg(&socket).arg("version").output().is_ok_and(|output| output.status.success())
        };
        let server = Server::start(&mut command, &dir.join("log"), ready);
        Some(Self { client, socket, _server: server })
    }

    /// Runs ctr and gives its standard output.
    pub(crate) fn ctr(&self, arguments: &[&str]) -> String {
        judge::succeed(Command::new(&self.client).arg("--address").arg(&self.socket).args(arguments))
    }
}

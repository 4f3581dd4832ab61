//! Debian's docker-registry on a port of the loopback, with its files in a directory of the test.

use super::judge;
use super::server::{Server, free_port, listens};
use std::path::Path;
use std::process::Command;

/// A registry that runs; it ends when this is dropped.
pub(crate) struct Registry {
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    _server: Server,
}

/// Starts a registry; `None` where there is none to start.
pub(crate) fn start(dir: &Path) -> Option<Registry> {
    let program = judge::find("docker-registry")?;
    std::fs::create_dir_all(dir).unwrap();
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let config = dir.join("config.yml");
    let storage = dir.join("storage");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            storage.display()
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    command.arg("serve").arg(&config);
    let server = Server::start(&mut command, &dir.join("log"), || listens(port));
    Some(Registry { address, _server: server })
}

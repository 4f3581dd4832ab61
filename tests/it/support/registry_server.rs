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

/// What more a registry does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extra<'a> {
    /// Its certificate and its key, for TLS.
    pub(crate) tls: Option<(&'a Path, &'a Path)>,
    /// Who may have signed the certificate that its clients have to show.
    pub(crate) clients: Option<&'a Path>,
    /// A file of users and their passwords' hashes.
    pub(crate) users: Option<&'a Path>,
    /// Whose tokens it takes.
    pub(crate) token: Option<Tokens<'a>>,
}

/// Who gives tokens for a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    /// Where they are had: an address.
    pub(crate) realm: &'a str,
    /// What the registry is called there.
    pub(crate) service: &'a str,
    /// Who signs them.
    pub(crate) issuer: &'a str,
    /// The certificates of those who say whose signature it is.
    pub(crate) bundle: &'a Path,
}

/// Starts a registry; `None` where there is none to start.
pub(crate) fn start(dir: &Path) -> Option<Registry> {
    start_with(dir, Extra::default())
}

/// Starts a registry that was ended, with what it held, at the same address.
pub(crate) fn start_again(dir: &Path, address: &str) -> Option<Registry> {
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    start_at(dir, port, Extra::default())
}

/// Starts a registry that does more.
pub(crate) fn start_with(dir: &Path, extra: Extra<'_>) -> Option<Registry> {
    start_at(dir, free_port(), extra)
}

fn start_at(dir: &Path, port: u16, extra: Extra<'_>) -> Option<Registry> {
    let program = judge::find("docker-registry")?;
    std::fs::create_dir_all(dir).unwrap();
    let address = format!("127.0.0.1:{port}");
    let config = dir.join("config.yml");
    let storage = dir.join("storage");
    let mut text = format!(
        "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        storage.display()
    );
    if let Some((certificate, key)) = extra.tls {
        text += &format!("  tls:\n    certificate: {}\n    key: {}\n", certificate.display(), key.display());
    }
    if let Some(clients) = extra.clients {
        text += &format!("    clientcas:\n      - {}\n", clients.display());
    }
    if let Some(users) = extra.users {
        text += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", users.display());
    }
    if let Some(Tokens { realm, service, issuer, bundle }) = extra.token {
        text += &format!("auth:\n  token:\n    realm: {realm}\n    service: {service}\n    issuer: {issuer}\n");
        text += &format!("    rootcertbundle: {}\n", bundle.display());
    }
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    command.arg("serve").arg(&config);
    let server = Server::start(&mut command, &dir.join("log"), || listens(port));
    Some(Registry { address, _server: server })
}

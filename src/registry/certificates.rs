//! Whom a registry's connection trusts: this machine's certificates, files that were given, and directories for each host as
//! docker and podman have them (containers-certs.d(5)).
//!
//! ```text
//! <dir>/<host[:port]>/*.crt         who may have signed the registry's certificate
//! <dir>/<host[:port]>/<name>.cert   what is shown to a registry that asks …
//! <dir>/<host[:port]>/<name>.key    … and its key
//! ```

use super::error::RegistryError;
use super::reference::Host;
use super::{Settings, wire};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey};

/// A larger file is something else.
const LARGEST: u64 = 4 << 20;

/// Whom connections to a host trust, and what they show.
pub(super) fn trust(settings: &Settings, host: &Host) -> Result<wire::Trust, RegistryError> {
    let mut roots = Vec::new();
    for path in &settings.ca_files {
        roots.extend(certificates(path)?);
    }
    let mut client = None;
    for dir in &settings.cert_dirs {
        for path in files(&dir.join(host.as_str()))? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => roots.extend(certificates(&path)?),
                Some("cert") if client.is_none() => client = Some(pair(&path)?),
                _ => {}
            }
        }
    }
    Ok(wire::Trust::system().and(roots).showing(client))
}

/// The files of a directory, sorted; none if there is no such directory.
fn files(dir: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let bad = |error: io::Error| bad(dir, format!("cannot list the directory: {error}"));
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(bad(error)),
    };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    paths.sort();
    Ok(paths)
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, RegistryError> {
    let mut found = Vec::new();
    for item in items(path)? {
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(bad(path, "it holds none in PEM form")) } else { Ok(found) }
}

fn pair(path: &Path) -> Result<ClientCert, RegistryError> {
    let chain = certificates(path)?;
    let key_path = path.with_extension("key");
    let key = items(&key_path)?.into_iter().find_map(|item| match item {
        PemItem::PrivateKey(key) => Some(key),
        _ => None,
    });
    let key: PrivateKey<'static> = key.ok_or_else(|| bad(&key_path, "it holds no private key in PEM form"))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn items(path: &Path) -> Result<Vec<PemItem<'static>>, RegistryError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|error| bad(path, format!("cannot read the file: {error}")))?;
    ureq::tls::parse_pem(&bytes).collect::<Result<_, _>>().map_err(|_| bad(path, "it is not in PEM form"))
}

fn bad(path: &Path, why: impl Into<String>) -> RegistryError {
    RegistryError::Certificate { path: path.to_owned(), why: why.into() }
}

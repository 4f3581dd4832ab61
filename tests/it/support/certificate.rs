//! Certificates, as openssl makes them.

use super::judge;
use std::path::{Path, PathBuf};

/// A certificate and its key, in files.
pub(crate) struct Pair {
    /// What is shown.
    pub(crate) certificate: PathBuf,
    /// Who shows it has this.
    pub(crate) key: PathBuf,
}

/// Makes a server's certificate as most people do: it signed itself, and says that it is an authority's.
pub(crate) fn own(openssl: &Path, dir: &Path, names: &str) -> Pair {
    let pair = Pair { certificate: dir.join("own.crt"), key: dir.join("own.key") };
    let (key, certificate) = (pair.key.to_str().unwrap(), pair.certificate.to_str().unwrap());
    let names = format!("subjectAltName={names}");
    let mut arguments = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    arguments.extend(["-days", "2", "-subj", "/CN=own", "-addext", &names, "-keyout", key, "-out", certificate]);
    judge::run(openssl, arguments);
    pair
}

/// Makes an authority, or what it signs.
pub(crate) fn signed(openssl: &Path, dir: &Path, name: &str, by: Option<&Pair>) -> Pair {
    let pair = Pair { certificate: dir.join(format!("{name}.crt")), key: dir.join(format!("{name}.key")) };
    let mut arguments =
        vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let (key, certificate) = (pair.key.to_str().unwrap(), pair.certificate.to_str().unwrap());
    let subject = format!("/CN={name}");
    arguments.extend(["-subj", &subject, "-keyout", key, "-out", certificate]);
    if let Some(by) = by {
        arguments.extend(["-CA", by.certificate.to_str().unwrap(), "-CAkey", by.key.to_str().unwrap()]);
        arguments.extend(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    judge::run(openssl, arguments);
    pair
}

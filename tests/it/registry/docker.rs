//! Debian's docker-registry with TLS and with passwords.

use super::{client, send};
use crate::support::certificate::signed;
use crate::support::judge;
use crate::support::registry_server::{Extra, start_with};
use base64::Engine as _;
use remint::registry::{Credentials, RegistryError, Repository, Settings};

/// The hash (bcrypt) of `canary-password`.
const USERS: &str = "user:$2y$04$abcdefghijklmnopqrstuuag0.YlF7tv7WKWN7rgqJ5KkJ9XU2wny\n";

#[test]
fn only_who_is_trusted_is_spoken_to() {
    let Some(openssl) = judge::find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let authority = signed(&openssl, dir.path(), "authority", None);
    let server = signed(&openssl, dir.path(), "server", Some(&authority));
    let shown = signed(&openssl, dir.path(), "shown", Some(&authority));
    let tls = Some((server.certificate.as_path(), server.key.as_path()));
    let Some(registry) = start_with(&dir.path().join("one"), Extra { tls, ..Extra::default() }) else { return };
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();

    let error = client(Settings::default()).ping(repository.host()).unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate") && error.contains("--cacert"), "{error}");
    let given = Settings { ca_files: vec![authority.certificate.clone()], ..Settings::default() };
    send(&client(given), &repository, b"x", None).unwrap();
    let absent = Settings { ca_files: vec![dir.path().join("absent")], ..Settings::default() };
    let error = client(absent).ping(repository.host()).unwrap_err().to_string();
    assert!(error.contains("absent") && error.contains("No such file"), "{error}");

    // A server that wants to know its clients.
    let clients = Some(authority.certificate.as_path());
    let registry = start_with(&dir.path().join("two"), Extra { tls, clients, ..Extra::default() }).unwrap();
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let certs = dir.path().join("certs.d");
    let own = certs.join(&registry.address);
    std::fs::create_dir_all(&own).unwrap();
    std::fs::copy(&authority.certificate, own.join("ca.crt")).unwrap();
    let settings = Settings { cert_dirs: vec![certs, dir.path().join("no.d")], ..Settings::default() };
    assert!(client(settings.clone()).ping(repository.host()).is_err());
    std::fs::copy(&shown.certificate, own.join("client.cert")).unwrap();
    let error = client(settings.clone()).ping(repository.host()).unwrap_err();
    assert!(matches!(error, RegistryError::Certificate { .. }), "{error}");
    std::fs::copy(&shown.key, own.join("client.key")).unwrap();
    send(&client(settings), &repository, b"x", None).unwrap();
}

#[test]
fn only_who_knows_the_password_writes() {
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    std::fs::write(&users, USERS).unwrap();
    let Some(registry) = start_with(&dir.path().join("registry"), Extra { users: Some(&users), ..Extra::default() })
    else {
        return;
    };
    let repository: Repository = format!("{}/a", registry.address).parse().unwrap();
    let path = dir.path().join("config.json");
    let login = |password: &str| {
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("user:{password}"));
        let text = serde_json::json!({ "auths": { &registry.address: { "auth": auth } } });
        std::fs::write(&path, text.to_string()).unwrap();
        let credentials = Credentials { files: vec![path.clone()], ..Credentials::default() };
        client(Settings { credentials, ..Settings::default() })
    };
    let anonymous = send(&client(Settings::default()), &repository, b"x", None).unwrap_err();
    assert!(matches!(anonymous, RegistryError::Denied { anonymous: true, .. }), "{anonymous}");
    assert!(anonymous.hint().unwrap().contains("podman login 127.0.0.1"));
    let wrong = send(&login("wrong-canary"), &repository, b"x", None).unwrap_err();
    assert!(matches!(wrong, RegistryError::Denied { anonymous: false, .. }), "{wrong}");
    send(&login("canary-password"), &repository, b"x", None).unwrap();
}

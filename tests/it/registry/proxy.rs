//! Registries behind a proxy. Their names lead nowhere: only the proxy knows the way.

use super::{client, noise, send};
use crate::support::certificate::own;
use crate::support::judge;
use crate::support::oci_registry::{Options, Registry};
use crate::support::proxy::Proxy;
use crate::support::registry_server::{Extra, start_with};
use remint::registry::{RegistryError, Repository, Settings};
use remint::wire::Proxies;
use std::collections::BTreeSet;

const REPOSITORY: &str = "registry.example/a";

fn proxies(variable: &'static str, value: &str) -> Proxies {
    Proxies::read(|name| (name == variable).then(|| value.to_owned()))
}

fn repository() -> Repository {
    REPOSITORY.parse().unwrap()
}

#[test]
fn plain_http_is_asked_of_the_proxy() {
    let registry = Registry::start(Options::default());
    let proxy = Proxy::to(&registry.address);
    let settings = Settings {
        plain: BTreeSet::from([repository().host().clone()]),
        proxies: proxies("http_proxy", &format!("http://user:canary@{}", proxy.address)),
        chunk: 100_000,
        ..Settings::default()
    };
    let client = client(settings);
    client.ping(repository().host()).unwrap();
    let bytes = noise(1, 250_000);
    let digest = send(&client, &repository(), &bytes, None).unwrap();
    assert!(registry.holds("a").blobs.contains_key(&digest));
    let heads = proxy.heads();
    assert!(heads.len() > 5, "{heads:#?}");
    for head in heads {
        assert!(head.split(' ').nth(1).unwrap().starts_with("http://registry.example/v2/"), "{head}");
        assert!(head.contains("\r\nProxy-Authorization: Basic dXNlcjpjYW5hcnk=\r\n"), "{head}");
    }
}

#[test]
fn tls_goes_through_a_tunnel_to_whoever_has_the_given_certificate() {
    let Some(openssl) = judge::find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = own(&openssl, dir.path(), "DNS:registry.example,IP:127.0.0.1");
    let tls = Some((server.certificate.as_path(), server.key.as_path()));
    let Some(registry) = start_with(&dir.path().join("one"), Extra { tls, ..Extra::default() }) else { return };
    let proxy = Proxy::to(&registry.address);
    let through = proxies("HTTPS_PROXY", &format!("user:canary@{}", proxy.address));
    let given = Settings { ca_files: vec![server.certificate.clone()], ..Settings::default() };

    send(&client(Settings { proxies: through.clone(), ..given.clone() }), &repository(), b"x", None).unwrap();
    let heads = proxy.heads();
    assert!(
        heads[0].starts_with("CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\n"),
        "{heads:#?}"
    );
    assert!(heads[0].contains("\r\nProxy-Authorization: Basic dXNlcjpjYW5hcnk=\r\n"), "{heads:#?}");

    // A registry on this machine is reached directly, and its own certificate counts where it was given.
    let here: Repository = format!("{}/a", registry.address).parse().unwrap();
    send(&client(Settings { proxies: through.clone(), ..given }), &here, b"y", None).unwrap();
    assert_eq!(proxy.heads().len(), heads.len());
    for (repository, proxies) in [(repository(), through), (here, Proxies::default())] {
        let error =
            client(Settings { proxies, ..Settings::default() }).ping(repository.host()).unwrap_err().to_string();
        assert!(error.contains("invalid peer certificate") && error.contains("--cacert"), "{error}");
    }
}

#[test]
fn a_proxy_that_does_not_help_is_named_without_its_credentials() {
    let ping = |variable: &'static str, value: &str| {
        let settings = Settings { proxies: proxies(variable, value), ..Settings::default() };
        client(settings).ping(repository().host()).unwrap_err()
    };
    let closed = ping("https_proxy", "http://user:canary@127.0.0.1:9");
    let refusing = Proxy::answering("407 Proxy Authentication Required");
    let refused = ping("ALL_PROXY", &format!("http://user:canary@{}", refusing.address));
    // It is not asked again.
    assert_eq!(refusing.heads().len(), 1);
    let failing = Proxy::answering("503 Service Unavailable");
    let failed = ping("HTTPS_PROXY", &format!("http://user:canary@{}", failing.address));
    assert!(failing.heads().len() > 1);
    let nonsense = Proxy::answering("nonsense");
    let wrong = ping("HTTPS_PROXY", &format!("http://user:canary@{}", nonsense.address));
    let settings = Settings {
        plain: BTreeSet::from([repository().host().clone()]),
        proxies: proxies("http_proxy", &format!("http://user:canary@{}", refusing.address)),
        ..Settings::default()
    };
    let plain = client(settings).ping(repository().host()).unwrap_err();
    let broken = ping("HTTPS_PROXY", "http://user:canary@:x");
    for (error, parts) in [
        (closed, ["`http://127.0.0.1:9`", "`https_proxy`", "refused"]),
        (refused, [refusing.address.as_str(), "`ALL_PROXY`", "`registry.example:443`: it answered 407 Proxy"]),
        (plain, [refusing.address.as_str(), "`http_proxy`", "`http://registry.example`: it answered 407 Proxy"]),
        (failed, [failing.address.as_str(), "`HTTPS_PROXY`", "503 Service Unavailable"]),
        (wrong, [nonsense.address.as_str(), "`HTTPS_PROXY`", "not HTTP"]),
        (broken, ["the variable `HTTPS_PROXY` names no proxy", "expected `http://", "registry.example"]),
    ] {
        assert!(matches!(error, RegistryError::Unreachable { .. } | RegistryError::Malformed { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains("canary") && !text.contains("dXNl") && text.contains("`registry.example`"), "{text}");
    }
}

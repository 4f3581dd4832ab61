//! The registries that a run may reach: credentials, certificates and mirrors, from the options, remint.toml and the host.

use super::arguments;
use super::command::Invocation;
use super::exit::Exit;
use super::failure::Failure;
use crate::event::Events;
use crate::recipe::Project;
use crate::registry::{Client, Credentials, Host, Mirror, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// After which time a credential helper that does not answer is ended.
const HELPER: Duration = Duration::from_secs(30);

/// A client; no registry is asked yet.
pub(crate) fn client(
    invocation: Invocation<'_>,
    project: Option<&Project>,
    arguments: &arguments::Registry,
    events: &Events,
) -> Result<Client, Failure> {
    let environment = invocation.environment;
    let place = |path: &PathBuf| environment.cwd.join(path);
    let configured = project.map(|project| &project.registries);
    let plain = configured.into_iter().flatten().filter(|(_, registry)| registry.plain_http).map(|(host, _)| host);
    let plain = arguments.plain_http.iter().chain(plain);
    if let Some(file) = arguments.authfile.as_ref().filter(|file| !place(file).exists()) {
        let message = format!("there is no file `{}`, from which `--authfile` takes the credentials", file.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut mirrors: BTreeMap<Host, Vec<Mirror>> = BTreeMap::new();
    for (of, registry) in configured.into_iter().flatten() {
        let all = registry.mirrors.iter().map(|mirror| mirror.parse::<Mirror>().map_err(|error| unfit(&error)));
        mirrors.insert(host(of)?, all.collect::<Result<_, _>>()?);
    }
    let settings = Settings {
        credentials: Credentials { files: credentials(invocation, arguments), patience: HELPER },
        ca_files: arguments.cacert.iter().map(place).collect(),
        cert_dirs: certificates(invocation),
        plain: plain.map(|text| host(text)).collect::<Result<BTreeSet<_>, _>>()?,
        mirrors,
        proxies: environment.proxies.clone(),
        ..Settings::default()
    };
    Ok(Client::new(settings, events.clone(), std::thread::sleep))
}

fn host(text: &str) -> Result<Host, Failure> {
    text.parse().map_err(|error| unfit(&error))
}

fn unfit(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::from_error(Exit::Usage, error)
}

/// Where credentials are looked for, the first that has some counts: what the user names, else podman's files and docker's.
fn credentials(invocation: Invocation<'_>, arguments: &arguments::Registry) -> Vec<PathBuf> {
    let environment = invocation.environment;
    if let Some(file) = arguments.authfile.as_ref().or(environment.registry_auth_file.as_ref()) {
        return vec![environment.cwd.join(file)];
    }
    let home = environment.home.as_ref();
    let podman = [
        environment.runtime_dir.as_ref().map(|dir| dir.join("containers/auth.json")),
        home.map(|home| home.join(".config/containers/auth.json")),
    ];
    let docker = environment.docker_config.clone().or_else(|| Some(home?.join(".docker")));
    podman.into_iter().flatten().chain(docker.map(|dir| dir.join("config.json"))).collect()
}

/// Where docker and podman keep certificates by host.
fn certificates(invocation: Invocation<'_>) -> Vec<PathBuf> {
    let environment = invocation.environment;
    let home = environment.home.as_ref().map(|home| home.join(".config/containers/certs.d"));
    let system = ["etc/containers/certs.d", "etc/docker/certs.d"].map(|dir| environment.root.join(dir));
    home.into_iter().chain(system).collect()
}

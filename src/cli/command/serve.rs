//! `remint serve`: the store as a registry to pull from.

use super::{Invocation, no_store};
use crate::cli::arguments::{Serve as Arguments, TextOrJson};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::report::{Manner, Reporter};
use crate::cli::screen;
use crate::event::Event;
use crate::serve::{Limits, Server};
use crate::store::Store;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Serves the store's images until the process is ended.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let (place, _) = invocation.store_place()?;
    let json = arguments.format == TextOrJson::Json;
    // A server has no end to make progress to.
    let manner = match Manner::choose(invocation.global, invocation.environment, json) {
        Manner::Bars { verbose } => Manner::Lines { verbose },
        manner => manner,
    };
    let reporter = Reporter::start(manner, invocation.environment);
    let events = reporter.events();
    if Store::look(&place, &events).is_none() {
        return Err(no_store(&place));
    }
    let listen = arguments.address.unwrap_or_default();
    let server = Server::bind(&listen.addresses(), &place, &arguments.images, Limits::default(), &events)
        .map_err(|error| Failure::from_error(Exit::No, &error).hint("`--address 127.0.0.1:0` takes any free port"))?;
    let images = server.images().map_err(|error| {
        Failure::from_error(Exit::No, &error).hint("`remint cache check` sets aside what is damaged")
    })?;
    for name in &arguments.images {
        if !images.iter().any(|(there, _)| there == name) {
            let failure = Failure::new(Exit::No, format!("there is no image `{name}` in the store"));
            return Err(failure.hint(format!("build it first: `remint build {name}`")));
        }
    }
    let address = server.address();
    let shown = reachable(address);
    events.send(Event::Listening { address: address.to_string() });
    if !address.ip().is_loopback() {
        let text = "there is no TLS and no password: whoever reaches this address can pull, and whoever is in between can see it";
        events.send(Event::Warning { text: text.to_owned() });
    }
    if images.is_empty() {
        events.send(Event::Warning {
            text: "the store has no images yet: what is built from now on is served".to_owned(),
        });
    }
    for (name, digest) in &images {
        let (name, reference) = (name.clone(), format!("{shown}/{name}@{digest}"));
        if !json {
            screen::data(&format!("{reference}\n"))?;
        }
        events.send(Event::ImageServed { name, reference, digest: *digest });
    }
    if !json && !invocation.global.quiet {
        screen::talk(&how_to_pull(address, shown, images.first().map_or("IMAGE", |(name, _)| name)));
    }
    Err(Failure::from_error(Exit::No, &server.run()))
}

/// The address by which clients on this machine reach the server.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn how_to_pull(address: SocketAddr, shown: SocketAddr, image: &str) -> String {
    let mut text = format!("listening on {address}, until Ctrl-C\n");
    text.push_str(&format!("  podman pull --tls-verify=false {shown}/{image}\n"));
    // docker takes what is on the loopback for insecure by itself, in its IPv4 form.
    let note = if shown.ip().is_loopback() { "" } else { "   # with it in the engine's `insecure-registries`" };
    text.push_str(&format!("  docker pull {shown}/{image}{note}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pulled_from() {
        let shown = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(shown("0.0.0.0:5000"), "127.0.0.1:5000");
        assert_eq!(shown("[::]:5000"), "[::1]:5000");
        assert_eq!(shown("192.0.2.7:80"), "192.0.2.7:80");
        let said = how_to_pull("0.0.0.0:1".parse().unwrap(), "127.0.0.1:1".parse().unwrap(), "web");
        assert!(said.contains("on 0.0.0.0:1,") && said.contains("docker pull 127.0.0.1:1/web\n"), "{said}");
    }
}

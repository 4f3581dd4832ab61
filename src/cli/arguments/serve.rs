//! The arguments of `remint serve`.

use super::TextOrJson;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// `remint serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Which images, by their names in the store [default: all, also those that are built later]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Where to listen, without TLS [default: 127.0.0.1:5000, or the next port that is free]
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = Listen::from_str)]
    pub address: Option<Listen>,
    /// Lines for people, or each event as a line of JSON
    #[arg(long, value_name = "text|json", default_value_t, value_enum, hide_possible_values = true)]
    pub format: TextOrJson,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub ip: IpAddr,
    /// The port; 0: any that is free; `None`: the usual one of registries, or one of the next.
    pub port: Option<u16>,
}

/// The port of registries, and how many after it are tried.
const PORTS: RangeInclusive<u16> = 5000..=5099;

impl Default for Listen {
    fn default() -> Self {
        Self { ip: Ipv4Addr::LOCALHOST.into(), port: None }
    }
}

impl Listen {
    /// The addresses to try, one after the other.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let ports = self.port.map_or(PORTS, |port| port..=port);
        ports.map(|port| SocketAddr::new(self.ip, port)).collect()
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected an address such as `127.0.0.1:5000`, `[::1]:5000` or `localhost`".to_owned();
        let named = match text.strip_prefix("localhost") {
            Some(rest) if rest.is_empty() || rest.starts_with(':') => format!("{}{rest}", Ipv4Addr::LOCALHOST),
            _ => text.to_owned(),
        };
        if let Ok(address) = named.parse::<SocketAddr>() {
            return Ok(Self { ip: address.ip(), port: Some(address.port()) });
        }
        let bare = named.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&named);
        Ok(Self { ip: bare.parse().map_err(|_| expected())?, port: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port_or_the_usual_ones() {
        let first = |text: &str| text.parse::<Listen>().map(|listen| listen.addresses()[0].to_string());
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:5000"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("localhost", "127.0.0.1:5000"),
            ("localhost:65535", "127.0.0.1:65535"),
            ("::1", "[::1]:5000"),
            ("[::1]", "[::1]:5000"),
            ("[::1]:7", "[::1]:7"),
        ] {
            assert_eq!(first(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", ":5000", "5000", "localhosts", "127.0.0.1:x", "127.0.0.1:70000", "host:1", "http://127.0.0.1"]
        {
            assert!(first(text).is_err(), "{text}");
        }
        assert_eq!(Listen::default().addresses().len(), 100);
        assert_eq!("127.0.0.1:9".parse::<Listen>().unwrap().addresses().len(), 1);
    }
}

//! What is reached without a proxy: one entry of `NO_PROXY`, as Go's programs (podman, skopeo) read it.
//!
//! ```text
//! *                              everything
//! registry.example               it, and what is below it
//! .registry.example              what is below it, also written *.registry.example
//! 10.0.0.1  ::1                  an address
//! 10.0.0.0/8  fd00::/8           the addresses of a network
//! registry.example:5000          any of them with a port: that port alone
//! ```

use std::net::IpAddr;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exempt {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    All,
    /// A name, and whether only what is below it.
    Name(String, bool),
    /// The addresses that have so many bits in common with this one.
    Network(IpAddr, u32),
}

impl Exempt {
    /// Reads entries between commas and white space; what is none matches nothing.
    pub(super) fn list(text: &str) -> Vec<Self> {
        text.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty()).map(Self::read).collect()
    }

    fn read(entry: &str) -> Self {
        let (name, port) = match entry.rsplit_once(':') {
            // More than one colon without brackets is an address of version 6.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
                Ok(port) => (name, Some(port)),
                Err(_) => (entry, None),
            },
            _ => (entry, None),
        };
        let name = name.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let below = name.strip_prefix('*').unwrap_or(&name);
        let what = if name == "*" {
            What::All
        } else if let Some((address, bits)) = network(&name) {
            What::Network(address, bits)
        } else {
            let only_below = below.starts_with('.');
            What::Name(below.trim_start_matches('.').to_owned(), only_below)
        };
        Self { what, port }
    }

    /// Whether a host, in lower case and without brackets, and a port are meant.
    pub(super) fn covers(&self, name: &str, port: u16) -> bool {
        let name_fits = match &self.what {
            What::All => true,
            What::Name(of, only_below) => match name.strip_suffix(of.as_str()) {
                Some("") => !only_below,
                Some(before) => before.ends_with('.'),
                None => false,
            },
            What::Network(of, bits) => name.parse().is_ok_and(|address: IpAddr| is_in(address, *of, *bits)),
        };
        name_fits && self.port.is_none_or(|own| own == port)
    }
}

/// Whether a host is this very machine.
pub(super) fn is_this_machine(name: &str) -> bool {
    let address = name.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
    address || name == "localhost" || name.ends_with(".localhost")
}

/// Reads an address or a network (RFC 4632, section 3.1).
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn is_in(address: IpAddr, of: IpAddr, bits: u32) -> bool {
    match (address.to_canonical(), of) {
        (IpAddr::V4(address), IpAddr::V4(of)) => {
            (address.to_bits() ^ of.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(of)) => {
            (address.to_bits() ^ of.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_cover_what_they_say() {
        let covers = |entries: &str, name: &str| Exempt::list(entries).iter().any(|entry| entry.covers(name, 443));
        for (entries, name) in [
            ("*", "anything.example"),
            ("r.example", "r.example"),
            ("x.example,R.EXAMPLE.", "r.example"),
            ("r.example", "a.r.example"),
            (".r.example", "a.b.r.example"),
            ("*.r.example", "a.r.example"),
            ("r.example:443", "r.example"),
            ("*:443", "r.example"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:443", "10.0.0.1"),
            ("10.0.0.0/8 192.168.0.0/16", "192.168.3.4"),
            ("0.0.0.0/0", "10.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("fd00::/8", "fd12::1"),
            ("::/0", "fd12::1"),
            ("[fd12::1]:443", "fd12::1"),
            ("fd12::1", "fd12::1"),
        ] {
            assert!(covers(entries, name), "{entries} {name}");
        }
        for (entries, name) in [
            ("", "r.example"),
            (",, ", "r.example"),
            ("r.example", "ar.example"),
            ("r.example", "r.example.org"),
            (".r.example", "r.example"),
            (".r.example", "ar.example"),
            ("r.example:5000", "r.example"),
            ("*:5000", "r.example"),
            ("r.example:x", "r.example"),
            ("10.0.0.1", "10.0.0.2"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/33", "10.0.0.1"),
            ("10.0.0.0/-1", "10.0.0.1"),
            ("10.0.0.0/31", "10.0.0.2"),
            ("10.0.0.0/8", "10.example"),
            ("0.0.0.0/0", "fd12::1"),
            ("fd00::/8", "fe00::1"),
            ("::/0", "10.0.0.1"),
        ] {
            assert!(!covers(entries, name), "{entries} {name}");
        }
    }
}

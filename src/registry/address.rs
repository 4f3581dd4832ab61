//! Addresses on registries and on what they redirect to.

use super::reference::Host;

/// `http(s)://host[:port]/path?query`; no user, no fragment. The query may hold a secret of the server's: only the host is
/// ever shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    secure: bool,
    host: Host,
    /// From the first slash on, with the query.
    rest: String,
}

/// A server's own addresses have a length; a longer one is an attack.
const LONGEST: usize = 16 << 10;

impl Address {
    /// A path on a host.
    pub(super) fn new(secure: bool, host: &Host, rest: &str) -> Self {
        Self { secure, host: host.clone(), rest: rest.to_owned() }
    }

    /// Reads a whole address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let sound = text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic());
        let (scheme, after) = text.split_once("://").filter(|_| sound)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let after = after.split('#').next()?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (host, rest) = after.split_at(end);
        let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
        // What the library that sends it would not take is no address either.
        let address = Self { secure, host: host.parse().ok()?, rest };
        address.url().parse::<ureq::http::Uri>().is_ok().then_some(address)
    }

    /// Where a `Location` or a `Link` of an answer from here leads (RFC 3986, section 5, without dot segments).
    pub(super) fn join(&self, location: &str) -> Option<Self> {
        let scheme = if self.secure { "https" } else { "http" };
        if location.contains("://") && !location.starts_with(['/', '?']) {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let path = self.rest.split('?').next().unwrap_or("/");
        let rest = match location {
            _ if location.starts_with('/') => location.to_owned(),
            _ if location.starts_with('?') => format!("{path}{location}"),
            _ => format!("{}{location}", &path[..=path.rfind('/')?]),
        };
        Self::parse(&format!("{scheme}://{}{rest}", self.host))
    }

    /// With one more parameter; the value is escaped.
    pub(super) fn with(&self, key: &str, value: &str) -> Self {
        let sign = if self.rest.contains('?') { '&' } else { '?' };
        Self { rest: format!("{}{sign}{key}={}", self.rest, escaped(value)), ..self.clone() }
    }

    /// The text that is sent.
    pub(super) fn url(&self) -> String {
        format!("{}://{}{}", if self.secure { "https" } else { "http" }, self.host, self.rest)
    }

    /// Whether it is reached by TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Its host, with the port where it was written.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Whether both are the same server, reached the same way: what one may see, the other may.
    pub(super) fn is_with(&self, other: &Self) -> bool {
        let bare = |address: &Self| {
            let port = if address.secure { ":443" } else { ":80" };
            let host = address.host.as_str();
            host.strip_suffix(port).unwrap_or(host).to_owned()
        };
        self.secure == other.secure && bare(self) == bare(other)
    }
}

/// Every byte that is not plain as `%XX` (RFC 3986, section 2.3).
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn locations_lead_where_they_say() {
        let from = address("https://registry.example:5000/v2/a/blobs/uploads/?n=1");
        let leads = |to: &str| from.join(to).map(|to| to.url());
        let at = |rest: &str| Some(format!("https://registry.example:5000{rest}"));
        assert_eq!(leads("/v2/x?_state=1"), at("/v2/x?_state=1"));
        assert_eq!(leads("?last=b"), at("/v2/a/blobs/uploads/?last=b"));
        assert_eq!(leads("id"), at("/v2/a/blobs/uploads/id"));
        assert_eq!(leads("http://other.example/x#y"), Some("http://other.example/x".to_owned()));
        assert_eq!(leads("//other.example"), Some("https://other.example/".to_owned()));
        assert_eq!(leads("/v2/x?to=http://y"), at("/v2/x?to=http://y"));
        let long = format!("/{}", "a".repeat(LONGEST));
        for wrong in
            ["ftp://a/b", "https://u:p@a.example/", "https:///x", "/a b", "/\r\nX: y", "http://a.example:x/", &long]
        {
            assert_eq!(leads(wrong), None, "{wrong}");
        }
        assert_eq!(from.with("digest", "sha256:0 1").url(), format!("{}&digest=sha256%3A0%201", from.url()));
        assert_eq!(address("http://a.example/b").with("c", "d").url(), "http://a.example/b?c=d");
    }

    #[test]
    fn another_port_or_scheme_is_another_server() {
        let one = address("https://a.example/x");
        assert!(one.is_with(&address("https://A.example:443/y")));
        for other in
            ["http://a.example/x", "https://a.example:444/x", "https://b.a.example/x", "https://a.example.org/"]
        {
            assert!(!one.is_with(&address(other)), "{other}");
        }
    }
}

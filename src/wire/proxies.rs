//! Which proxy an address is reached through: what the environment's variables mean, which `cli` reads.
//!
//! `https_proxy` is for addresses in `https`, `http_proxy` for those in `http`, `all_proxy` for those whose own is not set, each in lower
//! case before upper case, as curl reads them. `HTTP_PROXY` in upper case does not count where `REQUEST_METHOD` is set: there, whoever
//! sends a request to a CGI program sets it with a header `Proxy` (CVE-2016-5385).

mod exempt;

use base64::Engine as _;
use exempt::Exempt;
use std::fmt;
use std::sync::Arc;
use ureq::http::Uri;

/// What a variable has to hold; what it holds is not shown, since a password may be in it.
const EXPECTED: &str = "expected `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, special characters as `%XX`";

/// The proxies of a run, and what is reached without them; by default, there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Arc<Proxy>>,
    https: Option<Arc<Proxy>>,
    exempt: Vec<Exempt>,
}

/// What one variable says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Its name.
    pub(super) variable: &'static str,
    /// Where the proxy is, or what is wrong with the value: who never needs it is not bothered with that.
    pub(super) place: Result<Place, &'static str>,
}

/// Where a proxy is, and what it is shown.
#[derive(PartialEq, Eq)]
pub(super) struct Place {
    /// Scheme, host and port, without credentials.
    pub(super) uri: Uri,
    /// The value of `Proxy-Authorization`: a secret.
    pub(super) authorization: Option<String>,
}

impl Proxies {
    /// Reads the variables; one that is empty counts as one that is not set.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let first = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| Some((*name, value(name)?)));
            found.map(|(variable, text)| Arc::new(Proxy { variable, place: place(text.trim()) }))
        };
        let http: &[_] = if value("REQUEST_METHOD").is_some() {
            &["http_proxy", "all_proxy", "ALL_PROXY"]
        } else {
            &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        };
        let exempt = value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default();
        Self {
            http: first(http),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exempt: Exempt::list(&exempt),
        }
    }

    /// The proxy that an address is reached through; `None`: it is reached directly, as this machine always is, since a proxy has
    /// another loopback, and what is said plainly here is not for it to hear.
    pub(super) fn of(&self, uri: &Uri) -> Option<&Arc<Proxy>> {
        let (proxy, port) = match uri.scheme_str() {
            Some("https") => (self.https.as_ref()?, 443),
            _ => (self.http.as_ref()?, 80),
        };
        let name = uri.host()?.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(port);
        let exempt = exempt::is_this_machine(&name) || self.exempt.iter().any(|exempt| exempt.covers(&name, port));
        (!exempt).then_some(proxy)
    }
}

/// Reads `[scheme://][user[:password]@]host[:port]`.
fn place(text: &str) -> Result<Place, &'static str> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: Uri = whole.parse().map_err(|_| EXPECTED)?;
    let scheme = match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) => scheme,
        Some(scheme) if scheme.starts_with("socks") => return Err("proxies that speak SOCKS cannot be used"),
        _ => return Err(EXPECTED),
    };
    // What stands behind the host is no credential, and would be shown: a password has `/`, `?` and `#` as `%XX`.
    let behind = whole.split_once("://").and_then(|(_, rest)| rest.find(['/', '?', '#']).map(|at| &rest[at..]));
    if behind.is_some_and(|behind| behind.contains('@')) {
        return Err(EXPECTED);
    }
    let authority = uri.authority().ok_or(EXPECTED)?;
    let (user, rest) =
        authority.as_str().rsplit_once('@').map_or((None, authority.as_str()), |(u, rest)| (Some(u), rest));
    let (host, port) = (authority.host(), rest.strip_prefix(authority.host()).ok_or(EXPECTED)?);
    if host.is_empty() || !(port.is_empty() || port[1..].parse().is_ok_and(|port: u16| port > 0)) {
        return Err(EXPECTED);
    }
    let authorization = user.map(|user| {
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let shown = [decoded(user)?, b":".to_vec(), decoded(password)?].concat();
        Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(shown)))
    });
    let authorization = authorization.map(|shown| shown.ok_or(EXPECTED)).transpose()?;
    Ok(Place { uri: format!("{scheme}://{rest}/").parse().map_err(|_| EXPECTED)?, authorization })
}

/// Each `%XX` as the byte that it stands for (RFC 3986, section 2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        decoded.push(match byte {
            b'%' => u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?,
            byte => byte,
        });
    }
    Some(decoded)
}

impl Place {
    /// Its address, without credentials.
    pub(super) fn shown(&self) -> String {
        self.uri.to_string().trim_end_matches('/').to_owned()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("uri", &self.uri).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Proxies::read(value)
    }

    /// Which variable counts for an address, and what is known of its proxy.
    fn chosen(variables: &[(&str, &str)], url: &str) -> Option<(&'static str, Result<String, &'static str>)> {
        let proxies = proxies(variables);
        let proxy = proxies.of(&url.parse().unwrap())?;
        Some((proxy.variable, proxy.place.as_ref().map(Place::shown).map_err(|why| *why)))
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let all = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2"), ("ALL_PROXY", "http://a:3")];
        let of =
            |variables: &[_], url: &str| chosen(variables, url).map(|(variable, place)| (variable, place.unwrap()));
        let is = |variable, place: &str| Some((variable, place.to_owned()));
        assert_eq!(of(&all, "https://r.example/"), is("HTTPS_PROXY", "http://s:1"));
        assert_eq!(of(&all, "http://r.example/"), is("HTTP_PROXY", "http://p:2"));
        assert_eq!(of(&all[..1], "http://r.example/"), None);
        assert_eq!(of(&all[1..2], "https://r.example/"), None);
        assert_eq!(of(&all[2..], "https://r.example/"), is("ALL_PROXY", "http://a:3"));
        assert_eq!(of(&[all[0], ("https_proxy", "l")], "https://r.example/"), is("https_proxy", "http://l"));
        assert_eq!(of(&[("https_proxy", " "), all[2]], "https://r.example/"), is("ALL_PROXY", "http://a:3"));
        // A CGI program's caller sets HTTP_PROXY.
        let cgi = [all[1], ("REQUEST_METHOD", "GET")];
        assert_eq!(of(&cgi, "http://r.example/"), None);
        assert_eq!(of(&[cgi[1], ("http_proxy", "l")], "http://r.example/"), is("http_proxy", "http://l"));
    }

    #[test]
    fn this_machine_and_what_is_exempt_is_reached_directly() {
        let through = |exempt: &str, host: &str| {
            chosen(&[("ALL_PROXY", "p.example:1"), ("NO_PROXY", exempt)], &format!("https://{host}/")).is_some()
        };
        for host in ["localhost:5000", "a.localhost", "127.0.0.1", "127.9.9.9:1", "[::1]:5000", "[::ffff:127.0.0.1]"] {
            assert!(!through("", host), "{host}");
        }
        assert!(through("", "localhost.example") && through("", "10.0.0.1") && through("", "[::2]"));
        assert!(!through("none.example, Registry.Example.", "registry.example:5000"));
    }

    #[test]
    fn credentials_are_taken_apart_and_never_shown() {
        let proxies = proxies(&[("ALL_PROXY", "https://us%65r:canary%3A%40@p.example:3128/x")]);
        let proxy = proxies.of(&"https://r.example/".parse().unwrap()).unwrap();
        let place = proxy.place.as_ref().unwrap();
        assert_eq!(place.shown(), "https://p.example:3128");
        assert_eq!(place.authorization.as_deref(), Some("Basic dXNlcjpjYW5hcnk6QA=="));
        let debug = format!("{proxies:?}");
        assert!(!debug.contains("canary") && !debug.contains("dXNl"), "{debug}");
    }

    #[test]
    fn what_is_no_proxy_is_named_by_its_variable_alone() {
        for wrong in [
            "http://",
            "http://p:99999",
            "http://p:0",
            "http://p:x",
            "ftp://p",
            "a b",
            "http://user:2024/abc@p:3128",
            "http://p:1/#u:w@h",
            "http://u:%zz@p",
            "http://u:%e@p",
            "://",
        ] {
            let chosen = chosen(&[("HTTPS_PROXY", wrong)], "https://r.example/");
            assert_eq!(chosen, Some(("HTTPS_PROXY", Err(EXPECTED))), "{wrong}");
        }
        let chosen = chosen(&[("ALL_PROXY", "socks5h://p:1080")], "https://r.example/").unwrap();
        assert!(chosen.1.unwrap_err().contains("SOCKS"));
    }
}

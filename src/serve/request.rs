//! The head of a request, as HTTP/1.1 has it (RFC 9112): bounded, without a body, GET or HEAD.

/// The most bytes that a request's head may have.
pub(super) const LARGEST: usize = 16 << 10;

/// The most fields that a request's head may have.
const FIELDS: usize = 64;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whether only the head of the answer is wanted.
    pub head_only: bool,
    /// The target as it was sent, for people.
    pub target: String,
    /// The path, decoded; never a file's.
    pub path: String,
    /// The query's names and values, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Which part is wanted, as `Range` says.
    pub range: Option<String>,
    /// Of which state the part is wanted, as `If-Range` says.
    pub if_range: Option<String>,
    /// Which states the client has, as `If-None-Match` says.
    pub if_none_match: Option<String>,
    /// Whether the connection ends with the answer.
    pub last: bool,
}

/// Why a request is not answered as asked; the connection ends, since where the next request would begin is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no request.
    #[error("this is not an HTTP request: {0}")]
    Malformed(&'static str),
    /// It has more bytes or fields than it may.
    #[error("the request's head has more than 16384 bytes or 64 fields")]
    TooLarge,
    /// Another version of HTTP.
    #[error("this server speaks HTTP/1.1")]
    Version,
    /// Another method than GET and HEAD.
    #[error("this registry is read-only: it answers GET and HEAD")]
    Method,
    /// It comes with a body, which no request here has.
    #[error("a request to a read-only registry has no body")]
    Body,
    /// It did not come in within its time.
    #[error("the request took too long to come in")]
    Late,
}

impl Request {
    /// Parses the beginning of what a client sent: the request and how many bytes its head has; `None` if it is not whole yet.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Refusal> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut head = httparse::Request::new(&mut fields);
        let length = match head.parse(bytes.get(..LARGEST).unwrap_or(bytes)) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < LARGEST => return Ok(None),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
            Err(httparse::Error::Version) => return Err(Refusal::Version),
            Err(_) => return Err(Refusal::Malformed("its head cannot be read")),
        };
        let (Some(method), Some(target), Some(version)) = (head.method, head.path, head.version) else {
            return Err(Refusal::Malformed("its first line is not whole"));
        };
        let head_only = match method {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Refusal::Method),
        };
        let one = |name: &str| one_field(head.headers, name);
        // RFC 9112, section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that
        // lacks a Host header field and to any request message that contains more than one".
        if one("host")?.is_none() && version == 1 {
            return Err(Refusal::Malformed("it has no `Host`"));
        }
        // A body that was not read would be taken for the next request.
        let length_said = one("content-length")?;
        if one("transfer-encoding")?.is_some() || length_said.is_some_and(|said| said.trim() != "0") {
            return Err(Refusal::Body);
        }
        let (path, query) = split(target)?;
        let options: Vec<&[u8]> =
            head.headers.iter().filter(|f| f.name.eq_ignore_ascii_case("connection")).map(|f| f.value).collect();
        let said = |word: &[u8]| {
            let mut words = options.iter().flat_map(|value| value.split(|byte| *byte == b','));
            words.any(|found| found.trim_ascii().eq_ignore_ascii_case(word))
        };
        let last = if version == 1 { said(b"close") } else { !said(b"keep-alive") };
        let request = Self {
            head_only,
            target: target.to_owned(),
            path,
            query,
            range: one("range")?,
            if_range: one("if-range")?,
            if_none_match: one("if-none-match")?,
            last,
        };
        Ok(Some((request, length)))
    }

    /// What is asked, for people, without anything that a terminal would obey.
    #[must_use]
    pub fn shown(&self) -> String {
        let method = if self.head_only { "HEAD" } else { "GET" };
        let target: String = self.target.chars().take(300).collect();
        format!("{method} {}", target.escape_default())
    }

    /// The first value of a name in the query.
    #[must_use]
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The only field of a name; several are refused, since which of them counts would be a guess.
fn one_field(fields: &[httparse::Header<'_>], name: &str) -> Result<Option<String>, Refusal> {
    let mut found = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let first = found.next();
    if found.next().is_some() {
        return Err(Refusal::Malformed("a field stands there twice"));
    }
    let text = first.map(|field| std::str::from_utf8(field.value).map(str::to_owned)).transpose();
    text.map_err(|_| Refusal::Malformed("a field is not text"))
}

/// Splits a target into its decoded path and query (RFC 9112, section 3.2: origin-form, and absolute-form, which servers must take).
fn split(target: &str) -> Result<(String, Vec<(String, String)>), Refusal> {
    let no = Refusal::Malformed("its target is no path");
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let target = match scheme {
        Some(scheme) => target[scheme.len()..].find('/').map_or("/", |slash| &target[scheme.len() + slash..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') {
        return Err(no);
    }
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decode(name).ok_or(no)?, decode(&value.replace('+', " ")).ok_or(no)?));
    }
    Ok((decode(path).ok_or(no)?, pairs))
}

/// Decodes `%2F` and its like, once; `None` for what is cut, not UTF-8, or a control character.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(left.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<(Request, usize)>, Refusal> {
        Request::parse(text.as_bytes())
    }

    #[test]
    fn a_request_is_read_to_its_end_and_no_further() {
        let text =
            "GET /v2/a%2Fb/tags/list?n=2&last=x%20y&artifactType=a%2Bb HTTP/1.1\r\nhost: a\r\nRANGE: bytes=0-1\r\n\r\n";
        let (request, length) = parse(&format!("{text}GET /next")).unwrap().unwrap();
        assert_eq!(length, text.len());
        assert_eq!((request.path.as_str(), request.head_only, request.last), ("/v2/a/b/tags/list", false, false));
        assert_eq!((request.asked("n"), request.asked("last"), request.asked("m")), (Some("2"), Some("x y"), None));
        assert_eq!(request.asked("artifactType"), Some("a+b"));
        assert_eq!(request.range.as_deref(), Some("bytes=0-1"));
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]), Ok(None), "{cut}");
        }
    }

    #[test]
    fn connections_are_kept_as_the_version_says() {
        let last = |version: &str, options: &str| {
            parse(&format!("HEAD / HTTP/1.{version}\r\nHost: a\r\n{options}\r\n")).unwrap().unwrap().0.last
        };
        assert!(!last("1", ""));
        assert!(last("1", "Connection: Foo, Close\r\n"));
        assert!(last("1", "Connection: foo\r\nConnection: close\r\n"));
        assert!(last("0", ""));
        assert!(!last("0", "Connection: keep-alive\r\n"));
    }

    #[test]
    fn what_could_be_understood_in_two_ways_is_refused() {
        let get = |fields: &str| parse(&format!("GET /v2/ HTTP/1.1\r\n{fields}\r\n"));
        assert!(get("Host: a\r\nContent-Length: 0\r\n").is_ok());
        for (fields, refusal) in [
            ("Host: a\r\nContent-Length: 5\r\n", Refusal::Body),
            ("Host: a\r\nTransfer-Encoding: chunked\r\n", Refusal::Body),
            ("Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n", Refusal::Malformed("a field stands there twice")),
            ("Host: a\r\nHost: b\r\n", Refusal::Malformed("a field stands there twice")),
            ("", Refusal::Malformed("it has no `Host`")),
        ] {
            assert_eq!(get(fields), Err(refusal), "{fields}");
        }
        assert_eq!(parse("POST /v2/ HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Refusal::Method));
        assert_eq!(parse("GET /v2/ HTTP/2.0\r\n\r\n"), Err(Refusal::Version));
        for target in ["*", "v2/", "/v2/%", "/v2/%4", "/v2/%zz", "/v2/%00", "/v2/%ff", "/v2/?a=%0a", "http:/a"] {
            let refused = parse(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(refused, Err(Refusal::Malformed("its target is no path")), "{target}");
        }
        assert_eq!(parse("GET HTTP://a:1/v2/?n=1 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().unwrap().0.path, "/v2/");
    }

    #[test]
    fn a_head_has_bounds() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n", "a".repeat(LARGEST));
        assert_eq!(parse(&long), Err(Refusal::TooLarge));
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(FIELDS));
        assert_eq!(parse(&many), Err(Refusal::TooLarge));
    }
}

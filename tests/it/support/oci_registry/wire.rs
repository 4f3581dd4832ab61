//! HTTP as far as a registry needs it.

use super::{Fault, Shared, access, blobs, manifests};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;

/// A request that came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// The names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// How many bytes it brings.
    pub(crate) size: usize,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.path.split_once('?')?.1;
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(unescaped(value))
    }
}

/// What was brought, as far as it came.
pub(super) struct Brought {
    pub(super) bytes: Vec<u8>,
    pub(super) whole: bool,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Arc<Vec<u8>>,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Arc::default() }
    }

    /// An error in the specification's form.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
        Self::new(status).with("Content-Type", &"application/json").body(body.to_string().into_bytes())
    }

    pub(super) fn with(mut self, name: &'static str, value: &dyn std::fmt::Display) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Arc<Vec<u8>>>) -> Self {
        self.body = body.into();
        self
    }
}

/// Answers what comes over a connection until it ends.
pub(super) fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    while let Some(mut seen) = read_head(&mut reader) {
        let fault = (shared.plan.lock().unwrap())(&seen);
        shared.state().seen.push(seen.clone());
        match fault {
            Some(Fault::NoRange) => seen.headers.retain(|(name, _)| name != "range"),
            Some(Fault::OtherRange) => {
                seen.headers.retain(|(name, _)| name != "range");
                seen.headers.push(("range".to_owned(), "bytes=5-".to_owned()));
            }
            Some(Fault::Means(digest)) => {
                let (directory, _) = seen.path.rsplit_once('/').unwrap();
                seen.path = format!("{directory}/{digest}");
            }
            _ => {}
        }
        if one(stream, &mut reader, shared, &seen, fault.as_ref()).is_none() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Answers a request; `None`: the connection ends.
fn one(stream: &TcpStream, reader: &mut impl Read, shared: &Shared, seen: &Seen, fault: Option<&Fault>) -> Option<()> {
    match fault {
        Some(Fault::Reset) => return None,
        Some(Fault::Expire) => shared.state().tokens.clear(),
        Some(Fault::Forget) => shared.state().uploads.clear(),
        _ => {}
    }
    let most = if let Some(Fault::CutIn(most)) = fault { seen.size.min(*most) } else { seen.size };
    let mut bytes = Vec::new();
    reader.take(most as u64).read_to_end(&mut bytes).ok()?;
    let brought = Brought { whole: bytes.len() == seen.size && !matches!(fault, Some(Fault::CutIn(_))), bytes };
    let reply = match fault {
        Some(Fault::Status(status, pause)) => {
            let reply = Reply::error(*status, "UNKNOWN", "told so");
            pause.map_or(Reply::error(*status, "UNKNOWN", "told so"), |pause| reply.with("Retry-After", &pause))
        }
        Some(Fault::Page(status)) => {
            Reply::new(*status).with("Content-Type", &"text/html; charset=utf-8").body(b"<html>Welcome</html>".to_vec())
        }
        Some(Fault::Words) => Reply::new(200).with("Content-Type", &"text/plain").body(b"Welcome".to_vec()),
        Some(Fault::Code(status, code)) => Reply::error(*status, code, "told so"),
        _ => route(shared, seen, &brought),
    };
    if !brought.whole || matches!(fault, Some(Fault::Lost)) {
        return None;
    }
    send(stream, seen, reply, fault)
}

fn route(shared: &Shared, seen: &Seen, brought: &Brought) -> Reply {
    let path = seen.path.split('?').next().unwrap_or_default();
    if path == "/token" {
        return access::token(shared, seen, brought);
    }
    if let Some(refusal) = access::refusal(shared, seen) {
        return refusal;
    }
    if path == "/v2/" {
        return Reply::new(200);
    }
    let rest = path.strip_prefix("/v2/").unwrap_or_default();
    if let Some((name, id)) = rest.split_once("/blobs/uploads/") {
        blobs::upload(shared, seen, brought, name, id)
    } else if let Some((name, digest)) = rest.split_once("/blobs/") {
        blobs::blob(shared, seen, name, digest)
    } else if let Some((name, which)) = rest.split_once("/manifests/") {
        manifests::manifest(shared, seen, brought, name, which)
    } else if let Some(name) = rest.strip_suffix("/tags/list") {
        manifests::tags(shared, seen, name)
    } else if let Some((name, subject)) = rest.split_once("/referrers/").filter(|_| !shared.options.old) {
        manifests::referrers(shared, seen, name, subject)
    } else {
        Reply::new(404).body(b"404 page not found\n".to_vec())
    }
}

fn send(mut stream: &TcpStream, seen: &Seen, mut reply: Reply, fault: Option<&Fault>) -> Option<()> {
    let mut length = reply.body.len();
    match fault {
        Some(Fault::Flip) if !reply.body.is_empty() => {
            let mut body = reply.body.to_vec();
            let middle = body.len() / 2;
            body[middle] ^= 1;
            reply.body = body.into();
        }
        Some(Fault::OtherDigest) => {
            reply.headers.retain(|(name, _)| *name != "Docker-Content-Digest");
            reply = reply.with("Docker-Content-Digest", &format!("sha256:{}", "0".repeat(64)));
        }
        Some(Fault::Longer) => length += 7,
        _ => {}
    }
    let mut head = format!("HTTP/1.1 {} Said\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    // An answer without content has no length (RFC 9110, section 8.6).
    if reply.status != 204 {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    if seen.method == "HEAD" {
        return Some(());
    }
    match fault {
        Some(Fault::CutOut(most)) => {
            let _ = stream.write_all(&reply.body[..reply.body.len().min(*most)]);
            None
        }
        Some(Fault::Slow(pause)) => {
            for piece in reply.body.chunks(reply.body.len() / 3 + 1) {
                thread::sleep(*pause);
                stream.write_all(piece).ok()?;
            }
            Some(())
        }
        _ => {
            stream.write_all(&reply.body).ok()?;
            (length == reply.body.len()).then_some(())
        }
    }
}

/// Reads a request's head; `None`: there is no other.
pub(in crate::support) fn read_head(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let mut seen = Seen { method: words.next()?.to_owned(), path: words.next()?.to_owned(), ..Seen::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        seen.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    seen.size = seen.header("content-length").map_or(0, |size| size.parse().unwrap());
    Some(seen)
}

/// A part of an address or a form as it is meant.
pub(in crate::support) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

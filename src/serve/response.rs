//! What is answered: a status, fields, and bytes from memory or from a file; failures as the distribution-spec has them ("Error Codes").

use std::fs::File;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    fields: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

/// The bytes of an answer.
#[derive(Debug)]
pub(super) enum Body {
    /// None, and nothing is said of their number: there is nothing new.
    None,
    /// In memory.
    Bytes(Vec<u8>),
    /// A part of a file that is open at the part's beginning.
    File(File, u64),
}

/// The failures that the distribution-spec gives a code, and the one that it leaves to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    Unsupported,
    Unknown,
}

impl Code {
    fn text(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::Unsupported => "UNSUPPORTED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// How many bytes are handed to the kernel at once; in between, the time is looked at.
const PIECE: u64 = 1 << 20;

/// A client that takes fewer bytes a second than this, over a minute of grace, is left.
const SLOWEST: u64 = 8 << 10;

/// How long any client may take.
const GRACE: Duration = Duration::from_secs(60);

impl Response {
    pub(super) fn new(status: u16, body: Body) -> Self {
        Self { status, fields: Vec::new(), body }
    }

    /// A JSON document.
    pub(super) fn json(value: &serde_json::Value) -> Self {
        Self::new(200, Body::Bytes(value.to_string().into_bytes())).field("Content-Type", "application/json")
    }

    /// A failure.
    pub(super) fn failure(status: u16, code: Code, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code.text(), "message": message }] });
        Self { status, ..Self::json(&body) }
    }

    /// Adds a field; the value has no line breaks, since it is made of what was parsed.
    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// How many bytes the body has.
    pub(super) fn length(&self) -> u64 {
        match &self.body {
            Body::None => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// Sends it; how many bytes of the body were sent. A failure leaves the client with less than was announced, so that it knows.
    pub(super) fn send(&self, mut stream: &TcpStream, head_only: bool, last: bool) -> io::Result<u64> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        head.push_str("Docker-Distribution-Api-Version: registry/2.0\r\nX-Content-Type-Options: nosniff\r\n");
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !matches!(self.body, Body::None) {
            head.push_str(&format!("Content-Length: {}\r\n", self.length()));
        }
        head.push_str(if last { "Connection: close\r\n\r\n" } else { "\r\n" });
        let mut bytes = head.into_bytes();
        match &self.body {
            Body::Bytes(body) if !head_only => {
                bytes.extend_from_slice(body);
                stream.write_all(&bytes)?;
                Ok(body.len() as u64)
            }
            Body::File(file, length) if !head_only => {
                stream.write_all(&bytes)?;
                pour(file, stream, *length)
            }
            _ => stream.write_all(&bytes).map(|()| 0),
        }
    }
}

/// Sends so many bytes of a file without holding them: on Linux `io::copy` lets the kernel do it.
fn pour(file: &File, mut stream: &TcpStream, length: u64) -> io::Result<u64> {
    let until = Instant::now() + GRACE + Duration::from_secs(length / SLOWEST);
    let mut left = length;
    while left > 0 {
        let piece = left.min(PIECE);
        let sent = io::copy(&mut io::Read::take(file, piece), &mut stream)?;
        left -= sent;
        if sent < piece {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(length)
}

/// What a status means (RFC 9110, section 15).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

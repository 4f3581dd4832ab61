//! A small HTTP server on loopback for files in memory, with faults.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A server; it stops when the test's process ends.
pub(crate) struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

/// What can go wrong with one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An answer of that status, with `Retry-After` if given.
    Status(u16, Option<u32>),
    /// The connection breaks after that many bytes of the body.
    Cut(usize),
    /// The whole file, although a range was asked for.
    IgnoreRange,
    /// A pause before the answer.
    Slow(Duration),
    /// A redirection.
    Redirect(String),
    /// Other bytes of the same length.
    Garbage,
    /// The body without its length, to the end of the connection.
    NoLength,
    /// The connection is reset before the answer.
    Reset,
    /// No answer, until the client goes.
    Silent,
    /// Nothing more behind that many bytes of the body, until the client goes.
    Stall(usize),
    /// A byte at a time, with a pause before each.
    Drip(Duration),
    /// A length that is not the body's.
    Length(usize),
    /// Another range than was asked for.
    OtherRange,
    /// Header lines without an end.
    Headers,
    /// No HTTP at all.
    Nonsense,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    requests: Vec<Seen>,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its path, without the slash in front.
    pub(crate) path: String,
    /// The range that it asked for.
    pub(crate) range: Option<String>,
    /// The credentials that it brought.
    pub(crate) authorization: Option<String>,
}

impl Server {
    /// Serves files by their paths.
    pub(crate) fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State { files, ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    /// The base address.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Makes the next request for a path go wrong; several faults come one after the other.
    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().faults.entry(path.to_owned()).or_default().push_back(fault);
    }

    /// Changes the files.
    pub(crate) fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        change(&mut self.state.lock().unwrap().files);
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        if reader.buffer().is_empty() && reset(stream, state) {
            return;
        }
        let Some(seen) = read_request(&mut reader) else { return };
        let (file, fault) = {
            let mut state = state.lock().unwrap();
            state.requests.push(seen.clone());
            let fault = state.faults.get_mut(&seen.path).and_then(VecDeque::pop_front);
            (state.files.get(&seen.path).cloned(), fault)
        };
        if answer(stream, &seen, file, fault.as_ref()).is_none() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

/// Whether the next request is to meet a reset: it is left unread, so that closing the connection sends one.
fn reset(stream: &TcpStream, state: &Mutex<State>) -> bool {
    let mut buffer = [0; 1024];
    let Ok(count) = stream.peek(&mut buffer) else { return true };
    let line = String::from_utf8_lossy(&buffer[..count]);
    let path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let mut state = state.lock().unwrap();
    let faults = state.faults.entry(path).or_default();
    matches!(faults.front(), Some(Fault::Reset)) && faults.pop_front().is_some()
}

fn read_request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.trim_start_matches('/').replace("%25", "%");
    let (mut range, mut authorization) = (None, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => range = Some(value.to_owned()),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(Seen { path, range, authorization })
}

/// Answers; `None` if the connection has to end.
fn answer(mut stream: &TcpStream, seen: &Seen, file: Option<Vec<u8>>, fault: Option<&Fault>) -> Option<()> {
    match fault {
        Some(Fault::Status(status, retry)) => {
            let retry = retry.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            return write!(stream, "HTTP/1.1 {status} No\r\n{retry}Content-Length: 0\r\n\r\n").ok();
        }
        Some(Fault::Redirect(to)) => {
            return write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").ok();
        }
        Some(Fault::Slow(time)) => thread::sleep(*time),
        Some(Fault::Silent) => return wait(stream),
        Some(Fault::Nonsense) => return stream.write_all(b"220 mail.test ESMTP\r\n").ok().and(None),
        Some(Fault::Headers) => {
            write!(stream, "HTTP/1.1 200 OK\r\n").ok()?;
            while stream.write_all(&b"X-More: and more\r\n".repeat(1000)).is_ok() {}
            return None;
        }
        _ => {}
    }
    let Some(mut file) = file else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok();
    };
    if matches!(fault, Some(Fault::Garbage)) {
        for byte in &mut file {
            *byte ^= 1;
        }
    }
    let start = seen.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start: usize = match fault {
        Some(Fault::IgnoreRange) => 0,
        Some(Fault::OtherRange) => start.unwrap_or(0) + 1,
        _ => start.unwrap_or(0),
    };
    if start > 0 && start >= file.len() {
        return write!(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let (status, body) = (if start > 0 { "206 Partial Content" } else { "200 OK" }, &file[start..]);
    let range = format!("Content-Range: bytes {start}-{}/{}\r\n", file.len().saturating_sub(1), file.len());
    let length = match fault {
        Some(Fault::NoLength) => "Connection: close\r\n".to_owned(),
        Some(Fault::Length(length)) => format!("Content-Length: {length}\r\n"),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{}{length}\r\n", if start > 0 { &range } else { "" }).ok()?;
    match fault {
        Some(Fault::Cut(bytes)) => {
            let _ = stream.write_all(&body[..body.len().min(*bytes)]);
            return None;
        }
        Some(Fault::Stall(bytes)) => {
            stream.write_all(&body[..body.len().min(*bytes)]).ok()?;
            return wait(stream);
        }
        Some(Fault::Drip(pause)) => {
            for byte in body {
                thread::sleep(*pause);
                stream.write_all(std::slice::from_ref(byte)).ok()?;
            }
        }
        _ => stream.write_all(body).ok()?,
    }
    (!matches!(fault, Some(Fault::NoLength | Fault::Length(_)))).then_some(())
}

/// Waits until the client goes.
fn wait(mut stream: &TcpStream) -> Option<()> {
    let _ = stream.read(&mut [0; 64]);
    None
}

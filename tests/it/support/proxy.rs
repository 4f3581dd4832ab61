//! A proxy on the loopback that leads to one server, whatever it is asked for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy; it stops when the test's process ends.
pub(crate) struct Proxy {
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy to this server.
    pub(crate) fn to(server: &str) -> Self {
        Self::start(Some(server.to_owned()), "200 Connection established")
    }

    /// One that answers so to whatever it is asked.
    pub(crate) fn answering(status: &'static str) -> Self {
        Self::start(None, status)
    }

    fn start(server: Option<String>, status: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (server, seen) = (server.clone(), Arc::clone(&seen));
                // A connection that breaks is the client's to notice.
                thread::spawn(move || serve(client.unwrap(), server.as_deref(), status, &seen).ok());
            }
        });
        Self { address, heads }
    }

    /// The requests that it saw, without their bodies.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, to: Option<&str>, status: &str, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let first = head(&mut client)?;
    seen.lock().unwrap().push(first.clone());
    let tunnel = first.starts_with("CONNECT ");
    if tunnel || to.is_none() {
        // In pieces, as it may come.
        write!(client, "HTTP/1.1 {status}\r\nVia: test\r\n\r\n")?;
    }
    let Some(to) = to else { return Ok(()) };
    let mut server = TcpStream::connect(to)?;
    let (mut back, mut out) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut out);
        out.shutdown(Shutdown::Both)
    });
    if tunnel {
        std::io::copy(&mut client, &mut server)?;
        return server.shutdown(Shutdown::Both);
    }
    let mut next = first;
    loop {
        let (method, rest) = next.split_once(" http://").expect("a proxy is asked for whole addresses");
        let (_, path) = rest.split_once('/').unwrap();
        let own = |line: &&str| !line.starts_with("Proxy-Authorization:");
        let lines: Vec<&str> = path.split("\r\n").filter(own).collect();
        write!(server, "{method} /{}", lines.join("\r\n"))?;
        let length = next
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        std::io::copy(&mut Read::by_ref(&mut client).take(length.unwrap_or(0)), &mut server)?;
        next = head(&mut client)?;
        seen.lock().unwrap().push(next.clone());
    }
}

/// A request's head, and nothing of what follows.
fn head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).unwrap())
}

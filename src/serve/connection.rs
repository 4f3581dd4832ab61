//! One connection: requests one after the other, each within its bounds.

use super::Limits;
use super::answer::{Site, refused};
use super::request::{LARGEST, Refusal, Request};
use super::response::Response;
use super::seats::Seat;
use crate::event::Event;
use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What came in.
enum Came {
    Request(Box<Request>),
    Refused(Refusal),
    /// The client is done, or gone.
    Nothing,
}

/// Answers the requests of a connection until one side has had enough.
pub(super) fn serve(stream: &TcpStream, client: SocketAddr, site: &Site, limits: Limits, seat: &Seat) {
    // Without these a slow client would hold its seat for ever, so without these it gets none.
    let prepared = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(limits.stall)));
    if prepared.is_err() {
        return;
    }
    // What was sent and not yet read: the beginning of the next request.
    let mut rest = Vec::new();
    loop {
        let begun = Instant::now();
        match next(stream, &mut rest, limits) {
            Came::Request(request) => {
                let begun = Instant::now();
                let response = site.answer(&request);
                let last = request.last || seat.crowded();
                let sent = response.send(stream, request.head_only, last);
                told(site, client, request.shown(), &response, &sent, begun);
                if sent.is_err() {
                    return;
                }
                if last {
                    return part(stream);
                }
            }
            Came::Refused(refusal) => {
                let response = refused(refusal);
                let sent = response.send(stream, false, true);
                told(site, client, refusal.to_string(), &response, &sent, begun);
                return part(stream);
            }
            Came::Nothing => return,
        }
    }
}

fn told(site: &Site, client: SocketAddr, request: String, response: &Response, sent: &io::Result<u64>, begun: Instant) {
    let status = response.status;
    let bytes = sent.as_ref().ok().copied();
    site.events().send(Event::Answered { client: client.to_string(), request, status, bytes, took: begun.elapsed() });
}

/// Waits for the next request.
fn next(mut stream: &TcpStream, rest: &mut Vec<u8>, limits: Limits) -> Came {
    let mut until = Instant::now() + if rest.is_empty() { limits.idle } else { limits.request };
    let mut buffer = [0; 4096];
    loop {
        match Request::parse(rest) {
            Ok(Some((request, length))) => {
                rest.drain(..length);
                return Came::Request(Box::new(request));
            }
            Err(refusal) => return Came::Refused(refusal),
            Ok(None) => {}
        }
        let late = if rest.is_empty() { Came::Nothing } else { Came::Refused(Refusal::Late) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return late;
        }
        let room = buffer.len().min(LARGEST.saturating_sub(rest.len()).max(1));
        match stream.read(&mut buffer[..room]) {
            Ok(0) => return Came::Nothing,
            Ok(read) => {
                if rest.is_empty() {
                    until = Instant::now() + limits.request;
                }
                rest.extend_from_slice(&buffer[..read]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return late,
            Err(_) => return Came::Nothing,
        }
    }
}

/// How many bytes of what a refused client still sends are thrown away, and for how long.
const DRAIN: (usize, Duration) = (256 << 10, Duration::from_millis(500));

/// Ends a connection so that the client can read the last answer: one that is closed with bytes unread is reset, and the answer is lost
/// (RFC 9112, section 9.6).
fn part(mut stream: &TcpStream) {
    if stream.shutdown(Shutdown::Write).is_err() || stream.set_read_timeout(Some(DRAIN.1)).is_err() {
        return;
    }
    let until = Instant::now() + DRAIN.1;
    let (mut buffer, mut left) = ([0; 4096], DRAIN.0);
    while left > 0 && Instant::now() < until {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

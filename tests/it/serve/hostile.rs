//! Clients that mean no good, or cannot do better: what they send, how slowly, and how many they are.

use super::{Answer, Served};
use crate::support::handmade::{self, native};
use crate::support::random::random;
use remint::image::Encoding;
use remint::serve::Limits;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Limits that a test can wait for.
fn short() -> Limits {
    let time = Duration::from_millis(300);
    Limits { connections: 8, request: time, idle: time, stall: time }
}

fn served(limits: Limits) -> (tempfile::TempDir, Served) {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    handmade::image(&store, "web", Encoding::Gzip, &[native()]);
    let served = Served::start(store.dir(), &[], limits);
    (dir, served)
}

#[track_caller]
fn alive(served: &Served) {
    assert_eq!(served.get("/v2/web/manifests/latest").status, 200);
}

#[test]
fn what_is_no_request_is_refused_and_nothing_else_suffers() {
    let (_dir, served) = served(Limits::default());
    let host = "Host: x\r\n";
    let long = "a".repeat(20_000);
    for (bytes, status) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned(), 400),
        ("hello\r\n\r\n".to_owned(), 400),
        ("GET\r\n\r\n".to_owned(), 400),
        ("GET /v2/ HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /v2/ HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n".to_owned(), 400),
        ("GET /v2/ HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(), 400),
        (format!("GET /v2/ HTTP/1.1\r\n{host}a\0b: c\r\n\r\n"), 400),
        (format!("GET /v2/ HTTP/9.9\r\n{host}\r\n"), 505),
        (format!("GET /{long} HTTP/1.1\r\n{host}\r\n"), 431),
        (format!("GET /v2/ HTTP/1.1\r\n{host}A: {long}\r\n\r\n"), 431),
        (format!("GET /v2/ HTTP/1.1\r\n{host}{}\r\n", "A: b\r\n".repeat(100)), 431),
        (format!("POST /v2/web/blobs/uploads/ HTTP/1.1\r\n{host}Content-Length: 999999\r\n\r\n{long}"), 405),
        (format!("GET /v2/ HTTP/1.1\r\n{host}Content-Length: 4\r\n\r\nGET "), 413),
        (format!("GET /v2/ HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 413),
    ] {
        let answer = Answer::of(&served.send(bytes.as_bytes()));
        answer.fails(status, "UNSUPPORTED");
        assert_eq!(answer.field("connection"), Some("close"));
    }
    alive(&served);
}

#[test]
fn no_path_leads_to_a_file() {
    let (dir, served) = served(Limits::default());
    std::fs::write(dir.path().join("secret"), "secret").unwrap();
    for path in [
        "/../secret",
        "/v2/../../secret",
        "/v2/web/blobs/../../../../secret",
        "/v2/web/blobs/..%2f..%2f..%2f..%2fsecret",
        "/v2/web/blobs/%2e%2e/%2e%2e/index.json",
        "/v2/web/manifests/..%2f..%2findex.json",
        "/v2/%2e%2e/manifests/latest",
        "/v2/web%2f..%2fweb/manifests/latest",
        "/v2/web/../web/manifests/latest",
        "/v2//web/manifests/latest",
        "/v2/web/manifests//latest",
        "/v2/web/manifests/latest/",
        "/v2/WEB/manifests/latest",
        "/v2/web/blobs/sha256:../../../index.json",
        "/v2/web/blobs/sha512:aa",
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{path}");
    }
    // What is encoded without need means the same.
    assert_eq!(served.get("/v2/%77eb/manifests/latest").status, 200);
    assert_eq!(served.get("http://other/v2/web/manifests/latest?ns=x").status, 200);
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let (_dir, served) = served(Limits::default());
    let ask = |method: &str, path: &str, more: &str| format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let row = [
        ask("HEAD", "/v2/web/manifests/latest", ""),
        ask("GET", "/v2/none/tags/list", ""),
        ask("GET", "/v2/_catalog", "Connection: close\r\n"),
        ask("GET", "/v2/web/tags/list", ""),
    ];
    let said = String::from_utf8(served.send(row.concat().as_bytes())).unwrap();
    let statuses: Vec<&str> = said.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200"], "the last comes after the end: {said}");
    assert!(said.ends_with("{\"repositories\":[\"web\"]}"), "{said}");
}

#[test]
fn slow_clients_lose_their_seats() {
    let (_dir, served) = served(short());
    // As many as there are seats: some say nothing, some drip, some read nothing.
    let begun = Instant::now();
    let clients: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    for (at, mut client) in clients.iter().enumerate() {
        if at % 2 == 0 {
            client.write_all(b"GET /v2/ HT").unwrap();
        }
    }
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| {
            let mut client = &clients[0];
            while client.write_all(b"T").is_ok() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        alive(&served);
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        dripping.join().unwrap();
    });
    let mut said = Vec::new();
    let mut late = &clients[2];
    late.read_to_end(&mut said).unwrap();
    Answer::of(&said).fails(408, "UNSUPPORTED");
    said.clear();
    let mut silent = &clients[1];
    silent.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"", "who asked nothing is told nothing");
}

#[test]
fn who_reads_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    // More than the buffers of both sides hold.
    let layer = store.put(&vec![7; 32 << 20]).unwrap();
    let manifest = store.put(serde_json::json!({"layers": [layer]}).to_string().as_bytes()).unwrap();
    let entry = remint::store::IndexEntry::new("big", remint::oci::media::MANIFEST, manifest);
    store.set_images(&[entry]).unwrap();
    let served = Served::start(store.dir(), &[], Limits { connections: 1, ..short() });
    let mut client = TcpStream::connect(served.address).unwrap();
    write!(client, "GET /v2/big/blobs/{} HTTP/1.1\r\nHost: x\r\n\r\n", layer.digest).unwrap();
    let begun = Instant::now();
    assert_eq!(served.get("/v2/_catalog").status, 200, "the only seat is free again");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let mut got = Vec::new();
    let _ = client.read_to_end(&mut got);
    assert!(got.len() < 32 << 20, "the client sees that it is not whole");
}

#[test]
fn more_clients_than_seats_are_all_answered() {
    let (_dir, served) = served(Limits { connections: 4, ..Limits::default() });
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| alive(&served));
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn noise_breaks_nothing() {
    let (_dir, served) = served(short());
    let words =
        ["GET ", "HEAD ", "/v2/", "web", "/blobs/", "sha256:", " HTTP/1.1", "\r\n", "Host: x", "%2e", "\0", "\u{ff}"];
    let mut state = 7;
    for _ in 0..200 {
        let length = random(&mut state, 12);
        let bytes: String = (0..length).map(|_| words[random(&mut state, words.len())]).collect();
        served.send(bytes.as_bytes());
    }
    alive(&served);
    assert!(served.warnings().is_empty(), "{:?}", served.warnings());
}

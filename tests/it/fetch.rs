//! Downloads from a server that does what servers do.

mod faults;

use crate::support::file_server::{Fault, Server};
use crate::support::proxy::Proxy;
use crate::support::server::free_port;
use remint::digest::Digest;
use remint::event::Events;
use remint::source::fetch::{Expected, Fetcher, Proxies, Request, Url};
use std::collections::BTreeMap;

fn fetcher() -> Fetcher {
    Fetcher::new(Events::none(), |_| ())
}

fn request(urls: &[String], file: &[u8]) -> Request {
    let urls = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
    Request { name: "a file".to_owned(), urls, expected: Expected::exactly(Digest::of(file), file.len() as u64) }
}

#[test]
fn downloads_survive_what_servers_do() {
    let file: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    let server = Server::start(BTreeMap::from([("file".to_owned(), file.clone())]));
    let url = [format!("{}/file", server.base())];
    let faults: [&[Fault]; 9] = [
        &[],
        &[Fault::Status(503, None), Fault::Status(500, None), Fault::Status(429, Some(7))],
        &[Fault::Cut(1000), Fault::Cut(0), Fault::Cut(300_000)],
        &[Fault::Cut(1000), Fault::IgnoreRange],
        &[Fault::Cut(1000), Fault::Garbage],
        &[Fault::Redirect("/file".to_owned())],
        &[Fault::Slow(std::time::Duration::from_millis(50))],
        &[Fault::NoLength],
        &[Fault::Cut(5), Fault::Cut(5), Fault::Cut(5), Fault::Cut(5), Fault::Cut(5), Fault::Cut(5), Fault::Cut(5)],
    ];
    for faults in faults {
        for fault in faults {
            server.fault("file", fault.clone());
        }
        let (bytes, fetched) =
            fetcher().to_memory(&request(&url, &file)).unwrap_or_else(|error| panic!("{faults:?}: {error}"));
        assert!(bytes == file && fetched.digest == Digest::of(&file), "{faults:?}");
    }
    let ranges: Vec<_> = server.requests().into_iter().filter_map(|seen| seen.range).collect();
    assert!(ranges.contains(&"bytes=1000-".to_owned()) && ranges.contains(&"bytes=301000-".to_owned()), "{ranges:?}");
}

#[test]
fn downloads_end_where_nothing_helps() {
    let file = b"the file".to_vec();
    let server = Server::start(BTreeMap::from([("file".to_owned(), file.clone())]));
    let url = format!("{}/file", server.base());
    let failing = |faults: &[Fault]| {
        for fault in faults {
            server.fault("file", fault.clone());
        }
        fetcher().to_memory(&request(std::slice::from_ref(&url), &file)).unwrap_err()
    };
    let text = failing(&vec![Fault::Status(503, None); 4]).to_string();
    assert!(text.contains("`a file`") && text.contains(&url) && text.contains("503"), "{text}");
    assert!(failing(&[Fault::Status(403, None)]).to_string().contains("403"));
    let text = failing(&[Fault::Garbage]).to_string();
    assert!(text.contains("expected sha256:") && text.contains("found sha256:"), "{text}");
    let text = failing(&vec![Fault::Redirect("/file".to_owned()); 10]).to_string();
    assert!(text.contains("redirect"), "{text}");
    // Those that were not used up.
    while fetcher().to_memory(&request(std::slice::from_ref(&url), &file)).is_err() {}
    // Too big, with and without a known size; absent.
    let mut small = request(std::slice::from_ref(&url), &file);
    small.expected = Expected::at_most(3);
    assert!(fetcher().to_memory(&small).unwrap_err().to_string().contains("expected 3 bytes"));
    let absent =
        fetcher().to_memory(&request(&[format!("{}/none", server.base()), "/nonexistent/x".to_owned()], &file));
    let absent = absent.unwrap_err();
    assert!(absent.is_absent() && absent.hint().contains("no longer"), "{absent}");
    // A port where nobody listens.
    let dead = format!("127.0.0.1:{}", free_port());
    let refused = fetcher().to_memory(&request(&[format!("http://{dead}/file")], &file)).unwrap_err();
    assert!(!refused.is_absent(), "{refused}");
    let (bytes, fetched) = fetcher().to_memory(&request(&[format!("http://{dead}/file"), url], &file)).unwrap();
    assert_eq!((bytes, fetched.from), (file, 1));
}

#[test]
fn a_download_into_a_file_is_taken_up_again() {
    let file: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let server = Server::start(BTreeMap::from([("file".to_owned(), file.clone())]));
    let url = [format!("{}/file", server.base())];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("partial");
    for (there, range) in [
        (&file[..1234], Some("bytes=1234-")),
        (&b"another file's beginning"[..], Some("bytes=24-")),
        (&[file.clone(), file.clone()].concat()[..], None),
        (&[][..], None),
    ] {
        std::fs::write(&path, there).unwrap();
        let before = server.requests().len();
        fetcher().to_file(&request(&url, &file), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == file);
        assert_eq!(server.requests()[before].range.as_deref(), range);
    }
    // What is whole already is not asked for; what is broken off stays for the next run.
    let before = server.requests().len();
    fetcher().to_file(&request(&url, &file), &path).unwrap();
    assert_eq!(server.requests().len(), before);
    std::fs::write(&path, b"").unwrap();
    server.fault("file", Fault::Cut(500));
    server.fault("file", Fault::Status(403, None));
    fetcher().to_file(&request(&url, &file), &path).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), &file[..500]);
}

#[test]
fn credentials_stay_with_their_host() {
    let file = b"the file".to_vec();
    let files = BTreeMap::from([("file".to_owned(), file.clone())]);
    let (mine, other) = (Server::start(files.clone()), Server::start(files));
    mine.fault("file", Fault::Redirect(format!("{}/file", other.base())));
    let url = format!("http://user:secret@{}/file", mine.address());
    fetcher().to_memory(&request(std::slice::from_ref(&url), &file)).unwrap();
    assert!(mine.requests()[0].authorization.as_deref().is_some_and(|value| value.starts_with("Basic ")));
    assert_eq!(other.requests()[0].authorization, None);
    mine.fault("file", Fault::Status(403, None));
    let error = fetcher().to_memory(&request(&[url], &file)).unwrap_err();
    assert!(!error.to_string().contains("secret") && !format!("{error:?}").contains("secret"), "{error:?}");
}

#[test]
fn mirrors_are_reached_through_a_proxy() {
    let file = b"the file".to_vec();
    let server = Server::start(BTreeMap::from([("file".to_owned(), file.clone())]));
    let proxy = Proxy::to(server.base().strip_prefix("http://").unwrap());
    let through =
        |value: &str| fetcher().through(&Proxies::read(|name| (name == "http_proxy").then(|| value.to_owned())));
    // The name leads nowhere but through the proxy.
    let urls = ["http://mirror.example/file".to_owned()];
    for _ in 0..2 {
        assert_eq!(through(&proxy.address).to_memory(&request(&urls, &file)).unwrap().0, file);
    }
    assert!(proxy.heads()[0].starts_with("GET http://mirror.example/file HTTP/1.1\r\n"), "{:?}", proxy.heads());
    let error = through("http://u:canary@127.0.0.1:9").to_memory(&request(&urls, &file)).unwrap_err().to_string();
    assert!(error.contains("`http://127.0.0.1:9`") && error.contains("`http_proxy`"), "{error}");
    let error = through("http://u:canary@127.0.0.1:x").to_memory(&request(&urls, &file)).unwrap_err().to_string();
    assert!(error.contains("`http_proxy` names no proxy") && !error.contains("canary"), "{error}");
    // This machine's own server needs none.
    let here = [format!("{}/file", server.base())];
    assert_eq!(through("http://127.0.0.1:9").to_memory(&request(&here, &file)).unwrap().0, file);
}

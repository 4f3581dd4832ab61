//! Everything that a mirror does wrong: a fault that passes is not seen, any other is named and falls to the next mirror.

use super::request;
use crate::support::file_server::{Fault, Server};
use crate::support::server::free_port;
use remint::digest::Digest;
use remint::event::Events;
use remint::source::fetch::{FetchError, Fetcher, Patience, Why};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a mirror's faults end for somebody who has no other.
enum End {
    /// They pass.
    Passes,
    /// With these words, and this kind.
    Fails(&'static str, Why),
}
use End::{Fails, Passes};

/// A fetcher that waits for nobody, and the pauses that it would have made.
fn fetcher() -> (Fetcher, Arc<Mutex<Vec<Duration>>>) {
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&pauses);
    let patience = Patience {
        silence: Duration::from_millis(200),
        slow_start: Duration::from_millis(150),
        slowest: 10_000,
        ..Patience::default()
    };
    (Fetcher::patient(patience, Events::none(), move |pause| seen.lock().unwrap().push(pause)), pauses)
}

fn always(fault: &Fault) -> Vec<Fault> {
    vec![fault.clone(); 60]
}

fn cases(nowhere: &str) -> Vec<(&'static str, Vec<Fault>, End)> {
    use Fault::{
        Cut, Drip, Garbage, Headers, IgnoreRange, Length, NoLength, Nonsense, OtherRange, Redirect, Reset, Silent,
        Stall, Status,
    };
    let status = |code| always(&Status(code, None));
    vec![
        ("absent", status(404), Fails("the server answered 404 Not Found", Why::Absent)),
        ("gone", status(410), Fails("410 Gone", Why::Absent)),
        ("forbidden", status(403), Fails("403 Forbidden", Why::Denied)),
        ("no credentials", status(401), Fails("401 Unauthorized", Why::Denied)),
        ("a request that it does not take", status(400), Fails("400 Bad Request", Why::Refused)),
        ("an answer of another protocol", status(304), Fails("304 Not Modified", Why::Refused)),
        ("broken", status(500), Fails("500 Internal Server Error", Why::Unreachable)),
        ("broken for a moment", vec![Status(500, None), Status(502, None), Status(504, None)], Passes),
        ("busy", always(&Status(429, Some(3600))), Fails("429 Too Many Requests", Why::Unreachable)),
        ("busy for a moment", vec![Status(429, Some(2)), Status(503, Some(1))], Passes),
        ("reset", always(&Reset), Fails("", Why::Unreachable)),
        ("reset once", vec![Reset, Reset], Passes),
        ("silent", always(&Silent), Fails("timeout", Why::Unreachable)),
        ("silent once", vec![Silent], Passes),
        ("stalls within", vec![Stall(1000), Stall(0), Stall(7)], Passes),
        ("stalls always", always(&Stall(0)), Fails("broke off", Why::Unreachable)),
        ("drips", always(&Drip(Duration::from_millis(20))), Fails("less than 10000 bytes a second", Why::Unreachable)),
        ("cut within", vec![Cut(1000), Cut(10), Cut(0), Cut(5)], Passes),
        ("cut always", always(&Cut(0)), Fails("broke off", Why::Unreachable)),
        ("cut behind every few bytes", always(&Cut(3)), Fails("broke off", Why::Unreachable)),
        ("a length that is short, at first", vec![Length(1000)], Passes),
        ("a length that is short", always(&Length(3)), Fails("expected 4000 bytes", Why::Unreachable)),
        ("a length that is long", vec![Length(5000)], Passes),
        ("no length, and cut", vec![NoLength, Cut(10)], Passes),
        ("another file", always(&Garbage), Fails("expected sha256:", Why::Wrong)),
        ("the end of another file", vec![Cut(100), Garbage], Passes),
        ("no ranges", vec![Cut(100), IgnoreRange], Passes),
        ("another range than it was asked for", vec![Cut(100), OtherRange], Passes),
        ("a part where the whole was asked for", always(&OtherRange), Fails("206 Partial Content", Why::Refused)),
        ("another place", vec![Redirect("/moved".into()), Redirect("/file".into())], Passes),
        ("round in a circle", always(&Redirect("/file".into())), Fails("redirect", Why::Refused)),
        // It is taken for a path of the same server.
        ("a place on this machine", always(&Redirect("file:///etc/passwd".into())), Fails("404", Why::Absent)),
        ("a place that is none", always(&Redirect("http://".into())), Fails("404", Why::Absent)),
        ("a place where nobody is", always(&Redirect(nowhere.into())), Fails("refused", Why::Unreachable)),
        ("headers without an end", always(&Headers), Fails("too many headers", Why::Unreachable)),
        ("mail", always(&Nonsense), Fails("", Why::Unreachable)),
    ]
}

#[test]
fn faults_pass_or_are_named_and_fall_to_the_next_mirror() {
    let file: Vec<u8> = (0..1000_u32).flat_map(u32::to_le_bytes).collect();
    let nowhere = format!("http://127.0.0.1:{}/file", free_port());
    for (name, faults, end) in cases(&nowhere) {
        for others in [false, true] {
            let files = BTreeMap::from([("file".to_owned(), file.clone()), ("moved".to_owned(), vec![])]);
            let (server, good) = (Server::start(files.clone()), Server::start(files));
            // What a fault at another address leads to is the second fault of a list.
            for (at, fault) in faults.iter().enumerate() {
                let moved = name == "another place" && at == 1;
                server.fault(if moved { "moved" } else { "file" }, fault.clone());
            }
            let mut urls = vec![format!("{}/file", server.base())];
            urls.extend(others.then(|| format!("{}/file", good.base())));
            let ((fetcher, pauses), begun) = (fetcher(), Instant::now());
            let got = fetcher.to_memory(&request(&urls, &file));
            assert!(begun.elapsed() < Duration::from_secs(8), "{name}: {:?}", begun.elapsed());
            let pauses = pauses.lock().unwrap().clone();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(60)), "{name}: {pauses:?}");
            assert!(server.requests().len() <= 60, "{name}: {} requests", server.requests().len());
            match (&end, got) {
                (Passes, Ok((bytes, fetched))) => {
                    assert!(bytes == file && fetched.digest == Digest::of(&file), "{name}");
                }
                (Fails(..), Ok((bytes, fetched))) => assert!(others && bytes == file && fetched.from == 1, "{name}"),
                (Fails(said, why), Err(FetchError::Failed { tried, .. })) => {
                    assert!(!others, "{name}: a good mirror was not asked");
                    assert!(tried[0].said.contains(said), "{name}: {tried:?}");
                    assert_eq!(tried[0].why, *why, "{name}: {tried:?}");
                }
                (_, Err(error)) => panic!("{name}: {error}"),
            }
        }
    }
}

#[test]
fn a_mirror_that_asks_for_a_pause_is_waited_for_only_if_it_is_the_last() {
    let file = b"the file".to_vec();
    let files = BTreeMap::from([("file".to_owned(), file.clone())]);
    let (busy, good) = (Server::start(files.clone()), Server::start(files));
    let urls = [&busy, &good].map(|server| format!("{}/file", server.base()));
    busy.fault("file", Fault::Status(429, Some(30)));
    let (fetcher, pauses) = fetcher();
    assert_eq!(fetcher.to_memory(&request(&urls, &file)).unwrap().1.from, 1);
    assert_eq!(*pauses.lock().unwrap(), []);
    busy.fault("file", Fault::Status(429, Some(30)));
    assert_eq!(fetcher.to_memory(&request(&urls[..1], &file)).unwrap().1.from, 0);
    assert_eq!(*pauses.lock().unwrap(), [Duration::from_secs(30)]);
}

#[test]
fn what_helps_is_said() {
    let file = b"the file".to_vec();
    let server = Server::start(BTreeMap::from([("file".to_owned(), file.clone())]));
    let url = [format!("{}/file", server.base())];
    for (fault, words) in [
        (Fault::Status(404, None), "no longer has it"),
        (Fault::Status(403, None), "credentials"),
        (Fault::Garbage, "other bytes"),
        (Fault::Redirect("/file".to_owned()), "check the network"),
    ] {
        for fault in vec![fault; 7] {
            server.fault("file", fault);
        }
        let error = fetcher().0.to_memory(&request(&url, &file)).unwrap_err();
        assert!(error.hint().contains(words), "{error}: {}", error.hint());
        assert!(error.to_string().contains("`a file`") && error.to_string().contains(&url[0]), "{error}");
        while fetcher().0.to_memory(&request(&url, &file)).is_err() {}
    }
}

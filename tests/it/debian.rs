//! Debian archives from end to end: indices, packages and versions, judged by dpkg where it is there.

use crate::support::archive::{Archive, File, NOW, Package, SIGNED, Suite, ar, pack, tar};
use crate::support::judge::{apt_sources, has, skipped};
use crate::support::server::{Fault, Server};
use crate::support::signer::{KeySpec, Signer};
use remint::digest::Digest;
use remint::event::Events;
use remint::source::debian::{
    Deb, IndexCache, IndexError, Keyring, Mirrors, NoCache, PackagesIndex, SuiteIndex, Version, Wanted, indices,
};
use remint::source::fetch::{Expected, Fetcher, Request};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;

fn fetcher() -> Fetcher {
    Fetcher::new(Events::none(), |_| ())
}

fn mirrors(base: &str) -> Mirrors {
    Mirrors::new(&[base.to_owned()], None, &[]).unwrap()
}

fn packages() -> Vec<Package> {
    vec![
        Package::new("base", "1:2.0-1").field("Essential", "yes").file("usr/bin/base", "hello"),
        Package::new("data", "3").arch("all").file("usr/share/data/text", "data"),
        Package::new("web", "1.0").field("Depends", "base (>= 1:2), data | other").packed("gz"),
    ]
}

/// What is asked for, with the rest as it usually is.
struct Ask<'a> {
    base: &'a str,
    keyring: &'a [u8],
    suites: &'a [&'a str],
    components: &'a [&'a str],
    arches: &'a [&'a str],
    locked: &'a [(&'a str, u64)],
    now: u64,
}

impl<'a> Ask<'a> {
    fn new(base: &'a str, archive: &'a Archive) -> Self {
        let keyring = archive.keyring();
        Self { base, keyring, suites: &["trixie"], components: &["main"], arches: &["amd64"], locked: &[], now: NOW }
    }

    fn get(&self) -> Result<Vec<SuiteIndex>, IndexError> {
        self.get_with(&NoCache)
    }

    fn get_with(&self, cache: &dyn IndexCache) -> Result<Vec<SuiteIndex>, IndexError> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let locked = self.locked.iter().map(|(suite, date)| ((*suite).to_owned(), *date)).collect();
        let (suites, components) = (owned(self.suites), owned(self.components));
        let wanted =
            Wanted { suites: &suites, components: &components, arches: self.arches, locked: &locked, now: self.now };
        indices(&fetcher(), &mirrors(self.base), &Keyring::parse(self.keyring).unwrap(), cache, &wanted)
    }

    /// The error's text, with its causes.
    fn error(&self) -> String {
        let error = self.get().err().expect("it has to be refused");
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

#[test]
fn indices_come_from_a_directory_and_from_a_server() {
    let mut security = Suite::new("trixie-security", vec![Package::new("base", "1:2.0-1+deb13u1")]);
    security.role = "stable-security".to_owned();
    let archive = Archive::new(&[Suite::new("trixie", packages()), security]);
    let dir = tempfile::tempdir().unwrap();
    archive.write(dir.path());
    let server = Server::start(archive.files.clone());
    for base in [dir.path().to_str().unwrap(), &server.base()] {
        let mut ask = Ask::new(base, &archive);
        ask.suites = &["trixie-security", "trixie"];
        let found = ask.get().unwrap();
        let names: Vec<_> = found.iter().map(|index| &index.suite[..]).collect();
        assert_eq!(names, ["trixie-security", "trixie"]);
        let trixie = &found[1];
        assert_eq!(trixie.signed_by[0].to_string(), archive.signer.fingerprint());
        assert_eq!(trixie.inrelease, Digest::of(&archive.files["dists/trixie/InRelease"]));
        assert_eq!(trixie.release.date, u64::from(SIGNED));
        let index = &trixie.packages[0].index;
        assert_eq!((trixie.packages.len(), index.len()), (1, 3), "packages of all stand in each");
        let base = index.named("base").next().unwrap();
        assert!(base.essential());
        assert_eq!(Digest::of(&archive.files[base.filename()]), base.sha256());
        assert_eq!(archive.files[base.filename()].len() as u64, base.size());
    }
    let asked: Vec<_> = server.requests().into_iter().map(|seen| seen.path).collect();
    assert!(
        asked.iter().any(|path| path.contains("/by-hash/")) && !asked.iter().any(|path| path.contains("Packages.gz")),
        "{asked:?}"
    );
}

#[test]
fn every_form_of_an_archive_is_understood() {
    let forms: [&[&str]; 4] = [&[".xz"], &[".gz"], &[""], &["", ".gz", ".xz"]];
    for forms in forms {
        for by_hash in [true, false] {
            let mut suite = Suite::new("trixie", packages());
            (suite.forms, suite.by_hash) = (forms.to_vec(), by_hash);
            let archive = Archive::new(&[suite]);
            let server = Server::start(archive.files.clone());
            let found = Ask::new(&server.base(), &archive).get();
            assert_eq!(found.unwrap()[0].packages[0].index.len(), 3, "{forms:?} {by_hash}");
        }
    }
    // An archive with an index of `all`, and several components.
    let mut suite = Suite::new("trixie", packages());
    suite.all_in_each = false;
    suite.components.push(("contrib".to_owned(), vec![Package::new("extra", "1")]));
    let archive = Archive::new(&[suite]);
    let server = Server::start(archive.files.clone());
    let base = server.base();
    let mut ask = Ask::new(&base, &archive);
    ask.components = &["contrib", "main"];
    let found = ask.get().unwrap();
    let found: Vec<_> = found[0].packages.iter().map(|p| (&p.component[..], &p.arch[..], p.index.len())).collect();
    assert_eq!(found, [("contrib", "amd64", 1), ("contrib", "all", 0), ("main", "amd64", 2), ("main", "all", 1)]);
    ask.components = &["non-free"];
    assert!(ask.error().contains("no component `non-free`; it has main, contrib"), "{}", ask.error());
    (ask.components, ask.arches) = (&["main"], &["riscv64"]);
    assert!(ask.error().contains("no architecture `riscv64`"), "{}", ask.error());
}

#[test]
fn releases_that_may_not_be_used_are_refused() {
    let mut suite = Suite::new("trixie", packages());
    suite.valid_until = Some("Thu, 08 Jan 2026 00:00:00 UTC".to_owned());
    let archive = Archive::new(&[suite]);
    let server = Server::start(archive.files.clone());
    let base = server.base();
    let ask = Ask::new(&base, &archive);
    ask.get().unwrap();
    let says = |ask: Ask<'_>, words: &[&str]| {
        let error = ask.error();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    says(Ask { now: NOW + 30 * 86_400, ..Ask::new(&base, &archive) }, &["trixie", "2026-01-08", "stale"]);
    says(Ask { now: NOW - 86_400, ..Ask::new(&base, &archive) }, &["future"]);
    says(Ask { locked: &[("trixie", NOW)], ..Ask::new(&base, &archive) }, &["before the one that is locked"]);
    let stranger = Signer::new(KeySpec::good(9));
    says(
        Ask { keyring: stranger.certificate(), ..Ask::new(&base, &archive) },
        &["no trusted key", "is not in the keyring"],
    );
    says(Ask { suites: &["sid"], ..Ask::new(&base, &archive) }, &["dists/sid/InRelease", "404"]);
    // A mirror that serves one suite for another.
    server.change(|files| {
        let inrelease = files["dists/trixie/InRelease"].clone();
        files.insert("dists/bookworm/InRelease".to_owned(), inrelease);
    });
    says(Ask { suites: &["bookworm"], ..Ask::new(&base, &archive) }, &["`trixie`, not `bookworm`"]);
    server.change(|files| files.get_mut("dists/trixie/InRelease").unwrap()[80] ^= 1);
    says(Ask::new(&base, &archive), &["changed after it was signed"]);
}

#[test]
fn a_bad_mirror_falls_through_to_a_good_one() {
    let archive = Archive::new(&[Suite::new("trixie", packages())]);
    let (bad, good) = (Server::start(archive.files.clone()), Server::start(archive.files.clone()));
    bad.change(|files| files.retain(|path, _| path.ends_with("InRelease")));
    let list = [bad.base(), good.base()];
    let mirrors = Mirrors::new(&list, None, &[]).unwrap();
    let keyring = Keyring::parse(archive.keyring()).unwrap();
    let (suites, components) = (["trixie".to_owned()], ["main".to_owned()]);
    let wanted =
        Wanted { suites: &suites, components: &components, arches: &["amd64"], locked: &BTreeMap::new(), now: NOW };
    let found = indices(&fetcher(), &mirrors, &keyring, &NoCache, &wanted).unwrap();
    assert_eq!(found[0].packages[0].index.len(), 3);
    bad.change(|files| {
        files.insert("dists/trixie/InRelease".to_owned(), b"captive portal".to_vec());
    });
    assert_eq!(indices(&fetcher(), &mirrors, &keyring, &NoCache, &wanted).unwrap().len(), 1);
}

#[test]
fn a_mirror_in_the_middle_of_an_update_is_asked_again() {
    let old = Archive::new(&[Suite::new("trixie", packages())]);
    let mut newer = packages();
    newer.push(Package::new("more", "1"));
    let new = Archive::new(&[Suite::new("trixie", newer)]);
    // The Release is still the old one, its indices are gone by any name.
    let server = Server::start(new.files.clone());
    server.change(|files| {
        files.insert("dists/trixie/InRelease".to_owned(), old.files["dists/trixie/InRelease"].clone());
    });
    let base = server.base();
    let error = Ask::new(&base, &old).error();
    assert!(
        error.contains("being updated") && error.contains("expected sha256:") || error.contains("expected "),
        "{error}"
    );
    let asked = server.requests().iter().filter(|seen| seen.path.ends_with("InRelease")).count();
    assert_eq!(asked, 2);
}

#[test]
fn texts_of_indices_are_kept_by_digest() {
    #[derive(Default)]
    struct Memory(Mutex<BTreeMap<Digest, Vec<u8>>>);
    impl IndexCache for Memory {
        fn load(&self, digest: &Digest) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(digest).cloned()
        }
        fn save(&self, digest: &Digest, text: &[u8]) {
            self.0.lock().unwrap().insert(*digest, text.to_vec());
        }
    }
    let archive = Archive::new(&[Suite::new("trixie", packages())]);
    let server = Server::start(archive.files.clone());
    let (base, memory) = (server.base(), Memory::default());
    let ask = Ask::new(&base, &archive);
    ask.get_with(&memory).unwrap();
    let before = server.requests().len();
    assert_eq!(ask.get_with(&memory).unwrap()[0].packages[0].index.len(), 3);
    assert_eq!(server.requests().len(), before + 1, "only the Release is asked for again");
}

fn request(urls: &[String], file: &[u8]) -> Request {
    let urls = urls.iter().map(|url| remint::source::fetch::Url::parse(url).unwrap()).collect();
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
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
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

/// What a package unpacks, and its control files, as `tar` lists the two parts that `dpkg-deb` takes out.
fn dpkg_deb(arguments: &[&str], deb: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("package.deb");
    std::fs::write(&path, deb).unwrap();
    let out = Command::new("dpkg-deb").args(arguments).arg(&path).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn compare_with_dpkg_deb(name: &str, bytes: &[u8]) {
    let deb = Deb::open(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut control = tar::Archive::new(std::io::Cursor::new(dpkg_deb(&["--ctrl-tarfile"], bytes)));
    let mut theirs = BTreeMap::new();
    for entry in control.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            theirs.insert(path, (content, entry.header().mode().unwrap() & 0o111 != 0));
        }
    }
    let ours: BTreeMap<_, _> =
        deb.control_files().iter().map(|(name, file)| (name.clone(), (file.bytes.clone(), file.executable))).collect();
    assert!(ours == theirs, "{name}: the control parts differ");
    for field in ["Package", "Version", "Architecture", "Depends"] {
        let theirs = dpkg_deb(&["--showformat", &format!("${{{field}}}"), "--show"], bytes);
        assert_eq!(deb.control().unwrap().get(field).unwrap_or_default().as_bytes(), theirs, "{name}: {field}");
    }
    let (mut data, expected) = (Vec::new(), dpkg_deb(&["--fsys-tarfile"], bytes));
    deb.into_data(expected.len() as u64).unwrap().read_to_end(&mut data).unwrap();
    assert!(data == expected, "{name}: the data parts differ");
    let short = Deb::open(bytes).unwrap().into_data(expected.len() as u64 - 1).unwrap().read_to_end(&mut data);
    assert!(short.unwrap_err().to_string().contains("expands to more than"), "{name}");
}

fn sample(packing: &'static str) -> Package {
    Package::new("sample", "1:1.0-1")
        .packed(packing)
        .field("Depends", "a, b")
        .file("usr/bin/sample", vec![7; 100_000])
        .entry("usr/lib/link", File::Link { target: "../bin/sample".to_owned() })
        .entry("var/lib/sample", File::Directory { mode: 0o700 })
        .script("postinst", "#!/bin/sh\n")
        .control_file("conffiles", "/etc/sample\n")
}

#[test]
fn packages_are_read_as_dpkg_deb_reads_them() {
    if !has("dpkg-deb") {
        return;
    }
    for packing in ["xz", "gz", "zst", ""] {
        compare_with_dpkg_deb(packing, &sample(packing).deb());
    }
}

#[test]
fn packages_that_are_none_are_refused() {
    let control =
        pack("xz", &tar(&[("./control".to_owned(), File::Plain { content: b"Package: a\n".to_vec(), mode: 0o644 })]));
    let data = pack("xz", &tar(&[]));
    let binary: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let refused = |members: &[(&str, &[u8])], word: &str| {
        let error = Deb::open(&ar(members)[..]).err().map_or_else(|| panic!("{word}"), |error| error.to_string());
        assert!(error.contains(word), "{error}");
    };
    Deb::open(
        &ar(&[binary, ("_extra", b"x"), ("control.tar.xz", &control), ("_more", b"xyz"), ("data.tar.xz", &data)])[..],
    )
    .unwrap();
    refused(&[binary, ("control.tar.xz", &control)], "no data part");
    refused(&[binary, ("data.tar.xz", &data), ("control.tar.xz", &control)], "no control part");
    refused(&[("debian-binary", b"3.0\n"), ("control.tar.xz", &control), ("data.tar.xz", &data)], "format");
    refused(&[("control.tar.xz", &control), ("data.tar.xz", &data)], "debian-binary");
    refused(&[binary, ("control.tar.xz", &control), ("data.tar.bz2", &data)], "data.tar.bz2");
    refused(&[binary, ("control.tar.xz", &control), ("data.tarot", &data)], "data.tarot");
    refused(&[binary, ("control.tar.xz", &control[..40]), ("data.tar.xz", &data)], "cannot read");
    for (path, file) in [
        ("./../evil", File::Plain { content: vec![], mode: 0o644 }),
        ("./sub/file", File::Plain { content: vec![], mode: 0o644 }),
        ("./control", File::Link { target: "/etc/passwd".to_owned() }),
    ] {
        let control = pack("gz", &tar(&[(path.to_owned(), file)]));
        refused(&[binary, ("control.tar.gz", &control), ("data.tar.xz", &data)], path);
    }
    let deb = sample("xz").deb();
    for end in (0..deb.len()).step_by(97) {
        let whole = Deb::open(&deb[..end])
            .is_ok_and(|deb| deb.into_data(1 << 20).unwrap().read_to_end(&mut Vec::new()).is_ok());
        assert!(!whole, "cut off at {end}");
    }
}

/// A generator with a fixed seed (Marsaglia's xorshift64).
fn random(state: &mut u64, limit: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % limit as u64).unwrap()
}

/// Texts where neighbours in the grammar meet: few characters, often a changed copy of the other.
fn version_pair(state: &mut u64) -> (String, String) {
    let alphabet = ["0", "1", "9", "10", "00", "a", "Z", "~", "+", ".", "-", "b1", "~rc", "+deb"];
    let mut one = |most: usize| -> String {
        (0..=random(state, most)).map(|_| alphabet[random(state, alphabet.len())]).collect()
    };
    let shared = one(3);
    let (a, b) = (format!("{shared}{}", one(4)), format!("{shared}{}", one(4)));
    let epoch = |text: String, state: &mut u64| match random(state, 6) {
        0 => format!("1:{text}"),
        1 => format!("0:{text}"),
        _ => text,
    };
    (epoch(a, state), epoch(b, state))
}

#[test]
fn versions_compare_as_dpkg_compares_them() {
    if !has("dpkg") {
        return;
    }
    // One shell for all pairs; each line says whether dpkg holds our verdict.
    let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut script, mut pairs, mut state) = (String::new(), Vec::new(), 42);
    while pairs.len() < 3000 {
        let (a, b) = version_pair(&mut state);
        let (Ok(x), Ok(y)) = (a.parse::<Version>(), b.parse::<Version>()) else { continue };
        let order = match x.cmp(&y) {
            std::cmp::Ordering::Less => "lt",
            std::cmp::Ordering::Equal => "eq",
            std::cmp::Ordering::Greater => "gt",
        };
        let _ = writeln!(script, "dpkg --compare-versions '{a}' {order} '{b}' 2>&- || echo '{a} {order} {b}'");
        pairs.push((a, b));
    }
    let mut input = shell.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "dpkg thinks otherwise");
}

/// Debian's own indices and packages, with Debian's keys, from where this machine's apt gets them.
#[test]
fn debians_own_archive_is_read() {
    #[expect(clippy::disallowed_methods, reason = "as the program reads it")]
    let environment = std::env::var("REMINT_DEBIAN_MIRROR").ok();
    #[expect(clippy::disallowed_methods, reason = "signatures are compared with the clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mirrors = Mirrors::new(&[], environment.as_deref(), &apt_sources()).unwrap();
    let (suites, components) = (["trixie-security".to_owned(), "trixie".to_owned()], ["main".to_owned()]);
    let wanted = Wanted { suites: &suites, components: &components, arches: &["amd64"], locked: &BTreeMap::new(), now };
    let found = match indices(&fetcher(), &mirrors, &Keyring::debian(), &NoCache, &wanted) {
        Ok(found) => found,
        Err(error) => return skipped(&error.to_string()),
    };
    let index: &PackagesIndex = &found[1].packages[0].index;
    assert!(index.len() > 50_000, "{}", index.len());
    for package in found.iter().flat_map(|suite| suite.packages[0].index.iter()) {
        let fields = [
            package.depends(),
            package.pre_depends(),
            package.conflicts(),
            package.breaks(),
            package.provides(),
            package.replaces(),
        ];
        for field in fields {
            field.unwrap_or_else(|error| panic!("{}: {error}", package.name()));
        }
        assert!(package.arch() == "amd64" || package.arch() == "all");
        assert_eq!(package.version().as_str(), package.version_text());
    }
    if !has("dpkg-deb") {
        return;
    }
    // Small packages, spread over the archive.
    let small: Vec<_> = index.iter().filter(|package| package.size() < 60_000).collect();
    for package in small.iter().step_by(small.len() / 36) {
        let bases = mirrors.bases("trixie").unwrap();
        let urls = bases.iter().map(|base| base.join(package.filename())).collect();
        let expected = Expected::exactly(package.sha256(), package.size());
        let request = Request { name: package.name().to_owned(), urls, expected };
        let (bytes, _) = fetcher().to_memory(&request).unwrap();
        compare_with_dpkg_deb(package.name(), &bytes);
    }
}

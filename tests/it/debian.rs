//! Debian archives from end to end: indices, packages and versions, judged by dpkg where it is there.

use crate::support::archive::{Archive, NOW, Package, SIGNED, Suite};
use crate::support::file_server::Server;
use crate::support::judge::{apt_sources, find, missing};
use crate::support::random::random;
use crate::support::signer::{KeySpec, Signer};
use remint::digest::Digest;
use remint::event::Events;
use remint::source::debian::{
    IndexCache, IndexError, Keyring, Mirrors, NoCache, PackagesIndex, SuiteIndex, Version, Wanted, indices,
};
use remint::source::fetch::{Expected, Fetcher, Request};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
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
    if find("dpkg").is_none() {
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
    let suites = ["trixie-security", "trixie", "trixie-updates", "bookworm", "bookworm-updates", "bookworm-security"];
    let (suites, components) = (suites.map(str::to_owned), ["main".to_owned()]);
    let wanted = Wanted { suites: &suites, components: &components, arches: &["amd64"], locked: &BTreeMap::new(), now };
    let found = match indices(&fetcher(), &mirrors, &Keyring::debian(), &NoCache, &wanted) {
        Ok(found) => found,
        Err(error) => return missing(&error.to_string()),
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
    if find("dpkg-deb").is_none() {
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
        crate::deb::compare_with_dpkg_deb(package.name(), &bytes);
    }
}

//! One target for every parser of bytes that remint did not write: what is done with an input, and what has to hold of it.
//!
//! Whatever the bytes are, nothing panics, nothing runs for long, and what is taken can be used: written and read back, compared,
//! shown. The same targets are run by the test beside this file, on every machine, and by the program in `tests/fuzz/`, guided by coverage.

use super::attest;
use super::content;
use super::image;
use super::root;
use remint::layer::{END, Entry, Error, FragmentBuilder, Index, Limits, read};
use remint::recipe::{Project, RecipeFile, parse_project, parse_recipe, render};
use remint::serve::{Ranged, Request, Route};
use remint::source::debian::{
    Atom, Deb, Dependency, Keyring, Mirrors, PackagesIndex, Release, Stanza, Version, verify,
};
use std::hint::black_box;
use std::io::{self, Read};
use std::path::Path;

/// A parser of foreign bytes.
pub(crate) struct Target {
    /// What it is called on the command line and in the corpus.
    pub(crate) name: &'static str,
    /// Gives it an input; panics where it breaks a promise.
    pub(crate) run: fn(&[u8]),
}

/// The certificate that the seeds are signed with.
pub(crate) const KEYRING: &str = include_str!("keyring.asc");

/// Shortly after the seeds are signed: 2026-01-01, one in the morning.
pub(crate) const NOW: u64 = 1_767_229_200;

/// The most that is unpacked of one input, in bytes.
const MOST: u64 = 4 << 20;

/// All of them, by name.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "apt-sources", run: apt_sources },
    Target { name: "certificate", run: root::certificate },
    Target { name: "copyright", run: attest::copyright },
    Target { name: "deb", run: deb },
    Target { name: "dependency", run: dependency },
    Target { name: "diff-ar", run: content::ar },
    Target { name: "diff-compressed", run: content::compressed },
    Target { name: "diff-elf", run: content::elf },
    Target { name: "diff-image", run: content::opened },
    Target { name: "diff-json", run: content::json },
    Target { name: "diff-python", run: content::python },
    Target { name: "diff-sqlite", run: content::sqlite },
    Target { name: "diff-tar", run: content::tar },
    Target { name: "diff-text", run: content::text },
    Target { name: "diff-zip", run: content::zip },
    Target { name: "dpkg", run: root::dpkg },
    Target { name: "elf", run: root::elf },
    Target { name: "index", run: index },
    Target { name: "inrelease", run: inrelease },
    Target { name: "java-store", run: root::java_store },
    Target { name: "keyring", run: keyring },
    Target { name: "layer", run: image::layer },
    Target { name: "lock", run: lock },
    Target { name: "oci", run: image::oci },
    Target { name: "packages", run: packages },
    Target { name: "packed", run: packed },
    Target { name: "pax", run: pax },
    Target { name: "pem-key", run: attest::pem_key },
    Target { name: "project", run: project },
    Target { name: "recipe", run: recipe },
    Target { name: "release", run: release },
    Target { name: "request", run: request },
    Target { name: "scripts", run: root::scripts },
    Target { name: "signature", run: signature },
    Target { name: "signed", run: attest::signed },
    Target { name: "stanza", run: stanza },
    Target { name: "store", run: image::store },
    Target { name: "sysusers", run: root::sysusers },
    Target { name: "tar", run: tar },
    Target { name: "tmpfiles", run: root::tmpfiles },
    Target { name: "version", run: version },
];

/// A package: its ar members, its control part, its data part.
fn deb(bytes: &[u8]) {
    let Ok(deb) = Deb::open(bytes) else { return };
    let _ = deb.control().map(|stanza| stanza.fields().len());
    if let Ok(data) = deb.into_data(MOST) {
        unpack(data);
    }
}

/// A data part in one of the packings: the first byte says which.
fn packed(bytes: &[u8]) {
    let Some((form, data)) = bytes.split_first() else { return };
    let suffix = [".xz", ".gz", ".zst", ""][usize::from(form % 4)];
    let members: [(&str, &[u8]); 3] =
        [("debian-binary", b"2.0\n"), ("control.tar", &END), (&format!("data.tar{suffix}"), data)];
    let mut deb = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        deb.extend_from_slice(format!("{name:<16}0           0     0     100644  {:<10}`\n", bytes.len()).as_bytes());
        deb.extend_from_slice(bytes);
        deb.resize(deb.len().next_multiple_of(2), b'\n');
    }
    let mut data =
        Deb::open(&deb[..]).expect("the members are well").into_data(MOST).expect("a decoder").take(MOST + 1);
    let size = io::copy(&mut data, &mut io::sink()).unwrap_or(0);
    assert!(size <= MOST, "{size} bytes came out");
}

/// A tar archive, whose entries become a fragment.
fn tar(bytes: &[u8]) {
    unpack(bytes);
}

/// The records of a pax header in front of a file.
fn pax(bytes: &[u8]) {
    let mut archive = header(b'x', bytes.len() as u64).to_vec();
    archive.extend_from_slice(bytes);
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive.extend_from_slice(&header(b'0', 0));
    archive.extend_from_slice(&END);
    unpack(&archive[..]);
}

fn header(kind: u8, size: u64) -> [u8; 512] {
    let mut header = ::tar::Header::new_ustar();
    header.as_old_mut().name[0] = b'a';
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    for set in [::tar::Header::set_uid, ::tar::Header::set_gid, ::tar::Header::set_mtime] {
        set(&mut header, 0);
    }
    header.set_cksum();
    *header.as_bytes()
}

/// Takes an archive apart and makes a fragment of it, which has to be what its index says.
fn unpack(archive: impl Read) {
    let limits = Limits { entries: 4096, bytes: MOST, metadata: 1 << 16, total_metadata: 1 << 18 };
    let mut builder = FragmentBuilder::new(Path::new("/nonexistent"), usize::try_from(2 * MOST).expect("it fits"));
    let taken = read(archive, &limits, |entry: Entry, content| builder.add(entry, content));
    if taken.is_err() {
        return;
    }
    let mut out = Vec::new();
    let Ok(built) = builder.finish(&mut out) else { return };
    assert_eq!(out.len() as u64, built.index.size(), "a fragment is as long as its index says");
    out.extend_from_slice(&END);
    let mut entries = built.index.entries().iter();
    let again = read(&out[..], &Limits::default(), |entry, _| {
        assert_eq!(entries.next().map(|indexed| &indexed.entry), Some(&entry), "a fragment is read as it was written");
        Ok::<_, Error>(())
    });
    again.expect("a fragment can be read");
}

/// An index of a fragment.
fn index(bytes: &[u8]) {
    if let Ok(index) = Index::decode(bytes) {
        assert_eq!(index.encode(), bytes, "an index has one form");
    }
}

/// Paragraphs of control data.
fn stanza(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for stanza in Stanza::parse_all(text).into_iter().flatten() {
        for field in stanza.fields() {
            assert!(stanza.field(field.name).is_some(), "a field is found by its name");
        }
    }
}

/// A `Packages` index, and every field of its packages.
fn packages(bytes: &[u8]) {
    let Ok(index) = PackagesIndex::parse(bytes.to_vec()) else { return };
    for package in index.iter() {
        let (_, _, _) = (package.version(), package.source(), package.installed_size());
        let (_, _, _, _) = (package.multi_arch(), package.essential(), package.protected(), package.size());
        let lists = [
            package.depends(),
            package.pre_depends(),
            package.conflicts(),
            package.breaks(),
            package.provides(),
            package.replaces(),
        ];
        black_box(lists.map(|list| list.map(|list| list.len()).ok()));
        assert!(index.named(package.name()).any(|other| other.stanza() == package.stanza()), "it is found by its name");
    }
}

/// The text of a Release.
fn release(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(release) = Release::parse(text) {
        let _ = (release.check_time(NOW), release.check_rollback(NOW), release.check_suite("trixie"));
    }
}

/// A clearsigned file. What no key of the keyring signed is never taken.
fn inrelease(bytes: &[u8]) {
    let keyring = Keyring::parse(KEYRING.as_bytes()).expect("the keyring of the seeds");
    if let Ok(verified) = verify(bytes, &keyring, NOW) {
        assert!(verified.text.contains("trixie"), "the one text that was signed");
    }
}

/// The packets of a signature, in a message that is otherwise whole.
fn signature(bytes: &[u8]) {
    use pgp::armor::{BlockType, write};
    struct Packets<'a>(&'a [u8]);
    impl pgp::ser::Serialize for Packets<'_> {
        fn to_writer<W: io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
            Ok(writer.write_all(self.0)?)
        }
        fn write_len(&self) -> usize {
            self.0.len()
        }
    }
    let mut armoured = Vec::new();
    write(&Packets(bytes), BlockType::Signature, &mut armoured, None, true).expect("memory");
    let armoured = String::from_utf8(armoured).expect("base64");
    inrelease(format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSuite: trixie\n{armoured}").as_bytes());
}

/// Certificates, binary or armoured.
fn keyring(bytes: &[u8]) {
    if let Ok(keyring) = Keyring::parse(bytes) {
        let _ = verify(include_bytes!("inrelease.txt"), &keyring, NOW);
    }
}

/// Two versions, divided by a line break.
fn version(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (left, right) = text.split_once('\n').unwrap_or((text, "1.0-1"));
    let (Ok(left), Ok(right)) = (Version::parse(left), Version::parse(right)) else { return };
    assert_eq!(left.cmp(&right), right.cmp(&left).reverse(), "one order");
    assert!(left.cmp(&left).is_eq() && Version::parse(left.as_str()).is_ok_and(|again| again == left));
}

/// A list of dependencies, and one relation.
fn dependency(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(list) = Dependency::parse_list(text) {
        let one = Version::parse("1:1.0-1").expect("a version");
        for atom in list.iter().flat_map(|dependency| &dependency.alternatives) {
            let _ = atom.relation.as_ref().map(|relation| relation.holds(&one));
        }
    }
    let _ = Atom::parse(text);
}

/// What a client sends to the server: one request after the other, what it names, and the part of a blob that it wants.
fn request(bytes: &[u8]) {
    let mut left = bytes;
    while let Ok(Some((request, length))) = Request::parse(left) {
        assert!(length > 0 && length <= left.len(), "a request has a length");
        assert!(!request.path.contains(char::is_control) && request.shown().is_ascii());
        if let Ok(route) = Route::parse(&request.path) {
            let odd =
                route.name().is_some_and(|name| name.split('/').any(|part| part.is_empty() || part.contains("..")));
            assert!(!odd, "a name is no path");
        }
        for size in [0, 1, 1000, u64::MAX] {
            if let Some(Ranged::Part(part)) = request.range.as_ref().map(|text| Ranged::parse(text, size)) {
                assert!(part.length > 0 && part.start.checked_add(part.length).is_some_and(|end| end <= size));
            }
        }
        left = &left[length..];
    }
}

/// Apt's sources, in both of their forms.
fn apt_sources(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for name in ["sources.list", "debian.sources"] {
        let files = [(name.to_owned(), text.clone())];
        let mirrors = Mirrors::new(&[], None, &files).expect("what cannot be used is passed over");
        for suite in ["trixie", "trixie-security"] {
            for base in mirrors.bases(suite).into_iter().flatten() {
                black_box(base.join("a/b").to_string());
            }
        }
    }
    let _ = Mirrors::new(&[], Some(&text), &[]);
}

/// A lock. What is read and printed is read again as the same.
fn lock(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("remint.lock");
    if let Ok(lock) = remint::lock::parse(path, text) {
        let printed = remint::lock::print(&lock);
        let again = remint::lock::parse(path, &printed).expect("a lock that was printed can be read");
        assert_eq!(remint::lock::print(&again), printed, "a lock has one form");
    }
}

/// A recipe; what is wrong with it can be shown.
fn recipe(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = RecipeFile { name: "image", path: "recipes/image/recipe.toml", text };
    if let Err(findings) = parse_recipe(&Project::default(), file) {
        let _ = (render(&findings, true), findings.to_string());
    }
}

/// A remint.toml.
fn project(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(findings) = parse_project("remint.toml", text) {
        let _ = render(&findings, false);
    }
}

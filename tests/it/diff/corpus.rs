//! Pairs that differ on purpose, each class of cause alone and several together, with what must be said of them.

use super::compared_tars;
use super::making::{Thing, ar, build_id, elf, file, gzip_with, link, pack, pyc, sqlite, tar, thing, zip, zip64};
use remint::verify::diff::{Class, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use tar::EntryType;

/// Two root file systems, and of each differing path the class of the weightiest cause.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) a: Vec<Thing>,
    pub(super) b: Vec<Thing>,
    pub(super) expected: Vec<(&'static str, Class)>,
}

/// A case of one differing file among others that do not differ.
fn one(name: &'static str, path: &'static str, a: &[u8], b: &[u8], class: Class) -> Case {
    things(name, vec![file(&path[1..], a)], vec![file(&path[1..], b)], &[(path, class)])
}

fn things(name: &'static str, a: Vec<Thing>, b: Vec<Thing>, expected: &[(&'static str, Class)]) -> Case {
    let around = |mut things: Vec<Thing>| {
        things.insert(0, thing("aa", EntryType::Directory).mode(0o755));
        things.insert(1, file("aa/same", b"the same in both\n"));
        things.push(file("zz/same", &[0, 1, 2, 3]));
        things
    };
    Case { name, a: around(a), b: around(b), expected: expected.to_vec() }
}

const X: &str = "/srv/x";
const ONE: u32 = 1_795_418_213;
const TWO: u32 = 1_795_518_999;

/// Some bytes that are no text, around others.
fn around(bytes: &[u8]) -> Vec<u8> {
    [&[0xfe; 32][..], bytes, &[0xfd; 32]].concat()
}

fn log() -> Vec<u8> {
    b"a line that compresses well\n".repeat(400)
}

/// All cases.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = texts();
    cases.extend(binaries());
    cases.extend(containers());
    cases.extend(places());
    cases.extend(metadata());
    cases.extend(mixed());
    cases
}

fn texts() -> Vec<Case> {
    let text = |name, a: &str, b: &str, class| one(name, X, a.as_bytes(), b.as_bytes(), class);
    vec![
        text("iso date", "v 1\nbuilt 2026-11-23T07:16:53Z\n", "v 1\nbuilt 2026-11-24T08:00:00Z\n", Class::Timestamp),
        text(
            "mail date",
            "Date: Mon, 23 Nov 2026 07:16:53 +0000\n",
            "Date: Tue, 24 Nov 2026 08:16:53 +0000\n",
            Class::Timestamp,
        ),
        text("ctime", "on Mon Nov 23 07:16:53 2026\n", "on Tue Dec  1 07:16:53 2026\n", Class::Timestamp),
        text("date in words", "// generated Nov 23 2026\n", "// generated Dec 24 2026\n", Class::Timestamp),
        text("compact date", "build=20261123\n", "build=20261124\n", Class::Timestamp),
        text("seconds", "epoch: 1795418213\n", "epoch: 1795518999\n", Class::Timestamp),
        text("milliseconds", "{\"t\": 1795418213123}", "{\"t\": 1795518999456}", Class::Timestamp),
        text("build path", "dir=/tmp/build.a1/src/x.c\n", "dir=/home/amy/src/x.c\n", Class::BuildPath),
        text("option path", "cc -I/opt/one/include\n", "cc -I/opt/two/include\n", Class::BuildPath),
        text("host name", "HOSTNAME=build-7\n", "HOSTNAME=web-3\n", Class::HostName),
        text("mail host", "by root@one.example.org\n", "by root@two.example.org\n", Class::HostName),
        text("user", "Built-By: alice\n", "Built-By: bob\n", Class::User),
        text("user variable", "USER=alice\nX=1\n", "USER=bob\nX=1\n", Class::User),
        text("locale", "LANG=de_DE.UTF-8\n", "LANG=C.UTF-8\n", Class::Locale),
        text(
            "uuid",
            "id 3f2504e0-4f89-11d3-9a0c-0305e82c3301\n",
            "id 1b4e28ba-2fa1-11d2-883f-0016d3cca427\n",
            Class::RandomId,
        ),
        text("hash", "x=8f14e45fceea167a\n", "x=c9f0f895fb98ab91\n", Class::RandomId),
        text(
            "checksums",
            "8f14e45fceea167a5a36dedd4bea2543  usr/bin/x\n0cc175b9c0f1b6a831c399e269772661  usr/bin/y\n",
            "c9f0f895fb98ab9159f51fd0297e236d  usr/bin/x\n0cc175b9c0f1b6a831c399e269772661  usr/bin/y\n",
            Class::Checksum,
        ),
        text(
            "record",
            "x/a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,17\n",
            "x/a.py,sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ,18\n",
            Class::Checksum,
        ),
        one(
            "the day of an account",
            "/etc/shadow",
            b"root:*:20400:0:99999:7:::\napp:!:20415::::::\n",
            b"root:*:20400:0:99999:7:::\napp:!:20416::::::\n",
            Class::Timestamp,
        ),
        text("line order", "a.o\nb.o\nc.o\n", "c.o\na.o\nb.o\n", Class::Order),
        text("word order", "srcs = a.c b.c c.c\n", "srcs = b.c c.c a.c\n", Class::Order),
        text("key order", "{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}", Class::Order),
        text("list order", "{\"a\": [1, 2, 3]}", "{\"a\": [3, 1, 2]}", Class::Order),
        text("white space", "{\"a\": 1}", "{\"a\":1}", Class::Encoder),
        text("a last line's end", "abc\n", "abc", Class::Content),
        text("empty lines", "a\nb\n", "a\n\nb\n\n", Class::Content),
        text("many digits", "{\"a\": 0.10000000000000000001}", "{\"a\": 0.10000000000000000002}", Class::Content),
        text("other text", "limit = 10\n", "limit = 12\n", Class::Content),
    ]
}

fn binaries() -> Vec<Case> {
    let (one_64, two_64) = (u64::from(ONE), u64::from(TWO));
    let number = |name, a: &[u8], b: &[u8]| one(name, X, &around(a), &around(b), Class::Timestamp);
    vec![
        number("le32", &ONE.to_le_bytes(), &TWO.to_le_bytes()),
        number("be32", &ONE.to_be_bytes(), &TWO.to_be_bytes()),
        number("le64", &one_64.to_le_bytes(), &two_64.to_le_bytes()),
        number("be64", &one_64.to_be_bytes(), &two_64.to_be_bytes()),
        number("date in bytes", b"\0Nov 23 2026\0", b"\0Dec 24 2026\0"),
        one("path in bytes", X, &around(b"\0/build/a/main.c\0"), &around(b"\0/build/b/main.c\0"), Class::BuildPath),
        one("bytes", X, &around(&[1, 2, 3, 4]), &around(&[1, 2, 9, 4]), Class::Content),
        one("longer", X, &[0xff, 0], &[0xff, 0, 0], Class::Content),
        one("pyc time", "/srv/a.pyc", &pyc(ONE, b"\xe3\0"), &pyc(TWO, b"\xe3\0"), Class::Bytecode),
        one("pyc code", "/srv/__pycache__/a.pyc", &pyc(ONE, b"\xe3\0"), &pyc(ONE, b"\xe3\x01"), Class::Bytecode),
        one("sqlite counter", X, &sqlite(1, &[b"row"]), &sqlite(2, &[b"row"]), Class::DatabaseCounter),
        one(
            "sqlite",
            X,
            &sqlite(1, &[b"x", b"at 2026-11-23"]),
            &sqlite(2, &[b"x", b"at 2026-11-24"]),
            Class::Timestamp,
        ),
        one("sqlite row", X, &sqlite(1, &[b"x"]), &sqlite(2, &[b"x", b"y"]), Class::Additional),
        one("sqlite unused", X, &sqlite(1, &[b"x"]), &sqlite_unused(), Class::Encoder),
        one("sqlite no more", X, &cut(&sqlite(1, &[b"a row"])), &cut(&sqlite(1, &[b"a ray"])), Class::Content),
        one(
            "build id",
            X,
            &elf(&[(".text", b"code"), (".note.gnu.build-id", &build_id(1))]),
            &elf(&[(".text", b"code"), (".note.gnu.build-id", &build_id(2))]),
            Class::ElfBuildId,
        ),
        one(
            "debug link",
            X,
            &elf(&[(".text", b"code"), (".gnu_debuglink", b"ab.debug\0\0\0\0\x01\x02\x03\x04")]),
            &elf(&[(".text", b"code"), (".gnu_debuglink", b"ab.debug\0\0\0\0\x05\x06\x07\x08")]),
            Class::ElfDebugLink,
        ),
        one(
            "path in a program",
            X,
            &elf(&[(".rodata", b"\0/build/a/main.c\0"), (".note.gnu.build-id", &build_id(1))]),
            &elf(&[(".rodata", b"\0/build/b/main.c\0"), (".note.gnu.build-id", &build_id(2))]),
            Class::BuildPath,
        ),
    ]
}

/// A database with something in a page that belongs to no row.
fn sqlite_unused() -> Vec<u8> {
    let mut bytes = sqlite(1, &[b"x"]);
    bytes[1500] = 7;
    bytes
}

/// A database whose schema leads to a page that is none.
fn cut(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[1024] = 99;
    bytes
}

fn containers() -> Vec<Case> {
    let (at_a, at_b) = (b"made 2026-11-23\n", b"made 2026-11-24\n");
    let jar =
        |text: &[u8]| zip(&[("META-INF/MANIFEST.MF", text, 0x5000), ("A.class", b"\xca\xfe\xba\xbe", 0x5000)], Some(6));
    let control = |mtime| pack("xz", &tar(&[file("control", b"Package: x\n").mtime(mtime)]));
    let deb = |mtime| ar(&[("debian-binary", b"2.0\n", 0), ("control.tar.xz", &control(mtime), 0)]);
    vec![
        one("gzip header", X, &gzip_with(ONE, "x", &log()), &gzip_with(TWO, "x", &log()), Class::GzipHeader),
        one("gzip name", X, &gzip_with(ONE, "x", &log()), &gzip_with(ONE, "y", &log()), Class::GzipHeader),
        one("gzip level", X, &pack("gzip", &log()), &pack("gzip-fast", &log()), Class::Encoder),
        one("gzip system", X, &pack("gzip", &log()), &other_system(&pack("gzip", &log())), Class::Encoder),
        one("zstd level", X, &pack("zstd", &log()), &zstd_checked(&log()), Class::Encoder),
        one("gzip content", X, &pack("gzip", at_a), &pack("gzip", at_b), Class::Timestamp),
        one("xz content", X, &pack("xz", at_a), &pack("xz", at_b), Class::Timestamp),
        one("zstd content", X, &pack("zstd", at_a), &pack("zstd", at_b), Class::Timestamp),
        one("zip times", X, &zip(&[("a", b"1", 0x5000)], None), &zip(&[("a", b"1", 0x5821)], None), Class::ZipHeader),
        one(
            "zip order",
            X,
            &zip(&[("a", b"1", 0), ("b", b"2", 0)], None),
            &zip(&[("b", b"2", 0), ("a", b"1", 0)], None),
            Class::Order,
        ),
        one("zip level", X, &zip(&[("a", &log(), 0)], Some(1)), &zip(&[("a", &log(), 0)], None), Class::Encoder),
        one(
            "zip member",
            X,
            &zip(&[("a", b"1", 0)], None),
            &zip(&[("a", b"1", 0), ("b", b"2", 0)], None),
            Class::Additional,
        ),
        one(
            "zip64",
            X,
            &zip64(&zip(&[("a", at_a, 0)], Some(6))),
            &zip64(&zip(&[("a", at_b, 0)], Some(6))),
            Class::Timestamp,
        ),
        one("bzip2", X, b"BZh91AY&SY\x01\x02\xff\0", b"BZh91AY&SY\x01\x03\xff\0", Class::Content),
        one("jar manifest", "/srv/x.jar", &jar(b"Built-By: alice\n"), &jar(b"Built-By: bob\n"), Class::User),
        one("tar times", X, &tar(&[file("m", b"1").mtime(1)]), &tar(&[file("m", b"1").mtime(2)]), Class::TarHeader),
        one(
            "tar order",
            X,
            &tar(&[file("m", b"1"), file("n", b"2")]),
            &tar(&[file("n", b"2"), file("m", b"1")]),
            Class::Order,
        ),
        one("ar times", "/srv/x.a", &ar(&[("o.o/", b"ob", 5)]), &ar(&[("o.o/", b"ob", 6)]), Class::ArHeader),
        one("deb", "/srv/x.deb", &deb(7), &deb(8), Class::TarHeader),
        one(
            "deep",
            "/srv/x.tar.gz",
            &pack("gzip", &tar(&[file("in.zip", &zip(&[("a", at_a, 0)], Some(6)))])),
            &pack("gzip", &tar(&[file("in.zip", &zip(&[("a", at_b, 0)], Some(6)))])),
            Class::Timestamp,
        ),
    ]
}

/// A gzip file that says that another system wrote it (RFC 1952, section 2.3.1).
fn other_system(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[9] ^= 8;
    bytes
}

/// A zstd frame with a check sum, which the usual ones have not.
fn zstd_checked(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn places() -> Vec<Case> {
    let added =
        |name, path: &'static str, class| things(name, vec![], vec![file(&path[1..], b"new")], &[(path, class)]);
    vec![
        one(
            "linker cache",
            "/etc/ld.so.cache",
            b"glibc-ld.so.cache1.1\x01",
            b"glibc-ld.so.cache1.1\x02",
            Class::LinkerCache,
        ),
        one("machine id", "/etc/machine-id", b"8f14e45fceea167a5a36dedd4bea2543\n", b"\n", Class::RandomId),
        one("hostname", "/etc/hostname", b"3f2a\n", b"77aa\n", Class::HostName),
        one("log", "/var/log/dpkg.log", b"2026-11-23 x\n", b"2026-11-24 x\n", Class::LogOrCache),
        added("apt lists", "/var/lib/apt/lists/x_Packages", Class::LogOrCache),
        added("history", "/root/.bash_history", Class::LogOrCache),
        added("added byte-code", "/srv/__pycache__/a.cpython-311.pyc", Class::Bytecode),
        added("added", "/srv/new", Class::Additional),
        things("removed", vec![file("srv/old", b"old")], vec![], &[("/srv/old", Class::Missing)]),
        things(
            "other name",
            vec![file("srv/app-8f14e45fceea167a.js", b"code")],
            vec![file("srv/app-c9f0f895fb98ab91.js", b"code")],
            &[("/srv/app-8f14e45fceea167a.js", Class::RandomId), ("/srv/app-c9f0f895fb98ab91.js", Class::RandomId)],
        ),
    ]
}

fn metadata() -> Vec<Case> {
    let base = || file("srv/x", b"same");
    let pair = |name, a: Thing, b: Thing, class| things(name, vec![a], vec![b], &[(X, class)]);
    let xattr = |value: &[u8]| Thing { xattr: Some(("user.origin".into(), value.to_vec())), ..base() };
    let device = |minor| Thing { device: (1, minor), ..thing("srv/x", EntryType::Char) };
    vec![
        pair("mtime", base(), base().mtime(1_700_000_001), Class::Mtime),
        pair("mode", base(), base().mode(0o755), Class::Mode),
        pair("set-uid", base().mode(0o755), base().mode(0o4755), Class::Mode),
        pair("uid", base(), Thing { owner: (1000, 0), ..base() }, Class::Owner),
        pair("gid", base(), Thing { owner: (0, 1000), ..base() }, Class::Owner),
        pair("xattr", xattr(b"one"), xattr(b"two"), Class::Xattrs),
        pair("no xattr", xattr(b"one"), base(), Class::Xattrs),
        pair("link", link("srv/x", "a", EntryType::Symlink), link("srv/x", "b", EntryType::Symlink), Class::Link),
        pair("type", base(), link("srv/x", "b", EntryType::Symlink), Class::Type),
        pair("device", device(3), device(5), Class::Type),
        pair(
            "directory",
            thing("srv/x", EntryType::Directory).mode(0o755),
            thing("srv/x", EntryType::Directory).mode(0o700),
            Class::Mode,
        ),
        things(
            "hard link",
            vec![file("srv/w", b"same"), link("srv/x", "srv/w", EntryType::Link)],
            vec![file("srv/w", b"same"), file("srv/x", b"same")],
            &[(X, Class::Link)],
        ),
    ]
}

fn mixed() -> Vec<Case> {
    vec![
        things(
            "several files",
            vec![file("etc/motd", b"built 2026-11-23\n"), file("srv/a", b"x\ny\n"), file("srv/gone", b"g")],
            vec![file("etc/motd", b"built 2026-11-24\n"), file("srv/a", b"y\nx\n"), file("tmp/left", b"l")],
            &[
                ("/etc/motd", Class::Timestamp),
                ("/srv/a", Class::Order),
                ("/srv/gone", Class::Missing),
                ("/tmp/left", Class::LogOrCache),
            ],
        ),
        things(
            "content and metadata",
            vec![file("srv/x", b"host=a1 at 2026-11-23\n").mode(0o600)],
            vec![file("srv/x", b"host=b2 at 2026-11-24\n").mtime(9)],
            &[(X, Class::Timestamp)],
        ),
    ]
}

#[test]
fn every_pair_is_explained() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let comparison = compared_tars(&case.a, &case.b);
        let files = &comparison.platforms[0].files;
        let found: Vec<(&str, Class)> = files.iter().map(|file| (&*file.path, file.findings[0].class)).collect();
        if found != case.expected || comparison.verdict != Verdict::Different {
            wrong.push(format!("{}: expected {:?}, found {files:#?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each cause of a file is told, not only the weightiest, and where it is.
#[test]
fn a_file_may_have_several_causes() {
    let case = mixed().pop().unwrap();
    let comparison = compared_tars(&case.a, &case.b);
    let classes: Vec<Class> = comparison.platforms[0].files[0].findings.iter().map(|finding| finding.class).collect();
    assert_eq!(classes, [Class::Timestamp, Class::HostName, Class::Mode, Class::Mtime]);
    assert_eq!(comparison.platforms[0].files[0].findings[0].offset, Some(5));
}

/// A database is taken apart to its rows, and what is no row is said by its page.
#[test]
fn a_row_of_a_database_is_named() {
    let finding = |name: &str| {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        compared_tars(&case.a, &case.b).platforms[0].files[0].findings[0].clone()
    };
    assert_eq!(finding("sqlite").within, ["table log, row 2"]);
    assert_eq!(finding("sqlite row").within, ["table log, row 2"]);
    let note = |name: &str| finding(name).note.unwrap_or_default();
    assert!(note("sqlite unused").contains("page 2, a leaf of a table (log)"), "{}", note("sqlite unused"));
    assert!(note("sqlite no more").starts_with("page 2, "), "{}", note("sqlite no more"));
    assert_eq!(finding("zip64").within, ["zip member a"]);
    assert!(note("bzip2").contains("bzip2, which is not looked into"));
}

/// Each class that a cause may have occurs, alone and among others.
#[test]
fn every_class_is_in_the_corpus() {
    let cases = cases();
    let found: BTreeSet<Class> = cases.iter().flat_map(|case| case.expected.iter().map(|(_, class)| *class)).collect();
    // These are no file's: the tests of documents have them.
    let elsewhere = [Class::Configuration, Class::Platform, Class::MediaType, Class::Attestation, Class::Unread];
    let all = Class::ALL.into_iter().filter(|class| !elsewhere.contains(class));
    let missing: Vec<Class> = all.filter(|class| !found.contains(class)).collect();
    assert_eq!(missing, [], "no case has these");
}

/// All cases at once, each in a directory of its own where its paths allow that, and of each differing path the class.
pub(super) fn together() -> (Vec<Thing>, Vec<Thing>, BTreeMap<String, Class>) {
    let (mut a, mut b, mut expected) = (vec![], vec![], BTreeMap::new());
    for (at, case) in cases().into_iter().enumerate() {
        let own = |path: &str| path.replacen("srv/", &format!("srv/{at:02}/"), 1);
        // Without what stands around them.
        let things = |things: &[Thing]| -> Vec<Thing> {
            let inner = things[2..things.len() - 1].iter();
            inner.map(|thing| Thing { path: own(&thing.path), link: own(&thing.link), ..thing.clone() }).collect()
        };
        a.extend(things(&case.a));
        b.extend(things(&case.b));
        for (path, class) in case.expected {
            assert_eq!(expected.insert(own(path), class), None, "{}: {path} is in two cases", case.name);
        }
    }
    (a, b, expected)
}

/// Among others, each file has its own cause still.
#[test]
fn all_pairs_at_once_are_explained() {
    let (a, b, expected) = together();
    assert!(expected.len() > 85, "{}", expected.len());
    let comparison = compared_tars(&a, &b);
    let files = comparison.platforms[0].files.iter();
    let found: BTreeMap<String, Class> = files.map(|file| (file.path.clone(), file.findings[0].class)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_bomb_is_named_and_not_unpacked() {
    let zeros = |last: u8| {
        let mut bytes = vec![0; 40 << 20];
        bytes.push(last);
        file("srv/bomb.gz", &pack("gzip", &bytes))
    };
    let comparison = compared_tars(&[zeros(1)], &[zeros(2)]);
    let finding = &comparison.platforms[0].files[0].findings[0];
    assert!(finding.note.as_ref().unwrap().contains("unpacks to more than"), "{finding:?}");
}

/// What is beyond the limits is said with them, and is given no cause that nobody saw.
#[test]
fn what_is_not_looked_into_is_said() {
    // Bytes that gzip cannot make smaller.
    let mut state = 0x9e37_79b9_0000_0013_u64;
    let noise: Vec<u8> = (0..13 << 20)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[5]
        })
        .collect();
    let findings = |name: &str, a: &[u8], b: &[u8]| {
        compared_tars(&[file(name, a)], &[file(name, b)]).platforms[0].files[0].findings.clone()
    };
    let note = |finding: &remint::verify::diff::Finding| finding.note.clone().unwrap_or_default();
    let found = findings("srv/x", &gzip_with(ONE, "x", &noise), &gzip_with(TWO, "x", &noise));
    assert_eq!((found.len(), found[0].class), (1, Class::GzipHeader), "{found:?}");
    assert!(note(&found[0]).contains("more than 12582912 bytes is not taken apart"), "{found:?}");
    let mut other = noise.clone();
    other[9 << 20] ^= 1;
    for name in ["srv/x", "srv/x.gz"] {
        let found = findings(name, &gzip_with(ONE, "x", &noise), &gzip_with(ONE, "x", &other));
        assert_eq!((found.len(), found[0].class), (1, Class::Content), "{found:?}");
        assert!(note(&found[0]).contains("looked at were"), "{found:?}");
    }
    // Small as they are, these unpack to too much.
    let zeros = vec![0; 25 << 20];
    let found = findings("srv/x", &gzip_with(ONE, "x", &zeros), &gzip_with(TWO, "x", &zeros));
    assert_eq!((found.len(), found[0].class), (1, Class::GzipHeader), "{found:?}");
    assert!(note(&found[0]).contains("unpacks to more than"), "{found:?}");
}

/// The command looks into the first 500 files; the others have no cause and none's cure.
#[test]
fn files_beyond_the_limit_have_no_cause() {
    let side = |date: &str| -> Vec<Thing> {
        (0..510).map(|at| file(&format!("srv/{at:03}"), format!("built {date}\n").as_bytes())).collect()
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.tar"), tar(&side("2026-11-23"))).unwrap();
    std::fs::write(dir.path().join("b.tar"), tar(&side("2026-11-24"))).unwrap();
    let (code, stdout, stderr) = super::remint(dir.path(), &["diff", "tar:a.tar", "tar:b.tar"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains("500 ×  embedded timestamp") && !stdout.contains("other content"), "{stdout}");
    assert!(stdout.contains("10 files of these were not looked into"), "{stdout}");
    let (_, stdout, _) = super::remint(dir.path(), &["diff", "tar:a.tar", "tar:b.tar", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let last = &json["platforms"][0]["files"][509]["findings"][0];
    assert_eq!((&last["class"], &last["note"]), (&"unread".into(), &"only the first 500 differing files are".into()));
    assert_eq!(json["causes"].as_array().unwrap().len(), 1);
}

//! What is small and wants to be large: each is refused by name, soon, and in little memory.
//!
//! The memory is that of a process of its own: this program runs itself with one test, which looks at its own peak.

use crate::support::archive::{Package, ar, pack};
use crate::support::judge;
use remint::digest::{DiffId, Digest};
use remint::image::{Encoding, Layer, LayerReader};
use remint::layer::{Error, Limits, read};
use remint::source::debian::{Deb, Dependency, Keyring, PackagesIndex, Release, Stanza, verify};
use remint::store::Store;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::process::Command;
use std::time::Duration;

/// The most memory of all cases together, in MiB: what xz may take for a dictionary, and the largest control part.
const MOST: u64 = 500;

/// How long the processor may work on a case and on the making of its bomb; a busy machine does not count.
const LONGEST: Duration = Duration::from_secs(20);

/// Says to this program that it is the process of its own.
const ALONE: &str = "REMINT_TEST_BOMBS_ALONE";

#[test]
#[expect(clippy::disallowed_methods, reason = "what this very test told the process that it started")]
fn bombs_are_refused_soon_and_in_little_memory() {
    if std::env::var_os(ALONE).is_some() {
        return every_case();
    }
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "bombs::bombs_are_refused_soon_and_in_little_memory", "--nocapture"]).env(ALONE, "yes");
    let said = judge::succeed(&mut command);
    assert!(said.contains("1 passed"), "{said}");
}

/// What is done with a bomb, and the words of its refusal.
type Case = (&'static str, fn() -> String, &'static str);

const CASES: &[Case] = &[
    ("zeros in gzip", || data("gz", &pack("gz", &zeros(20))), "expands to more than 16777216 bytes"),
    ("zeros in xz", || data("xz", &pack("xz", &zeros(20))), "expands to more than 16777216 bytes"),
    ("zeros in zstd", || data("zst", &pack("zst", &zeros(20))), "expands to more than 16777216 bytes"),
    ("many small members of gzip", || data("gz", &pack("gz", &zeros(1)).repeat(20)), "expands to more than"),
    ("many empty members of gzip", || data("gz", &pack("gz", b"").repeat(200_000)), "ok"),
    ("many empty frames of zstd", || data("zst", &pack("zst", b"").repeat(200_000)), "ok"),
    ("frames that are to be skipped", || data("zst", &b"\x50\x2a\x4d\x18\0\0\0\0".repeat(200_000)), "ok"),
    (
        "a frame that is to be skipped and is not there",
        || data("zst", b"\x50\x2a\x4d\x18\xff\xff\xff\xff"),
        "cannot read",
    ),
    ("a window of zstd that is too large", || data("zst", &window()), "cannot read"),
    ("a dictionary of xz that is too large", || data("xz", &dictionary()), "cannot read"),
    ("a control part in gzip", || control("gz"), "beyond the limit of 134217728 bytes"),
    ("a control part in zstd", || control("zst"), "beyond the limit of 134217728 bytes"),
    ("a layer of zeros", layer, "goes beyond the limit"),
    (
        "a claim of 8 EiB",
        || tar(&claim(b'0', &[0x80, 0, 0, 0, 0x3f, 255, 255, 255, 255, 255, 255, 255])),
        "beyond the limit",
    ),
    ("a long name of 4 GiB", || tar(&claim(b'L', b"40000000000\0")), "limit of 1048576 bytes of extension headers"),
    ("a pax header of 4 GiB", || tar(&claim(b'x', b"40000000000\0")), "limit of 1048576 bytes of extension headers"),
    ("a million empty files", || tar(&claim(b'0', b"00000000000\0").repeat(1001)), "limit of 1000 entries"),
    ("a field of 64 MiB", || stanza(&("A: ".to_owned() + &"x".repeat(64 << 20))), "ok"),
    ("a line of 64 MiB that is no field", || stanza(&"x".repeat(64 << 20)), "line 1"),
    (
        "a million fields",
        || stanza(&(0..1_000_000).map(|n| format!("F{n}: x\n")).collect::<String>()),
        "more than 1000 fields",
    ),
    ("a million lines of one field", || stanza(&("A:\n".to_owned() + &" x\n".repeat(1_000_000))), "ok"),
    ("a million empty paragraphs", || stanza(&"\n".repeat(1_000_000)), "ok"),
    ("a million relations", || relations(&"a, ".repeat(1_000_000)), "more than 100000 members"),
    ("a million alternatives", || relations(&"a | ".repeat(1_000_000)), "more than 100000 members"),
    ("brackets within brackets", || relations(&format!("a {}", "(".repeat(1_000_000))), "not a relation"),
    ("an index of a million packages that are none", || index(&"Package: a\n\n".repeat(1_000_000)), "Version"),
    ("a Release of a million files", || release(1_000_000), "more than 100000"),
    ("a packet of 64 KiB that is not there", || keyring(b"\x99\xff\xff"), "cut off"),
    ("a packet of 4 GiB in the new form", || keyring(b"\xc6\xff\xff\xff\xff\xff"), "cut off"),
    ("a packet of unknown length", || keyring(b"\x9b"), "how long"),
    ("a packet in parts", || keyring(b"\xc6\xfe"), "OpenPGP packet"),
    ("a million empty packets", || keyring(&b"\xca\0".repeat(1_000_000)), "more than 10000 OpenPGP packets"),
    ("a keyring of 17 MiB", || keyring(&vec![0xca; 17 << 20]), "larger than 16 MiB"),
    ("a signed message of 65 MiB", || signed(&"x".repeat(65 << 20)), "larger than 64 MiB"),
    ("a million hash headers", || signed(&"Hash: SHA256\n".repeat(1_000_000)), "more than 16 hash algorithms"),
    ("a million empty signatures", || signed(&armour(&b"\xc2\0".repeat(100_000))), "more than 10000 OpenPGP packets"),
    (
        "subpackets that say they are long",
        || signed(&armour(b"\xc2\x0a\x04\x01\x16\x08\xff\xff\xff\xff\xff\xff")),
        "no signature",
    ),
];

/// All cases, in a process of their own.
fn every_case() {
    let mut wrong = Vec::new();
    for (name, run, words) in CASES {
        let begun = worked();
        let said = run();
        if !said.contains(words) {
            wrong.push(format!("{name}: `{said}` does not say `{words}`"));
        }
        let time = worked().saturating_sub(begun);
        assert!(time < LONGEST, "{name} took {time:?}");
        let peak = peak();
        assert!(peak < MOST, "{name}: {peak} MiB");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How long the processor worked on this thread (proc(5), `schedstat`).
fn worked() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The most memory that this process had, in MiB (proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

fn zeros(mib: usize) -> Vec<u8> {
    vec![0; mib << 20]
}

fn outcome<T>(result: Result<T, impl std::error::Error + 'static>) -> String {
    let Err(error) = result else { return "ok".to_owned() };
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(said, ": {error}");
        cause = error.source();
    }
    said.chars().take(2000).collect()
}

/// A package whose data part is unpacked as far as 16 MiB.
fn data(form: &str, packed: &[u8]) -> String {
    let whole = Package::new("a", "1").packed("").deb();
    let deb = Deb::open(&whole[..]).map(|deb| deb.control_files()["control"].bytes.clone()).unwrap();
    let control = crate::support::archive::tar(&[(
        "./control".to_owned(),
        crate::support::archive::File::Plain { content: deb, mode: 0o644 },
    )]);
    let name = format!("data.tar.{form}");
    let deb = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), (&name, packed)]);
    let mut reader = match Deb::open(&deb[..]).map_err(|error| outcome(Err::<(), _>(error))) {
        Ok(deb) => deb.into_data(16 << 20).unwrap(),
        Err(said) => return said,
    };
    match io::copy(&mut reader, &mut io::sink()) {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("cannot read: {error}"),
    }
}

/// A package whose control part is a gigabyte in one file.
fn control(form: &str) -> String {
    let mut header = tar::Header::new_ustar();
    header.set_path("control").unwrap();
    header.set_size(1 << 30);
    header.set_mode(0o644);
    header.set_cksum();
    let header: &[u8] = header.as_bytes();
    let inner = header.chain(io::repeat(0).take(129 << 20));
    let packed = match form {
        "gz" => {
            let mut out = Vec::new();
            flate2::read::GzEncoder::new(inner, flate2::Compression::fast()).read_to_end(&mut out).unwrap();
            out
        }
        _ => zstd::encode_all(inner, 1).unwrap(),
    };
    let name = format!("control.tar.{form}");
    outcome(Deb::open(&ar(&[("debian-binary", b"2.0\n"), (&name, &packed)])[..]).map(drop))
}

/// The header of a zstd frame with a window of 2 GiB (RFC 8878, section 3.1.1.1.2).
fn window() -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\x00"[..], &[21 << 3], &[0x01, 0, 0]].concat()
}

/// An xz file whose block wants a dictionary of 4 GiB: the properties byte of its filter (xz file format 1.2.1, section 5.3.1).
fn dictionary() -> Vec<u8> {
    let mut file = pack("xz", b"x");
    // Stream header 12, then the block header: size, flags, filter id, size of properties, properties.
    assert_eq!(file[14..16], [0x21, 1]);
    file[16] = 40;
    let length = (usize::from(file[12]) + 1) * 4;
    let sum = crc32fast::hash(&file[12..12 + length - 4]);
    file[12 + length - 4..12 + length].copy_from_slice(&sum.to_le_bytes());
    file
}

/// A layer of a gigabyte of zeros behind one header.
fn layer() -> String {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut header = claim(b'0', b"10000000000\0");
    header.resize(512, 0);
    let packed = zstd::encode_all(header.as_slice().chain(io::repeat(0).take(1 << 30)), 1).unwrap();
    let blob = store.put(&packed).unwrap();
    let layer = Layer { blob, encoding: Encoding::Zstd, diff_id: DiffId(Digest::of(b"")) };
    let reader = LayerReader::open(&store, &layer).unwrap();
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    outcome(read(reader, &limits, |_, _| Ok::<_, Error>(())))
}

/// A header that says how much is behind it.
fn claim(kind: u8, size: &[u8; 12]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::new(kind));
    for set in [tar::Header::set_uid, tar::Header::set_gid, tar::Header::set_mtime] {
        set(&mut header, 0);
    }
    header.as_old_mut().size = *size;
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn tar(bytes: &[u8]) -> String {
    let limits = Limits { entries: 1000, ..Limits::default() };
    outcome(read(bytes, &limits, |_, _| Ok::<_, Error>(())))
}

fn stanza(text: &str) -> String {
    outcome(Stanza::parse_all(text).map(drop))
}

fn relations(text: &str) -> String {
    outcome(Dependency::parse_list(text).map(drop))
}

fn index(text: &str) -> String {
    outcome(PackagesIndex::parse(text.as_bytes().to_vec()).map(drop))
}

fn release(files: usize) -> String {
    let mut text =
        "Suite: a\nCodename: a\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n"
            .to_owned();
    for number in 0..files {
        let _ = writeln!(text, " {number:064x} 1 main/{number}");
    }
    outcome(Release::parse(&text).map(drop))
}

fn keyring(bytes: &[u8]) -> String {
    outcome(Keyring::parse(bytes).map(drop))
}

fn signed(behind: &str) -> String {
    let file = format!("-----BEGIN PGP SIGNED MESSAGE-----\n{behind}\n");
    outcome(verify(file.as_bytes(), &Keyring::debian(), 0).map(drop))
}

/// A text of one line and an armour around packets.
fn armour(packets: &[u8]) -> String {
    let whole = crate::support::signer::message("x\n", "SHA256", packets);
    whole.split_once('\n').unwrap().1.trim_end().to_owned()
}

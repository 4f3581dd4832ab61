//! Archives that mean harm, or that two programs would read differently: each refused by name.

use super::tree::path;
use remint::layer::{END, Entry, Error, FragmentBuilder, Kind, Limits, read};
use tar::{EntryType, Header};

/// A header as an old tar would write it, with anything in its fields.
fn header(name: &[u8], kind: u8, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_cksum();
    header
}

fn with(mut header: Header, change: impl FnOnce(&mut Header)) -> Header {
    change(&mut header);
    header.set_cksum();
    header
}

/// A record: a header and its content.
fn record(header: &Header, content: &[u8]) -> Vec<u8> {
    let mut bytes = [header.as_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn pax(kind: u8, records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (rest..rest + 9).find(|length| rest + length.to_string().len() == *length).unwrap();
        content.extend_from_slice(format!("{length} {key}=").as_bytes());
        content.extend_from_slice(value);
        content.push(b'\n');
    }
    record(&header(b"pax", kind, content.len() as u64), &content)
}

fn link(name: &[u8], kind: u8, target: &[u8]) -> Vec<u8> {
    let link = |header: &mut Header| header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
    record(&with(header(name, kind, 0), link), b"")
}

fn file(name: &[u8]) -> Vec<u8> {
    record(&header(name, b'0', 1), b"x")
}

fn entries(records: &[Vec<u8>], limits: &Limits) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    read(&[&records.concat()[..], &END].concat()[..], limits, |entry, content| {
        // Some contents are left to be passed over.
        if entries.len() % 2 == 0 {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len() as u64, entry.size());
        }
        entries.push(entry);
        Ok::<_, Error>(())
    })?;
    Ok(entries)
}

/// The whole message.
fn refusal(records: &[Vec<u8>]) -> String {
    let error = entries(records, &Limits::default()).expect_err("hostile");
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}

#[track_caller]
fn refused(records: &[Vec<u8>], name: &str, why: &str) {
    let message = refusal(records);
    assert!(message.contains(name) && message.contains(why), "`{message}` does not say `{name}` and `{why}`");
}

#[test]
fn paths_that_leave_the_tree() {
    refused(&[file(b"/etc/passwd")], "/etc/passwd", "absolute");
    refused(&[file(b"./../etc/passwd")], "../etc/passwd", "could leave the tree");
    refused(&[file(b"a/../../b")], "a/../../b", "could leave the tree");
    refused(&[file(b"a\xff")], "a\u{fffd}", "not UTF-8");
    refused(&[file(b"a\nb")], "a\\nb", "control character");
    refused(&[file(b"./")], "./", "content");
    refused(&[record(&header(b"", b'5', 0), b"")], "``", "root");
    refused(&[link(b"a", b'1', b"/etc/shadow")], "`a`", "absolute");
    refused(&[link(b"a", b'1', b"../etc/shadow")], "../etc/shadow", "could leave the tree");
    refused(&[link(b"a", b'2', b"")], "`a`", "empty");
    refused(&[link(b"a", b'2', b"x\xff")], "`a`", "not UTF-8");
    refused(&[link(b"a", b'2', b"x\x1b[0m")], "`a`", "control character");
    refused(&[pax(b'x', &[("path", b"../x")]), file(b"harmless")], "../x", "could leave the tree");
    refused(&[record(&header(b"L", b'L', 5), b"../x\0"), file(b"harmless")], "../x", "could leave the tree");
    refused(&[pax(b'x', &[("path", &[b'a'; 300])]), file(b"a")], "aaa", "longer than Linux takes");
    refused(&[pax(b'x', &[("path", &b"/aa".repeat(3000)[1..])]), file(b"a")], "aa/aa", "longer than Linux takes");
    refused(&[pax(b'x', &[("linkpath", &[b'a'; 5000])]), link(b"a", b'2', b"")], "`a`", "longer than Linux takes");
}

#[test]
fn types_that_are_not_taken() {
    refused(&[record(&header(b"s", b'S', 0), b"")], "`s`", "sparse");
    for key in ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize"] {
        refused(&[pax(b'x', &[(key, b"1")]), file(b"s")], "`s`", "sparse");
    }
    for kind in *b"7MVDNAX" {
        refused(&[record(&header(b"odd", kind, 0), b"")], "`odd`", &format!("type `{}`", char::from(kind)));
    }
    for kind in *b"123456" {
        let odd = with(header(b"odd", kind, 1), |header| header.as_old_mut().linkname[0] = b'x');
        refused(&[record(&odd, b"x")], "`odd`", "content");
    }
    let no_device = with(header(b"null", b'3', 0), |header| header.as_mut_bytes()[257..265].fill(0));
    refused(&[record(&no_device, b"")], "`null`", "without numbers");
}

#[test]
fn numbers_out_of_range() {
    let binary = |field: std::ops::Range<usize>, byte: u8| {
        record(
            &with(header(b"odd", b'0', 0), |header| {
                header.as_mut_bytes()[field.clone()].fill(byte);
            }),
            b"",
        )
    };
    for (name, field) in [("mode", 100..108), ("uid", 108..116), ("gid", 116..124), ("size", 124..136)] {
        refused(&[binary(field.clone(), 0xff)], "`odd`", &format!("its {name} -1 is not between"));
        refused(&[binary(field.clone(), 0xbf)], "`odd`", &format!("its {name} "));
        refused(&[binary(field, b'9')], "`odd`", &format!("its {name} is no number"));
    }
    refused(&[binary(136..148, 0xbf)], "`odd`", "beyond all time");
    for (key, value) in
        [("uid", "4294967295"), ("gid", "-1"), ("size", "99999999999999999999"), ("size", "0x1"), ("mtime", "now")]
    {
        refused(&[pax(b'x', &[(key, value.as_bytes())]), file(b"odd")], "`odd`", key);
    }
    let seen = |records: &[Vec<u8>]| entries(records, &Limits::default()).unwrap().remove(0).mtime;
    assert_eq!(seen(&[binary(136..148, 0xff)]), 0, "before 1970");
    assert_eq!(seen(&[pax(b'x', &[("mtime", b"-1.5")]), file(b"a")]), 0);
    assert_eq!(seen(&[pax(b'x', &[("mtime", b"12.999999999")]), file(b"a")]), 12);
    assert_eq!(seen(&[pax(b'x', &[("mtime", b"")]), file(b"a")]), 1, "an empty value takes the record back");
}

#[test]
fn bombs_and_what_is_cut_off() {
    let many: Vec<_> = (0..11).map(|n| file(format!("f{n}").as_bytes())).collect();
    let limits = Limits { entries: 10, ..Limits::default() };
    assert!(matches!(entries(&many, &limits), Err(Error::Limit { path, what: "entries", .. }) if path == "f10"));
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert!(matches!(entries(&many, &limits), Err(Error::Limit { path, what: "bytes", .. }) if path == "f10"));
    let claim = record(&header(b"L", b'L', 1 << 32), b"");
    refused(&[claim], "`L`", "limit of 1048576 bytes of extension headers");
    let slow = vec![record(&header(b"L", b'L', 1), b"x"), pax(b'x', &[("comment", &[b'x'; 900])])];
    let limits = Limits { metadata: 2000, ..Limits::default() };
    assert!(entries(&[slow.clone(), vec![file(b"a")]].concat(), &limits).is_ok_and(|all| all.len() == 1));
    let limits = Limits { metadata: 1900, ..limits };
    assert!(matches!(entries(&[slow, vec![file(b"a")]].concat(), &limits), Err(Error::Limit { .. })));

    let named: Vec<_> = (0..3).flat_map(|_| [pax(b'x', &[("comment", b"x")]), file(b"a")]).collect();
    let limits = Limits { total_metadata: 1500, ..Limits::default() };
    assert!(matches!(entries(&named, &limits), Err(Error::Limit { what: "bytes of extension headers", .. })));

    let whole = [&file(b"a")[..], &END].concat();
    for cut in [0, 1, 511, 512, 513, 1023, 1024, 1025, 1535] {
        let result = read(&whole[..cut], &Limits::default(), |_, _| Ok::<_, Error>(()));
        assert!(matches!(result, Err(Error::Damaged { reason: "it is cut off", .. })), "{cut}: {result:?}");
    }
    refused(&[pax(b'x', &[("path", b"a")])], "at byte", "ends behind an extension header");
    refused(
        &[record(&header(b"L", b'L', 1), b"a"), record(&header(b"L", b'L', 1), b"b"), file(b"a")],
        "at byte",
        "two long names",
    );
    refused(&[pax(b'g', &[("path", b"a")]), file(b"b")], "at byte", "global");
    assert!(entries(&[pax(b'g', &[("comment", b"a commit")]), file(b"b")], &Limits::default()).is_ok());
    let mut flipped = file(b"a");
    flipped[0] ^= 1;
    refused(&[flipped], "at byte 0", "check sum");
}

#[test]
fn links_that_lead_nowhere_and_files_below_links() {
    let build = |records: &[Vec<u8>]| {
        let directory = tempfile::tempdir().unwrap();
        let mut builder = FragmentBuilder::new(directory.path(), 100);
        let bytes = [&records.concat()[..], &END].concat();
        read(&bytes[..], &Limits::default(), |entry, content| builder.add(entry, content))?;
        builder.finish(std::io::sink())
    };
    let round = [link(b"a", b'1', b"b"), link(b"b", b'1', b"c"), link(b"c", b'1', b"a")];
    assert!(matches!(build(&round), Err(Error::Link { reason: "leads back to it", .. })));
    assert!(matches!(build(&[link(b"a", b'1', b"b")]), Err(Error::Link { reason: "is not in the archive", .. })));
    let escape = [link(b"a", b'2', b"/etc"), file(b"a/passwd")];
    assert!(matches!(build(&escape), Err(Error::Below { path: found, .. }) if found == path("a/passwd")));
    let chain: Vec<_> =
        (0..100_000).map(|n| link(format!("{n:06}").as_bytes(), b'1', format!("{:06}", n + 1).as_bytes())).collect();
    let long = build(&[chain, vec![file(b"100000")]].concat()).unwrap();
    let first = |entry: &Entry| entry.kind == Kind::Hardlink { target: path("000000") };
    assert!(long.index.entries()[1..].iter().all(|indexed| first(&indexed.entry)));
}

#[test]
fn what_others_write_is_taken() {
    let mut gnu = tar::Builder::new(Vec::new());
    let long = format!("./{}", "long/".repeat(40));
    let mut one = Header::new_gnu();
    one.set_size(3);
    one.set_mode(0o100_755);
    one.set_uid(3_000_000);
    one.set_cksum();
    gnu.append_data(&mut one, format!("{long}file"), &b"abc"[..]).unwrap();
    let mut two = Header::new_gnu();
    two.set_entry_type(EntryType::Symlink);
    two.set_size(0);
    gnu.append_link(&mut two, "link", &long).unwrap();
    let mut seen = Vec::new();
    read(&gnu.into_inner().unwrap()[..], &Limits::default(), |entry, _| {
        seen.push(entry);
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(seen[0].path.as_str(), format!("{}file", &long[2..]));
    assert_eq!((seen[0].mode, seen[0].uid, seen[0].size()), (0o755, 3_000_000, 3));
    assert_eq!(seen[1].kind, Kind::Symlink { target: long });

    let root = record(&header(b"./", b'5', 0), b"");
    let old = record(&header(b"dir/", 0, 0), b"");
    let allowed =
        [("SCHILY.xattr.security.capability", &b"\n\0"[..]), ("SCHILY.xattr.security.selinux", b"x"), ("atime", b"1")];
    let seen = entries(&[root, old, pax(b'x', &allowed), file(b"ping")], &Limits::default()).unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].is_directory());
    assert_eq!(seen[1].xattrs, [("security.capability".to_owned(), b"\n\0".to_vec())]);
}

//! A tree with everything in it that is hard to write, as fragments and as a layer.

use remint::layer::{CHUNK, Codec, Entry, FragmentBuilder, Index, Kind, Packed, Part, Threads, directories, pack};
use remint::oci::TreePath;

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Text of that many bytes, the same for ever: words of a fixed list in an order that a fixed generator gives.
pub(crate) fn text(seed: u64, size: usize) -> Vec<u8> {
    const WORDS: [&[u8]; 16] = [
        b"the ",
        b"same ",
        b"bytes ",
        b"for ",
        b"ever ",
        b"and ",
        b"on ",
        b"any ",
        b"machine",
        b"\n",
        b"\0\0\0",
        b"\xff\xfe",
        b"0x",
        b"{}",
        b"; ",
        b"return ",
    ];
    let mut state = seed;
    let mut text = Vec::with_capacity(size + 8);
    while text.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(WORDS[usize::try_from(state >> 60).unwrap()]);
        text.extend_from_slice(&state.to_be_bytes()[..usize::try_from(state >> 40 & 3).unwrap()]);
    }
    text.truncate(size);
    text
}

/// An entry with what the other constructors leave at its default.
fn entry(at: &str, kind: Kind, mode: u32, ids: (u32, u32), mtime: u64) -> Entry {
    Entry { path: path(at), kind, mode, uid: ids.0, gid: ids.1, mtime, xattrs: Vec::new() }
}

fn file(at: &str, size: usize) -> (Entry, Vec<u8>) {
    let kind = Kind::File { size: size as u64 };
    (entry(at, kind, 0o644, (0, 0), 1_700_000_000), text(at.len() as u64, size))
}

fn other(at: &str, kind: Kind) -> (Entry, Vec<u8>) {
    (entry(at, kind, 0o777, (0, 0), 1_600_000_000), Vec::new())
}

/// Files, links and what else stands in one fragment, in no order.
pub(crate) fn tricky() -> Vec<(Entry, Vec<u8>)> {
    let long = "n".repeat(100);
    let hard = |to: &str| Kind::Hardlink { target: path(to) };
    let soft = |to: &str| Kind::Symlink { target: to.to_owned() };
    let mut all = vec![
        file("usr/bin/zz-first-in-the-archive", 1000),
        other("usr/bin/aa", hard("usr/bin/mm")),
        other("usr/bin/mm", hard("usr/bin/zz-first-in-the-archive")),
        other("usr/bin/[", soft("aa")),
        other("bin", soft("usr/bin")),
        other("etc/absolute", soft("/etc/../etc/passwd")),
        other("etc/long-link", soft(&format!("/{long}"))),
        other("etc/straße", soft("weiß/漢字")),
        file(&format!("a/{long}"), 3),
        file(&format!("a/b/{}", &long[1..]), 3),
        file(&format!("a/b/{long}/{long}"), 3),
        file(&format!("{}/{}/{}", "p".repeat(77), "q".repeat(77), long), 3),
        file(&format!("{}/{}/{}", "p".repeat(78), "q".repeat(77), long), 3),
        file(&format!("a/{long}n"), 3),
        file(&format!("a/{}", "ü".repeat(120)), 3),
        other("usr/bin/hard-and-long", hard(&format!("a/{long}n"))),
        other("run/initctl", Kind::Fifo),
        file("usr/share/x-y", 0),
        file("usr/share/x.y", 1),
        file("usr/share/x/y", 2),
        file("usr/share/x0y", 3),
    ];
    for size in [511, 512, 513, 1023, 1024, 1025, 10_240] {
        all.push(file(&format!("srv/size-{size}"), size));
    }
    let mut add = |at: &str, mode, ids, mtime, xattrs: &[(&str, &[u8])]| {
        let mut entry = entry(at, Kind::File { size: 4 }, mode, ids, mtime);
        entry.xattrs = xattrs.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        all.push((entry, b"text".to_vec()));
    };
    add("usr/bin/su", 0o4755, (0, 0), 1, &[]);
    add("usr/bin/wall", 0o2755, (0, 5), 0, &[]);
    add("var/sticky", 0o1777, (65_534, 65_534), 315_532_801, &[]);
    add("var/ids-octal", 0o600, (2_097_151, 2_097_151), 8_589_934_591, &[]);
    add("var/ids-pax", 0o600, (2_097_152, 4_294_967_294), 8_589_934_592, &[]);
    let capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\n\0\0\0\0\0\0\0";
    add(
        "usr/bin/ping",
        0o755,
        (0, 0),
        1_700_000_000,
        &[("security.capability", capability), ("user.a", b""), ("user.ä", b"=\n")],
    );
    all
}

/// Devices, which only root can unpack.
pub(crate) fn devices() -> Vec<(Entry, Vec<u8>)> {
    vec![
        other("dev/null", Kind::CharDevice { major: 1, minor: 3 }),
        other("dev/sda", Kind::BlockDevice { major: 8, minor: 1_048_575 }),
    ]
}

/// One file that makes its fragment exactly a chunk, one that goes a byte beyond it, one of several chunks.
pub(crate) fn large() -> [Vec<(Entry, Vec<u8>)>; 3] {
    [CHUNK - 512, CHUNK - 511, 2 * CHUNK + 123_456].map(|size| vec![file(&format!("srv/large-{size}"), size)])
}

/// The directories of all these trees.
pub(crate) fn directory_entries() -> Vec<Entry> {
    let mut all: Vec<TreePath> =
        tricky().iter().flat_map(|(entry, _)| entry.path.ancestors().collect::<Vec<_>>()).collect();
    all.push(path("dev"));
    all.sort();
    all.dedup();
    let mode = |path: &TreePath| if path.as_str() == "var" { 0o1777 } else { 0o755 };
    all.into_iter().map(|path| Entry::directory(path.clone(), mode(&path))).collect()
}

/// A fragment as an archive's entries give it.
pub(crate) fn fragment(tree: Vec<(Entry, Vec<u8>)>) -> (Vec<u8>, Index) {
    let directory = tempfile::tempdir().unwrap();
    let mut builder = FragmentBuilder::new(directory.path(), 4096);
    for (entry, content) in tree {
        builder.add(entry, &mut &content[..]).unwrap();
    }
    let mut bytes = Vec::new();
    let built = builder.finish(&mut bytes).unwrap();
    assert_eq!(built.index.size(), bytes.len() as u64);
    (bytes, built.index)
}

/// The fragments of a layer, the directories first, and what the others hold.
pub(crate) fn fragments(with_devices: bool) -> (Vec<Vec<u8>>, Vec<Index>) {
    let mut parts = vec![directories(&directory_entries()).unwrap()];
    let mut indices = Vec::new();
    let trees = with_devices.then(devices).into_iter().chain([tricky()]).chain(large());
    for (bytes, index) in trees.map(fragment) {
        parts.push(bytes);
        indices.push(index);
    }
    (parts, indices)
}

/// The compressed layer.
pub(crate) fn layer(codec: Codec, fragments: &[Vec<u8>]) -> (Packed, Vec<u8>) {
    let parts = fragments.iter().map(|bytes| Part::Fresh(Box::new(&bytes[..]), bytes.len() as u64));
    let mut blob = Vec::new();
    let packed = pack(codec, Threads::Pool, None, u64::MAX, parts, &mut blob).unwrap();
    (packed, blob)
}

//! Makes tars and the files in them: archives, compressed data, programs, databases.

use std::io::Write;

/// Something in a tar.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) path: String,
    pub(crate) kind: tar::EntryType,
    pub(crate) content: Vec<u8>,
    pub(crate) link: String,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    pub(crate) mtime: u64,
    pub(crate) device: (u32, u32),
    pub(crate) xattr: Option<(String, Vec<u8>)>,
}

pub(crate) fn thing(path: &str, kind: tar::EntryType) -> Thing {
    Thing {
        path: path.to_owned(),
        kind,
        content: vec![],
        link: String::new(),
        mode: 0o644,
        owner: (0, 0),
        mtime: 1_700_000_000,
        device: (0, 0),
        xattr: None,
    }
}

pub(crate) fn file(path: &str, content: &[u8]) -> Thing {
    Thing { content: content.to_vec(), ..thing(path, tar::EntryType::Regular) }
}

pub(crate) fn link(path: &str, to: &str, kind: tar::EntryType) -> Thing {
    Thing { link: to.to_owned(), ..thing(path, kind) }
}

impl Thing {
    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(crate) fn mtime(mut self, mtime: u64) -> Self {
        self.mtime = mtime;
        self
    }
}

/// Writes a tar.
pub(crate) fn tar(things: &[Thing]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, things);
    builder.into_inner().unwrap()
}

/// Writes more into a tar.
pub(crate) fn append<W: Write>(builder: &mut tar::Builder<W>, things: &[Thing]) {
    for thing in things {
        if let Some((name, value)) = &thing.xattr {
            let key = format!("SCHILY.xattr.{name}");
            builder.append_pax_extensions([(&*key, &value[..])]).unwrap();
        }
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(thing.kind);
        header.set_mode(thing.mode);
        header.set_uid(thing.owner.0);
        header.set_gid(thing.owner.1);
        header.set_mtime(thing.mtime);
        header.set_size(thing.content.len() as u64);
        header.set_device_major(thing.device.0).unwrap();
        header.set_device_minor(thing.device.1).unwrap();
        if thing.link.is_empty() {
            builder.append_data(&mut header, &thing.path, &thing.content[..]).unwrap();
        } else {
            builder.append_link(&mut header, &thing.path, &thing.link).unwrap();
        }
    }
}

/// Compresses: `gzip`, `gzip-fast`, `zstd`, `zstd-high`, `xz` or `plain`.
pub(crate) fn pack(how: &str, bytes: &[u8]) -> Vec<u8> {
    let gzip = |level: u32| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    match how {
        "gzip" => gzip(9),
        "gzip-fast" => gzip(1),
        "zstd" => zstd::encode_all(bytes, 3).unwrap(),
        "zstd-high" => zstd::encode_all(bytes, 19).unwrap(),
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => bytes.to_vec(),
    }
}

/// A gzip file whose header has a time and a name.
pub(crate) fn gzip_with(mtime: u32, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::GzBuilder::new().mtime(mtime).filename(name).write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive of stored or deflated members, with MS-DOS dates.
pub(crate) fn zip(members: &[(&str, &[u8], u16)], deflate: Option<u32>) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, content, date) in members {
        let raw = match deflate {
            None => content.to_vec(),
            Some(level) => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
        };
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common.extend(if deflate.is_some() { 8_u16 } else { 0 }.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common.extend(date.to_le_bytes());
        common.extend(crc.sum().to_le_bytes());
        common.extend(u32::try_from(raw.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        let at = u32::try_from(out.len()).unwrap();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &raw].concat());
        central.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (count, at) = (u16::try_from(members.len()).unwrap(), u32::try_from(out.len()).unwrap());
    let size = u32::try_from(central.len()).unwrap();
    let counts = [count.to_le_bytes(), count.to_le_bytes()].concat();
    let end = [b"PK\x05\x06\0\0\0\0", &counts[..], &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat();
    [out, central, end].concat()
}

/// An ar archive.
pub(crate) fn ar(members: &[(&str, &[u8], u64)]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content, mtime) in members {
        out.extend(format!("{name:<16}{mtime:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", content.len()).bytes());
        out.extend_from_slice(content);
        out.extend(std::iter::repeat_n(b'\n', content.len() % 2));
    }
    out
}

/// A 64-bit ELF file of some sections.
pub(crate) fn elf(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0];
    let mut out = vec![0; 64];
    let mut headers = vec![0; 64];
    let mut push = |name: &str, content: &[u8], out: &mut Vec<u8>, names: &mut Vec<u8>| {
        let mut header = vec![0; 64];
        header[..4].copy_from_slice(&u32::try_from(names.len()).unwrap().to_le_bytes());
        header[4] = 1;
        names.extend(name.bytes().chain([0]));
        let content = if name == ".shstrtab" { names.clone() } else { content.to_vec() };
        header[0x18..0x20].copy_from_slice(&(out.len() as u64).to_le_bytes());
        header[0x20..0x28].copy_from_slice(&(content.len() as u64).to_le_bytes());
        out.extend(content);
        headers.extend(header);
    };
    for (name, content) in sections {
        push(name, content, &mut out, &mut names);
    }
    push(".shstrtab", b"", &mut out, &mut names);
    out[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let table = out.len() as u64;
    out[0x28..0x30].copy_from_slice(&table.to_le_bytes());
    out[0x3a] = 64;
    out[0x3c..0x3e].copy_from_slice(&u16::try_from(sections.len() + 2).unwrap().to_le_bytes());
    out[0x3e..0x40].copy_from_slice(&u16::try_from(sections.len() + 1).unwrap().to_le_bytes());
    out.extend(headers);
    out
}

/// The note that holds a build id.
pub(crate) fn build_id(id: u8) -> Vec<u8> {
    [&[4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0][..], b"GNU\0", &[id; 20]].concat()
}

/// A compiled Python module.
pub(crate) fn pyc(mtime: u32, code: &[u8]) -> Vec<u8> {
    [&[0xa7, 0x0d, b'\r', b'\n', 0, 0, 0, 0][..], &mtime.to_le_bytes(), &[9, 0, 0, 0], code].concat()
}

/// A `SQLite` database of one table `log` with texts in its rows, and with a change counter.
pub(crate) fn sqlite(counter: u8, rows: &[&[u8]]) -> Vec<u8> {
    const PAGE: usize = 1024;
    let sql = b"CREATE TABLE log(line TEXT)";
    let text = |text: &[u8]| u8::try_from(text.len() * 2 + 13).expect("a short text");
    let short = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
    // A record is the length of its header, the kind of each value, the values.
    let schema = [&[6, 23, text(b"log"), text(b"log"), 1, text(sql)][..], b"table", b"log", b"log", &[2], sql].concat();
    let record = |line: &&[u8]| [&[2, text(line)][..], line].concat();
    let leaf = |start: usize, records: Vec<Vec<u8>>| {
        let mut page = vec![0; PAGE];
        let (mut end, mut pointers) = (PAGE, Vec::new());
        for (number, record) in (1_u8..).zip(&records) {
            let cell = [&[u8::try_from(record.len()).unwrap(), number], &record[..]].concat();
            end -= cell.len();
            page[end..end + cell.len()].copy_from_slice(&cell);
            pointers.extend(short(end));
        }
        let header = [&[13, 0, 0][..], &short(records.len()), &short(end), &[0], &pointers].concat();
        page[start..start + header.len()].copy_from_slice(&header);
        page
    };
    let mut first = leaf(100, vec![schema]);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&short(PAGE));
    first[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
    // The change counter, the size in pages, the schema's number and format, the encoding, and for which counter the size holds.
    for (at, number) in [(27, counter), (31, 2), (43, 1), (47, 4), (59, 1), (95, counter), (99, 1)] {
        first[at] = number;
    }
    [first, leaf(0, rows.iter().map(record).collect())].concat()
}

/// Makes the central directory of a zip archive one that says its places in 64 bits, as archives beyond 4 GiB have it.
pub(crate) fn zip64(zip: &[u8]) -> Vec<u8> {
    let end = zip.len() - 22;
    let number = |at: usize| u64::from(u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()));
    let (count, size, directory) = (u64::from(zip[end + 10]), number(end + 12), number(end + 16));
    let mut out = zip[..end].to_vec();
    let record = out.len() as u64;
    out.extend(b"PK\x06\x06");
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [count, count, size, directory] {
        out.extend(number.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(record.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &[0xff; 12], &[0, 0]].concat());
    out
}

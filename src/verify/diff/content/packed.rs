//! Compressed files: gzip with its header (RFC 1952), zstd, xz; bzip2 and lzip are recognised and not taken apart.

use super::{Explaining, binary, first_difference};
use crate::image::Wrapping;
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use crate::verify::diff::paths::time;

/// What compressed files begin with that are not taken apart, and what these are.
const CLOSED: [(&[u8], &str); 3] = [(b"BZh", "bzip2"), (b"LZIP", "lzip"), (b"7z\xbc\xaf\x27\x1c", "7-Zip")];

/// Compares two files of one compression; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, name: &str, a: &[u8], b: &[u8]) -> bool {
    let wrapping = Wrapping::of(a);
    if wrapping == Wrapping::Plain || wrapping != Wrapping::of(b) {
        let known = CLOSED.iter().find(|(magic, _)| a.starts_with(magic) && b.starts_with(magic));
        if let Some((_, what)) = known {
            closed(explaining, a, b, &format!("compressed by {what}, which is not looked into"));
        }
        return known.is_some();
    }
    let held = explaining.held;
    let [inner_a, inner_b] = [a, b].map(|bytes| wrapping.unwrap(bytes).and_then(|inner| explaining.unpack(inner)));
    match (inner_a, inner_b) {
        (Ok(inner_a), Ok(inner_b)) => {
            let same = inner_a == inner_b;
            if !same {
                let name = [".gz", ".xz", ".zst", ".tgz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
                explaining.inside(wrapping.name(), name, &inner_a, &inner_b);
            }
            let header = wrapping == Wrapping::Gzip && header(explaining, a, b);
            if same && !(header && body(a) == body(b)) {
                let mut finding = Finding::new(Field::Content, Class::Encoder);
                finding.offset = Some(first_difference(a, b));
                explaining
                    .add(finding.note(format!("the same content, compressed by {} in another way", wrapping.name())));
            }
        }
        (Err(error), _) | (_, Err(error)) => closed(explaining, a, b, &format!("{}: {error}", wrapping.name())),
    }
    explaining.held = held;
    true
}

/// Compares two compressed files, or beginnings of such, that are not unpacked, and says why they are not.
pub(super) fn closed(explaining: &mut Explaining<'_>, a: &[u8], b: &[u8], why: &str) {
    let gzip = [a, b].iter().all(|bytes| Wrapping::of(bytes) == Wrapping::Gzip);
    let before = explaining.findings.len();
    let header = gzip && header(explaining, a, b);
    if !(header && body(a) == body(b)) {
        // Nothing can be read in it: what looks like a date is none.
        binary::compare(explaining, a, b, Some(Class::Content));
    }
    for finding in explaining.findings.get_mut(before..).unwrap_or_default() {
        finding.also(why);
    }
}

/// Tells what two gzip headers say of the file that was compressed, where they differ in that.
///
/// How it was compressed and on which system stands there too (XFL and OS of RFC 1952, section 2.3.1): that is the encoder's.
fn header(explaining: &mut Explaining<'_>, a: &[u8], b: &[u8]) -> bool {
    let (Some((header_a, _)), Some((header_b, _))) = (Header::read(a), Header::read(b)) else { return false };
    let (said_a, said_b) = (header_a.facts(), header_b.facts());
    let differing: Vec<_> = said_a.iter().zip(&said_b).filter(|(a, b)| a != b).collect();
    let Some(((_, value_a), (_, value_b))) = differing.first() else { return false };
    let names: Vec<&str> = differing.iter().map(|((name, _), _)| *name).collect();
    let mut finding = Finding::new(Field::Content, Class::GzipHeader).values(value_a, value_b);
    finding.offset = Some(first_difference(a, b));
    explaining.add(finding.note(format!("in the gzip header: {}", names.join(", "))));
    true
}

/// What stands behind a gzip header, and how it was made.
fn body(bytes: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (header, body) = Header::read(bytes)?;
    Some((header.level, header.system, body))
}

/// The header of the first member of a gzip file.
#[derive(Debug)]
struct Header {
    mtime: u32,
    level: u8,
    system: u8,
    name: Option<String>,
    comment: Option<String>,
    extra: Vec<u8>,
}

impl Header {
    /// Reads it; gives what stands behind it too.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let flags = *bytes.get(3)?;
        let mtime = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        let (level, system) = (*bytes.get(8)?, *bytes.get(9)?);
        let mut rest = bytes.get(10..)?;
        let mut extra = Vec::new();
        if flags & 4 != 0 {
            let length = usize::from(u16::from_le_bytes(rest.get(..2)?.try_into().ok()?));
            extra = rest.get(2..2 + length)?.to_vec();
            rest = &rest[2 + length..];
        }
        let mut text = |flag: u8| -> Option<Option<String>> {
            if flags & flag == 0 {
                return Some(None);
            }
            let end = rest.iter().position(|&byte| byte == 0)?;
            let text = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            Some(Some(text))
        };
        let (name, comment) = (text(8)?, text(16)?);
        Some((Self { mtime, level, system, name, comment, extra }, rest))
    }

    /// What it says of the file that was compressed.
    fn facts(&self) -> [(&'static str, String); 4] {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        [
            ("mtime", time((self.mtime.into(), 0))),
            ("name", text(&self.name)),
            ("comment", text(&self.comment)),
            ("extra field", self.extra.iter().take(64).map(|byte| format!("{byte:02x}")).collect()),
        ]
    }
}

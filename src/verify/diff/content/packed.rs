//! Compressed files: gzip with its header (RFC 1952), zstd, xz; bzip2 and lzip are recognised and not taken apart.

use super::members::bounded;
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
            let before = explaining.findings.len();
            // Nothing can be read in it: what looks like a date is none.
            binary::compare(explaining, a, b, Some(Class::Content));
            if let Some(finding) = explaining.findings.get_mut(before) {
                finding.note = Some(format!("compressed by {what}, which is not looked into"));
            }
        }
        return known.is_some();
    }
    let unpack = |bytes| wrapping.unwrap(bytes).and_then(bounded);
    let (inner_a, inner_b) = match (unpack(a), unpack(b)) {
        (Ok(inner_a), Ok(inner_b)) => (inner_a, inner_b),
        (Err(error), _) | (_, Err(error)) => {
            let before = explaining.findings.len();
            binary::compare(explaining, a, b, None);
            if let Some(finding) = explaining.findings.get_mut(before) {
                finding.note = Some(format!("{}: {error}", wrapping.name()));
            }
            return true;
        }
    };
    if inner_a != inner_b {
        let name = [".gz", ".xz", ".zst", ".tgz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        explaining.inside(wrapping.name(), name, &inner_a, &inner_b);
    }
    let headers = (wrapping == Wrapping::Gzip).then(|| Some((Header::read(a)?, Header::read(b)?))).flatten();
    let header_differs = headers.as_ref().is_some_and(|(a, b)| a != b);
    if let Some((header_a, header_b)) = headers.filter(|_| header_differs) {
        let mut finding = Finding::new(Field::Content, Class::GzipHeader);
        let (said_a, said_b) = (header_a.facts(), header_b.facts());
        let differing = said_a.iter().zip(&said_b).filter(|(a, b)| a != b);
        let names: Vec<&str> = differing.clone().map(|((name, _), _)| *name).collect();
        if let Some(((_, value_a), (_, value_b))) = differing.clone().next() {
            finding = finding.values(value_a, value_b);
        }
        finding.offset = Some(first_difference(a, b));
        explaining.add(finding.note(format!("in the gzip header: {}", names.join(", "))));
    } else if inner_a == inner_b {
        let mut finding = Finding::new(Field::Content, Class::Encoder);
        finding.offset = Some(first_difference(a, b));
        explaining.add(finding.note(format!("the same content, compressed by {} in another way", wrapping.name())));
    }
    true
}

/// The header of the first member of a gzip file.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    mtime: u32,
    level: u8,
    system: u8,
    name: Option<String>,
    comment: Option<String>,
    extra: Vec<u8>,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
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
        Some(Self { mtime, level, system, name, comment, extra })
    }

    fn facts(&self) -> [(&'static str, String); 6] {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        [
            ("mtime", time((self.mtime.into(), 0))),
            ("name", text(&self.name)),
            ("level", self.level.to_string()),
            ("system", self.system.to_string()),
            ("comment", text(&self.comment)),
            ("extra field", format!("{} bytes", self.extra.len())),
        ]
    }
}

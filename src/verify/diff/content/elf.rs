//! Programs and libraries, section by section (System V ABI, chapter 4, "Sections").

use super::Explaining;
use super::binary;
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use std::collections::{BTreeMap, BTreeSet};

/// A file of more sections is compared as bytes.
const SECTIONS: usize = 10_000;

/// A longer name is cut, in bytes: what stands for it is bounded, however often names overlap.
const NAME: usize = 1000;

/// Compares two ELF files; `false`: they are none with sections.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let (Some(in_a), Some(in_b)) = (sections(a), sections(b)) else { return false };
    let before = explaining.findings.len();
    let mut consequences = Vec::new();
    for name in in_a.keys().chain(in_b.keys()).collect::<BTreeSet<_>>() {
        if explaining.full() {
            break;
        }
        let within = format!("section {}", shown(name.0));
        let (one, other) = match (in_a.get(name), in_b.get(name)) {
            (Some(one), Some(other)) if one.bytes == other.bytes => continue,
            (Some(one), Some(other)) => (one, other),
            (one, _) => {
                let class = if one.is_some() { Class::Missing } else { Class::Additional };
                explaining.add(Finding::new(Field::Presence, class).within(&[within]));
                continue;
            }
        };
        let code = one.code && other.code;
        let (one, other) = (one.bytes, other.bytes);
        match name.0 {
            b".note.gnu.build-id" => {
                let finding = Finding::new(Field::Content, Class::ElfBuildId).values(hex(one), hex(other));
                consequences.push(finding.within(&[within]));
            }
            b".gnu_debuglink" | b".gnu_debugaltlink" => {
                let finding = Finding::new(Field::Content, Class::ElfDebugLink).values(link(one), link(other));
                consequences.push(finding.within(&[within]));
            }
            // Nothing in code has another form than its own, and what looks like a date is none.
            _ if code => explaining.part(within, |explaining| {
                binary::compare(explaining, one, other, Some(Class::Content));
            }),
            _ => explaining.inside(within, "", one, other),
        }
    }
    // A build id is a hash of all else, and a debug link has the sum of a file that has all else: what else differs comes first.
    for finding in consequences {
        explaining.add(finding);
    }
    if explaining.findings.len() == before {
        binary::compare(explaining, a, b, None);
    }
    true
}

/// A section.
struct Section<'a> {
    bytes: &'a [u8],
    /// Whether it is run (`SHF_EXECINSTR`).
    code: bool,
}

/// Sections by name, of which no more is kept than tells that it is too long, and by which one of that name.
type Sections<'a> = BTreeMap<(&'a [u8], usize), Section<'a>>;

fn sections(bytes: &[u8]) -> Option<Sections<'_>> {
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let wide = match bytes.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let reader = Reader { bytes, big: *bytes.get(5)? == 2, wide };
    let (table, entry, count, names) = if wide { (0x28, 0x3a, 0x3c, 0x3e) } else { (0x20, 0x2e, 0x30, 0x32) };
    let (table, entry) = (reader.address(table)?, reader.number(entry, 2)?);
    let (count, names) = (reader.number(count, 2)?, reader.number(names, 2)?);
    if count == 0 || count > SECTIONS || entry < if wide { 64 } else { 40 } {
        return None;
    }
    // Inside the file, so that no sum with a field's place overflows.
    let header = |number: usize| table.checked_add(number.checked_mul(entry)?).filter(|&at| at < bytes.len());
    let content = |at: usize| -> Option<&[u8]> {
        let kind = reader.number(at + 4, 4)?;
        let (offset, size) = if wide { (at + 0x18, at + 0x20) } else { (at + 0x10, at + 0x14) };
        let (offset, size) = (reader.address(offset)?, reader.address(size)?);
        // What has no bytes in the file (SHT_NOBITS) has none here.
        if kind == 8 { Some(&[]) } else { bytes.get(offset..offset.checked_add(size)?) }
    };
    let strings = content(header(names)?)?;
    let mut sections = Sections::new();
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut together = 0;
    for number in 0..count {
        let at = header(number)?;
        let name = strings.get(reader.number(at, 4)?..)?;
        let most = name.len().min(NAME + 1);
        let name = &name[..name[..most].iter().position(|&byte| byte == 0).unwrap_or(most)];
        let section = Section { bytes: content(at)?, code: reader.address(at + 8)? & 4 != 0 };
        // Sections may lie in each other, but not all of them in the same bytes.
        together += section.bytes.len();
        if together > 2 * bytes.len() {
            return None;
        }
        let count = counts.entry(name).or_default();
        sections.insert((name, *count), section);
        *count += 1;
    }
    Some(sections)
}

/// Reads numbers in the file's order and width.
struct Reader<'a> {
    bytes: &'a [u8],
    big: bool,
    wide: bool,
}

impl Reader<'_> {
    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let field = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        let value = if self.big { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) };
        usize::try_from(value).ok()
    }

    fn address(&self, at: usize) -> Option<usize> {
        self.number(at, if self.wide { 8 } else { 4 })
    }
}

/// A section's name, cut between two characters where it is too long.
fn shown(name: &[u8]) -> String {
    if name.len() <= NAME {
        return String::from_utf8_lossy(name).into_owned();
    }
    // A byte that goes on with a character does not begin one.
    let end = (NAME - 3..=NAME).rev().find(|&at| name[at] & 0xc0 != 0x80).unwrap_or(NAME);
    format!("{}…", String::from_utf8_lossy(&name[..end]))
}

/// The id of a note: behind its header of twelve bytes and its name of four.
fn hex(note: &[u8]) -> String {
    note.get(16..).unwrap_or_default().iter().take(32).map(|byte| format!("{byte:02x}")).collect()
}

/// The file name of a debug link.
fn link(section: &[u8]) -> String {
    let end = section.iter().position(|&byte| byte == 0).unwrap_or(section.len());
    let sum: String = section.iter().rev().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{} {sum}", String::from_utf8_lossy(&section[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_two_characters() {
        assert_eq!(shown(b".text"), ".text");
        assert_eq!(shown("a".repeat(NAME).as_bytes()), "a".repeat(NAME));
        let long = |before: usize| [&vec![b'a'; before][..], "ü…🦀".repeat(300).as_bytes()].concat()[..=NAME].to_vec();
        for before in 0..9 {
            let name = shown(&long(before));
            assert!(name.ends_with('…') && !name.contains('\u{fffd}') && name.len() > NAME - 4, "{name}");
        }
        assert_eq!(shown(&[0x80; NAME + 1]).chars().count(), NAME + 1, "no text at all");
    }
}

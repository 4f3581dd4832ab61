//! Zip archives, and what is one under another name: jar, whl, egg, apk (PKWARE's APPNOTE.TXT 6.3, 4.3.12 and 4.3.16).
//!
//! Read is the central directory, also in its form for large archives (zip64, 4.3.14 and 4.5.3).

use super::Explaining;
use super::members::{self, Header, Kind, LONGEST, MEMBERS, Member};
use crate::verify::diff::class::Class;

const KIND: Kind = Kind { name: "zip", headers: Class::ZipHeader, facts };

/// Compares two zip archives; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let begins = |bytes: &[u8]| bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06");
    if !begins(a) || !begins(b) {
        return false;
    }
    let (Some(members_a), Some(members_b)) = (members(a), members(b)) else { return false };
    members::compare(explaining, KIND, (a, b), &members_a, &members_b);
    true
}

fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    // The end record has 22 bytes and a comment of at most 65,535.
    let tail = bytes.len().saturating_sub(22 + 65_535);
    let end = tail + bytes[tail..].windows(4).rposition(|part| part == b"PK\x05\x06")?;
    let (mut count, mut at) = (usize::from(short(bytes, end + 10)?), word(bytes, end + 16)?);
    if count == 0xffff || at == SATURATED {
        // In front of the end record stands where a larger one is.
        let locator = end.checked_sub(20).filter(|&at| bytes[at..].starts_with(b"PK\x06\x07"))?;
        let record = long(bytes, locator + 8)?;
        if bytes.get(record..record.checked_add(4)?)? != b"PK\x06\x06" {
            return None;
        }
        (count, at) = (long(bytes, record + 32)?, long(bytes, record + 48)?);
    }
    if count > MEMBERS {
        return None;
    }
    let (mut all, mut rest, mut together) = (Vec::new(), bytes.get(at..)?, 0_usize);
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return None;
        }
        let method = short(rest, 10)?;
        let (mut packed, unpacked, mut local) = (word(rest, 20)?, word(rest, 24)?, word(rest, 42)?);
        let [name, extra, comment] = [28, 30, 32].map(|field| short(rest, field).map(usize::from));
        let (name, extra, comment) = (name?, extra?, comment?);
        let header = rest.get(..FIXED + name + extra)?;
        let (name, extra) = header[FIXED..].split_at(name);
        // What does not fit stands in the extra field, in this order.
        let mut large = zip64(extra).chunks_exact(8).map(|number| long(number, 0));
        for (saturated, field) in [(unpacked, None), (packed, Some(&mut packed)), (local, Some(&mut local))] {
            if saturated == SATURATED {
                let number = large.next()??;
                if let Some(field) = field {
                    *field = number;
                }
            }
        }
        let from_local = bytes.get(local..)?;
        let skip = 30 + usize::from(short(from_local, 26)?) + usize::from(short(from_local, 28)?);
        let raw = from_local.get(skip..skip.checked_add(packed)?)?;
        // Members that lie over each other are a bomb.
        together += raw.len();
        if together > bytes.len() || name.len() > LONGEST {
            return None;
        }
        let deflated = match method {
            0 => false,
            8 => true,
            _ => return None,
        };
        all.push(Member { name: name.into(), header: Header::Bytes(header), raw, deflated });
        rest = rest.get(header.len() + comment..).unwrap_or_default();
    }
    Some(all)
}

/// What a member's record has in front of its name, in bytes.
const FIXED: usize = 46;

/// What a record of [`FIXED`] bytes, name and extra field says.
fn facts(header: &Header<'_>) -> Vec<(&'static str, String)> {
    let Header::Bytes(header) = header else { return vec![] };
    let half = |at| short(header, at).unwrap_or_default();
    let extra = header.get(FIXED + usize::from(half(28))..).unwrap_or_default();
    vec![
        ("time", dos_time(half(12), half(14))),
        ("mode", format!("{:08x}", word(header, 38).unwrap_or_default())),
        ("making system", format!("{:04x}", half(4))),
        ("flags", format!("{:04x}", half(8))),
        ("extra field", extra.iter().map(|byte| format!("{byte:02x}")).collect()),
    ]
}

/// What stands in a field of 32 bits whose value needs 64.
const SATURATED: usize = 0xffff_ffff;

/// The part of an extra field that is zip64's.
fn zip64(mut extra: &[u8]) -> &[u8] {
    while let (Some(kind), Some(size)) = (short(extra, 0), short(extra, 2)) {
        let Some(part) = extra.get(4..4 + usize::from(size)) else { break };
        if kind == 1 {
            return part;
        }
        extra = &extra[4 + part.len()..];
    }
    &[]
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?)).ok()
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

/// MS-DOS's date and time, without a zone.
fn dos_time(time: u16, date: u16) -> String {
    let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", time >> 11, time >> 5 & 63, (time & 31) * 2)
}

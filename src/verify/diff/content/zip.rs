//! Zip archives, and what is one under another name: jar, whl, egg, apk (PKWARE's APPNOTE.TXT 6.3, 4.3.12 and 4.3.16).
//!
//! Read is the central directory, also in its form for large archives (zip64, 4.3.14 and 4.5.3).

use super::Explaining;
use super::members::{self, Kind, MEMBERS, Member};
use crate::verify::diff::class::Class;

const KIND: Kind = Kind { name: "zip", headers: Class::ZipHeader };

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
    let mut all = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let method = short(bytes, at + 10)?;
        let (mut packed, unpacked, mut local) = (word(bytes, at + 20)?, word(bytes, at + 24)?, word(bytes, at + 42)?);
        let lengths = [28, 30, 32].map(|field| short(bytes, at + field).map(usize::from));
        let (name, extra, comment) = (lengths[0]?, lengths[1]?, lengths[2]?);
        let name_bytes = bytes.get(at + 46..at + 46 + name)?;
        let extra_bytes = bytes.get(at + 46 + name..at + 46 + name + extra)?;
        // What does not fit stands in the extra field, in this order.
        let mut large = zip64(extra_bytes).chunks_exact(8).map(|number| long(number, 0));
        for (saturated, field) in [(unpacked, None), (packed, Some(&mut packed)), (local, Some(&mut local))] {
            if saturated == SATURATED {
                let number = large.next()??;
                if let Some(field) = field {
                    *field = number;
                }
            }
        }
        let skip = 30 + usize::from(short(bytes, local + 26)?) + usize::from(short(bytes, local + 28)?);
        let begin = local.checked_add(skip)?;
        let facts = vec![
            ("time", dos_time(short(bytes, at + 12)?, short(bytes, at + 14)?)),
            ("mode", format!("{:08x}", word(bytes, at + 38)?)),
            ("making system", format!("{:04x}", short(bytes, at + 4)?)),
            ("flags", format!("{:04x}", short(bytes, at + 8)?)),
            ("extra field", extra_bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect()),
        ];
        all.push(Member {
            name: String::from_utf8_lossy(name_bytes).into_owned(),
            facts,
            raw: bytes.get(begin..begin.checked_add(packed)?)?,
            deflated: match method {
                0 => false,
                8 => true,
                _ => return None,
            },
        });
        at += 46 + name + extra + comment;
    }
    Some(all)
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

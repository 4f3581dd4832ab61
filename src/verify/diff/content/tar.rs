//! Tar archives inside files.

use super::Explaining;
use super::members::{self, Header, Kind, MEMBERS, Member};
use crate::layer::{Limits, SeenKind, locate};
use crate::verify::diff::class::Class;
use crate::verify::diff::paths::time;
use std::io::Cursor;

const KIND: Kind = Kind { name: "tar", headers: Class::TarHeader, facts };

/// Compares two tars; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let magic = |bytes: &[u8]| bytes.get(257..262) == Some(&b"ustar"[..]);
    if !magic(a) || !magic(b) {
        return false;
    }
    let (Some(members_a), Some(members_b)) = (members(a), members(b)) else { return false };
    members::compare(explaining, KIND, (a, b), &members_a, &members_b);
    true
}

fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let limits = Limits { entries: MEMBERS as u64, ..Limits::default() };
    let located = locate(Cursor::new(bytes), bytes.len() as u64, &limits).ok()?;
    let members = located.into_iter().map(|located| {
        let mut seen = located.seen;
        let at = usize::try_from(located.at).ok()?;
        let size = if let SeenKind::File(size) = seen.kind { usize::try_from(size).ok()? } else { 0 };
        let raw = bytes.get(at..at.checked_add(size)?)?;
        let name = std::mem::take(&mut seen.path).into_vec();
        Some(Member { name: name.into(), header: Header::Tar(Box::new(seen)), raw, deflated: false })
    });
    members.collect()
}

fn facts(header: &Header<'_>) -> Vec<(&'static str, String)> {
    let Header::Tar(seen) = header else { return vec![] };
    let link = match &seen.kind {
        SeenKind::Symlink(to) | SeenKind::Hardlink(to) => String::from_utf8_lossy(to).into_owned(),
        _ => String::new(),
    };
    let kind = match &seen.kind {
        SeenKind::File(_) => "file".to_owned(),
        other => format!("{other:?}").split('(').next().unwrap_or_default().to_lowercase(),
    };
    let (user, group) = &*seen.names;
    let attribute = |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}={}", name.escape_ascii(), value.escape_ascii());
    vec![
        ("time", time((seen.mtime, seen.nanos))),
        ("owner", format!("{}:{}", seen.uid, seen.gid)),
        ("owner's name", format!("{}:{}", String::from_utf8_lossy(user), String::from_utf8_lossy(group))),
        ("mode", format!("{:04o}", seen.mode)),
        ("type", kind),
        ("link", link),
        ("extended attributes", seen.xattrs.iter().map(attribute).collect::<Vec<_>>().join(" ")),
    ]
}

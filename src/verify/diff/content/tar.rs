//! Tar archives inside files.

use super::Explaining;
use super::members::{self, Kind, MEMBERS, Member};
use crate::layer::{Limits, SeenKind, locate};
use crate::verify::diff::class::Class;
use crate::verify::diff::paths::time;
use std::io::Cursor;

const KIND: Kind = Kind { name: "tar", headers: Class::TarHeader };

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
        let seen = located.seen;
        let at = usize::try_from(located.at).ok()?;
        let (size, link) = match &seen.kind {
            SeenKind::File(size) => (usize::try_from(*size).ok()?, String::new()),
            SeenKind::Symlink(to) | SeenKind::Hardlink(to) => (0, String::from_utf8_lossy(to).into_owned()),
            _ => (0, String::new()),
        };
        let kind = match seen.kind {
            SeenKind::File(_) => "file".to_owned(),
            ref other => format!("{other:?}").split('(').next().unwrap_or_default().to_lowercase(),
        };
        let (user, group) = &*seen.names;
        let facts = vec![
            ("time", time((seen.mtime, seen.nanos))),
            ("owner", format!("{}:{}", seen.uid, seen.gid)),
            ("owner's name", format!("{}:{}", String::from_utf8_lossy(user), String::from_utf8_lossy(group))),
            ("mode", format!("{:04o}", seen.mode)),
            ("type", kind),
            ("link", link),
            ("extended attributes", format!("{:?}", seen.xattrs)),
        ];
        let name = String::from_utf8_lossy(&seen.path).into_owned();
        Some(Member { name, facts, raw: bytes.get(at..at + size)?, deflated: false })
    });
    members.collect()
}

//! Ar archives: static libraries and Debian packages (ar(5); GNU's long names, ar.h of binutils).

use super::Explaining;
use super::members::{self, Kind, MEMBERS, Member};
use crate::verify::diff::class::Class;
use crate::verify::diff::paths::time;

const MAGIC: &[u8] = b"!<arch>\n";
const KIND: Kind = Kind { name: "ar", headers: Class::ArHeader };

/// Compares two ar archives; `false`: they are none.
pub(super) fn compare(explaining: &mut Explaining<'_>, _: &str, a: &[u8], b: &[u8]) -> bool {
    let (Some(members_a), Some(members_b)) = (members(a), members(b)) else { return false };
    members::compare(explaining, KIND, (a, b), &members_a, &members_b);
    true
}

fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut all: Vec<Member<'_>> = Vec::new();
    let mut long_names: &[u8] = &[];
    while !rest.is_empty() && all.len() < MEMBERS {
        let header = rest.get(..60)?;
        let text = |from: usize, to: usize| String::from_utf8_lossy(&header[from..to]).trim_end().to_owned();
        let size: usize = text(48, 58).parse().ok()?;
        let raw = rest.get(60..60_usize.checked_add(size)?)?;
        let mut name = text(0, 16);
        if name == "//" {
            long_names = raw;
        } else if let Some(at) = name.strip_prefix('/').and_then(|at| at.parse::<usize>().ok()) {
            let long = long_names.get(at..).unwrap_or_default();
            let end = long.iter().position(|&byte| byte == b'\n').unwrap_or(long.len());
            name = String::from_utf8_lossy(&long[..end]).into_owned();
        }
        let name = if name.len() > 1 { name.trim_end_matches('/').to_owned() } else { "symbol table".to_owned() };
        let stamp = text(16, 28);
        let facts = vec![
            ("time", stamp.parse().map_or(stamp, |seconds| time((seconds, 0)))),
            ("owner", format!("{}:{}", text(28, 34), text(34, 40))),
            ("mode", text(40, 48)),
        ];
        all.push(Member { name, facts, raw, deflated: false });
        rest = rest.get(60 + size + size % 2..).unwrap_or_default();
    }
    Some(all)
}

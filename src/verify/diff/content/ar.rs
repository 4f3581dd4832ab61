//! Ar archives: static libraries and Debian packages (ar(5); GNU's long names, ar.h of binutils).

use super::Explaining;
use super::members::{self, Header, Kind, LONGEST, MEMBERS, Member};
use crate::verify::diff::class::Class;
use crate::verify::diff::paths::time;

const MAGIC: &[u8] = b"!<arch>\n";
const KIND: Kind = Kind { name: "ar", headers: Class::ArHeader, facts };

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
    while !rest.is_empty() {
        let header = rest.get(..60)?;
        let size: usize = text(header, 48, 58).parse().ok()?;
        let raw = rest.get(60..60_usize.checked_add(size)?)?;
        let mut name = header[..16].trim_ascii_end();
        if name == b"//" {
            long_names = raw;
        } else if let Some(at) = text(header, 0, 16).strip_prefix('/').and_then(|at| at.parse::<usize>().ok()) {
            let long = long_names.get(at..).unwrap_or_default();
            let end = long.iter().take(LONGEST + 1).position(|&byte| byte == b'\n').unwrap_or(long.len());
            name = &long[..end];
        }
        if name.len() > 1 {
            name = &name[..name.len() - name.iter().rev().take_while(|&&byte| byte == b'/').count()];
        } else {
            name = b"symbol table";
        }
        if name.len() > LONGEST || all.len() == MEMBERS {
            return None;
        }
        all.push(Member { name: name.into(), header: Header::Bytes(header), raw, deflated: false });
        rest = rest.get(60 + size + size % 2..).unwrap_or_default();
    }
    Some(all)
}

fn text(header: &[u8], from: usize, to: usize) -> String {
    String::from_utf8_lossy(&header[from..to]).trim_end().to_owned()
}

fn facts(header: &Header<'_>) -> Vec<(&'static str, String)> {
    let Header::Bytes(header) = header else { return vec![] };
    let text = |from, to| text(header, from, to);
    let stamp = text(16, 28);
    vec![
        ("time", stamp.parse().map_or(stamp, |seconds| time((seconds, 0)))),
        ("owner", format!("{}:{}", text(28, 34), text(34, 40))),
        ("mode", text(40, 48)),
    ]
}

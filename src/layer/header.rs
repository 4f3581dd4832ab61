//! The bytes in front of an entry: a ustar header, with a pax header before it where ustar's fields are too small.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header". `docs/format-1.md` says which of the allowed
//! spellings format 1 has.

use super::pax::Records;
use super::{Entry, Error, Kind, xattr};
use std::borrow::Cow;

/// The unit of a tar archive, in bytes.
pub(super) const BLOCK: usize = 512;

/// The name of every pax header.
const PAX_NAME: &str = "././@PaxHeader";

/// The highest owner or group: one more is -1, which to the kernel is no id (chown(2)).
pub(super) const ID_LIMIT: u32 = u32::MAX - 1;

/// The most that a pax header's records may have, in bytes: what [`super::read`] takes by default.
const PAX_LIMIT: usize = 1 << 20;

/// Writes the header blocks of an entry into `out`, over what was there.
pub(super) fn encode(entry: &Entry, out: &mut Vec<u8>) -> Result<(), Error> {
    let unwritable = |reason| Error::Unwritable { path: entry.path.clone(), reason };
    if entry.mode > 0o7777 {
        return Err(unwritable("its mode has bits beyond 7777"));
    }
    if entry.uid.max(entry.gid) > ID_LIMIT {
        return Err(unwritable("its owner or group is -1, which means none"));
    }
    xattr::check(&entry.xattrs).map_err(unwritable)?;
    let mut records = Records::default();
    for (name, value) in &entry.xattrs {
        records.push(&[xattr::PAX_PREFIX, name], value);
    }

    // The keys below are in byte order, and behind `SCHILY.`.
    let path = match entry.kind {
        Kind::Directory => Cow::Owned(format!("{}/", entry.path)),
        _ => Cow::Borrowed(entry.path.as_str()),
    };
    let link = link(entry)?;
    let mut fields = Fields { mode: entry.mode, link, kind: flag(&entry.kind), ..Fields::default() };
    fields.gid = records.octal_or("gid", entry.gid.into(), 7);
    if !fits(link, 100) {
        records.push(&["linkpath"], link.as_bytes());
    }
    fields.mtime = records.octal_or("mtime", entry.mtime, 11);
    if let Some((prefix, name)) = split(&path) {
        (fields.prefix, fields.name) = (prefix, name);
    } else {
        records.push(&["path"], path.as_bytes());
        fields.name = &path;
    }
    fields.size = records.octal_or("size", entry.size(), 11);
    fields.uid = records.octal_or("uid", entry.uid.into(), 7);
    if let Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } = entry.kind {
        if major.max(minor) > 0o777_7777 {
            return Err(unwritable("its device number is beyond 7777777 in octal"));
        }
        fields.device = (major, minor);
    }

    out.clear();
    let records = records.into_bytes();
    if !records.is_empty() {
        if records.len() > PAX_LIMIT {
            return Err(unwritable("its extended attributes are too many"));
        }
        let size = records.len() as u64;
        Fields { name: PAX_NAME, mode: 0o644, size, kind: b'x', ..Fields::default() }.encode(out);
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    fields.encode(out);
    Ok(())
}

/// The target of a link, else nothing.
fn link(entry: &Entry) -> Result<&str, Error> {
    match &entry.kind {
        Kind::Symlink { target } if target.is_empty() || target.contains('\0') => {
            Err(Error::Unwritable { path: entry.path.clone(), reason: "its target is empty or has a NUL in it" })
        }
        Kind::Symlink { target } => Ok(target),
        Kind::Hardlink { target } => Ok(target.as_str()),
        _ => Ok(""),
    }
}

/// The type flag.
fn flag(kind: &Kind) -> u8 {
    match kind {
        Kind::File { .. } => b'0',
        Kind::Hardlink { .. } => b'1',
        Kind::Symlink { .. } => b'2',
        Kind::CharDevice { .. } => b'3',
        Kind::BlockDevice { .. } => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

/// Whether ustar can hold a text in a field of that many bytes.
fn fits(text: &str, field: usize) -> bool {
    text.len() <= field && text.is_ascii()
}

/// Cuts a path into ustar's prefix and name: whole into the name if that can hold it, else at the first slash that leaves a name
/// that fits. `None`: only pax can hold it.
fn split(path: &str) -> Option<(&str, &str)> {
    if fits(path, 100) {
        return Some(("", path));
    }
    let from = path.len().checked_sub(101).filter(|_| path.is_ascii())?;
    let (prefix, name) = path.split_at(from + path[from..].find('/')?);
    let name = &name[1..];
    (!prefix.is_empty() && prefix.len() <= 155 && !name.is_empty()).then_some((prefix, name))
}

/// The fields of a ustar header that differ between entries.
#[derive(Default)]
struct Fields<'a> {
    name: &'a str,
    prefix: &'a str,
    link: &'a str,
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    mtime: u64,
    kind: u8,
    device: (u32, u32),
}

impl Fields<'_> {
    /// Appends the header block.
    fn encode(&self, out: &mut Vec<u8>) {
        let mut block = [0; BLOCK];
        text(&mut block[..100], self.name);
        octal(&mut block[100..108], self.mode.into());
        octal(&mut block[108..116], self.uid);
        octal(&mut block[116..124], self.gid);
        octal(&mut block[124..136], self.size);
        octal(&mut block[136..148], self.mtime);
        block[156] = self.kind;
        text(&mut block[157..257], self.link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut block[329..337], self.device.0.into());
        octal(&mut block[337..345], self.device.1.into());
        text(&mut block[345..500], self.prefix);
        // The check sum counts its own field as eight spaces, and ends in NUL and space where others have NUL alone.
        let sum: u64 = 8 * u64::from(b' ') + block.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        octal(&mut block[148..155], sum);
        block[155] = b' ';
        out.extend_from_slice(&block);
    }
}

/// Writes what a field can hold of a text, with `_` for every byte that is not ASCII. Where that is not all, pax has the text.
fn text(field: &mut [u8], text: &str) {
    for (byte, &from) in field.iter_mut().zip(text.as_bytes()) {
        *byte = if from.is_ascii() { from } else { b'_' };
    }
}

/// Writes an octal number that fills the field up to a NUL.
fn octal(field: &mut [u8], mut value: u64) {
    for digit in field.iter_mut().rev().skip(1) {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_at_the_first_slash_that_will_do() {
        let long = "n".repeat(100);
        assert_eq!(split(&long), Some(("", &*long)));
        assert_eq!(split(&format!("{long}n")), None);
        assert_eq!(split(&format!("a/b/{long}")), Some(("a/b", &*long)));
        assert_eq!(split(&format!("a/b/{}", &long[2..])), Some(("a", &*format!("b/{}", &long[2..]))));
        assert_eq!(split(&format!("{long}/{long}")), Some((&*long, &*long)));
        let prefix = format!("{}/{}", &long[..77], &long[..77]);
        assert_eq!(split(&format!("{prefix}/{long}")), Some((&*prefix, &*long)));
        assert_eq!(split(&format!("{prefix}n/{long}")), None);
        assert_eq!(split(&format!("{long}/")), None, "a directory's last slash leaves no name");
        assert_eq!(split("ü"), None);
    }

    #[test]
    fn what_ustar_cannot_hold_is_in_pax() {
        let mut entry = Entry::file(crate::oci::TreePath::parse("large").unwrap(), 0o644, 1 << 33);
        (entry.uid, entry.gid, entry.mtime) = (1 << 21, u32::MAX, 1 << 33);
        let mut bytes = Vec::new();
        assert!(matches!(encode(&entry, &mut bytes), Err(Error::Unwritable { .. })));
        entry.gid = ID_LIMIT;
        encode(&entry, &mut bytes).unwrap();
        assert_eq!(bytes.len(), 3 * BLOCK);
        assert_eq!((bytes[156], bytes[1024 + 156]), (b'x', b'0'));
        let records = b"18 gid=4294967294\n20 mtime=8589934592\n19 size=8589934592\n15 uid=2097152\n";
        assert!(bytes[512..].starts_with(records));
        for field in [108..115, 116..123, 124..135, 136..147] {
            assert!(bytes[1024..][field].iter().all(|&digit| digit == b'0'));
        }
        let mut seen = None;
        let limits = crate::layer::Limits::default();
        let cut_off = crate::layer::read(&bytes[..], &limits, |entry, _| {
            seen = Some(entry);
            Ok::<_, Error>(())
        });
        assert!(matches!(cut_off, Err(Error::Damaged { .. })));
        assert_eq!(seen, Some(entry));
    }

    #[test]
    fn numbers_fill_their_field() {
        let mut field = [0xff; 8];
        field[7] = 0;
        octal(&mut field, 0o755);
        assert_eq!(&field, b"0000755\0");
    }
}

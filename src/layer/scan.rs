//! Shows tar archives as they are: nothing is dropped, clamped or left out, so that two of them can be compared.
//!
//! [`super::read`] takes what an image may be made of; this takes whatever an engine or another tool put into a layer.

use super::member::{Member, PATH_LIMIT, decimal};
use super::read::{Limits, members};
use super::{Error, xattr};
use std::io::{self, Read, Seek, SeekFrom};

/// One entry of somebody's archive, with all that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The path without `./`, doubled slashes, or a slash at either end; empty for the root.
    pub path: Box<[u8]>,
    /// What it is.
    pub kind: SeenKind,
    /// The permission bits with set-uid, set-gid and sticky.
    pub mode: u32,
    /// The numeric owner.
    pub uid: u64,
    /// The numeric group.
    pub gid: u64,
    /// Seconds since 1970, before it less than 0.
    pub mtime: i64,
    /// The fraction of the second, in nanoseconds.
    pub nanos: u32,
    /// The owner's and the group's name, as the archive has them; engines go by the numbers.
    pub names: Box<(Vec<u8>, Vec<u8>)>,
    /// Every extended attribute, sorted by name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The CRC-32 of its header and those in front of it: equal where two archives write it in the same way.
    pub form: u32,
}

/// What kind of thing a [`Seen`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenKind {
    /// A directory.
    Directory,
    /// A file of that many bytes.
    File(u64),
    /// A symbolic link to there.
    Symlink(Box<[u8]>),
    /// Another name for the file at that path, which is written as [`Seen::path`] is.
    Hardlink(Box<[u8]>),
    /// A named pipe.
    Fifo,
    /// A character device of a major and a minor number.
    CharDevice(u32, u32),
    /// A block device of a major and a minor number.
    BlockDevice(u32, u32),
}

/// Where a file of an archive stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The entry.
    pub seen: Seen,
    /// Where its content begins, in bytes from the archive's beginning.
    pub at: u64,
}

/// Gives each entry of an archive and its content to `visit`, in the archive's order.
///
/// Refused by name are only what has no meaning for a layer (sparse files, unknown types), numbers that are none, paths with `..`
/// in them, and whatever goes beyond `limits`.
pub fn scan<R: Read, E: From<Error>>(
    archive: R,
    limits: &Limits,
    mut visit: impl FnMut(Seen, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    members(archive, limits, None, |member, size, content| visit(member.seen(size)?, content))
}

/// Finds the entries of an archive without reading their contents; `end` is its length in bytes.
pub fn locate<R: Read + Seek>(archive: R, end: u64, limits: &Limits) -> Result<Vec<Located>, Error> {
    let pass = |reader: &mut R, count: u64| {
        let count = i64::try_from(count).map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        reader.seek(SeekFrom::Current(count)).map(|_| ())
    };
    let mut found = Vec::new();
    members(archive, limits, Some(pass), |member, size, content| {
        let at = content.at();
        if at.saturating_add(size) > end {
            return Err(Error::Within { path: member.name(), size });
        }
        found.push(Located { seen: member.seen(size)?, at });
        Ok(())
    })?;
    Ok(found)
}

impl Member<'_> {
    /// The entry with all that it says.
    fn seen(&self, size: u64) -> Result<Seen, Error> {
        if self.extensions.pax.keys().any(|key| key.starts_with(b"GNU.sparse.")) {
            return Err(self.refused("it is a sparse file"));
        }
        let (path, link) = (self.path(), self.link());
        if path.len() > PATH_LIMIT || link.len() > PATH_LIMIT {
            return Err(self.refused(format!("its path or target is longer than Linux takes ({PATH_LIMIT} bytes)")));
        }
        let header = self.header.as_old();
        let kind = match header.linkflag[0] {
            0 | b'0' | b'7' if path.ends_with(b"/") => SeenKind::Directory,
            0 | b'0' | b'7' => SeenKind::File(size),
            b'1' => SeenKind::Hardlink(self.plain(&link)?),
            b'2' => SeenKind::Symlink(link.into()),
            b'3' => self.device().map(|(major, minor)| SeenKind::CharDevice(major, minor))?,
            b'4' => self.device().map(|(major, minor)| SeenKind::BlockDevice(major, minor))?,
            b'5' => SeenKind::Directory,
            b'6' => SeenKind::Fifo,
            b'S' => return Err(self.refused("it is a sparse file")),
            other => return Err(self.refused(format!("its type `{}` is not known", other.escape_ascii()))),
        };
        let whole = |key: &'static str, field: &[u8]| -> Result<u64, Error> {
            let number = self.number(key, field)?;
            u64::try_from(number).map_err(|_| self.refused(format!("its {key} {number} is out of range")))
        };
        let mode = u32::try_from(whole("mode", &header.mode)? & 0o7777).unwrap_or_default();
        let (mtime, nanos) = self.time()?;
        let mut form = crc32fast::Hasher::new_with_initial(self.extensions.form);
        form.update(self.header.as_bytes());
        Ok(Seen {
            path: self.plain(&path)?,
            kind,
            mode,
            uid: whole("uid", &header.uid)?,
            gid: whole("gid", &header.gid)?,
            mtime,
            nanos,
            names: Box::new((
                self.owner("uname", self.header.username_bytes()),
                self.owner("gname", self.header.groupname_bytes()),
            )),
            xattrs: self.all_xattrs(),
            form: form.finalize(),
        })
    }

    /// A path in its one spelling.
    fn plain(&self, path: &[u8]) -> Result<Box<[u8]>, Error> {
        let parts: Vec<&[u8]> =
            path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != &b"."[..]).collect();
        if parts.contains(&&b".."[..]) {
            return Err(self.refused("its path or target has `..` in it, which could leave the tree"));
        }
        Ok(parts.join(&b'/').into())
    }

    fn owner(&self, key: &str, field: Option<&[u8]>) -> Vec<u8> {
        self.extensions.pax(key).or(field).unwrap_or_default().to_vec()
    }

    fn time(&self) -> Result<(i64, u32), Error> {
        let none = || self.refused("its mtime is no number");
        let (whole, fraction) = match self.extensions.pax("mtime") {
            None => (self.number("mtime", &self.header.as_old().mtime)?, &b""[..]),
            Some(value) => {
                let mut parts = value.splitn(2, |&byte| byte == b'.');
                let whole = parts.next().and_then(decimal).ok_or_else(none)?;
                (whole, parts.next().unwrap_or_default())
            }
        };
        if fraction.len() > 30 || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(none());
        }
        let digits = fraction.iter().map(|digit| u32::from(digit - b'0')).chain(std::iter::repeat(0));
        let nanos = digits.take(9).fold(0, |nanos, digit| nanos * 10 + digit);
        Ok((i64::try_from(whole).map_err(|_| none())?, nanos))
    }

    fn all_xattrs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = self.extensions.pax.iter();
        all.filter_map(|(key, value)| {
            let name = key.strip_prefix(xattr::PAX_PREFIX.as_bytes())?;
            Some((name.to_vec(), value.clone()))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        header.set_uid(1);
        header.set_gid(2);
        header.set_mtime(7);
        header.set_username("who").unwrap();
        let records = [("mtime", &b"-3.25"[..]), ("SCHILY.xattr.security.selinux", b"label\0")];
        builder.append_pax_extensions(records).unwrap();
        builder.append_data(&mut header, "./etc//a", &b"one"[..]).unwrap();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Link);
        builder.append_link(&mut header, "etc/b", "./etc/a").unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn nothing_is_dropped() {
        let mut all = Vec::new();
        scan(&archive()[..], &Limits::default(), |seen, content: &mut dyn Read| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            all.push((seen, bytes));
            Ok::<_, Error>(())
        })
        .unwrap();
        let (first, content) = &all[0];
        assert_eq!((&*first.path, &content[..]), (&b"etc/a"[..], &b"one"[..]));
        assert_eq!((first.mtime, first.nanos, first.uid, first.gid), (-3, 250_000_000, 1, 2));
        assert_eq!(first.names.0, b"who");
        assert_eq!(first.xattrs, [(b"security.selinux".to_vec(), b"label\0".to_vec())]);
        assert_eq!(all[1].0.kind, SeenKind::Hardlink((*b"etc/a").into()));
        assert_ne!(first.form, all[1].0.form);
    }

    #[test]
    fn contents_are_found_without_reading_them() {
        let bytes = archive();
        let end = bytes.len() as u64;
        let found = locate(Cursor::new(&bytes), end, &Limits::default()).unwrap();
        let at = usize::try_from(found[0].at).unwrap();
        assert_eq!(&bytes[at..at + 3], b"one");
        assert!(locate(Cursor::new(&bytes[..=at]), found[0].at + 1, &Limits::default()).is_err(), "cut off");
    }

    #[test]
    fn a_way_out_is_refused() {
        let mut bytes = archive();
        let at = bytes.windows(9).position(|part| part == b"etc/a\0\0\0\0").unwrap();
        bytes[at..at + 5].copy_from_slice(b"../ab");
        let header = at / 512 * 512;
        bytes[header + 148..header + 156].fill(b' ');
        let sum: u32 = bytes[header..header + 512].iter().map(|&byte| u32::from(byte)).sum();
        bytes[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let refused = scan(&bytes[..], &Limits::default(), |_, _: &mut dyn Read| Ok::<_, Error>(())).unwrap_err();
        assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    }
}

//! One member of somebody's archive: its header and what stands before it, turned into an entry or refused by name.

use super::header::ID_LIMIT;
use super::read::Extensions;
use super::{Entry, Error, Kind, xattr};
use crate::oci::{PathError, TreePath};
use tar::Header;

/// The longest path or target, in bytes: Linux's `PATH_MAX` without its NUL.
pub(super) const PATH_LIMIT: usize = 4095;

/// A header with what stands before it.
pub(super) struct Member<'a> {
    pub(super) header: &'a Header,
    pub(super) extensions: Extensions,
}

impl Member<'_> {
    /// The name as it was written, for messages; its beginning if it is too long to show.
    pub(super) fn name(&self) -> String {
        let path = self.path();
        let shown = String::from_utf8_lossy(&path[..path.len().min(255)]).into_owned();
        if path.len() > 255 { shown + "…" } else { shown }
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> Error {
        Error::Refused { path: self.name(), reason: reason.into() }
    }

    pub(super) fn path(&self) -> Vec<u8> {
        let extensions = &self.extensions;
        match extensions.pax("path").or(extensions.long_name.as_deref()) {
            Some(path) => path.to_vec(),
            None => self.header.path_bytes().into_owned(),
        }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        let extensions = &self.extensions;
        match extensions.pax("linkpath").or(extensions.long_link.as_deref()) {
            Some(link) => link.to_vec(),
            None => self.header.link_name_bytes().unwrap_or_default().into_owned(),
        }
    }

    /// A number of the header, or the one that pax has for it.
    pub(super) fn number(&self, key: &str, field: &[u8]) -> Result<i128, Error> {
        match self.extensions.pax(key) {
            Some(value) => decimal(value),
            None => number(field),
        }
        .ok_or_else(|| self.refused(format!("its {key} is no number")))
    }

    /// A number that must lie between 0 and a limit.
    fn bounded(&self, key: &str, field: &[u8], limit: u64) -> Result<u64, Error> {
        let value = self.number(key, field)?;
        u64::try_from(value)
            .ok()
            .filter(|&value| value <= limit)
            .ok_or_else(|| self.refused(format!("its {key} {value} is not between 0 and {limit}")))
    }

    /// A number that must lie between 0 and a limit below 2³².
    fn small(&self, key: &str, field: &[u8], limit: u32) -> Result<u32, Error> {
        self.bounded(key, field, limit.into()).map(|value| u32::try_from(value).unwrap_or(limit))
    }

    /// The bytes that stand behind the header.
    pub(super) fn size(&self) -> Result<u64, Error> {
        self.bounded("size", &self.header.as_old().size, 1 << 62)
    }

    /// The entry; `None` for the root.
    pub(super) fn entry(&self, size: u64) -> Result<Option<Entry>, Error> {
        if self.extensions.pax.keys().any(|key| key.starts_with(b"GNU.sparse.")) {
            return Err(self.refused("it is a sparse file"));
        }
        let path = self.path();
        if path.first() == Some(&b'/') {
            return Err(self.refused("its path is absolute"));
        }
        if path.len() > PATH_LIMIT || self.link().len() > PATH_LIMIT {
            return Err(self.refused(format!("its path or target is longer than Linux takes ({PATH_LIMIT} bytes)")));
        }
        let kind = self.kind(&path, size)?;
        if size > 0 && !matches!(kind, Kind::File { .. }) {
            return Err(self.refused("it has content but is not a file"));
        }
        let path = match TreePath::parse_bytes(&path) {
            Ok(path) => path,
            Err(PathError::Root(_)) if kind == Kind::Directory && !path.is_empty() => return Ok(None),
            Err(source) => return Err(Error::Path { source }),
        };
        let header = self.header.as_old();
        Ok(Some(Entry {
            path,
            kind,
            // Some writers put the file type into the mode as well.
            mode: self.small("mode", &header.mode, u32::MAX)? & 0o7777,
            uid: self.small("uid", &header.uid, ID_LIMIT)?,
            gid: self.small("gid", &header.gid, ID_LIMIT)?,
            mtime: self.mtime()?,
            xattrs: self.xattrs()?,
        }))
    }

    pub(super) fn kind(&self, path: &[u8], size: u64) -> Result<Kind, Error> {
        Ok(match self.header.as_old().linkflag[0] {
            // Before ustar, a slash at the end was all that marked a directory.
            0 | b'0' if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' => Kind::File { size },
            b'1' => {
                let link = self.link();
                if link.first() == Some(&b'/') {
                    return Err(self.refused("it is a hard link to an absolute path"));
                }
                Kind::Hardlink { target: TreePath::parse_bytes(&link).map_err(|source| Error::Path { source })? }
            }
            b'2' => Kind::Symlink { target: self.symlink()? },
            b'3' => {
                let (major, minor) = self.device()?;
                Kind::CharDevice { major, minor }
            }
            b'4' => {
                let (major, minor) = self.device()?;
                Kind::BlockDevice { major, minor }
            }
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            b'S' => return Err(self.refused("it is a sparse file")),
            other => return Err(self.refused(format!("its type `{}` is not known", other.escape_ascii()))),
        })
    }

    fn symlink(&self) -> Result<String, Error> {
        let target = String::from_utf8(self.link()).map_err(|_| self.refused("its target is not UTF-8"))?;
        if target.is_empty() {
            return Err(self.refused("its target is empty"));
        }
        if target.contains(char::is_control) {
            return Err(self.refused("its target has a control character in it"));
        }
        Ok(target)
    }

    pub(super) fn device(&self) -> Result<(u32, u32), Error> {
        let (major, minor) = match (self.header.as_ustar(), self.header.as_gnu()) {
            (Some(header), _) => (&header.dev_major, &header.dev_minor),
            (_, Some(header)) => (&header.dev_major, &header.dev_minor),
            _ => return Err(self.refused("it is a device without numbers")),
        };
        // Linux has 12 bits for the major number and 20 for the minor (`dev_t` of the kernel, include/linux/kdev_t.h).
        Ok((self.small("major number", major, (1 << 12) - 1)?, self.small("minor number", minor, (1 << 20) - 1)?))
    }

    fn mtime(&self) -> Result<u64, Error> {
        let seconds = match self.extensions.pax("mtime") {
            Some(value) => {
                let whole = value.split(|&byte| byte == b'.').next().and_then(decimal);
                whole.ok_or_else(|| self.refused("its mtime is no number"))?
            }
            None => self.number("mtime", &self.header.as_old().mtime)?,
        };
        u64::try_from(seconds.max(0))
            .ok()
            .filter(|&seconds| i64::try_from(seconds).is_ok())
            .ok_or_else(|| self.refused(format!("its mtime {seconds} is beyond all time")))
    }

    fn xattrs(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut xattrs = Vec::new();
        for (key, value) in &self.extensions.pax {
            let name = key.strip_prefix(xattr::PAX_PREFIX.as_bytes()).and_then(|name| std::str::from_utf8(name).ok());
            if let Some(name) = name.filter(|name| xattr::allowed(name)) {
                xattrs.push((name.to_owned(), value.clone()));
            }
        }
        xattr::check(&xattrs).map_err(|reason| self.refused(reason))?;
        Ok(xattrs)
    }
}

/// A number of a header: octal digits among spaces and NULs, or GNU's binary form, which the first bit marks. Empty is 0.
pub(super) fn number(field: &[u8]) -> Option<i128> {
    let first = *field.first()?;
    if first & 0x80 != 0 {
        // The second bit is the sign; fields have 12 bytes at most.
        let sign = if first & 0x40 != 0 { -1 } else { 0 };
        let first = i128::from(first & 0x7f) | (sign << 7);
        return Some(field[1..].iter().fold(first, |value, &byte| value << 8 | i128::from(byte)));
    }
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let digits = field[..end].trim_ascii();
    digits.iter().try_fold(0, |value, &digit| match digit {
        b'0'..=b'7' => Some(value * 8 + i128::from(digit - b'0')),
        _ => None,
    })
}

/// A decimal number of a pax record.
pub(super) fn decimal(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_forms() {
        assert_eq!(number(b"0000755\0"), Some(0o755));
        assert_eq!(number(b"   755 \0"), Some(0o755));
        assert_eq!(number(b"77777777"), Some(0o7777_7777));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\x01\x02"), Some(258));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xfe"), Some(-2));
        assert_eq!(number(b"\xc0\0\0\0\0\0\0\0"), Some(-(1 << 62)));
        for wrong in [&b"8"[..], b"0x1", b"-1", b"7 7"] {
            assert_eq!(number(wrong), None);
        }
    }
}

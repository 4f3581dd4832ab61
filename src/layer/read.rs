//! Takes apart tar archives that others made: packages' members, sources, foreign layers.
//!
//! Read are ustar, its pax extension and GNU's extension (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). The header's
//! fields are told apart by the `tar` crate; the framing is done here, so that nothing is held in memory that a limit does not
//! bound, and so that a record which programs read differently is refused rather than guessed at.

use super::header::{BLOCK, ID_LIMIT};
use super::{Entry, Error, Kind, pax, xattr};
use crate::oci::{PathError, TreePath};
use std::collections::BTreeMap;
use std::io::{self, Read};
use tar::Header;

/// What an archive may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries, directories included.
    pub entries: u64,
    /// Bytes of all contents together.
    pub bytes: u64,
    /// Bytes of the extension headers of one entry together: long names and extended attributes.
    pub metadata: u64,
    /// Bytes of the extension headers of all entries together.
    pub total_metadata: u64,
}

impl Default for Limits {
    /// A million entries, 64 GiB, and extension headers of 1 MiB an entry and 256 MiB together: more than any image needs.
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 64 << 30, metadata: 1 << 20, total_metadata: 256 << 20 }
    }
}

/// Gives each entry of an archive and its content to `visit`, in the archive's order.
///
/// The root's own entry is passed over. Paths may begin with `./`. Owner names, access times and extended attributes beyond the
/// allow-list are dropped; fractions of a second are cut off; a time before 1970 is 1970. Refused by name: absolute paths, `..`,
/// names that are not UTF-8, sparse files, unknown types, contents of anything but files, numbers out of range, and whatever
/// goes beyond `limits`. An entry with a path that was there before is given again: the later one counts, as for tar and dpkg.
///
/// What `visit` leaves of a content is passed over. Reading stops at the first block of zeros; an archive without one was cut
/// off, which is an error.
pub fn read<R: Read, E: From<Error>>(
    archive: R,
    limits: &Limits,
    mut visit: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut input = Input { reader: archive, at: 0 };
    let mut extensions = Extensions::default();
    let (mut entries, mut bytes, mut metadata) = (0_u64, 0_u64, 0_u64);
    while let Some(header) = input.header()? {
        if extensions.take_in(&mut input, &header, limits)? {
            continue;
        }
        let member = Member { header: &header, extensions: std::mem::take(&mut extensions) };
        let size = member.size()?;
        entries += 1;
        bytes = bytes.saturating_add(size);
        metadata = metadata.saturating_add(member.extensions.used);
        for (count, limit, what) in [
            (entries, limits.entries, "entries"),
            (bytes, limits.bytes, "bytes"),
            (metadata, limits.total_metadata, "bytes of extension headers"),
        ] {
            if count > limit {
                return Err(Error::Limit { path: member.name(), limit, what }.into());
            }
        }
        let mut content = Content { input: &mut input, left: size };
        if let Some(entry) = member.entry(size)? {
            visit(entry, &mut content)?;
        }
        content.skip()?;
        input.skip(size.next_multiple_of(BLOCK as u64) - size)?;
    }
    if extensions.used == 0 { Ok(()) } else { Err(input.damaged("it ends behind an extension header").into()) }
}

/// The longest path or target, in bytes: Linux's `PATH_MAX` without its NUL.
const PATH_LIMIT: usize = 4095;

/// The archive and how far it was read.
struct Input<R> {
    reader: R,
    at: u64,
}

impl<R: Read> Input<R> {
    fn damaged(&self, reason: &'static str) -> Error {
        Error::Damaged { at: self.at, reason }
    }

    fn failed(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("it is cut off"),
            _ => Error::Archive { at: self.at, source },
        }
    }

    /// The next header whose check sum is right; `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut header = Header::new_old();
        self.reader.read_exact(header.as_mut_bytes()).map_err(|source| self.failed(source))?;
        let block = header.as_bytes();
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        let own: u64 = block[148..156].iter().map(|&byte| u64::from(byte)).sum();
        if number(&block[148..156]) != Some(i128::from(sum - own + 8 * u64::from(b' '))) {
            return Err(self.damaged("a header's check sum is wrong"));
        }
        self.at += BLOCK as u64;
        Ok(Some(header))
    }

    /// Passes over bytes.
    fn skip(&mut self, count: u64) -> Result<(), Error> {
        Content { input: self, left: count }.skip()
    }
}

/// The content of an entry.
struct Content<'a, R> {
    input: &'a mut Input<R>,
    left: u64,
}

impl<R: Read> Content<'_, R> {
    /// Passes over what is left.
    fn skip(mut self) -> Result<(), Error> {
        let mut buffer = [0; 16 << 10];
        while self.left > 0 {
            match self.read(&mut buffer) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(self.input.failed(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.input.reader.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.input.at += count as u64;
        Ok(count)
    }
}

/// What extension headers say about the entry behind them.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes they have together, with their headers.
    used: u64,
}

impl Extensions {
    /// Takes in an extension header; false if it is none.
    fn take_in<R: Read>(&mut self, input: &mut Input<R>, header: &Header, limits: &Limits) -> Result<bool, Error> {
        let kind = header.as_old().linkflag[0];
        if !matches!(kind, b'L' | b'K' | b'x' | b'g') {
            return Ok(false);
        }
        let size = number(&header.as_old().size).and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| input.damaged("an extension header's size is no number"))?;
        self.used = self.used.saturating_add(size).saturating_add(BLOCK as u64);
        if self.used > limits.metadata {
            let path = String::from_utf8_lossy(&header.path_bytes()).into_owned();
            return Err(Error::Limit { path, limit: limits.metadata, what: "bytes of extension headers" });
        }
        let mut bytes = Vec::new();
        let mut content = Content { input: &mut *input, left: size };
        let read = content.read_to_end(&mut bytes);
        read.map_err(|source| input.failed(source))?;
        input.skip(size.next_multiple_of(BLOCK as u64) - size)?;
        match kind {
            b'L' => set(&mut self.long_name, bytes).map_err(|reason| input.damaged(reason))?,
            b'K' => set(&mut self.long_link, bytes).map_err(|reason| input.damaged(reason))?,
            _ => {
                for (key, value) in pax::parse(&bytes).map_err(|reason| input.damaged(reason))? {
                    if kind == b'x' {
                        self.pax.insert(key.to_vec(), value.to_vec());
                    } else if key != b"comment" {
                        return Err(input.damaged("a global pax header changes all that follow it"));
                    }
                }
            }
        }
        if kind == b'g' {
            self.used -= size + BLOCK as u64;
        }
        Ok(true)
    }

    /// The value that a pax record sets; an empty one takes back.
    fn pax(&self, key: &str) -> Option<&[u8]> {
        self.pax.get(key.as_bytes()).map(|value| &value[..]).filter(|value| !value.is_empty())
    }
}

/// Keeps a GNU long name, which ends at its first NUL.
fn set(name: &mut Option<Vec<u8>>, mut bytes: Vec<u8>) -> Result<(), &'static str> {
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    match name.replace(bytes) {
        None => Ok(()),
        Some(_) => Err("an entry has two long names"),
    }
}

/// A header with what stands before it.
struct Member<'a> {
    header: &'a Header,
    extensions: Extensions,
}

impl Member<'_> {
    /// The name as it was written, for messages; its beginning if it is too long to show.
    fn name(&self) -> String {
        let path = self.path();
        let shown = String::from_utf8_lossy(&path[..path.len().min(255)]).into_owned();
        if path.len() > 255 { shown + "…" } else { shown }
    }

    fn refused(&self, reason: impl Into<String>) -> Error {
        Error::Refused { path: self.name(), reason: reason.into() }
    }

    fn path(&self) -> Vec<u8> {
        let extensions = &self.extensions;
        match extensions.pax("path").or(extensions.long_name.as_deref()) {
            Some(path) => path.to_vec(),
            None => self.header.path_bytes().into_owned(),
        }
    }

    fn link(&self) -> Vec<u8> {
        let extensions = &self.extensions;
        match extensions.pax("linkpath").or(extensions.long_link.as_deref()) {
            Some(link) => link.to_vec(),
            None => self.header.link_name_bytes().unwrap_or_default().into_owned(),
        }
    }

    /// A number of the header, or the one that pax has for it.
    fn number(&self, key: &str, field: &[u8]) -> Result<i128, Error> {
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
    fn size(&self) -> Result<u64, Error> {
        self.bounded("size", &self.header.as_old().size, 1 << 62)
    }

    /// The entry; `None` for the root.
    fn entry(&self, size: u64) -> Result<Option<Entry>, Error> {
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

    fn kind(&self, path: &[u8], size: u64) -> Result<Kind, Error> {
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

    fn device(&self) -> Result<(u32, u32), Error> {
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
fn number(field: &[u8]) -> Option<i128> {
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
fn decimal(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

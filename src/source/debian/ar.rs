//! The ar container of a .deb, read front to back (deb(5), and ar(5) for the headers).
//!
//! ```text
//! !<arch>\n
//! name[16] mtime[12] uid[6] gid[6] mode[8] size[10] `\n     one header a member, numbers in decimal, padded with spaces
//! …size bytes…                                              and a line break if the size is odd
//! ```

use super::DebError;
use std::io::{self, Read};

const MAGIC: &[u8; 8] = b"!<arch>\n";

/// A reader of members, one after the other.
pub(super) struct Ar<R> {
    reader: R,
    /// How many bytes of the current member, with its padding, are unread.
    left: u64,
    padding: u64,
}

/// What a header says of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

impl<R: Read> Ar<R> {
    /// Checks that an ar file begins here.
    pub(super) fn new(mut reader: R) -> Result<Self, DebError> {
        let mut magic = [0; 8];
        reader.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(DebError::Form { why: "it does not begin with `!<arch>`" });
        }
        Ok(Self { reader, left: 0, padding: 0 })
    }

    /// Skips what is unread of the current member and reads the next header; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Member>, DebError> {
        let skip = self.left + self.padding;
        let skipped = io::copy(&mut (&mut self.reader).take(skip), &mut io::sink())?;
        // The padding behind the last member may be missing.
        if skipped < self.left {
            return Err(DebError::Form { why: "a member of it is cut off" });
        }
        (self.left, self.padding) = (0, 0);
        let mut header = Vec::with_capacity(60);
        (&mut self.reader).take(60).read_to_end(&mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let form = || DebError::Form { why: "a member of it has no valid header" };
        if header.len() < 60 || &header[58..] != b"`\n" {
            return Err(form());
        }
        let text = |range: std::ops::Range<usize>| std::str::from_utf8(&header[range]).map(|s| s.trim_end_matches(' '));
        let name = text(0..16).map_err(|_| form())?;
        // GNU ar ends names with a slash, dpkg does not.
        let name = name.strip_suffix('/').unwrap_or(name);
        let size = text(48..58).ok().filter(|size| size.bytes().all(|b| b.is_ascii_digit()));
        let size: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(form)?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
            return Err(form());
        }
        (self.left, self.padding) = (size, size % 2);
        Ok(Some(Member { name: name.to_owned(), size }))
    }

    /// Gives back the reader, which stands behind what was read of the current member.
    pub(super) fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: Read> Read for Ar<R> {
    /// Reads from the current member.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.reader.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len());
        [header.as_bytes(), bytes, if bytes.len() % 2 == 1 { b"\n" } else { b"" }].concat()
    }

    #[test]
    fn members_come_one_by_one() {
        let file = [MAGIC.to_vec(), member("a", b"123"), member("b/", b""), member("c", b"12")].concat();
        let mut ar = Ar::new(&file[..]).unwrap();
        assert_eq!(ar.next().unwrap(), Some(Member { name: "a".into(), size: 3 }));
        let mut first = [0; 1];
        ar.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"1");
        assert_eq!(ar.next().unwrap(), Some(Member { name: "b".into(), size: 0 }));
        assert_eq!(ar.next().unwrap(), Some(Member { name: "c".into(), size: 2 }));
        let mut rest = Vec::new();
        ar.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"12");
        assert_eq!(ar.next().unwrap(), None);
    }

    #[test]
    fn what_is_cut_off_or_malformed_is_refused() {
        let file = [MAGIC.to_vec(), member("a", b"123")].concat();
        let read = |bytes: &[u8]| -> Result<(), DebError> {
            let mut ar = Ar::new(bytes)?;
            while ar.next()?.is_some() {}
            Ok(())
        };
        read(&file).unwrap();
        // Only the padding at the end may be missing.
        for end in (0..8).chain(9..file.len() - 1) {
            assert!(read(&file[..end]).is_err(), "{end}");
        }
        for (from, to) in [("`", "'"), ("3  ", "-3 "), ("3  ", "9  "), ("3         `", "3x        `")] {
            let bad = String::from_utf8(file.clone()).unwrap().replacen(from, to, 1);
            assert!(read(bad.as_bytes()).is_err(), "{to}");
        }
    }
}

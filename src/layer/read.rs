//! Takes apart tar archives that others made: packages' members, sources, foreign layers.
//!
//! Read are ustar, its pax extension and GNU's extension (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). The header's
//! fields are told apart by the `tar` crate; the framing is done here, so that nothing is held in memory that a limit does not
//! bound, and so that a record which programs read differently is refused rather than guessed at.

use super::error::CUT_OFF;
use super::header::BLOCK;
use super::member::{Member, number};
use super::{Entry, Error, pax};
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
    members(archive, limits, None, |member, size, content| match member.entry(size)? {
        Some(entry) => visit(entry, content),
        None => Ok(()),
    })
}

/// Passes over bytes of a reader without reading them.
pub(super) type Seek<R> = fn(&mut R, u64) -> io::Result<()>;

/// Gives each member, the size of its content in bytes and the content itself to `visit`. What it leaves of a content is passed
/// over: by `seek` where there is one, which cannot tell that an archive is cut off there.
pub(super) fn members<R: Read, E: From<Error>>(
    archive: R,
    limits: &Limits,
    seek: Option<Seek<R>>,
    mut visit: impl FnMut(&Member<'_>, u64, &mut Content<'_, R>) -> Result<(), E>,
) -> Result<(), E> {
    let mut input = Input { reader: archive, at: 0, seek };
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
        visit(&member, size, &mut content)?;
        content.skip()?;
        input.skip(size.next_multiple_of(BLOCK as u64) - size)?;
    }
    if extensions.used == 0 { Ok(()) } else { Err(input.damaged("it ends behind an extension header").into()) }
}

/// The archive and how far it was read.
struct Input<R> {
    reader: R,
    at: u64,
    seek: Option<Seek<R>>,
}

impl<R: Read> Input<R> {
    fn damaged(&self, reason: &'static str) -> Error {
        Error::Damaged { at: self.at, reason }
    }

    fn failed(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(CUT_OFF),
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
pub(super) struct Content<'a, R> {
    input: &'a mut Input<R>,
    left: u64,
}

impl<R: Read> Content<'_, R> {
    /// Where in the archive the next byte stands.
    pub(super) fn at(&self) -> u64 {
        self.input.at
    }

    /// Passes over what is left.
    fn skip(mut self) -> Result<(), Error> {
        if let Some(seek) = self.input.seek {
            seek(&mut self.input.reader, self.left).map_err(|source| self.input.failed(source))?;
            self.input.at += self.left;
            return Ok(());
        }
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
pub(super) struct Extensions {
    pub(super) long_name: Option<Vec<u8>>,
    pub(super) long_link: Option<Vec<u8>>,
    pub(super) pax: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes they have together, with their headers.
    used: u64,
    /// The CRC-32 of those headers and their contents.
    pub(super) form: u32,
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
        let mut form = crc32fast::Hasher::new_with_initial(self.form);
        form.update(header.as_bytes());
        form.update(&bytes);
        self.form = form.finalize();
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
    pub(super) fn pax(&self, key: &str) -> Option<&[u8]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::arbitrary::{fragment, tree};
    use crate::layer::{END, FragmentWriter, Kind};
    use proptest::prelude::*;

    /// Makes the check sum of a header right again.
    fn seal(block: &mut [u8]) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// No bytes make it panic, and what it lets through a fragment can hold.
        #[test]
        fn a_damaged_archive_is_refused_or_can_be_written(
            tree in tree(),
            at: prop::sample::Index,
            within: prop::sample::Index,
            change in prop::collection::vec(any::<u8>(), 1..12),
        ) {
            let mut bytes = fragment(&tree).0;
            bytes.extend_from_slice(&END);
            let start = at.index(bytes.len() / BLOCK) * BLOCK;
            let block = &mut bytes[start..start + BLOCK];
            let within = within.index(BLOCK - change.len());
            block[within..within + change.len()].copy_from_slice(&change);
            seal(block);
            let _refused = read(&bytes[..], &Limits::default(), |entry, content| {
                if !entry.is_directory() && !matches!(entry.kind, Kind::Hardlink { .. }) {
                    // The content alone may be cut off.
                    match FragmentWriter::new(io::sink()).add(&entry, content) {
                        Err(Error::Content { .. }) => {}
                        other => other.expect("the entry can be written"),
                    }
                }
                Ok::<_, Error>(())
            });
        }
    }
}

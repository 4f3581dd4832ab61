//! The cache's bytes (glibc `elf/cache.c`, `elf/stringtable.c`, `sysdeps/generic/dl-cache.h`; format 1.1).
//!
//! ```text
//! "glibc-ld.so.cache" "1.1"  count:u32  length of strings:u32  flags:u8 (2: little, 3: big endian)  0×3  extension:u32  0×12
//! count × { flags:u32  name:u32  path:u32  0:u32  hardware level:u64 }      offsets count from the file's start
//! strings, each ended by NUL, a tail of another where it is one
//! at a multiple of 4: magic:u32  sections:u32  { tag:u32  flags:u32  offset:u32  size:u32 }…  their content
//! ```

use crate::oci::Arch;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The bytes of the header, of one entry, and of the extension's header and sections.
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// `cache_extension_magic`, and the tags of what it holds.
const EXTENSION: u32 = 0xEAA4_2174;
const GENERATOR: u32 = 0;
const LEVELS: u32 = 1;

/// `DL_CACHE_HWCAP_EXTENSION`: the level is an index into the extension's list.
const LEVEL: u64 = 1 << 62;

/// The entries in the order of the file.
pub(super) struct Cache {
    big: bool,
    entries: Vec<Library>,
    /// Every string, also those of levels without libraries.
    strings: Vec<String>,
}

struct Library {
    soname: String,
    path: String,
    flags: u32,
    level: Option<String>,
}

impl Cache {
    /// An empty cache for an architecture's byte order.
    pub(super) fn new(arch: Arch) -> Self {
        Self { big: arch == Arch::S390x, entries: Vec::new(), strings: Vec::new() }
    }

    /// Adds a library behind all that do not come after it.
    pub(super) fn add(&mut self, directory: &str, file: &str, soname: &str, flags: u32, level: Option<&str>) {
        let new = Library {
            soname: soname.to_owned(),
            path: format!("{directory}/{file}"),
            flags,
            level: level.map(str::to_owned),
        };
        self.strings.extend([new.soname.clone(), new.path.clone()]);
        self.strings.extend(new.level.clone());
        let at = self.entries.partition_point(|old| order(old, &new).is_le());
        self.entries.insert(at, new);
    }

    /// The file.
    pub(super) fn bytes(&self, generator: &str) -> Vec<u8> {
        let base = HEADER + self.entries.len() * ENTRY;
        let (offsets, strings) = table(&self.strings);
        let offset = |text: &str| offsets.get(text).map_or(0, |at| base + at);
        let mut levels: Vec<&str> = self.entries.iter().filter_map(|library| library.level.as_deref()).collect();
        levels.sort_unstable();
        levels.dedup();
        let extension = (base + strings.len()).next_multiple_of(4);

        let mut out = Writer { bytes: Vec::new(), big: self.big };
        out.bytes.extend(b"glibc-ld.so.cache1.1");
        out.word(self.entries.len());
        out.word(strings.len());
        out.bytes.extend([if self.big { 3 } else { 2 }, 0, 0, 0]);
        out.word(extension);
        out.bytes.extend([0; 12]);
        for library in &self.entries {
            out.word(library.flags as usize);
            out.word(offset(&library.soname));
            out.word(offset(&library.path));
            out.word(0);
            let index = library.level.as_deref().and_then(|level| levels.binary_search(&level).ok());
            out.long(index.map_or(0, |index| LEVEL | index as u64));
        }
        out.bytes.extend(strings);
        out.bytes.resize(extension, 0);

        let sections = if levels.is_empty() { 1 } else { 2 };
        let content = extension + 8 + 16 * sections;
        out.word(EXTENSION as usize);
        out.word(sections);
        for value in [GENERATOR as usize, 0, content + 4 * levels.len(), generator.len()] {
            out.word(value);
        }
        if !levels.is_empty() {
            for value in [LEVELS as usize, 0, content, 4 * levels.len()] {
                out.word(value);
            }
        }
        for level in levels {
            out.word(offset(level));
        }
        out.bytes.extend(generator.as_bytes());
        out.bytes
    }
}

/// The order of entries: names from the highest down, then kinds from the highest down, levels first and by name.
fn order(a: &Library, b: &Library) -> Ordering {
    let levels = || match (&a.level, &b.level) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (a, b) => a.cmp(b),
    };
    compare(&b.soname, &a.soname).then_with(|| b.flags.cmp(&a.flags)).then_with(levels)
}

/// Compares names so that numbers in them count as numbers (`_dl_cache_libcmp`).
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let Some(&x) = a.first() {
        let y = b.first().copied();
        match (x.is_ascii_digit(), y.is_some_and(|y| y.is_ascii_digit())) {
            (true, true) => match number(&mut a).cmp(&number(&mut b)) {
                Ordering::Equal => {}
                other => return other,
            },
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) if Some(x) == y => (a, b) = (&a[1..], &b[1..]),
            (false, false) => return x.cmp(&y.unwrap_or(0)),
        }
    }
    if b.is_empty() { Ordering::Equal } else { Ordering::Less }
}

/// Takes a number off the front; one that is too large wraps, as in C.
fn number(text: &mut &[u8]) -> i32 {
    let mut value = 0_i32;
    while let Some((digit, rest)) = text.split_first().filter(|(digit, _)| digit.is_ascii_digit()) {
        value = value.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
        *text = rest;
    }
    value
}

/// Lays strings out so that one that is the end of another has no bytes of its own: sorted by their ends downwards, the longer first.
fn table(strings: &[String]) -> (BTreeMap<&str, usize>, Vec<u8>) {
    let mut sorted: Vec<&str> = strings.iter().map(String::as_str).collect();
    let ends = |a: &&str, b: &&str| {
        let differ = a.bytes().rev().zip(b.bytes().rev()).map(|(x, y)| y.cmp(&x)).find(|order| order.is_ne());
        differ.unwrap_or_else(|| b.len().cmp(&a.len()))
    };
    sorted.sort_unstable_by(ends);
    sorted.dedup();
    let mut offsets = BTreeMap::new();
    let mut bytes: Vec<u8> = Vec::new();
    let mut previous = "";
    let mut at = 0;
    for text in sorted {
        if previous.ends_with(text) {
            at += previous.len() - text.len();
        } else {
            at = bytes.len();
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        offsets.insert(text, at);
        previous = text;
    }
    (offsets, bytes)
}

struct Writer {
    bytes: Vec<u8>,
    big: bool,
}

impl Writer {
    /// A 32-bit number; every one here is an offset or a count in a file far below 4 GiB.
    fn word(&mut self, value: usize) {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn long(&mut self, value: u64) {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_numbers() {
        assert_eq!(compare("libx.so.10", "libx.so.9"), Ordering::Greater);
        assert_eq!(compare("libx.so.1", "libx.so.1.2"), Ordering::Less);
        assert_eq!(compare("lib1", "liba"), Ordering::Greater);
        assert_eq!(compare("liba", "liba"), Ordering::Equal);
    }

    #[test]
    fn tails_share_their_bytes() {
        let strings = ["libc.so.6", "/lib/libc.so.6", "libm.so.6"].map(str::to_owned);
        let (offsets, bytes) = table(&strings);
        assert_eq!(bytes, b"libm.so.6\0/lib/libc.so.6\0");
        assert_eq!((offsets["libc.so.6"], offsets["/lib/libc.so.6"], offsets["libm.so.6"]), (15, 10, 0));
    }
}

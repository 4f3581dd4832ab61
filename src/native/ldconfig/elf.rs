//! The little that the cache needs of a shared library: its kind and its soname (System V ABI, "Object Files"; glibc `elf/readelflib.c`).

use super::window::Window;
use crate::oci::Arch;

/// A shared library as the cache sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The kind of library, as glibc's `sysdeps/generic/ldconfig.h` numbers them.
    pub(super) flags: u32,
    /// `DT_SONAME`.
    pub(super) soname: Option<String>,
}

/// `FLAG_ELF_LIBC6`: what every library of today is.
const LIBC6: u32 = 0x0003;

const TYPE_DYN: u16 = 3;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const STRTAB: u64 = 5;
const SONAME: u64 = 14;

/// Reads a file; `None`: it is no shared library of the architecture or of one that runs beside it.
pub(super) fn read(file: &Window<'_>, arch: Arch) -> Option<Object> {
    let start: [u8; 6] = file.exactly(0, 6, |bytes| bytes.try_into().ok())??;
    let [b'\x7f', b'E', b'L', b'F', width, order] = start else { return None };
    let wide = width == 2;
    let big = order == 2;
    let view = View { file, wide, big };
    if view.half(16)? != TYPE_DYN {
        return None;
    }
    let flags = flags(arch, view.half(18)?, wide, big, view.word(if wide { 48 } else { 36 })?)?;
    let soname = view.soname();
    Some(Object { flags, soname })
}

/// The number of a kind of library: by machine (`e_machine`), width, byte order and `e_flags`.
fn flags(arch: Arch, machine: u16, wide: bool, big: bool, header: u32) -> Option<u32> {
    Some(match (arch, machine, wide, big) {
        (Arch::Amd64, 62, true, false) => LIBC6 | 0x0300,
        (Arch::Amd64, 62, false, false) => LIBC6 | 0x0800,
        (Arch::Amd64 | Arch::I386, 3, false, false) => LIBC6,
        (Arch::Arm64, 183, true, false) => LIBC6 | 0x0a00,
        // EF_ARM_ABI_FLOAT_HARD
        (Arch::Arm64 | Arch::Arm, 40, false, false) => LIBC6 | if header & 0x400 != 0 { 0x0900 } else { 0x0b00 },
        (Arch::Ppc64le, 21, true, false) => LIBC6 | 0x0500,
        // EF_RISCV_FLOAT_ABI_DOUBLE
        (Arch::Riscv64, 243, true, false) => LIBC6 | if header & 6 == 4 { 0x1000 } else { 0x0f00 },
        (Arch::S390x, 22, true, true) => LIBC6 | 0x0400,
        _ => return None,
    })
}

/// A file whose numbers have a width and a byte order. Every read is checked against the end of the file.
struct View<'f> {
    file: &'f Window<'f>,
    wide: bool,
    big: bool,
}

impl View<'_> {
    fn number(&self, at: u64, size: usize) -> Option<u64> {
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let big = self.big;
        self.file.exactly(
            at,
            size,
            |bytes| {
                if big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
            },
        )
    }

    fn half(&self, at: u64) -> Option<u16> {
        self.number(at, 2).and_then(|value| u16::try_from(value).ok())
    }

    fn word(&self, at: u64) -> Option<u32> {
        self.number(at, 4).and_then(|value| u32::try_from(value).ok())
    }

    fn address(&self, at: u64) -> Option<u64> {
        self.number(at, if self.wide { 8 } else { 4 })
    }

    /// The soname, by way of the program headers and the dynamic section.
    fn soname(&self) -> Option<String> {
        let (table, size, count) = if self.wide {
            (self.number(32, 8)?, u64::from(self.half(54)?), u64::from(self.half(56)?))
        } else {
            (self.number(28, 4)?, u64::from(self.half(42)?), u64::from(self.half(44)?))
        };
        let mut loads = Vec::new();
        let mut dynamic = None;
        for index in 0..count {
            let at = table.checked_add(index.checked_mul(size)?)?;
            let (offset, address, length) = if self.wide { (8, 16, 32) } else { (4, 8, 16) };
            let field = |delta: u64| self.address(at.checked_add(delta)?);
            match self.word(at)? {
                LOAD => loads.push((field(address)?, field(length)?, field(offset)?)),
                DYNAMIC => dynamic = Some((field(offset)?, field(length)?)),
                _ => {}
            }
        }
        let (start, length) = dynamic?;
        let step = if self.wide { 8 } else { 4 };
        let (mut strings, mut name) = (None, None);
        for index in 0..length / (2 * step) {
            let at = start.checked_add(index.checked_mul(2 * step)?)?;
            match self.address(at)? {
                0 => break,
                STRTAB => strings = self.address(at.checked_add(step)?),
                SONAME => name = self.address(at.checked_add(step)?),
                _ => {}
            }
        }
        let (strings, name) = (strings?, name?);
        let (address, _, offset) =
            loads.iter().find(|(address, length, _)| strings >= *address && strings - address < *length)?;
        let at = (strings - address).checked_add(*offset)?.checked_add(name)?;
        self.file.up_to(at, 255, |text| {
            let text = std::str::from_utf8(text.split(|byte| *byte == 0).next()?).ok()?;
            (!text.is_empty()).then(|| text.to_owned())
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library of one load segment whose soname is given: header, two program headers, the dynamic section, the strings.
    pub(super) fn library(soname: &str) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[16] = 3;
        file[18] = 62;
        file[32] = 64;
        file[54] = 56;
        file[56] = 2;
        let program = |kind: u32, offset: u64, length: u64| {
            let mut header = Vec::new();
            header.extend(kind.to_le_bytes());
            header.extend(0_u32.to_le_bytes());
            for value in [offset, offset + 0x1000, 0, length, length, 8] {
                header.extend(value.to_le_bytes());
            }
            header
        };
        file.extend(program(1, 0, 1000));
        file.extend(program(2, 176, 48));
        for value in [5_u64, 0x1000 + 224, 14, 1, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file.push(0);
        file.extend(soname.as_bytes());
        file.push(0);
        file
    }

    #[test]
    fn the_soname_is_found_and_nothing_panics_on_a_cut_file() {
        let read = |file: &[u8], arch| {
            let part = |at: u64, size: usize| {
                let at = usize::try_from(at).map_or(file.len(), |at| at.min(file.len()));
                Ok(file[at..file.len().min(at + size)].to_vec())
            };
            read(&Window::new(part), arch)
        };
        let whole = library("libx.so.1");
        assert_eq!(read(&whole, Arch::Amd64), Some(Object { flags: 0x303, soname: Some("libx.so.1".into()) }));
        assert_eq!(read(&whole, Arch::Arm64), None);
        for length in 0..whole.len() {
            let _ = read(&whole[..length], Arch::Amd64);
            let mut broken = whole.clone();
            broken[length] = 0xff;
            let _ = read(&broken, Arch::Amd64);
        }
    }
}

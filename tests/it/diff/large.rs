//! A pair of images of 500 MiB each: verdict, paths and classes right, in memory that does not grow with them.

use super::compared;
use remint::verify::diff::{Class, Verdict};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// How many files there are, and how large each is in bytes: 500 MiB together.
const FILES: u64 = 125;
const SIZE: usize = 4 << 20;

/// Writes a root file system of many files without two equal blocks, some of them changed.
fn write(path: &Path, change: impl Fn(u64, &mut [u8])) {
    let mut builder = tar::Builder::new(BufWriter::with_capacity(1 << 20, File::create(path).unwrap()));
    let noise: Vec<u8> =
        (0..u32::try_from(SIZE).unwrap()).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    for number in 0..FILES {
        let mut content = noise.clone();
        for block in content.chunks_mut(4096).enumerate() {
            block.1[..16].copy_from_slice(&[number.to_le_bytes(), (block.0 as u64).to_le_bytes()].concat());
        }
        change(number, &mut content);
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, format!("srv/{number:03}"), &content[..]).unwrap();
    }
    builder.into_inner().unwrap().flush().unwrap();
}

#[test]
fn a_large_pair_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.tar"), |number, content| {
        if number == 90 {
            content[3_000_000..3_000_024].copy_from_slice(b"\0made 2026-11-23 by me\0\0");
        }
    });
    write(&dir.path().join("b.tar"), |number, content| match number {
        7 => content[4_000_001] ^= 1,
        90 => content[3_000_000..3_000_024].copy_from_slice(b"\0made 2026-11-24 by me\0\0"),
        _ => {}
    });
    assert!(std::fs::metadata(dir.path().join("a.tar")).unwrap().len() > 500 << 20);
    let comparison = compared(dir.path(), "tar:a.tar", "tar:b.tar");
    assert_eq!(comparison.verdict, Verdict::Different);
    let files = comparison.platforms[0].files.iter();
    let found: Vec<_> = files.map(|file| (&*file.path, file.findings[0].class, file.findings[0].offset)).collect();
    let expected = [("/srv/007", Class::Content, Some(4_000_001)), ("/srv/090", Class::Timestamp, Some(3_000_015))];
    assert_eq!(found, expected);
}

//! Golden bytes: what format 1 makes of a fixed tree, for ever. A change here is format 2.

use super::tree::{fragments, layer};
use remint::digest::Digest;
use remint::layer::Codec;
use std::fmt::Write;

#[test]
fn format_1_is_what_it_was() {
    let (fragments, indices) = fragments(true);
    let names = ["directories", "devices", "tricky", "chunk", "chunk-and-a-byte", "chunks"];
    let mut found = String::from("# name, bytes, digest of what format 1 makes of tests/it/layer/tree.rs\n");
    for (name, bytes) in names.iter().zip(&fragments) {
        writeln!(found, "fragment/{name} {} {}", bytes.len(), Digest::of(bytes)).unwrap();
    }
    for (name, index) in names[1..].iter().zip(&indices) {
        let bytes = index.encode();
        writeln!(found, "index/{name} {} {}", bytes.len(), Digest::of(&bytes)).unwrap();
    }
    for codec in [Codec::Zstd, Codec::Gzip] {
        let (packed, blob) = layer(codec, &fragments);
        writeln!(found, "{codec}/tar {} {}", packed.tar_size, packed.diff_id).unwrap();
        writeln!(found, "{codec}/blob {} {}", packed.blob.size, packed.blob.digest).unwrap();
        for (name, range) in names.iter().zip(&packed.ranges) {
            let bytes = &blob[usize::try_from(range.offset).unwrap()..][..usize::try_from(range.size).unwrap()];
            writeln!(found, "{codec}/{name} {} {} {:08x}", range.size, Digest::of(bytes), range.crc32).unwrap();
        }
    }
    let expected = include_str!("../../golden/layer.txt");
    assert!(found == expected, "format 1 changed; expected\n{expected}\nfound\n{found}");
}

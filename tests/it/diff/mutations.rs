//! Random changes of an image's files and of its tar: each is found and named.

use super::making::{Thing, file, link, tar, thing};
use super::{compared_tars, try_compared};
use crate::support::random::random;
use remint::verify::diff::{Field, Verdict};
use tar::EntryType;

/// A tree of files of several kinds and sizes.
fn tree(state: &mut u64) -> Vec<Thing> {
    let mut things = vec![thing("d", EntryType::Directory).mode(0o755)];
    for number in 0..30 {
        let size = 1 + random(state, 3000);
        let content: Vec<u8> = match number % 3 {
            0 => (0..size).map(|_| u8::try_from(random(state, 256)).unwrap()).collect(),
            1 => (0..size)
                .map(|at| if at % 40 == 39 { b'\n' } else { b'a' + u8::try_from(random(state, 26)).unwrap() })
                .collect(),
            _ => format!("{{\"key{number}\": [{size}, \"text {}\"]}}\n", random(state, 1000)).into_bytes(),
        };
        things.push(file(&format!("d/f{number:02}"), &content));
    }
    things.push(link("d/link", "f01", EntryType::Symlink));
    things
}

#[test]
fn every_changed_byte_and_field_is_found_and_named() {
    let mut state = 0x9e37_79b9_0000_0007;
    let tree = tree(&mut state);
    for round in 0..260 {
        let at = 1 + random(&mut state, 30);
        let mut other = tree.clone();
        let changed = &mut other[at];
        let expected = match round % 10 {
            0..=4 => {
                let byte = random(&mut state, changed.content.len());
                changed.content[byte] ^= 1 << random(&mut state, 8);
                (Field::Content, Some(byte as u64))
            }
            5 => {
                changed.mode ^= 1 << random(&mut state, 9);
                (Field::Mode, None)
            }
            6 => {
                changed.owner.0 = 1 + random(&mut state, 60_000) as u64;
                (Field::Owner, None)
            }
            7 => {
                changed.mtime ^= 1 << random(&mut state, 30);
                (Field::Mtime, None)
            }
            8 => {
                changed.xattr = Some((format!("user.a{round}"), vec![1]));
                (Field::Xattrs, None)
            }
            _ => {
                let size = random(&mut state, changed.content.len());
                changed.content.truncate(size);
                let offset = changed.content.len() as u64;
                (Field::Content, Some(offset))
            }
        };
        let comparison = compared_tars(&tree, &other);
        let [only] = &comparison.platforms[0].files[..] else { panic!("round {round}: {comparison:#?}") };
        let finding = &only.findings[0];
        assert_eq!((&*only.path, finding.field), (&*format!("/{}", tree[at].path), expected.0), "round {round}");
        // What is inside a document is told by its own first byte.
        if let (Some(offset), true) = (expected.1, finding.within.is_empty()) {
            assert_eq!(finding.offset, Some(offset), "round {round}: {finding:?}");
        }
    }
}

/// Entries in another order are the same files, and the order is told.
#[test]
fn another_order_of_entries_is_told_and_is_no_difference() {
    let mut state = 0x9e37_79b9_0000_0008;
    let tree = tree(&mut state);
    for _ in 0..20 {
        let mut other = tree.clone();
        let (one, two) = (1 + random(&mut state, 30), 1 + random(&mut state, 30));
        other.swap(one, two);
        let comparison = compared_tars(&tree, &other);
        if one == two {
            assert_eq!(comparison.verdict, Verdict::Identical);
            continue;
        }
        assert_eq!(comparison.verdict, Verdict::SameFiles);
        let finding = &comparison.platforms[0].layers[0].findings[0];
        let places = [finding.a.as_deref().unwrap(), finding.b.as_deref().unwrap()];
        assert!(places.contains(&&*format!("/{}", tree[one.min(two)].path)), "{finding:?}");
    }
}

/// Any byte of the tar: found, or refused by name; never overlooked.
#[test]
fn no_changed_byte_of_a_tar_is_overlooked() {
    let mut state = 0x9e37_79b9_0000_0009;
    let tree = tree(&mut state);
    let bytes = tar(&tree);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.tar"), &bytes).unwrap();
    let headers: Vec<usize> =
        (0..bytes.len() / 512).map(|block| block * 512).filter(|&at| bytes[at..].starts_with(b"d/")).collect();
    for round in 0..200 {
        let mut other = bytes.clone();
        let header = headers[random(&mut state, headers.len())];
        let at = header + if round % 2 == 0 { random(&mut state, 512) } else { random(&mut state, 345) };
        other[at] ^= 1 << random(&mut state, 8);
        seal(&mut other[header..header + 512]);
        if other == bytes {
            continue;
        }
        std::fs::write(dir.path().join("b.tar"), &other).unwrap();
        if let Ok(comparison) = try_compared(dir.path(), "tar:a.tar", "tar:b.tar") {
            assert_ne!(comparison.verdict, Verdict::Identical, "byte {at}");
            let platform = &comparison.platforms[0];
            let named = !platform.files.is_empty() || !platform.layers[0].findings.is_empty();
            assert!(named, "byte {at} of a header: {comparison:#?}");
        }
    }
}

/// Makes the check sum of a header right again.
fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

//! Changes of one field of an entry, one byte of a file or of a header.

use super::change::{Touched, change, has_mode, no_link, targets, touched};
use super::images;
use crate::diff::oracle::{Root, is_file, link};
use crate::diff::taken::{Entry, Image};
use crate::support::random::random;
use remint::verify::diff::{Class, Field};
use tar::{EntryType, Header};

pub(super) fn byte(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let mut at = 0;
    let touched = change(
        state,
        image,
        root,
        Field::Content,
        |entry| !entry.content.is_empty(),
        |state, entry| {
            at = random(state, entry.content.len());
            entry.content[at] ^= 1 << random(state, 8);
        },
    )?;
    Some(Touched { offset: Some(at as u64), ..touched })
}

/// A byte whose meaning the tests know, having written it.
pub(super) fn planted(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let (path, from, length, class) = images::PLANTED[random(state, images::PLANTED.len())];
    let at = from + random(state, length);
    let touched = change(
        state,
        image,
        root,
        Field::Content,
        |entry| entry.path == path,
        |state, entry| {
            let byte = &mut entry.content[at];
            *byte = match *byte {
                // Another digit, another letter: what it is remains.
                b'0'..=b'9' => b'0' + (*byte - b'0' + 1 + u8::try_from(random(state, 9)).unwrap()) % 10,
                b'a'..=b'z' => b'a' + (*byte - b'a' + 1 + u8::try_from(random(state, 25)).unwrap()) % 26,
                other => other ^ 1 << random(state, 8),
            };
        },
    )?;
    Some(Touched { offset: Some(at as u64), class: Some(class), ..touched })
}

pub(super) fn longer(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let mut at = 0;
    let touched = change(state, image, root, Field::Content, is_file, |_, entry| {
        at = entry.content.len();
        entry.fill([&entry.content[..], b"\xff"].concat());
    })?;
    Some(Touched { offset: Some(at as u64), ..touched })
}

pub(super) fn mode(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let flip = |header: &mut Header, bit| header.set_mode(header.mode().unwrap() ^ u32::try_from(bit).unwrap());
    bit(state, image, root, Field::Mode, (has_mode, 12, flip))
}

pub(super) fn uid(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    bit(state, image, root, Field::Owner, (no_link, 16, |header, bit| header.set_uid(header.uid().unwrap() ^ bit)))
}

pub(super) fn gid(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    bit(state, image, root, Field::Owner, (no_link, 16, |header, bit| header.set_gid(header.gid().unwrap() ^ bit)))
}

pub(super) fn time(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    bit(state, image, root, Field::Mtime, (no_link, 31, |header, bit| header.set_mtime(header.mtime().unwrap() ^ bit)))
}

/// Of which entries, how many bits the number has, and what flips one.
type Number = (fn(&Entry) -> bool, usize, fn(&mut Header, u64));

/// Flips a bit of a number.
fn bit(state: &mut u64, image: &mut Image, root: &Root, field: Field, (which, bits, flip): Number) -> Option<Touched> {
    change(state, image, root, field, which, |state, entry| {
        let bit = 1 << random(state, bits);
        entry.change(|header| flip(header, bit));
    })
}

/// Engines go by the numbers.
pub(super) fn owner_name(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let touched = change(
        state,
        image,
        root,
        Field::Tar,
        |_| true,
        |_, entry| {
            entry.change(|header| header.set_username("amy").unwrap());
        },
    )?;
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched })
}

pub(super) fn target(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(
        state,
        image,
        root,
        Field::Link,
        |entry| entry.kind() == EntryType::Symlink,
        |state, entry| {
            let mut to = link(entry).into_bytes();
            let at = random(state, to.len());
            to[at] = if to[at] == b'q' { b'p' } else { b'q' };
            entry.change(|header| header.set_link_name(String::from_utf8(to).unwrap()).unwrap());
        },
    )
}

pub(super) fn xattr(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(state, image, root, Field::Xattrs, no_link, |state, entry| {
        let name = ["user.x", "security.capability", "trusted.y"][random(state, 3)];
        entry.extend(&format!("SCHILY.xattr.{name}"), &[1, 2, 3]);
    })
}

pub(super) fn other_type(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    // What other names lead to has to remain a file.
    let linked = targets(image);
    let fits = |entry: &Entry| is_file(entry) && !linked.contains(&entry.path);
    change(state, image, root, Field::Type, fits, |state, entry| {
        let kind = [EntryType::Symlink, EntryType::Directory, EntryType::Fifo, EntryType::Char][random(state, 4)];
        entry.fill(vec![]);
        entry.change(|header| {
            header.set_entry_type(kind);
            if kind == EntryType::Symlink {
                header.set_link_name("elsewhere").unwrap();
            }
        });
    })
}

/// What an upper layer has replaced.
pub(super) fn hidden(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let field = [Field::Mode, Field::Owner, Field::Mtime][random(state, 3)];
    let fits = |entry: &Entry| is_file(entry) && !root.shows(entry);
    let touched = change(state, image, root, field, fits, |_, entry| {
        entry.change(|header| match field {
            Field::Mode => header.set_mode(header.mode().unwrap() ^ 0o111),
            Field::Owner => header.set_gid(header.gid().unwrap() + 7),
            _ => header.set_mtime(header.mtime().unwrap() + 7),
        });
    })?;
    assert_eq!(touched.visible, Some(false));
    Some(touched)
}

/// A hard link has the fields of its file, whatever its own header says.
pub(super) fn link_header(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let link = |entry: &Entry| entry.kind() == EntryType::Link;
    let touched = change(state, image, root, Field::Tar, link, |state, entry| {
        let field = random(state, 3);
        entry.change(|header| match field {
            0 => header.set_mode(header.mode().unwrap() ^ 0o22),
            1 => header.set_uid(header.uid().unwrap() + 1),
            _ => header.set_mtime(header.mtime().unwrap() + 1),
        });
    })?;
    Some(Touched { visible: Some(false), ..touched })
}

pub(super) fn padding(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    change(
        state,
        image,
        root,
        Field::Tar,
        |entry| !entry.padding.is_empty(),
        |state, entry| {
            let at = random(state, entry.padding.len());
            entry.padding[at] = 1;
        },
    )
    // Which entry is in front of it is not told.
    .map(|_| Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched("", Field::Tar) })
}

/// A byte of a header that nobody reads: behind the end of a name, or of the header itself.
pub(super) fn header_padding(state: &mut u64, image: &mut Image, root: &Root) -> Option<Touched> {
    let touched = change(
        state,
        image,
        root,
        Field::Tar,
        |_| true,
        |state, entry| {
            let link = random(state, 2) == 0 && entry.header.link_name_bytes().is_none();
            entry.change(|header| {
                let bytes = header.as_mut_bytes();
                // The name of a link begins at 157, and what is not used at 500.
                if link { bytes[158 + random(state, 99)] = 1 } else { bytes[500 + random(state, 12)] = 1 }
            });
        },
    )?;
    Some(Touched { visible: Some(false), class: Some(Class::TarHeader), ..touched })
}

//! A file of which only a few places are looked at: a library's header, its dynamic section and one name.

use crate::native::Error;
use std::cell::RefCell;

/// What is read at a time, in bytes: the header with the program headers fits, and so does a dynamic section.
const WINDOW: usize = 4096;

/// A reader of parts: gives the bytes from an offset on, as many as there are up to a length.
type Part<'r> = dyn Fn(u64, usize) -> Result<Vec<u8>, Error> + 'r;

/// A file behind a window that moves to where somebody looks.
pub(super) struct Window<'r> {
    part: Box<Part<'r>>,
    held: RefCell<(u64, Vec<u8>)>,
    failed: RefCell<Option<Error>>,
}

impl<'r> Window<'r> {
    /// Looks at nothing yet.
    pub(super) fn new(part: impl Fn(u64, usize) -> Result<Vec<u8>, Error> + 'r) -> Self {
        Self { part: Box::new(part), held: RefCell::default(), failed: RefCell::default() }
    }

    /// Bytes from an offset on: exactly that many, or `None` if the file ends before or could not be read.
    pub(super) fn exactly<T>(&self, at: u64, size: usize, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.up_to(at, size, |bytes| (bytes.len() == size).then(|| look(bytes))).flatten()
    }

    /// Bytes from an offset on, at most that many; `None` if the file could not be read.
    pub(super) fn up_to<T>(&self, at: u64, size: usize, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut held = self.held.borrow_mut();
        let inside = |held: &(u64, Vec<u8>)| {
            let start = usize::try_from(at.checked_sub(held.0)?).ok()?;
            held.1.get(start..start.checked_add(size)?).map(|_| start)
        };
        if inside(&held).is_none() {
            match (self.part)(at, size.max(WINDOW)) {
                Ok(bytes) => *held = (at, bytes),
                Err(error) => {
                    self.failed.borrow_mut().get_or_insert(error);
                    return None;
                }
            }
        }
        let start = inside(&held).unwrap_or(0);
        let bytes = &held.1[start..];
        Some(look(&bytes[..bytes.len().min(size)]))
    }

    /// What went wrong when the file was read.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::TreePath;
    use std::io;

    #[test]
    fn any_place_is_seen_as_in_the_whole() {
        let file: Vec<u8> = (0..10_000_u32).map(|n| n.to_le_bytes()[n as usize % 2]).collect();
        let window = Window::new(|at, size| {
            let at = usize::try_from(at).unwrap().min(file.len());
            Ok(file[at..file.len().min(at + size)].to_vec())
        });
        for at in [0, 1, 4000, 4090, 5000, 3, 9_990, 9_999, 10_000, 20_000, 0] {
            for size in [0, 1, 10, 5000] {
                let from = file.get(at..).unwrap_or_default();
                let at = at as u64;
                let seen = window.up_to(at, size, <[u8]>::to_vec).unwrap();
                assert_eq!(seen, from[..from.len().min(size)], "{at} {size}");
                let whole = window.exactly(at, size, <[u8]>::to_vec);
                assert_eq!(whole.as_deref(), Some(&seen[..]).filter(|seen| seen.len() == size), "{at} {size}");
            }
        }
        window.finish().unwrap();
    }

    #[test]
    fn an_error_is_kept() {
        let window = Window::new(|_, _| {
            Err(Error::Read { path: TreePath::parse("x").unwrap(), source: io::Error::other("broken") })
        });
        assert_eq!(window.up_to(0, 1, <[u8]>::len), None);
        assert!(matches!(window.finish(), Err(Error::Read { .. })));
    }
}
